using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Clients;

/// <summary>containerd, as Kubernetes nodes run it, by way of its command <c>ctr</c>.</summary>
public sealed class ContainerdTests(RegistryAndShell on, ContainerdDaemon containerd, ImageFixtures images)
    : IClassFixture<RegistryAndShell>, IClassFixture<ContainerdDaemon>
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_image_is_pulled_and_pushed_under_another_name()
    {
        var image = await images.Busybox();
        await on.Http.Push("ctr/app", "1", image, ct);
        await Ctr("pull", "--plain-http", "--snapshotter", "native", on.Name("ctr/app:1"));
        await Ctr("tag", on.Name("ctr/app:1"), on.Name("ctr/pushed:2"));
        await Ctr("push", "--plain-http", on.Name("ctr/pushed:2"));
        await on.Http.CheckSame("ctr/pushed", "2", image, ct);
    }

    [Fact]
    public async Task All_platforms_of_an_index_are_pulled_and_pushed()
    {
        await on.Http.Push("ctr/multi", "1", images.MultiArch(), ct);
        await Ctr("pull", "--plain-http", "--all-platforms", "--snapshotter", "native", on.Name("ctr/multi:1"));
        await Ctr("tag", on.Name("ctr/multi:1"), on.Name("ctr/multi-pushed:1"));
        await Ctr("push", "--plain-http", "--platform", "linux/amd64", "--platform", "linux/arm64", on.Name("ctr/multi-pushed:1"));
        await on.Http.CheckSame("ctr/multi-pushed", "1", images.MultiArch(), ct);
    }

    [Fact]
    public async Task Docker_formats_zstd_and_twenty_layers_are_pulled()
    {
        foreach (var (tag, image) in ((string, OciLayout)[])[("list", images.DockerManifestList()), ("zstd", images.Zstd()), ("twenty", images.TwentyLayers())])
        {
            await on.Http.Push("ctr/kinds", tag, image, ct);
            await Ctr("pull", "--plain-http", "--snapshotter", "native", on.Name($"ctr/kinds:{tag}"));
            var listed = await Ctr("ls", $"name=={on.Name($"ctr/kinds:{tag}")}");
            Assert.Contains(image.Digest, listed.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_mirror_of_hosts_toml_serves_images_of_another_name()
    {
        await on.Http.Push("ctr/mirrored", "1", images.TwentyLayers(), ct);
        on.Shell.Write("hosts/example.test/hosts.toml", $"""
            server = "https://example.test"
            [host."http://{on.Address}"]
              capabilities = ["pull", "resolve"]
            """);
        await Ctr("pull", "--hosts-dir", on.Shell.Folder.Folder("hosts"), "--snapshotter", "native", "example.test/ctr/mirrored:1");
        Assert.Contains(images.TwentyLayers().Digest, (await Ctr("ls", "name==example.test/ctr/mirrored:1")).Out, StringComparison.Ordinal);
    }

    private async Task<ClientOutput> Ctr(params string[] arguments)
    {
        await containerd.EnsureStarted(ct);
        return await on.Shell.Run("ctr", ["-a", containerd.Socket, "-n", "test", "images", .. arguments]);
    }
}
