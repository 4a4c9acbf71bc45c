using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Berth.Blobs.Tests.Faults;

/// <summary>The proxy does what the fault tests count on.</summary>
public sealed class FaultProxyTests : IAsyncDisposable
{
    private readonly HttpListener _server = new();
    private readonly FaultProxy _proxy;
    private readonly HttpClient _client = new();
    private readonly Task _serving;
    private int _served;

    public FaultProxyTests()
    {
        var url = $"http://127.0.0.1:{FreePort()}/";
        _server.Prefixes.Add(url);
        _server.Start();
        _serving = ServeAsync();
        _proxy = new FaultProxy(new Uri(url));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _proxy.DisposeAsync();
        _server.Close();
        await _serving;
    }

    [Fact]
    public async Task What_is_not_spoilt_passes()
    {
        for (var i = 0; i < 3; i++) Assert.Equal("hello", await PostAsync("hello"));
        Assert.Equal((3, 0, 3), (_proxy.Requests, _proxy.Injected, _served));
    }

    [Fact]
    public async Task An_answer_of_its_own_does_not_reach_the_server()
    {
        _proxy.Spoil(Fault.SlowDown, r => r.Method == "POST", times: 1);
        using var answer = await _client.PostAsync(_proxy.Url, new ByteArrayContent(new byte[1 << 20]));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("SlowDown", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("again", await PostAsync("again"));
        Assert.Equal((2, 1, 1), (_proxy.Requests, _proxy.Injected, _served));
    }

    [Fact]
    public async Task A_lost_answer_was_given()
    {
        _proxy.Spoil(Fault.LostAnswer);
        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync("done"));
        Assert.Equal(1, _served);
        _proxy.Spoil(Fault.DoneYet500);
        using var answer = await _client.PostAsync(_proxy.Url, new StringContent("done"));
        Assert.Equal((HttpStatusCode.InternalServerError, 2), (answer.StatusCode, _served));
    }

    [Fact]
    public async Task A_reset_and_cut_requests_and_answers_break_the_connection()
    {
        var large = new string('x', 1 << 20);
        foreach (var fault in new[] { Fault.Reset, Fault.CutAnswer(1000), Fault.CutRequest(1000) })
        {
            _proxy.Spoil(fault);
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => PostAsync(large));
        }
        Assert.Equal(large, await PostAsync(large));
    }

    [Fact]
    public async Task Silence_lasts_until_the_client_gives_up()
    {
        _proxy.Spoil(Fault.Silence);
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await _client.PostAsync(_proxy.Url, new StringContent("x"), limit.Token));
        Assert.Equal(0, _served);
    }

    [Fact]
    public async Task The_same_seed_spoils_the_same_requests()
    {
        var runs = new List<string>();
        for (var run = 0; run < 2; run++)
        {
            _proxy.Heal();
            _proxy.SpoilAtRandom(7, 0.5, Fault.InternalError, Fault.SlowDown);
            var statuses = new StringBuilder();
            for (var i = 0; i < 20; i++)
            {
                using var answer = await _client.PostAsync(_proxy.Url, new StringContent("x"));
                statuses.Append((int)answer.StatusCode).Append(' ');
            }
            runs.Add(statuses.ToString());
        }
        Assert.Equal(runs[0], runs[1]);
        foreach (var status in new[] { "200", "500", "503" }) Assert.Contains(status, runs[0], StringComparison.Ordinal);
    }

    private async Task<string> PostAsync(string text)
    {
        using var answer = await _client.PostAsync(_proxy.Url, new StringContent(text));
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsStringAsync();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _server.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            await EchoAsync(context);
        }
    }

    // A client that the proxy cut off leaves a half request behind.
    private async Task EchoAsync(HttpListenerContext context)
    {
        try
        {
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            if (body.Length != context.Request.ContentLength64) return;
            Interlocked.Increment(ref _served);
            context.Response.ContentLength64 = body.Length;
            await context.Response.OutputStream.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length));
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException)
        {
            context.Response.Abort();
        }
    }
}
