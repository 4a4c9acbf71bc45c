using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Clients;

/// <summary>BuildKit inside Docker 28 with the containerd store: attestations, several platforms, a build cache in the registry.</summary>
public sealed class BuildKitTests(RegistryAndShell on, DockerEngine28Containerd docker, ImageFixtures images)
    : DockerTests(on, docker, images), IClassFixture<RegistryAndShell>, IClassFixture<DockerEngine28Containerd>
{
    [Fact]
    public async Task Provenance_is_pushed_beside_the_image()
    {
        await Buildx("--provenance=mode=max", "--push", "-t", On.Name("buildkit/provenance:1"));
        var index = await On.Http.CheckWhole("buildkit/provenance", "1", Ct);
        var children = JsonNode.Parse(index.Bytes)!["manifests"]!.AsArray();
        var attestation = Assert.Single(children, child => child!["annotations"]?["vnd.docker.reference.type"]?.GetValue<string>() == "attestation-manifest");
        var manifest = await On.Http.Manifest("buildkit/provenance", attestation!["digest"]!.GetValue<string>(), Ct);
        Assert.Contains("application/vnd.in-toto+json", manifest.Text, StringComparison.Ordinal);
        await Docker("pull", On.Name("buildkit/provenance:1"));
    }

    [Fact]
    public async Task Several_platforms_are_pushed_as_one_index()
    {
        await Buildx("--platform", "linux/amd64,linux/arm64", "--provenance=false", "--push", "-t", On.Name("buildkit/multi:1"));
        var index = await On.Http.CheckWhole("buildkit/multi", "1", Ct);
        Assert.Equal(
            ["amd64", "arm64"],
            JsonNode.Parse(index.Bytes)!["manifests"]!.AsArray().Select(child => child!["platform"]!["architecture"]!.GetValue<string>()).Order());
        await Docker("pull", "--platform", "linux/arm64", On.Name("buildkit/multi:1"));
    }

    [Fact]
    public async Task A_build_cache_is_exported_and_imported()
    {
        await Buildx("--cache-to", $"type=registry,ref={On.Name("buildkit/cache:1")},mode=max", "--push", "-t", On.Name("buildkit/cached:1"));
        await On.Http.CheckWhole("buildkit/cache", "1", Ct);
        await Docker("builder", "prune", "-af");
        var second = await Buildx(
            "--progress", "plain", "--cache-from", $"type=registry,ref={On.Name("buildkit/cache:1")}", "--push", "-t", On.Name("buildkit/cached:2"));
        Assert.Contains("importing cache manifest", second.All, StringComparison.Ordinal);
        Assert.Contains("CACHED", second.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Zstd_layers_are_pushed_and_pulled()
    {
        await Buildx("--provenance=false", "--output", $"type=image,name={On.Name("buildkit/zstd:1")},push=true,compression=zstd,force-compression=true,oci-mediatypes=true");
        var manifest = await On.Http.CheckWhole("buildkit/zstd", "1", Ct);
        Assert.All(ManifestContent.BlobsOf(manifest.Bytes).Skip(1), layer => Assert.EndsWith("+zstd", layer.MediaType, StringComparison.Ordinal));
        await Docker("pull", On.Name("buildkit/zstd:1"));
    }

    private async Task<ClientOutput> Buildx(params string[] options) => await Docker(["buildx", "build", .. options, await BuildContext()]);
}
