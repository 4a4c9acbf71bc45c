using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Berth.Torture.Cluster;

/// <summary>What a link does with bytes.</summary>
public enum LinkState
{
    /// <summary>They pass.</summary>
    Open,

    /// <summary>They wait, and pass when the link opens again, also if the sender has long given up: as a server that was stopped (SIGSTOP) reads them.</summary>
    Stalled,

    /// <summary>They pass slowly.</summary>
    Slow,

    /// <summary>Connections are reset, new ones too.</summary>
    Cut,
}

/// <summary>A TCP link between one replica and a server that a test can cut, stall and slow down.</summary>
public sealed class LinkProxy : IAsyncDisposable
{
    private const int Window = 64;
    private static readonly TimeSpan s_slowness = TimeSpan.FromMilliseconds(15);

    private readonly IPEndPoint _server;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _sockets = [];
    private readonly HashSet<Task> _links = [];
    private readonly Task _accepting;
    private TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile LinkState _state;

    public LinkProxy(int serverPort)
    {
        _server = new IPEndPoint(IPAddress.Loopback, serverPort);
        _open.SetResult();
        _listener.Start(256);
        _accepting = AcceptAsync();
    }

    /// <summary>Where the replica connects.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Changes what happens to bytes from here on.</summary>
    public void Set(LinkState state)
    {
        lock (_lock)
        {
            _state = state;
            if (state == LinkState.Stalled)
            {
                if (_open.Task.IsCompleted) _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            else
            {
                _open.TrySetResult();
            }
        }
        if (state == LinkState.Cut) Reset();
    }

    /// <summary>Resets the connections that there are.</summary>
    public void Reset()
    {
        Socket[] sockets;
        lock (_lock) sockets = [.. _sockets];
        foreach (var socket in sockets) Reset(socket);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        Set(LinkState.Cut);
        Task[] links;
        lock (_lock) links = [.. _links];
        await Task.WhenAll(links);
        _stop.Dispose();
        _listener.Dispose();
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
            if (_state == LinkState.Cut)
            {
                Reset(client);
                continue;
            }
            var link = Task.Run(() => LinkAsync(client));
            lock (_lock) _links.Add(link);
            _ = link.ContinueWith(Forget, TaskScheduler.Default);
        }
    }

    private void Forget(Task link)
    {
        lock (_lock) _links.Remove(link);
    }

    private async Task LinkAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        lock (_lock)
        {
            _sockets.Add(client);
            _sockets.Add(server);
        }
        try
        {
            client.NoDelay = true;
            await _open.Task.WaitAsync(_stop.Token);
            await server.ConnectAsync(_server, _stop.Token);
            await Task.WhenAll(PassAsync(client, server), PassAsync(server, client));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The server is down, or the link was cut: the client sees it by the reset.
            Reset(client);
        }
        finally
        {
            lock (_lock)
            {
                _sockets.Remove(client);
                _sockets.Remove(server);
            }
            client.Dispose();
        }
    }

    // Reading goes on while nothing is let through: what was sent arrives, whatever the sender does meanwhile.
    private async Task PassAsync(Socket from, Socket to)
    {
        var pieces = Channel.CreateBounded<byte[]>(Window);
        await Task.WhenAll(ReadAsync(from, pieces.Writer), WriteAsync(pieces.Reader, to));
    }

    private async Task ReadAsync(Socket from, ChannelWriter<byte[]> pieces)
    {
        var buffer = new byte[64 << 10];
        try
        {
            int n;
            while ((n = await from.ReceiveAsync(buffer, _stop.Token)) > 0) await pieces.WriteAsync(buffer[..n], _stop.Token);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // As if it had ended.
        }
        pieces.Complete();
    }

    private async Task WriteAsync(ChannelReader<byte[]> pieces, Socket to)
    {
        var isBroken = false;
        await foreach (var piece in pieces.ReadAllAsync(CancellationToken.None))
        {
            // What cannot be delivered is still taken, so that the sender is not held up.
            if (isBroken) continue;
            try
            {
                await _open.Task.WaitAsync(_stop.Token);
                if (_state == LinkState.Slow) await Task.Delay(s_slowness, TimeProvider.System, _stop.Token);
                for (var rest = piece.AsMemory(); rest.Length > 0;) rest = rest[await to.SendAsync(rest, _stop.Token)..];
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                isBroken = true;
            }
        }
        if (isBroken) return;
        try
        {
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }
    }
}
