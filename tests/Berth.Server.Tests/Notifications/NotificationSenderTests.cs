using System.Net;
using System.Net.Sockets;
using System.Text;
using Berth.Server.Notifications;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Tests.Notifications;

public sealed class NotificationSenderTests
{
    /// <summary>Longer than any test moves its clock while a request runs.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromDays(30);

    private readonly ManualTime _time = new();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Events_arrive_in_order_one_at_a_time_and_their_rows_are_removed(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var receiver = await Receiver.StartAsync();
        await using var site = new NotificationSite(database.Current, TimeProvider.System, EndpointAt(receiver));
        await site.PushAsync("early");
        await site.StartAsync();
        string[] tags = [.. Enumerable.Range(0, 40).Select(i => $"v{i}")];
        foreach (var tag in tags) await site.PushAsync(tag);
        await receiver.CountAsync(41);
        await site.EmptyAsync();
        Assert.Equal(["early", .. tags], receiver.Tags);
        Assert.Equal(1, receiver.MostInFlight);
        await Eventually.TrueAsync(() => site.Counters is { Successes: 41, Pending: 0 }, "counted");
        Assert.Equal(41, site.Counters.Events);
        Assert.Equal(41, site.Counters.Statuses[200]);
    }

    [Fact]
    public async Task A_request_is_a_post_of_the_envelope_with_the_configured_headers()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var receiver = await Receiver.StartAsync();
        var headers = new Dictionary<string, IReadOnlyList<string>> { ["Authorization"] = ["Bearer abc"], ["X-Two"] = ["1", "2"], ["Content-Language"] = ["en"] };
        await using var site = new NotificationSite(database.Current, _time, EndpointAt(receiver) with { Headers = headers });
        await site.StartAsync();
        await site.PushAsync("v1");
        await receiver.CountAsync(1);
        var request = receiver.Requests.Single();
        Assert.Equal(("POST", "/events"), (request.Method, request.Path));
        Assert.Equal("application/vnd.docker.distribution.events.v2+json", request.Headers["Content-Type"]);
        Assert.Equal("Bearer abc", request.Headers["Authorization"]);
        Assert.Equal("1, 2", request.Headers["X-Two"].Replace(",", ", ").Replace("  ", " "));
        Assert.Equal("en", request.Headers["Content-Language"]);
        Assert.StartsWith("berth/", request.Headers["User-Agent"]);
        Assert.Equal("2026-05-04T03:02:01Z", request.Event.GetProperty("timestamp").GetString());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_commit_wakes_the_sender_without_waiting_for_its_clock(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var receiver = await Receiver.StartAsync();
        await using var site = new NotificationSite(database.Current, _time, EndpointAt(receiver));
        await site.StartAsync();
        for (var i = 1; i <= 3; i++)
        {
            await site.PushAsync($"v{i}");
            await receiver.CountAsync(i);
            await site.EmptyAsync();
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_rolled_back_change_tells_nothing(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var receiver = await Receiver.StartAsync();
        await using var site = new NotificationSite(database.Current, _time, EndpointAt(receiver));
        await site.WriteAsync(SampleEvents.ManifestPush("undone"), rollBack: true);
        Assert.Null(await site.Queue.DueAsync("a", CancellationToken.None));
        await site.StartAsync();
        await site.PushAsync("done");
        await receiver.CountAsync(1);
        Assert.Equal(["done"], receiver.Tags);
        Assert.Equal(1, site.Counters.Events);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Ignored_actions_and_media_types_are_not_sent(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var receiver = await Receiver.StartAsync();
        await using var site = new NotificationSite(database.Current, _time,
            EndpointAt(receiver) with { IgnoredActions = ["pull"], IgnoredMediaTypes = ["application/octet-stream"] },
            new NotificationEndpointOptions { Name = "all", Url = receiver.Url, Disabled = true });
        await site.WriteAsync(SampleEvents.BlobPull);
        await site.WriteAsync(SampleEvents.BlobMount);
        await site.WriteAsync(SampleEvents.ManifestPush("latest"));
        // A delete names no media type, so that the list does not hide it.
        await site.WriteAsync(SampleEvents.BlobMount with { Action = RegistryEventAction.Delete });
        Assert.Equal(2, await site.Queue.CountAsync("a", CancellationToken.None));
        Assert.Equal(["a"], await site.Queue.EndpointsAsync(CancellationToken.None));
        await site.StartAsync();
        await receiver.CountAsync(2);
        Assert.Equal(["push", "delete"], receiver.Requests.Select(r => r.Event.GetProperty("action").GetString()));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Each_endpoint_gets_the_same_event_and_a_broken_one_holds_up_nobody(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var receiver = await Receiver.StartAsync();
        await using var broken = await Receiver.StartAsync();
        broken.Answer = context => Task.Delay(Timeout.Infinite, context.RequestAborted);
        await using var site = new NotificationSite(database.Current, _time, EndpointAt(broken) with { Name = "broken" }, EndpointAt(receiver));
        await site.StartAsync();
        await site.PushAsync("v1");
        await site.PushAsync("v2");
        await receiver.CountAsync(2);
        await broken.CountAsync(1);
        Assert.Equal(["v1", "v2"], receiver.Tags);
        Assert.Equal(receiver.Requests.First().Event.GetProperty("id").GetString(), broken.Requests.First().Event.GetProperty("id").GetString());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task After_the_threshold_tries_are_the_back_off_apart_until_one_is_accepted(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Status(500);
        await using var site = new NotificationSite(database.Current, _time, EndpointAt(receiver) with { Threshold = 3, Backoff = TimeSpan.FromMinutes(1) });
        await site.StartAsync();
        await site.PushAsync("v1");
        await site.PushAsync("v2");
        await receiver.CountAsync(3);
        await site.FailedAsync(3);
        _time.Advance(TimeSpan.FromSeconds(59));
        await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
        Assert.Equal(3, receiver.Requests.Count);
        await AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => receiver.Requests.Count >= 4);
        await site.FailedAsync(4);
        Assert.Equal((4, 4), (site.Counters.Failures, receiver.Requests.Count));
        receiver.Answer = Status(204);
        await AdvanceUntilAsync(TimeSpan.FromSeconds(30), () => receiver.Requests.Count >= 6);
        await site.EmptyAsync();
        Assert.Equal(["v1", "v1", "v1", "v1", "v1", "v2"], receiver.Tags);
        Assert.Equal((2, 4, 0), (site.Counters.Successes, site.Counters.Failures, site.Counters.Errors));
    }

    [Fact]
    public async Task A_redirect_is_not_followed_and_is_no_success()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var receiver = await Receiver.StartAsync();
        await using var elsewhere = await Receiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.Redirect(elsewhere.Url, permanent: false, preserveMethod: true);
            return Task.CompletedTask;
        };
        await using var site = new NotificationSite(database.Current, _time, EndpointAt(receiver) with { Threshold = 1 });
        await site.StartAsync();
        await site.PushAsync("v1");
        await receiver.CountAsync(1);
        await site.FailedAsync(1);
        Assert.Empty(elsewhere.Requests);
        Assert.Equal((0, 1), (site.Counters.Successes, site.Counters.Failures));
        Assert.Equal(1, site.Counters.Statuses[307]);
    }

    [Fact]
    public async Task A_receiver_that_does_not_answer_in_time_is_an_error_and_tried_again()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = context => Task.Delay(Timeout.Infinite, context.RequestAborted);
        await using var site = new NotificationSite(database.Current, _time, EndpointAt(receiver) with { Timeout = TimeSpan.FromSeconds(4), Threshold = 1 });
        await site.StartAsync();
        await site.PushAsync("v1");
        await receiver.CountAsync(1);
        receiver.Answer = Status(200);
        _time.Advance(TimeSpan.FromSeconds(4));
        await Eventually.TrueAsync(() => site.Counters.Errors == 1, "counted");
        await AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => site.Counters.Successes == 1);
        await site.EmptyAsync();
        // The clock runs fast here, so that later tries may time out as well.
        Assert.True(receiver.Tags.Count >= 2 && receiver.Tags.All(t => t == "v1"));
    }

