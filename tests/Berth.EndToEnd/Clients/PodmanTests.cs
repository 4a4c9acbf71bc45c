using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Clients;

/// <summary>podman: build, push, pull and run without a daemon.</summary>
public sealed class PodmanTests(RegistryAndShell on, ImageFixtures images) : IClassFixture<RegistryAndShell>
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_image_built_from_scratch_is_pushed_pulled_and_run()
    {
        await Build("podman/app:1");
        await Podman("push", "-q", "--tls-verify=false", on.Name("podman/app:1"));
        await on.Http.CheckWhole("podman/app", "1", ct);

        await Podman("rmi", "-f", on.Name("podman/app:1"));
        await Podman("pull", "-q", "--tls-verify=false", on.Name("podman/app:1"));
        var output = await Podman("run", "--rm", "--network=none", on.Name("podman/app:1"));
        Assert.Contains("built by a test", output.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Zstd_and_Docker_formats_are_pushed()
    {
        // Two images: podman remembers the compression of a layer that it pushed, and would use it in the other format too.
        await Build("podman/formats:zstd");
        await Podman("push", "-q", "--tls-verify=false", "--compression-format", "zstd", on.Name("podman/formats:zstd"));
        var zstd = await on.Http.CheckWhole("podman/formats", "zstd", ct);
        Assert.All(JsonNode.Parse(zstd.Bytes)!["layers"]!.AsArray(), layer => Assert.EndsWith("+zstd", layer!["mediaType"]!.GetValue<string>(), StringComparison.Ordinal));

        await Build("podman/formats:v2s2");
        await Podman("push", "-q", "--tls-verify=false", "--format", "v2s2", on.Name("podman/formats:v2s2"));
        Assert.Equal(ImageFormat.Docker.Manifest, (await on.Http.CheckWhole("podman/formats", "v2s2", ct)).MediaType);

        await Podman("pull", "-q", "--tls-verify=false", on.Name("podman/formats:zstd"));
        await Podman("pull", "-q", "--tls-verify=false", on.Name("podman/formats:v2s2"));
    }

    [Fact]
    public async Task A_manifest_list_is_made_and_pushed()
    {
        await on.Http.Push("podman/list", "amd64", images.Small(), ct);
        await on.Http.Push("podman/list", "arm64", images.MultiArch(), ct);
        await Podman("manifest", "create", "list-of-test");
        await Podman("manifest", "add", "--tls-verify=false", "list-of-test", on.Docker("podman/list:amd64"));
        await Podman("manifest", "add", "--all", "--tls-verify=false", "list-of-test", on.Docker("podman/list:arm64"));
        await Podman("manifest", "push", "-q", "--tls-verify=false", "--all", "list-of-test", on.Docker("podman/list:all"));
        var list = await on.Http.CheckWhole("podman/list", "all", ct);
        Assert.Equal(3, ManifestContent.ChildrenOf(list.Bytes).Count);
    }

    [Fact]
    public async Task Images_of_twenty_and_of_zstd_layers_are_pulled()
    {
        await on.Http.Push("podman/pull", "twenty", images.TwentyLayers(), ct);
        await on.Http.Push("podman/pull", "zstd", images.Zstd(), ct);
        await Podman("pull", "-q", "--tls-verify=false", on.Name("podman/pull:twenty"));
        var inspected = await Podman("image", "inspect", "--format", "{{.Digest}} {{len .RootFS.Layers}}", on.Name("podman/pull:twenty"));
        Assert.Equal($"{images.TwentyLayers().Digest} 20", inspected.Out.Trim());
        await Podman("pull", "-q", "--tls-verify=false", on.Name("podman/pull:zstd"));
    }

    [Fact]
    public async Task Tags_are_searched()
    {
        await on.Http.Push("podman/search", "1", images.Small(), ct);
        var output = await Podman("search", "--tls-verify=false", "--list-tags", on.Name("podman/search"));
        Assert.Contains(output.Lines, line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var name, "1"] && name == on.Name("podman/search"));
    }

    private Task<ClientOutput> Podman(params string[] arguments)
    {
        Programs.RequireRoot();
        return on.Shell.Run("podman", arguments);
    }

    private async Task Build(string reference)
    {
        File.Copy(await images.BusyboxProgram(), on.Shell.Folder.File("podman-build", "busybox"), overwrite: true);
        on.Shell.Write("podman-build/name", reference);
        on.Shell.Write("podman-build/Containerfile", """
            FROM scratch
            COPY busybox name /bin/
            RUN ["/bin/busybox", "touch", "/made-by-run"]
            CMD ["/bin/busybox", "echo", "built by a test"]
            """);
        await Podman("build", "-q", "--isolation=chroot", "--tls-verify=false", "-t", on.Name(reference), "podman-build");
    }
}
