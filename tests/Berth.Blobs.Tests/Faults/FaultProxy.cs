using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Berth.Blobs.Tests.Faults;

/// <summary>
/// Stands on loopback before a real HTTP server and spoils what passes: answers of its own, answers that get lost after the server has done
/// its work, bodies that end early, resets, silence, delay. Headers pass unchanged but for <c>Connection</c> (one request a connection), so signatures stay valid.
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private const int MaxHead = 64 << 10;

    private readonly IPEndPoint _server;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<Rule> _rules = [];
    private readonly HashSet<Task> _connections = [];
    private readonly Task _accepting;
    private int _requests;
    private int _injected;

    /// <summary>Starts before the server at a URL (http).</summary>
    public FaultProxy(Uri server)
    {
        _server = new IPEndPoint(IPAddress.Parse(server.Host == "localhost" ? "127.0.0.1" : server.Host), server.Port);
        _listener.Start(256);
        Url = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    /// <summary>Where clients go.</summary>
    public Uri Url { get; }

    /// <summary>Requests that came.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Requests that were spoilt.</summary>
    public int Injected => Volatile.Read(ref _injected);

    /// <summary>Spoils the next requests that match.</summary>
    public void Spoil(Fault fault, Func<FaultRequest, bool>? which = null, int times = 1)
    {
        var left = times;
        AddRule(r => (which is null || which(r)) && left-- > 0 ? fault : null);
    }

    /// <summary>Spoils a share of all requests by one of some faults, the same ones for the same seed and order of requests.</summary>
    public void SpoilAtRandom(int seed, double share, params Fault[] faults)
    {
        var random = new Random(seed);
        AddRule(_ => random.NextDouble() < share ? faults[random.Next(faults.Length)] : null);
    }

    /// <summary>Lets everything pass from here on.</summary>
    public void Heal()
    {
        lock (_lock) _rules.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        Task[] open;
        lock (_lock) open = [.. _connections];
        await Task.WhenAll(open);
        _stop.Dispose();
        _listener.Dispose();
    }

    private void AddRule(Func<FaultRequest, Fault?> rule)
    {
        lock (_lock) _rules.Add(new Rule(rule));
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync(_stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            var serving = Task.Run(() => ServeQuietlyAsync(client));
            lock (_lock) _connections.Add(serving);
            _ = serving.ContinueWith(Forget, TaskScheduler.Default);
        }
    }

    private void Forget(Task serving)
    {
        lock (_lock) _connections.Remove(serving);
    }

    // Clients come and go as they like: what breaks here is what the tests provoke, and shows in the client.
    private async Task ServeQuietlyAsync(Socket client)
    {
        using (client)
        {
            try
            {
                client.NoDelay = true;
                await ServeAsync(client);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                Reset(client);
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var head = new byte[MaxHead];
        var (read, end) = await ReadHeadAsync(client, head);
        if (end < 0) return;
        var lines = Encoding.Latin1.GetString(head, 0, end).Split("\r\n");
        var words = lines[0].Split(' ');
        var fault = Choose(new FaultRequest(words[0], words[1], Interlocked.Increment(ref _requests)));
        if (fault is not null) Interlocked.Increment(ref _injected);
        if (fault?.Delay > TimeSpan.Zero) await Task.Delay(fault.Delay, TimeProvider.System, _stop.Token);
        switch (fault?.Kind)
        {
            case FaultKind.Reset:
                Reset(client);
                return;
            case FaultKind.Silence:
                // Until the client has had enough.
                await DrainAsync(client);
                return;
            case FaultKind.Answer:
                await AnswerAsync(client, fault);
                return;
        }
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await server.ConnectAsync(_server, _stop.Token);
        var newHead = string.Join("\r\n", lines.Where(l => !l.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase))) + "\r\nConnection: close\r\n\r\n";
        await SendAsync(server, Encoding.Latin1.GetBytes(newHead));
        await SendAsync(server, head.AsMemory(end + 4, read - end - 4));
        if (fault?.Kind == FaultKind.CutRequest)
        {
            // A request without a body is cut behind its head.
            if (HasBody(lines)) await CopyAsync(client, server, fault.Bytes);
            Reset(server);
            Reset(client);
            return;
        }
        var up = CopyAsync(client, server, long.MaxValue);
        await PassAnswerAsync(client, server, fault);
        client.Close();
        server.Close();
        await up;
    }

    private async Task PassAnswerAsync(Socket client, Socket server, Fault? fault)
    {
        switch (fault?.Kind)
        {
            case FaultKind.CutAnswer:
                await CopyAsync(server, client, fault.Bytes);
                Reset(client);
                break;
            case FaultKind.LoseAnswer:
                // The server has done its work when its answer begins; "100 Continue" is none yet.
                var buffer = new byte[16 << 10];
                int n;
                while ((n = await server.ReceiveAsync(buffer, _stop.Token)) > 0 && Encoding.Latin1.GetString(buffer, 0, n).StartsWith("HTTP/1.1 100", StringComparison.Ordinal))
                    await SendAsync(client, buffer.AsMemory(0, n));
                if (fault.Status == 0) Reset(client);
                else await AnswerAsync(client, fault);
                break;
            default:
                await CopyAsync(server, client, long.MaxValue);
                client.Shutdown(SocketShutdown.Send);
                break;
        }
    }

    private async Task AnswerAsync(Socket client, Fault fault)
    {
        var body = Encoding.UTF8.GetBytes(fault.Body);
        var head = $"HTTP/1.1 {fault.Status} Spoilt\r\nContent-Type: application/xml\r\nContent-Length: {body.Length}\r\n{fault.Headers}Connection: close\r\n\r\n";
        await SendAsync(client, Encoding.Latin1.GetBytes(head));
        await SendAsync(client, body);
        client.Shutdown(SocketShutdown.Send);
        // A reset while the request still comes would take the answer away.
        await DrainAsync(client);
    }

    private static bool HasBody(string[] head) => head.Any(l =>
        l.StartsWith("Transfer-Encoding:", StringComparison.OrdinalIgnoreCase)
        || (l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase) && !l.EndsWith(" 0", StringComparison.Ordinal)));

    private Fault? Choose(FaultRequest request)
    {
        lock (_lock)
        {
            foreach (var rule in _rules)
            {
                if (rule.Choose(request) is { } fault) return fault;
            }
            return null;
        }
    }

    private async Task<(int Read, int End)> ReadHeadAsync(Socket client, byte[] head)
    {
        var read = 0;
        while (read < head.Length)
        {
            var n = await client.ReceiveAsync(head.AsMemory(read), _stop.Token);
            if (n == 0) return (0, -1);
            read += n;
            var end = head.AsSpan(0, read).IndexOf("\r\n\r\n"u8);
            if (end >= 0) return (read, end);
        }
        throw new IOException("the head of a request is too long");
    }

    private async Task CopyAsync(Socket from, Socket to, long most)
    {
        var buffer = new byte[64 << 10];
        try
        {
            while (most > 0)
            {
                var n = await from.ReceiveAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, most)), _stop.Token);
                if (n == 0) return;
                await SendAsync(to, buffer.AsMemory(0, n));
                most -= n;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One side has closed: the other learns it by its own close.
        }
    }

    private async Task SendAsync(Socket to, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0) bytes = bytes[await to.SendAsync(bytes, _stop.Token)..];
    }

    private async Task DrainAsync(Socket client)
    {
        var buffer = new byte[64 << 10];
        while (await client.ReceiveAsync(buffer, _stop.Token) > 0) { }
    }

    private static void Reset(Socket socket)
    {
        if (socket.SafeHandle.IsClosed) return;
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    private sealed record Rule(Func<FaultRequest, Fault?> Choose);
}
