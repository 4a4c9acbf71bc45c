using System.Net;
using System.Net.Sockets;
using System.Text;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Tests.Platform.Http;

public sealed class ListenersTests
{
    private static readonly HttpOptions s_anyPort = new() { Urls = ["http://127.0.0.1:0"] };

    [Theory]
    [InlineData("http://localhost:5000", false, "localhost", 5000, null)]
    [InlineData("https://registry.example", true, "registry.example", 443, null)]
    [InlineData(":5000", false, "", 5000, null)]
    [InlineData("http://*:80/", false, "", 80, null)]
    [InlineData("https://+:8443", true, "", 8443, null)]
    [InlineData("0.0.0.0:5001", false, "0.0.0.0", 5001, null)]
    [InlineData("http://[::1]:5000", false, "::1", 5000, null)]
    [InlineData("http://[2001:db8::1]", false, "2001:db8::1", 80, null)]
    [InlineData("::1", false, "::1", 80, null)]
    [InlineData("unix:/run/berth.sock", false, "", 0, "/run/berth.sock")]
    [InlineData("unix:///run/berth.sock", false, "", 0, "/run/berth.sock")]
    public void An_address_is_read(string text, bool https, string host, int port, string? unix)
    {
        var address = ListenAddress.Parse(text);
        Assert.Equal((https, host, port, unix), (address.IsHttps, address.Host, address.Port, address.UnixPath));
    }

    [Theory]
    [InlineData("")]
    [InlineData("http://")]
    [InlineData("localhost:99999")]
    [InlineData("localhost:-1")]
    [InlineData("http://host:80/path")]
    [InlineData("unix:relative")]
    [InlineData("[oops]:1")]
    public void What_is_no_address_is_refused(string text)
    {
        if (text == "[oops]:1") Assert.Equal("oops", ListenAddress.Parse(text).Host);
        else Assert.Null(ListenAddress.TryParse(text));
    }

