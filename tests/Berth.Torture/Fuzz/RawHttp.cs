using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Berth.Torture.Fuzz;

/// <summary>Sends bytes as they are and reads whatever comes back; no client library tidies anything.</summary>
internal sealed class RawHttp(int port)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>One connection, one request; null when the server closes it without an answer.</summary>
    /// <param name="request">The whole request, or what is to pass for one.</param>
    /// <param name="endsInput">Whether the client says that nothing more comes.</param>
    public async Task<RawAnswer?> SendAsync(byte[] request, bool endsInput = false)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port, patience.Token);
        try
        {
            for (var sent = 0; sent < request.Length;) sent += await socket.SendAsync(request.AsMemory(sent), patience.Token);
            if (endsInput) socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Refused before everything was sent: the answer may be there all the same.
        }
        return RawAnswer.Parse(await ReadToEndAsync(socket, patience.Token));
    }

    /// <summary>One byte now and then, until the server has had enough.</summary>
    public async Task<RawAnswer?> TrickleAsync(byte[] head, TimeSpan every, TimeSpan atMost)
    {
        using var patience = new CancellationTokenSource(atMost + Patience);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port, patience.Token);
        await socket.SendAsync(head, patience.Token);
        var answer = ReadToEndAsync(socket, patience.Token);
        for (var waited = TimeSpan.Zero; waited < atMost && !answer.IsCompleted; waited += every)
        {
            try
            {
                await socket.SendAsync(new byte[1], patience.Token);
            }
            catch (SocketException)
            {
                break;
            }
            await Task.WhenAny(answer, Task.Delay(every, TimeProvider.System, patience.Token));
        }
        return RawAnswer.Parse(await answer);
    }

    private static async Task<byte[]> ReadToEndAsync(Socket socket, CancellationToken ct)
    {
        var all = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            for (int read; (read = await socket.ReceiveAsync(buffer, ct)) > 0;)
            {
                all.Write(buffer, 0, read);
                if (RawAnswer.IsWhole(all)) break;
            }
        }
        catch (SocketException)
        {
            // Reset: what has come is all there is.
        }
        return all.ToArray();
    }
}

/// <summary>The first answer on a connection.</summary>
internal sealed record RawAnswer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    private static readonly HashSet<int> BeforeTheRegistry = [400, 405, 408, 411, 413, 414, 417, 431, 501, 505];

    public string Text => Encoding.UTF8.GetString(Body);

    public static bool IsWhole(MemoryStream received) =>
        Parse(received.ToArray()) is { } answer && answer.Headers.TryGetValue("content-length", out var length)
        && answer.Body.Length >= long.Parse(length, CultureInfo.InvariantCulture);

    public static RawAnswer? Parse(byte[] bytes)
    {
        var end = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
        if (end < 0) return null;
        var lines = Encoding.ASCII.GetString(bytes, 0, end).Split("\r\n");
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines[1..])
        {
            var colon = line.IndexOf(':');
            headers[line[..colon]] = line[(colon + 1)..].Trim();
        }
        // What follows the body answers what the server took for the next request.
        var body = bytes[(end + 4)..];
        if (headers.TryGetValue("content-length", out var length) && long.Parse(length, CultureInfo.InvariantCulture) < body.Length) body = body[..int.Parse(length, CultureInfo.InvariantCulture)];
        return new RawAnswer(int.Parse(lines[0].AsSpan(9, 3), CultureInfo.InvariantCulture), headers, body);
    }

    /// <summary>
    /// Holds an answer of the registry against the promises: never a server error (but for a full disk or a database in trouble), and every
    /// error in the protocol's form. Only what is no HTTP request at all is refused before the registry sees it, with an empty body.
    /// </summary>
    /// <param name="method">Method of the request.</param>
    /// <param name="path">Path of the request; one that climbs out of <c>/v2/</c> is another part's, which knows no such page.</param>
    public void MustKeepThePromises(string method, string path = "/v2/")
    {
        Assert.True(Status is < 500 or 503 or 507 || (Status is 501 or 505 && Body.Length == 0), $"{Status} {Text}");
        if (Status < 400) return;
        if (!Headers.ContainsKey("Docker-Distribution-Api-Version"))
        {
            var isOutside = !path.StartsWith("/v2", StringComparison.Ordinal) || path.Replace("%2e", ".", StringComparison.OrdinalIgnoreCase).Contains("..", StringComparison.Ordinal);
            Assert.True((BeforeTheRegistry.Contains(Status) || (isOutside && Status == 404)) && Body.Length == 0, $"{Status} is not the registry's: {Text}");
            return;
        }
        Assert.Equal("application/json; charset=utf-8", Headers["Content-Type"]);
        if (method == "HEAD") return;
        using var json = JsonDocument.Parse(Body);
        foreach (var error in json.RootElement.GetProperty("errors").EnumerateArray())
        {
            Assert.NotEqual("", error.GetProperty("code").GetString());
            Assert.NotEqual("", error.GetProperty("message").GetString());
        }
    }
}
