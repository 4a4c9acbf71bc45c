using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Clients;

/// <summary>What every docker engine has to do with the registry; one class below for each engine.</summary>
public abstract class DockerTests(RegistryAndShell on, DockerEngine docker, ImageFixtures images)
{
    protected RegistryAndShell On { get; } = on;

    protected ImageFixtures Images { get; } = images;

    protected CancellationToken Ct { get; } = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_image_built_from_scratch_is_pushed_and_pulled()
    {
        await Build("docker/app:1");
        await Docker("push", On.Name("docker/app:1"));
        var manifest = await On.Http.CheckWhole("docker/app", "1", Ct);

        await Docker("rmi", "-f", On.Name("docker/app:1"));
        var pulled = await Docker("pull", On.Name("docker/app:1"));
        Assert.Contains(manifest.Digest, pulled.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_push_sends_no_layer_again()
    {
        await Build("docker/again:1");
        await Docker("push", On.Name("docker/again:1"));
        await Docker("tag", On.Name("docker/again:1"), On.Name("docker/again:2"));
        Assert.Contains("Layer already exists", (await Docker("push", On.Name("docker/again:2"))).Out, StringComparison.Ordinal);
        Assert.Equal((await On.Http.Manifest("docker/again", "1", Ct)).Digest, (await On.Http.Manifest("docker/again", "2", Ct)).Digest);
    }

    [Fact]
    public async Task Images_of_other_clients_are_pulled()
    {
        foreach (var (tag, image) in ((string, OciLayout)[])[("oci", await Images.Busybox()), ("docker", await Images.DockerSchema2()), ("twenty", Images.TwentyLayers()), ("multi", Images.MultiArch()), ("list", Images.DockerManifestList())])
        {
            await On.Http.Push("docker/others", tag, image, Ct);
            Assert.Contains(image.Digest, (await Docker("pull", On.Name($"docker/others:{tag}"))).Out, StringComparison.Ordinal);
        }

        await Docker("pull", On.Name($"docker/others@{Images.TwentyLayers().Digest}"));
    }

    protected Task<ClientOutput> Docker(params string[] arguments) => docker.Run(On.Shell, arguments);

    /// <summary>A build context with a busybox and a Dockerfile; returns its folder.</summary>
    protected async Task<string> BuildContext()
    {
        File.Copy(await Images.BusyboxProgram(), On.Shell.Folder.File("docker-build", "busybox"), overwrite: true);
        On.Shell.Write("docker-build/Dockerfile", """
            FROM scratch
            COPY busybox /bin/busybox
            COPY Dockerfile /etc/made-from
            CMD ["/bin/busybox", "echo", "built by a test"]
            """);
        return On.Shell.Folder.Folder("docker-build");
    }

    private async Task Build(string reference) => await Docker("build", "-q", "-t", On.Name(reference), await BuildContext());
}

/// <summary>Docker 20.10.</summary>
public sealed class Docker20Tests(RegistryAndShell on, DockerEngine20 docker, ImageFixtures images)
    : DockerTests(on, docker, images), IClassFixture<RegistryAndShell>, IClassFixture<DockerEngine20>;

/// <summary>Docker 28.</summary>
public sealed class Docker28Tests(RegistryAndShell on, DockerEngine28 docker, ImageFixtures images)
    : DockerTests(on, docker, images), IClassFixture<RegistryAndShell>, IClassFixture<DockerEngine28>;