    [Fact]
    public async Task A_unix_socket_serves_and_a_stale_one_is_replaced()
    {
        var path = Path.Combine(Path.GetTempPath(), $"berth-{Environment.ProcessId}-{Random.Shared.Next():x}.sock");
        // Bound and closed without unlinking: what a killed process leaves behind.
        using (var stale = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)) BindOnly(stale, path);
        await using (var host = await ListeningHost.StartAsync(new HttpOptions { Urls = ["unix:" + path] }, context => context.Response.WriteAsync("over unix")))
        {
            using var client = UnixClient(path);
            Assert.Equal("over unix", await client.GetStringAsync("http://localhost/", TestContext.Current.CancellationToken));

            var failure = await Assert.ThrowsAsync<InvalidOperationException>(() =>
                ListeningHost.StartAsync(new HttpOptions { Urls = ["unix:" + path] }, _ => Task.CompletedTask));
            Assert.Contains("another process answers", failure.Message);
            await host.StopAsync();
        }
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task Http2_with_prior_knowledge_and_http1_share_a_clear_text_address()
    {
        await using var host = await ListeningHost.StartAsync(s_anyPort with { H2c = true },
            async context =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body, context.RequestAborted);
                await context.Response.WriteAsync($"{context.Request.Protocol} {context.Request.Scheme} {body.Length}");
            });
        using var client = new HttpClient();
        foreach (var (version, expected) in new[] { (HttpVersion.Version20, "HTTP/2 http 300000"), (HttpVersion.Version11, "HTTP/1.1 http 300000") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, host.Addresses[0])
            {
                Version = version,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent(new byte[300_000]),
            };
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(expected, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true)]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore", true)]
    [InlineData("PRI * HT", null)]
    [InlineData("P", null)]
    [InlineData("", null)]
    [InlineData("PUT /v2/ HTTP/1.1", false)]
    [InlineData("GET", false)]
    public void The_preface_of_http2_is_recognised(string start, bool? expected) =>
        Assert.Equal(expected, ClearTextHttp2.Judge(new System.Buffers.ReadOnlySequence<byte>(Encoding.ASCII.GetBytes(start))));

    [Fact]
    public async Task A_preface_in_pieces_is_recognised()
    {
        await using var host = await ListeningHost.StartAsync(s_anyPort with { H2c = true }, context => context.Response.WriteAsync(context.Request.Protocol));
        using var socket = Connect(host);
        foreach (var piece in new[] { "G", "ET / HT", "TP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" })
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(piece));
            await Task.Delay(TimeSpan.FromMilliseconds(30), TimeProvider.System, TestContext.Current.CancellationToken);
        }
        Assert.EndsWith("HTTP/1.1", (await ReadAll(socket)).TrimEnd('0', '\r', '\n'));
    }

    [Theory]
    [InlineData("GET /{line} HTTP/1.1\r\nHost: x\r\n\r\n", 9000, 414)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {line}\r\n\r\n", 33_000, 431)]
    public async Task Long_heads_are_refused(string request, int length, int status)
    {
        await using var host = await ListeningHost.StartAsync(s_anyPort, context => context.Response.WriteAsync("ok"));
        using var socket = Connect(host);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request.Replace("{line}", new string('a', length))));
        Assert.StartsWith($"HTTP/1.1 {status} ", await ReadAll(socket));
    }

    [Fact]
    public async Task The_prefix_moves_into_the_path_base_and_other_paths_are_not_found()
    {
        await using var host = await ListeningHost.StartAsync(s_anyPort with { Prefix = "/registry/" },
            context => context.Response.WriteAsync($"{context.Request.PathBase}|{context.Request.Path}"));
        using var client = new HttpClient { BaseAddress = new Uri(host.Addresses[0]) };
        Assert.Equal("/registry|/v2/", await client.GetStringAsync("/registry/v2/", TestContext.Current.CancellationToken));
        Assert.Equal("/registry|/", await client.GetStringAsync("/registry", TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/registryv2/", TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/v2/", TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task Only_requests_on_the_debug_address_carry_its_mark()
    {
        var options = s_anyPort with { DebugAddress = "127.0.0.1:0" };
        await using var host = await ListeningHost.StartAsync(options, context => context.Response.WriteAsync(DebugListener.MayServeOperators(context, options).ToString()));
        using var client = new HttpClient();
        Assert.Equal("False", await client.GetStringAsync(host.Addresses[0], TestContext.Current.CancellationToken));
        Assert.Equal("True", await client.GetStringAsync(host.Addresses[1], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_stop_waits_for_running_requests()
    {
        var running = new TaskCompletionSource();
        var finish = new TaskCompletionSource();
        await using var host = await ListeningHost.StartAsync(s_anyPort, async context =>
        {
            running.SetResult();
            await finish.Task;
            await context.Response.WriteAsync("done");
        });
        using var client = new HttpClient();
        var answer = client.GetStringAsync(host.Addresses[0], TestContext.Current.CancellationToken);
        await running.Task;
        var stop = host.StopAsync();
        await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.False(stop.IsCompleted);
        finish.SetResult();
        Assert.Equal("done", await answer);
        await stop;
    }

    private static void BindOnly(Socket socket, string path)
    {
        // The framework unlinks what it has bound itself; a copy of the file survives as a socket nobody listens on.
        socket.Bind(new UnixDomainSocketEndPoint(path + ".tmp"));
        File.Move(path + ".tmp", path);
    }

    private static HttpClient UnixClient(string path) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, ct) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });

    internal static Socket Connect(ListeningHost host)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, new Uri(host.Addresses[0]).Port);
        return socket;
    }

    internal static async Task<string> ReadAll(Socket socket)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            int read;
            while ((read = await socket.ReceiveAsync(buffer, SocketFlags.None, TestContext.Current.CancellationToken)) > 0)
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        catch (SocketException) when (text.Length > 0)
        {
            // The server refused the rest of the request; its answer came before the reset.
        }
        return text.ToString();
    }
}
