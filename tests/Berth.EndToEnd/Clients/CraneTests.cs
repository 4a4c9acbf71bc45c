using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Clients;

/// <summary>crane: go-containerregistry's client, which Kubernetes tools embed.</summary>
public sealed class CraneTests(RegistryAndShell on, ImageFixtures images) : IClassFixture<RegistryAndShell>
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pushed_image_comes_back_byte_identical()
    {
        var image = images.TwentyLayers();
        await Push(image, "crane/image:1");
        await on.Http.CheckSame("crane/image", "1", image, ct);

        await on.Shell.Run("crane", "pull", "--format=oci", on.Name("crane/image:1"), "image-back");
        Assert.Equal(image.RootBytes(), await File.ReadAllBytesAsync(OciLayoutWriter.BlobFile(on.Shell.Folder.File("image-back"), image.Digest), ct));
        Assert.Equal(image.Digest, (await on.Shell.Run("crane", "digest", on.Name("crane/image:1"))).Out.Trim());
    }

    [Fact]
    public async Task A_Docker_manifest_list_is_pushed_and_copied()
    {
        var image = images.DockerManifestList();
        await on.Shell.Run("crane", "push", image.Folder, on.Name("crane/list:1"));
        await on.Http.CheckSame("crane/list", "1", image, ct);
        await on.Shell.Run("crane", "cp", on.Name("crane/list:1"), on.Name("crane/list-copy:2"));
        await on.Http.CheckSame("crane/list-copy", "2", image, ct);
    }

    [Fact]
    public async Task A_layer_of_two_gigabytes_is_pushed_and_pulled()
    {
        var image = images.Big();
        await Push(image, "crane/big:1");
        await on.Http.CheckSame("crane/big", "1", image, ct);
        await on.Shell.Run("crane", "pull", "--format=oci", on.Name("crane/big:1"), "big-back");
        var layer = image.Blobs().Single(blob => blob.SizeBytes > ImageFixtures.BigLayerBytes);
        Assert.Equal(layer.SizeBytes, new FileInfo(OciLayoutWriter.BlobFile(on.Shell.Folder.File("big-back"), layer.Digest)).Length);
    }

    [Fact]
    public async Task Repositories_and_tags_are_listed()
    {
        await Push(images.Small(), "crane/listed:1");
        await on.Shell.Run("crane", "tag", on.Name("crane/listed:1"), "latest");
        RegistryUnderTest.EqualInOrder(["1", "latest"], (await on.Shell.Run("crane", "ls", on.Name("crane/listed"))).Lines);
        Assert.Contains("crane/listed", (await on.Shell.Run("crane", "catalog", on.Address)).Lines);
        await on.Http.CheckSame("crane/listed", "latest", images.Small(), ct);
    }

    [Fact]
    public async Task An_index_is_appended_from_two_images()
    {
        await Push(images.Small(), "crane/append:a");
        await Push(images.TwentyLayers(), "crane/append:b");
        await on.Shell.Run("crane", "index", "append", "-m", on.Name("crane/append:a"), "-m", on.Name("crane/append:b"), "-t", on.Name("crane/append:index"));
        var index = await on.Http.CheckWhole("crane/append", "index", ct);
        Assert.Equal(
            [images.Small().Digest, images.TwentyLayers().Digest],
            JsonNode.Parse(index.Bytes)!["manifests"]!.AsArray().Select(child => child!["digest"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_layer_is_appended_to_an_image()
    {
        await Push(images.Small(), "crane/base:1");
        await File.WriteAllBytesAsync(on.Shell.Folder.File("layer.tar"), Layers.Tar([LayerFile.Text("added", "added")]), ct);
        await on.Shell.Run("crane", "append", "-b", on.Name("crane/base:1"), "-f", "layer.tar", "-t", on.Name("crane/base:2"));
        var appended = await on.Http.CheckWhole("crane/base", "2", ct);
        Assert.Equal(2, JsonNode.Parse(appended.Bytes)!["layers"]!.AsArray().Count);
    }

    [Fact]
    public async Task Labels_are_changed_in_the_registry()
    {
        await Push(images.Small(), "crane/mutate:1");
        await on.Shell.Run("crane", "mutate", on.Name("crane/mutate:1"), "--label", "colour=blue", "-t", on.Name("crane/mutate:2"));
        var config = JsonNode.Parse((await on.Shell.Run("crane", "config", on.Name("crane/mutate:2"))).Out)!;
        Assert.Equal("blue", config["config"]!["Labels"]!["colour"]!.GetValue<string>());
    }

    [Fact]
    public async Task Validate_finds_nothing_wrong()
    {
        await Push(images.TwentyLayers(), "crane/validate:1");
        Assert.Contains("PASS", (await on.Shell.Run("crane", "validate", "--remote", on.Name("crane/validate:1"))).All);
        await on.Http.Push("crane/validate", "index", images.MultiArch(), ct);
        Assert.Contains("PASS", (await on.Shell.Run("crane", "validate", "--remote", on.Name("crane/validate:index"))).All);
    }

    [Fact]
    public async Task A_deleted_digest_is_gone_with_its_tags()
    {
        RegistryUnderTest.OnlyBerth("removal of the tags of a deleted manifest");
        await Push(images.Small(), "crane/delete:1");
        await on.Shell.Run("crane", "delete", on.Name($"crane/delete@{images.Small().Digest}"));
        await on.Shell.MustFail("crane", "manifest", on.Name("crane/delete:1"));
        await on.Shell.MustFail("crane", "manifest", on.Name($"crane/delete@{images.Small().Digest}"));
    }

    private Task<ClientOutput> Push(OciLayout image, string reference) => on.Shell.Run("crane", "push", image.Folder, on.Name(reference));
}
