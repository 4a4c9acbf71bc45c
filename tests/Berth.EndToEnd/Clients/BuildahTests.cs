using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Clients;

/// <summary>buildah: images made step by step, and a whole Debian root file system among them.</summary>
public sealed class BuildahTests(RegistryAndShell on, ImageFixtures images) : IClassFixture<RegistryAndShell>
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_image_committed_from_scratch_is_pushed_and_pulled()
    {
        var container = (await Buildah("from", "scratch")).Out.Trim();
        await Buildah("copy", container, await images.BusyboxProgram(), "/bin/busybox");
        await Buildah("config", "--cmd", "/bin/busybox true", container);
        await Buildah("commit", "-q", container, on.Name("buildah/app:1"));
        await Buildah("push", "-q", "--tls-verify=false", on.Name("buildah/app:1"));
        await on.Http.CheckWhole("buildah/app", "1", ct);
        await Buildah("rmi", "-f", on.Name("buildah/app:1"));
        await Buildah("pull", "-q", "--tls-verify=false", on.Name("buildah/app:1"));
    }

    [Fact]
    public async Task An_image_is_built_upon_one_of_the_registry()
    {
        await on.Http.Push("buildah/base", "1", await images.Busybox(), ct);
        on.Shell.Write("buildah-build/Containerfile", $"""
            FROM {on.Name("buildah/base:1")}
            RUN ["/bin/busybox", "touch", "/added"]
            """);
        await Buildah("bud", "-q", "--tls-verify=false", "-t", on.Name("buildah/built:1"), "buildah-build");
        await Buildah("push", "-q", "--tls-verify=false", on.Name("buildah/built:1"));
        var built = await on.Http.CheckWhole("buildah/built", "1", ct);
        Assert.Equal(3, ManifestContent.BlobsOf(built.Bytes).Count);
    }

    [Fact]
    public async Task A_manifest_list_is_pushed()
    {
        await on.Http.Push("buildah/parts", "1", images.Small(), ct);
        await Buildah("manifest", "create", "buildah-list");
        await Buildah("manifest", "add", "--tls-verify=false", "buildah-list", on.Docker("buildah/parts:1"));
        await Buildah("manifest", "push", "-q", "--tls-verify=false", "--all", "buildah-list", on.Docker("buildah/list:1"));
        Assert.Single(ManifestContent.ChildrenOf((await on.Http.CheckWhole("buildah/list", "1", ct)).Bytes));
    }

    [Fact]
    public async Task A_whole_Debian_root_file_system_survives_push_and_pull()
    {
        var archive = await DebianRootFileSystem.Archive(on.Shell);
        var container = (await Buildah("from", "scratch")).Out.Trim();
        await Buildah("add", "-q", container, archive, "/");
        var before = await Listing((await Buildah("mount", container)).Out.Trim());
        await Buildah("commit", "-q", container, on.Name("buildah/debian:bookworm"));
        await Buildah("push", "-q", "--tls-verify=false", on.Name("buildah/debian:bookworm"));
        await on.Http.CheckWhole("buildah/debian", "bookworm", ct);

        await Buildah("rm", container);
        await Buildah("rmi", "-f", on.Name("buildah/debian:bookworm"));
        var pulled = (await Buildah("from", "-q", "--tls-verify=false", on.Name("buildah/debian:bookworm"))).Out.Trim();
        var after = await Listing((await Buildah("mount", pulled)).Out.Trim());
        Assert.Contains(before, line => line.StartsWith("./usr/bin/dpkg|f|", StringComparison.Ordinal));
        Assert.Equal(before, after);
        await Buildah("rm", pulled);
    }

    private Task<ClientOutput> Buildah(params string[] arguments)
    {
        Programs.RequireRoot();
        return on.Shell.Run("buildah", arguments);
    }

    /// <summary>Every path with kind, mode, owner, time and link target, then the digest of every file.</summary>
    private async Task<string[]> Listing(string root) => (await on.Shell.Run("sh", "-c", $"""
        cd '{root}' && find . -mindepth 1 \( -type d -printf '%p|d|%m|%U:%G\n' -o -printf '%p|%y|%m|%U:%G|%s|%Ts|%l\n' \) | LC_ALL=C sort
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
        """)).Lines;
}
