using System.Net;
using Berth.Blobs.Http;
using Berth.Blobs.Tests.Faults;

namespace Berth.Blobs.Tests.Http;

/// <summary>What every driver over HTTP counts on.</summary>
public sealed class StoreHttpTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static readonly StoreHttpOptions Options = new()
    {
        Name = "the store",
        FirstPause = TimeSpan.FromMilliseconds(1),
        MaxPause = TimeSpan.FromMilliseconds(20),
        MaxTries = 4,
    };

    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task What_may_work_later_is_tried_again_with_the_whole_body(int status)
    {
        var bodies = new List<string>();
        await using var server = new ScriptedServer((_, body) =>
        {
            bodies.Add(System.Text.Encoding.UTF8.GetString(body));
            return new ScriptedAnswer(bodies.Count < 3 ? status : 201, "done");
        });
        using var http = new StoreHttp(Options, TimeProvider.System);
        var answer = await http.SendAsync(Post(server.Url, "hello"), None);
        Assert.Equal((HttpStatusCode.Created, "done"), (answer.Status, answer.Text));
        Assert.Equal(["hello", "hello", "hello"], bodies);
    }

    [Theory]
    [InlineData(302)]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(409)]
    [InlineData(412)]
    [InlineData(501)]
    public async Task What_stays_as_it_is_is_asked_once(int status)
    {
        await using var server = new ScriptedServer((_, _) => new ScriptedAnswer(status, "no", ("Location", "http://127.0.0.1:1/")));
        using var http = new StoreHttp(Options, TimeProvider.System);
        Assert.Equal((HttpStatusCode)status, (await http.SendAsync(Post(server.Url, "x"), None)).Status);
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task A_store_that_never_serves_is_unavailable_after_the_last_try()
    {
        await using var server = new ScriptedServer((_, _) => new ScriptedAnswer(503, "slow down"));
        using var http = new StoreHttp(Options, TimeProvider.System);
        var e = await Assert.ThrowsAsync<StoreUnavailableException>(() => http.SendAsync(Post(server.Url, "x"), None));
        Assert.Contains("the store does not serve (503", e.Message, StringComparison.Ordinal);
        Assert.Contains("slow down", e.Message, StringComparison.Ordinal);
        Assert.Equal(4, server.Requests);
    }

    [Fact]
    public async Task Nobody_listening_is_unavailable()
    {
        using var http = new StoreHttp(Options, TimeProvider.System);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => http.SendAsync(Post(new Uri("http://127.0.0.1:1/"), "x"), None));
    }

    [Fact]
    public async Task Resets_cut_answers_and_silence_are_tried_again()
    {
        await using var server = new ScriptedServer((_, _) => new ScriptedAnswer(200, new string('x', 100_000)));
        await using var proxy = new FaultProxy(server.Url);
        using var http = new StoreHttp(Options with { TryTimeout = TimeSpan.FromMilliseconds(400) }, TimeProvider.System);
        foreach (var fault in new[] { Fault.Reset, Fault.LostAnswer, Fault.CutAnswer(5000), Fault.Silence })
        {
            proxy.Spoil(fault);
            Assert.Equal(100_000, (await http.SendAsync(Post(proxy.Url, "x"), None)).Body.Length);
        }
        Assert.Equal((8, 4), (proxy.Requests, proxy.Injected));
    }

    [Fact]
    public async Task Retry_After_is_kept_to_within_bounds()
    {
        var answers = 0;
        await using var server = new ScriptedServer((_, _) => ++answers == 1 ? new ScriptedAnswer(429, "", ("Retry-After", "3600")) : new ScriptedAnswer(200));
        using var http = new StoreHttp(Options with { MaxPause = TimeSpan.FromMilliseconds(300) }, TimeProvider.System);
        var began = TimeProvider.System.GetTimestamp();
        Assert.True((await http.SendAsync(Post(server.Url, "x"), None)).IsSuccess);
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.FromMilliseconds(290), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_new_token_may_help_once()
    {
        await using var server = new ScriptedServer((request, _) => new ScriptedAnswer(request.Headers["Authorization"] == "good" ? 200 : 401));
        using var http = new StoreHttp(Options, TimeProvider.System);
        foreach (var (second, status) in new[] { ("good", HttpStatusCode.OK), ("bad", HttpStatusCode.Unauthorized) })
        {
            var token = "old";
            var answer = await http.SendAsync(
                _ =>
                {
                    var request = new HttpRequestMessage(HttpMethod.Get, server.Url);
                    request.Headers.TryAddWithoutValidation("Authorization", token);
                    return ValueTask.FromResult(request);
                },
                (refused, _) =>
                {
                    token = second;
                    return ValueTask.FromResult(refused.Status == HttpStatusCode.Unauthorized);
                },
                None);
            Assert.Equal(status, answer.Status);
        }
        Assert.Equal(4, server.Requests);
    }

    [Fact]
    public async Task A_stream_ends_early_when_its_connection_breaks_and_its_length_tells()
    {
        await using var server = new ScriptedServer((_, _) => new ScriptedAnswer(200, new byte[1 << 20]));
        await using var proxy = new FaultProxy(server.Url);
        using var http = new StoreHttp(Options, TimeProvider.System);
        proxy.Spoil(Fault.CutAnswer(300_000));
        var cut = await http.OpenAsync(_ => ValueTask.FromResult(new HttpRequestMessage(HttpMethod.Get, proxy.Url)), null, None);
        Assert.Equal(1 << 20, cut.TotalLength);
        Assert.InRange(await DrainAsync(cut.Stream!), 0, 300_000);
        var whole = await http.OpenAsync(_ => ValueTask.FromResult(new HttpRequestMessage(HttpMethod.Get, proxy.Url)), null, None);
        Assert.Equal(1 << 20, await DrainAsync(whole.Stream!));
    }

    [Fact]
    public async Task Whoever_cancels_is_not_kept_waiting()
    {
        await using var server = new ScriptedServer((_, _) => new ScriptedAnswer(503));
        using var http = new StoreHttp(Options with { FirstPause = TimeSpan.FromHours(1), MaxPause = TimeSpan.FromHours(1) }, TimeProvider.System);
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => http.SendAsync(Post(server.Url, "x"), cancel.Token));
    }

    private static MakeRequest Post(Uri url, string body) => _ => ValueTask.FromResult(
        new HttpRequestMessage(HttpMethod.Post, url) { Content = new MemoryContent(System.Text.Encoding.UTF8.GetBytes(body)) });

    private static async Task<int> DrainAsync(Stream stream)
    {
        await using (stream)
        {
            var buffer = new byte[64 << 10];
            var read = 0;
            int n;
            while ((n = await stream.ReadAsync(buffer)) > 0) read += n;
            return read;
        }
    }
}
