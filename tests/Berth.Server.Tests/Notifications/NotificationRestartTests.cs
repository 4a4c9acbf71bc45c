using Berth.Server.Notifications;
using Berth.Server.Platform.Data;

namespace Berth.Server.Tests.Notifications;

/// <summary>What is left behind by one process, and several at a time.</summary>
public sealed class NotificationRestartTests
{
    private readonly ManualTime _time = new();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task What_was_not_sent_is_sent_after_a_restart(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var receiver = await Receiver.StartAsync();
        await using (var site = new NotificationSite(database.Current, _time, EndpointAt(receiver)))
        {
            await site.PushAsync("v1");
            await site.PushAsync("v2");
        }
        await database.CloseAsync();
        await using var restarted = new NotificationSite(database.Open(), _time, EndpointAt(receiver));
        await restarted.StartAsync();
        await receiver.CountAsync(2);
        await restarted.EmptyAsync();
        Assert.Equal(["v1", "v2"], receiver.Tags);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_event_whose_post_was_cut_off_is_delivered_again(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = context => Task.Delay(Timeout.Infinite, context.RequestAborted);
        await using (var site = new NotificationSite(database.Current, _time, EndpointAt(receiver)))
        {
            await site.StartAsync();
            await site.PushAsync("v1");
            await site.PushAsync("v2");
            await receiver.CountAsync(1);
            // Disposed, not stopped: between the request and the removal of the row.
        }
        receiver.Answer = _ => Task.CompletedTask;
        await database.CloseAsync();
        await using var restarted = new NotificationSite(database.Open(), _time, EndpointAt(receiver));
        await restarted.StartAsync();
        if (kind == DatabaseKind.Sqlite)
        {
            // The only process of its database does not wait for its predecessor's lease.
            await receiver.CountAsync(3);
        }
        else
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
            Assert.Single(receiver.Requests);
            await AdvanceUntilAsync(() => receiver.Requests.Count >= 3);
        }
        await restarted.EmptyAsync();
        Assert.Equal(["v1", "v1", "v2"], receiver.Tags);
        var ids = receiver.Requests.Select(r => r.Event.GetProperty("id").GetString()).ToArray();
        Assert.Equal(ids[0], ids[1]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_lease_is_exclusive_and_ends(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var site = new NotificationSite(database.Current, _time, Endpoint("http://127.0.0.1:1/"));
        await site.PushAsync("v1");
        await site.PushAsync("v2");
        var first = await site.Queue.LeaseAsync("a", CancellationToken.None);
        Assert.NotNull(first);
        Assert.Null(await site.Queue.LeaseAsync("a", CancellationToken.None));
        _time.Advance(DeliveryQueue.LeaseTime - TimeSpan.FromMilliseconds(1));
        Assert.Null(await site.Queue.LeaseAsync("a", CancellationToken.None));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        var second = await site.Queue.LeaseAsync("a", CancellationToken.None);
        Assert.Equal(first.Id, second?.Id);
        // The first owner can neither renew nor count a failure any more.
        Assert.Null(await site.Queue.RenewAsync(first, CancellationToken.None));
        await site.Queue.FailAsync(first, TimeSpan.Zero, CancellationToken.None);
        Assert.NotNull(await site.Queue.RenewAsync(second!, CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_lease_is_renewed_while_a_request_runs(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var receiver = await Receiver.StartAsync();
        var answer = new TaskCompletionSource();
        receiver.Answer = _ => answer.Task;
        await using var site = new NotificationSite(database.Current, _time, EndpointAt(receiver) with { Timeout = TimeSpan.FromMinutes(10) });
        await site.StartAsync();
        await site.PushAsync("v1");
        await receiver.CountAsync(1);
        for (var seconds = 0; seconds < 60; seconds += 5)
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            await Eventually.TrueAsync(async () =>
                await site.Queue.DueAsync("a", CancellationToken.None) - _time.GetUtcNow().ToUnixTimeMilliseconds() > 10_000, "renewed");
            Assert.Null(await site.Queue.LeaseAsync("a", CancellationToken.None));
        }
        answer.SetResult();
        await site.EmptyAsync();
        Assert.Single(receiver.Requests);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_request_whose_lease_is_lost_is_cut_off(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var receiver = await Receiver.StartAsync();
        var cutOff = new TaskCompletionSource();
        receiver.Answer = async context =>
        {
            using var registration = context.RequestAborted.Register(() => cutOff.TrySetResult());
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        await using var site = new NotificationSite(database.Current, _time, EndpointAt(receiver) with { Timeout = TimeSpan.FromMinutes(10) });
        await site.StartAsync();
        await site.PushAsync("v1");
        await receiver.CountAsync(1);
        // As another replica finds it after this one was frozen for longer than its lease.
        await site.Queue.ReleaseAsync("a", CancellationToken.None);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.NotNull(await site.Queue.LeaseAsync("a", CancellationToken.None));
        _time.Advance(TimeSpan.FromSeconds(5));
        await cutOff.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, CancellationToken.None);
        Assert.Equal(1, await site.Queue.CountAsync("a", CancellationToken.None));
    }

    [Fact]
    public async Task Replicas_together_send_each_event_once_in_order_and_one_at_a_time()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Postgres);
        await using var receiver = await Receiver.StartAsync();
        await using var one = new NotificationSite(database.Current, TimeProvider.System, EndpointAt(receiver));
        await using var two = new NotificationSite(database.Open(), TimeProvider.System, EndpointAt(receiver));
        await using var three = new NotificationSite(database.Open(), TimeProvider.System, EndpointAt(receiver));
        NotificationSite[] all = [one, two, three];
        foreach (var site in all) await site.StartAsync();
        string[] tags = [.. Enumerable.Range(0, 90).Select(i => $"v{i}")];
        for (var i = 0; i < tags.Length; i++) await all[i % 3].PushAsync(tags[i]);
        await one.EmptyAsync();
        Assert.Equal(tags, receiver.Tags);
        Assert.Equal(1, receiver.MostInFlight);
        Assert.Equal(90, all.Sum(s => s.Counters.Successes));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Deliveries_of_an_endpoint_that_is_gone_are_kept_a_week(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using (var site = new NotificationSite(database.Current, _time, Endpoint("http://127.0.0.1:1/")))
        {
            await site.PushAsync("old");
            _time.Advance(TimeSpan.FromDays(6));
            await site.PushAsync("new");
        }
        _time.Advance(TimeSpan.FromDays(1) + TimeSpan.FromSeconds(1));
        await using var without = new NotificationSite(database.Current, _time);
        await without.StartAsync();
        await Eventually.TrueAsync(async () => await without.Queue.CountAsync("a", CancellationToken.None) == 1, "removed");
        var kept = await without.Queue.LeaseAsync("a", CancellationToken.None);
        Assert.Contains("\"tag\":\"new\"", kept!.Event);
    }

    private static NotificationEndpointOptions EndpointAt(Receiver receiver) => Endpoint(receiver.Url);

    private static NotificationEndpointOptions Endpoint(string url) => new() { Name = "a", Url = url, Timeout = TimeSpan.FromDays(30) };

    private Task AdvanceUntilAsync(Func<bool> condition) =>
        Eventually.TrueAsync(() =>
        {
            if (condition()) return true;
            _time.Advance(TimeSpan.FromSeconds(1));
            return false;
        }, "reached");
}
