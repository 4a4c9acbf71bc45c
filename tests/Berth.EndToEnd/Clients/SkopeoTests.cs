using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Clients;

/// <summary>skopeo: copies between layouts, folders and registries without an engine.</summary>
public sealed class SkopeoTests(RegistryAndShell on, ImageFixtures images) : IClassFixture<RegistryAndShell>
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_OCI_image_comes_back_byte_identical()
    {
        var image = images.Small();
        await Copy(image.SkopeoName, on.Docker("skopeo/oci:1"));
        await on.Http.CheckSame("skopeo/oci", "1", image, ct);

        await on.Shell.Run("skopeo", "copy", "-q", "--src-tls-verify=false", on.Docker("skopeo/oci:1"), "oci:oci-back:1");
        Assert.Equal(image.RootBytes(), await File.ReadAllBytesAsync(OciLayoutWriter.BlobFile(on.Shell.Folder.File("oci-back"), image.Digest), ct));
    }

    [Fact]
    public async Task A_Docker_schema_2_image_is_pushed_and_inspected()
    {
        var image = await images.Busybox();
        await Copy(image.SkopeoName, on.Docker("skopeo/docker:1"), "--format", "v2s2");

        var manifest = await on.Http.CheckWhole("skopeo/docker", "1", ct);
        Assert.Equal(ImageFormat.Docker.Manifest, manifest.MediaType);
        var raw = await on.Shell.Run("skopeo", "inspect", "--raw", "--tls-verify=false", on.Docker("skopeo/docker:1"));
        Assert.Equal(manifest.Text, raw.Out.TrimEnd('\n'));
        var inspected = JsonNode.Parse((await on.Shell.Run("skopeo", "inspect", "--tls-verify=false", on.Docker("skopeo/docker:1"))).Out)!;
        Assert.Equal(manifest.Digest, inspected["Digest"]!.GetValue<string>());
    }

    [Fact]
    public async Task Zstd_layers_keep_their_media_type_and_bytes()
    {
        var image = images.Zstd();
        await Copy(image.SkopeoName, on.Docker("skopeo/zstd:1"));
        await on.Http.CheckSame("skopeo/zstd", "1", image, ct);

        await Copy(images.Small().SkopeoName, on.Docker("skopeo/zstd:2"), "--dest-compress-format", "zstd");
        await on.Http.CheckWhole("skopeo/zstd", "2", ct);
    }

    [Fact]
    public async Task An_image_of_twenty_layers_comes_back_byte_identical()
    {
        var image = images.TwentyLayers();
        await Copy(image.SkopeoName, on.Docker("skopeo/twenty:1"));
        await on.Http.CheckSame("skopeo/twenty", "1", image, ct);
    }

    [Fact]
    public async Task All_architectures_of_an_index_are_copied()
    {
        var image = images.MultiArch();
        await Copy(image.SkopeoName, on.Docker("skopeo/multi:1"), "--all");
        await on.Http.CheckSame("skopeo/multi", "1", image, ct);
        await Between(on.Docker("skopeo/multi:1"), on.Docker("skopeo/multi-copy:1"), "--all");
        await on.Http.CheckSame("skopeo/multi-copy", "1", image, ct);
    }

    [Fact]
    public async Task A_Docker_manifest_list_is_copied_between_repositories()
    {
        var image = images.DockerManifestList();
        await on.Http.Push("skopeo/list", "1", image, ct);
        await Between(on.Docker("skopeo/list:1"), on.Docker("skopeo/list-copy:1"), "--all");
        await on.Http.CheckSame("skopeo/list-copy", "1", image, ct);
    }

    [Fact]
    public async Task One_architecture_is_chosen_from_an_index()
    {
        await on.Http.Push("skopeo/choose", "1", images.MultiArch(), ct);
        var config = await on.Shell.Run("skopeo", "inspect", "--override-arch", "arm64", "--config", "--tls-verify=false", on.Docker("skopeo/choose:1"));
        Assert.Equal("arm64", JsonNode.Parse(config.Out)!["architecture"]!.GetValue<string>());
    }

    [Fact]
    public async Task Sync_copies_every_tag_of_a_repository()
    {
        await on.Http.Push("skopeo/from", "1", images.Small(), ct);
        await on.Http.Push("skopeo/from", "2", images.TwentyLayers(), ct);
        await on.Shell.Run(
            "skopeo", "sync", "--src-tls-verify=false", "--dest-tls-verify=false", "--src", "docker", "--dest", "docker", on.Name("skopeo/from"), on.Name("mirror"));
        await on.Http.CheckSame("mirror/from", "1", images.Small(), ct);
        await on.Http.CheckSame("mirror/from", "2", images.TwentyLayers(), ct);
    }

    [Fact]
    public async Task Tags_are_listed_in_order()
    {
        foreach (var tag in (string[])["b", "10", "a"])
        {
            await on.Http.Push("skopeo/tags", tag, images.Small(), ct);
        }

        var listed = await on.Shell.Run("skopeo", "list-tags", "--tls-verify=false", on.Docker("skopeo/tags"));
        RegistryUnderTest.EqualInOrder(["10", "a", "b"], JsonNode.Parse(listed.Out)!["Tags"]!.AsArray().Select(tag => tag!.GetValue<string>()));
    }

    [Fact]
    public async Task A_deleted_image_is_gone()
    {
        await on.Http.Push("skopeo/delete", "1", images.Small(), ct);
        await on.Shell.Run("skopeo", "delete", "--tls-verify=false", on.Docker("skopeo/delete:1"));
        await on.Shell.MustFail("skopeo", "inspect", "--raw", "--tls-verify=false", on.Docker("skopeo/delete:1"));
    }

    [Fact]
    public async Task A_Docker_archive_is_pushed()
    {
        await on.Shell.Run("skopeo", "copy", "-q", (await images.Busybox()).SkopeoName, "docker-archive:archive.tar:example/archive:1");
        await Copy("docker-archive:archive.tar", on.Docker("skopeo/archive:1"));
        await on.Http.CheckWhole("skopeo/archive", "1", ct);
    }

    private Task<ClientOutput> Copy(string from, string to, params string[] options) =>
        on.Shell.Run("skopeo", ["copy", "-q", "--dest-tls-verify=false", .. options, from, to]);

    private Task<ClientOutput> Between(string from, string to, params string[] options) =>
        Copy(from, to, ["--src-tls-verify=false", .. options]);
}
