using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Platform;

/// <summary>
/// Clients that show a certificate instead of a password. Crane is not among them: it has no option for a certificate, neither on its command line nor in
/// a file.
/// </summary>
public sealed class CertificateTests(CertificateRegistry registry, DockerEngine28Certificates docker, ImageFixtures images)
    : IClassFixture<CertificateRegistry>, IClassFixture<DockerEngine28Certificates>, IDisposable
{
    private readonly ClientShell shell = new("certificate");

    public static TheoryData<string> Holders => [.. CertificateRegistry.HolderNames];

    public void Dispose() => shell.Dispose();

    [Theory]
    [MemberData(nameof(Holders))]
    public async Task Skopeo(string name)
    {
        var holder = Start(name);
        await Expect(holder.MayPull, "skopeo", "inspect", "--raw", "--cert-dir", holder.Folder, $"docker://{Named("base:1")}");
        await Expect(holder.MayPush, "skopeo", "copy", "-q", "--dest-cert-dir", holder.Folder, images.Small().SkopeoName, $"docker://{Named($"skopeo-{name}:1")}");
        // A developer may not delete.
        await Expect(succeeds: false, "skopeo", "delete", "--cert-dir", holder.Folder, $"docker://{Named("base:1")}");
    }

    [Theory]
    [MemberData(nameof(Holders))]
    public async Task Podman(string name)
    {
        Programs.RequireRoot();
        var holder = Start(name);
        await Expect(holder.MayPull, "podman", "pull", "-q", "--cert-dir", holder.Folder, Named("base:1"));
        if (holder.MayPull) await Expect(holder.MayPush, "podman", "push", "-q", "--cert-dir", holder.Folder, Named("base:1"), Named($"podman-{name}:1"));
    }

    [Theory]
    [MemberData(nameof(Holders))]
    public async Task Oras(string name)
    {
        var holder = Start(name);
        shell.Write("a.txt", "a");
        string[] certificate = ["--ca-file", holder.Authority, .. holder.HasCertificate ? ["--cert-file", holder.Certificate, "--key-file", holder.Key] : Array.Empty<string>()];
        await Expect(holder.MayPull, "oras", ["manifest", "fetch", .. certificate, Named("base:1")]);
        await Expect(holder.MayPush, "oras", ["push", .. certificate, Named($"oras-{name}:1"), "a.txt:text/plain"]);
    }

    // The engine's containerd store: with its own store it looks for no certificates where the registry is on loopback.
    [Theory]
    [MemberData(nameof(Holders))]
    public async Task Docker(string name)
    {
        Programs.RequireRoot();
        var holder = Start(name);
        var folder = Path.Combine(docker.Certificates, registry.Address);
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(holder.Folder)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        if (!holder.MayPull)
        {
            await docker.MustFail(shell, "pull", "-q", Named("base:1"));
            return;
        }

        await docker.Run(shell, "pull", "-q", Named("base:1"));
        await docker.Run(shell, "tag", Named("base:1"), Named($"docker-{name}:1"));
        if (holder.MayPush) await docker.Run(shell, "push", "-q", Named($"docker-{name}:1"));
        else await docker.MustFail(shell, "push", "-q", Named($"docker-{name}:1"));
    }

    private CertificateHolder Start(string name)
    {
        RegistryUnderTest.OnlyBerth("sign-in by certificate");
        shell.Diagnostics = registry.Registry.LogTail;
        return registry[name];
    }

    private string Named(string reference) => $"{registry.Address}/{CertificateRegistry.Project}/{reference}";

    private async Task Expect(bool succeeds, string program, params string[] arguments)
    {
        if (succeeds) await shell.Run(program, arguments);
        else await shell.MustFail(program, arguments);
    }
}
