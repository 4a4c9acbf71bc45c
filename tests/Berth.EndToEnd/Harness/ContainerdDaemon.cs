using System.Net.Sockets;

namespace Berth.EndToEnd.Harness;

/// <summary>A containerd of its own, started when a test first needs it.</summary>
public sealed class ContainerdDaemon : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new("ctr");
    private ServerProcess? process;

    /// <summary>Where <c>ctr</c> reaches it.</summary>
    public string Socket => folder.File("c.sock");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async Task EnsureStarted(CancellationToken ct)
    {
        if (process is not null)
        {
            return;
        }

        Programs.RequireRoot();
        var settings = folder.File("config.toml");
        await System.IO.File.WriteAllTextAsync(settings, $"""
            version = 2
            root = "{folder.Folder("root")}"
            state = "{folder.Folder("state")}"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
              address = "{Socket}"

            """, ct);
        process = ServerProcess.Start([Programs.Require("containerd"), "-c", settings], folder.File("log"));
        await process.WaitUntil(_ => Task.FromResult(UnixSockets.Accepts(Socket)), TimeSpan.FromSeconds(30), "containerd", ct);
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            await process.DisposeAsync();
        }

        folder.Dispose();
    }
}

/// <summary>Sockets in the file system.</summary>
internal static class UnixSockets
{
    /// <summary>Whether something listens on the socket.</summary>
    public static bool Accepts(string path)
    {
        if (!System.IO.File.Exists(path))
        {
            return false;
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