    [Fact]
    public async Task An_endless_answer_is_not_read()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var site = new NotificationSite(database.Current, _time, new NotificationEndpointOptions
        {
            Name = "a",
            Url = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/",
            Timeout = Patience,
        });
        await site.StartAsync();
        await site.PushAsync("v1");
        await site.PushAsync("v2");
        for (var connection = 0; connection < 2; connection++)
        {
            using var client = await listener.AcceptTcpClientAsync();
            // What sockets buffer and the bounded drain take; a reader would take all of it.
            Assert.InRange(await AnswerEndlesslyAsync(client.GetStream(), atMost: 256L << 20), 0, 32L << 20);
        }
        await site.EmptyAsync();
    }

    [Fact]
    public async Task Stopping_lets_the_request_in_flight_end()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await using var receiver = await Receiver.StartAsync();
        var answer = new TaskCompletionSource();
        receiver.Answer = _ => answer.Task;
        await using var site = new NotificationSite(database.Current, _time, EndpointAt(receiver));
        await site.StartAsync();
        await site.PushAsync("v1");
        await site.PushAsync("v2");
        await receiver.CountAsync(1);
        var stop = site.Sender.StopAsync(CancellationToken.None);
        Assert.False(stop.IsCompleted);
        answer.SetResult();
        await stop;
        Assert.Equal(["v1"], receiver.Tags);
        Assert.Equal(1, await site.Queue.CountAsync("a", CancellationToken.None));
    }

    private static NotificationEndpointOptions EndpointAt(Receiver receiver) => new() { Name = "a", Url = receiver.Url, Timeout = Patience };

    /// <summary>Bytes that could be sent before the other side closed.</summary>
    private static async Task<long> AnswerEndlesslyAsync(NetworkStream stream, long atMost)
    {
        var buffer = new byte[64 * 1024];
        var request = "";
        while (!request.EndsWith("\n}", StringComparison.Ordinal)) request += Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer));
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray());
        var chunk = Encoding.ASCII.GetBytes("8000\r\n" + new string('x', 0x8000) + "\r\n");
        long sent = 0;
        try
        {
            for (; sent < atMost; sent += chunk.Length) await stream.WriteAsync(chunk);
        }
        catch (IOException)
        {
            // Closed: the end that the test waits for.
        }
        return sent;
    }

    private static Func<HttpContext, Task> Status(int status) => context =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    /// <summary>Moves the clock in steps: a loop that is not waiting yet sees the next step.</summary>
    private Task AdvanceUntilAsync(TimeSpan step, Func<bool> condition) =>
        Eventually.TrueAsync(() =>
        {
            if (condition()) return true;
            _time.Advance(step);
            return false;
        }, "reached");
}
