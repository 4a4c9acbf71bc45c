using System.Net;
using System.Net.Sockets;

namespace Berth.EndToEnd.Harness;

/// <summary>Who may use a registry that a test starts.</summary>
public enum Access
{
    /// <summary>Everybody may do everything.</summary>
    Open,

    /// <summary>Only <see cref="RegistryUnderTest.User"/> with the password.</summary>
    SignedIn,
}

/// <summary>
/// Decides which program the tests run against: the built <c>berth</c>, or Docker Registry as the reference
/// (<c>BERTH_E2E_REGISTRY=docker-registry</c>), which tells whether a failure is the test's or Berth's.
/// </summary>
public static class RegistryUnderTest
{
    public const string User = "admin";
    public const string Password = "correct-horse-7";

    // bcrypt of Password, cost 4: the reference registry reads it, and signing in stays quick.
    private const string HtpasswdLine = "admin:$2y$04$n.MW/J/lN9G7AskK7BeARe75wWzPQJebV4qD0gDgHh4ISoxu5h3Xu";

    /// <summary>A registry that does not answer by then has failed; long, since a loaded machine is slow.</summary>
    public static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    public static bool IsBerth => Environment.GetEnvironmentVariable("BERTH_E2E_REGISTRY") is not "docker-registry";

    /// <summary>Compares a list that Berth returns in lexical order; the reference registry returns any order.</summary>
    public static void EqualInOrder(IEnumerable<string> expected, IEnumerable<string> actual) =>
        Assert.Equal(expected, IsBerth ? actual : actual.Order(StringComparer.Ordinal));

    /// <summary>Skips a test of what only Berth does when the tests run against the reference registry.</summary>
    public static void OnlyBerth(string what)
    {
        if (!IsBerth)
        {
            Assert.Skip($"docker-registry has no {what}");
        }
    }

    /// <summary>Starts the registry under test on a port of its own, with its data below <paramref name="folder"/>.</summary>
    public static Task<RunningRegistry> Start(TemporaryFolder folder, Access access, CancellationToken ct) =>
        IsBerth ? StartBerth(folder, access, ct) : StartDockerRegistry(folder, access, ct);

    /// <summary>Starts the built <c>berth serve</c>.</summary>
    public static Task<RunningRegistry> StartBerth(TemporaryFolder folder, Access access, CancellationToken ct)
    {
        var port = FreePort();
        return StartBerth(folder, port, $$"""
            access: { mode: {{(access == Access.Open ? "open" : "local")}} }
            http: { urls: [ "http://127.0.0.1:{{port}}" ] }
            """, ct);
    }

    /// <summary>Starts the built <c>berth serve</c> with settings of the test's own (YAML), which name <paramref name="port"/> as one without TLS.</summary>
    public static async Task<RunningRegistry> StartBerth(TemporaryFolder folder, int port, string yaml, CancellationToken ct)
    {
        var data = folder.Folder("registry-data");
        var settings = folder.File("registry", "berth.yaml");
        await System.IO.File.WriteAllTextAsync(settings, $"{yaml}\ndataFolder: {data}\n", ct);
        return await Launch(new RegistryCommand([BerthBinary(), "serve", "--config", settings], data, port, folder.File("registry", "log")), ct);
    }

    /// <summary>Starts Debian's docker-registry (distribution 2.8).</summary>
    public static async Task<RunningRegistry> StartDockerRegistry(TemporaryFolder folder, Access access, CancellationToken ct)
    {
        var port = FreePort();
        var data = folder.Folder("registry-data");
        var settings = await WriteDockerRegistrySettings(folder, data, port, access, ct);
        return await Launch(new RegistryCommand([Programs.Require("docker-registry"), "serve", settings], data, port, folder.File("registry", "log")), ct);
    }

    /// <summary>A <c>config.yml</c> for both programs.</summary>
    public static async Task<string> WriteDockerRegistrySettings(TemporaryFolder folder, string data, int port, Access access, CancellationToken ct)
    {
        var passwords = folder.File("registry", "htpasswd");
        await System.IO.File.WriteAllTextAsync(passwords, HtpasswdLine + "\n", ct);
        var settings = folder.File("registry", "config.yml");
        await System.IO.File.WriteAllTextAsync(settings, $$"""
            version: 0.1
            log: { level: warn }
            storage:
              filesystem: { rootdirectory: {{data}} }
              delete: { enabled: true }
            http: { addr: "127.0.0.1:{{port}}", secret: end-to-end }
            {{(access == Access.Open ? "" : $"auth: {{ htpasswd: {{ realm: test, path: {passwords} }} }}")}}

            """, ct);
        return settings;
    }

    /// <summary>Starts <paramref name="command"/> and waits until it answers <c>/v2/</c>.</summary>
    public static async Task<RunningRegistry> Launch(RegistryCommand command, CancellationToken ct)
    {
        var registry = new RunningRegistry(command);
        try
        {
            await registry.Start(StartLimit, ct);
            return registry;
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
    }

    /// <summary>The built program: <c>BERTH_BINARY</c>, or the newest one below <c>artifacts</c>.</summary>
    public static string BerthBinary()
    {
        if (Environment.GetEnvironmentVariable("BERTH_BINARY") is { Length: > 0 } named)
        {
            Assert.True(System.IO.File.Exists(named), $"BERTH_BINARY names {named}, which does not exist");
            return named;
        }

        var artifacts = Path.Combine(SourceRoot(), "artifacts", "bin", "Berth");
        var newest = Directory.Exists(artifacts)
            ? Directory.EnumerateDirectories(artifacts).Select(folder => new FileInfo(Path.Combine(folder, "berth"))).Where(file => file.Exists).MaxBy(file => file.LastWriteTimeUtc)
            : null;
        Assert.True(newest is not null, "berth is not built: dotnet build src/Berth, or name it in BERTH_BINARY");
        return newest.FullName;
    }

    /// <summary>A port that nothing listens on.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The folder of the solution.</summary>
    public static string SourceRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !System.IO.File.Exists(Path.Combine(folder.FullName, "Berth.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("the tests do not lie below the folder of Berth.slnx");
    }
}

/// <summary>How a registry is started: the command, the folder of its data, its port on loopback and its log file.</summary>
public sealed record RegistryCommand(IReadOnlyList<string> Command, string DataFolder, int Port, string LogFile);
