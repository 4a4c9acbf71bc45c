using System.Text.Json;

namespace Berth.EndToEnd.Harness;

/// <summary>
/// A docker engine of its own, started when a test first needs it. It keeps off the machine's network (no bridge, no packet filter) and mounts nothing
/// (storage by copies).
/// </summary>
public abstract class DockerEngine(string daemon, string[] clients, bool usesContainerdStore, bool hasCertificates = false) : IAsyncLifetime
{
    // The engine looks for certificates in one place of the machine: it gets a view of its own of that place.
    private const string WithCertificates = """
        mkdir -p /etc/docker && mount -t tmpfs tmpfs /etc/docker && mkdir /etc/docker/certs.d && mount --bind "$1" /etc/docker/certs.d && shift && exec "$@"
        """;

    private readonly TemporaryFolder folder = new("docker");
    private ServerProcess? process;
    private string client = "";

    /// <summary>What the engine takes for <c>/etc/docker/certs.d</c>, when it was made to: a folder for each registry (host and port).</summary>
    public string Certificates => folder.Folder("certs.d");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Runs the engine's command line with the home folder of <paramref name="shell"/>.</summary>
    public async Task<ClientOutput> Run(ClientShell shell, params string[] arguments)
    {
        await EnsureStarted(TestContext.Current.CancellationToken);
        return await shell.Run(client, ["-H", $"unix://{Socket}", .. arguments]);
    }

    /// <summary>Runs lines of a shell as a person would paste them, in which <c>docker</c> is the command line of this engine.</summary>
    public async Task<ClientOutput> RunScript(ClientShell shell, string script)
    {
        await EnsureStarted(TestContext.Current.CancellationToken);
        return await shell.Run("sh", "-ec", $"docker() {{ '{client}' -H 'unix://{Socket}' \"$@\"; }}\n{script}");
    }

    /// <summary>The same for a command that the registry has to refuse.</summary>
    public async Task<ClientOutput> MustFail(ClientShell shell, params string[] arguments)
    {
        await EnsureStarted(TestContext.Current.CancellationToken);
        return await shell.MustFail(client, ["-H", $"unix://{Socket}", .. arguments]);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (process is not null)
        {
            await process.DisposeAsync();
        }

        folder.Dispose();
    }

    private string Socket => folder.File("docker.sock");

    private async Task EnsureStarted(CancellationToken ct)
    {
        if (process is not null)
        {
            return;
        }

        Programs.RequireRoot();
        client = clients.FirstOrDefault(name => Programs.Find(name) is not null) ?? clients[0];
        Programs.Require(client);
        var settings = folder.File("daemon.json");
        var features = new Dictionary<string, object> { ["features"] = new Dictionary<string, bool> { ["containerd-snapshotter"] = true } };
        await System.IO.File.WriteAllTextAsync(settings, usesContainerdStore ? JsonSerializer.Serialize(features) : "{}", ct);
        string[] view = hasCertificates ? ["unshare", "--mount", "sh", "-c", WithCertificates, "sh", Certificates] : [];
        process = ServerProcess.Start(
            [
                .. view, Programs.Require(daemon), $"--config-file={settings}", "-H", $"unix://{Socket}", $"--data-root={folder.Folder("data")}",
                $"--exec-root={folder.Folder("exec")}", $"--pidfile={folder.File("pid")}", $"--storage-driver={(usesContainerdStore ? "native" : "vfs")}",
                "--iptables=false", "--ip6tables=false", "--bridge=none",
            ],
            folder.File("log"));
        await process.WaitUntil(IsReady, TimeSpan.FromSeconds(60), daemon, ct);
    }

    private async Task<bool> IsReady(CancellationToken ct)
    {
        if (!UnixSockets.Accepts(Socket))
        {
            return false;
        }

        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
                await socket.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(Socket), token);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
        });
        try
        {
            using var response = await http.GetAsync(new Uri("http://docker/_ping"), ct);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}

/// <summary>Docker 20.10, Debian bookworm's engine.</summary>
public sealed class DockerEngine20() : DockerEngine("/usr/sbin/dockerd", ["/usr/bin/docker"], usesContainerdStore: false);

/// <summary>Docker 28 with its own image store.</summary>
public sealed class DockerEngine28() : DockerEngine("dockerd-sid", ["docker-sid", "docker"], usesContainerdStore: false);

/// <summary>Docker 28 with the containerd image store, which current installations use.</summary>
public sealed class DockerEngine28Containerd() : DockerEngine("dockerd-sid", ["docker-sid", "docker"], usesContainerdStore: true);

/// <summary>Docker 28 with the containerd image store and certificates for registries.</summary>
public sealed class DockerEngine28Certificates() : DockerEngine("dockerd-sid", ["docker-sid", "docker"], usesContainerdStore: true, hasCertificates: true);
