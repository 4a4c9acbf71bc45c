using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Adoption;

/// <summary>A manifest that the old registry holds: under a tag, or only under its digest.</summary>
public sealed record OldManifest(string Repository, string Reference, string Digest, string MediaType);

/// <summary>
/// The data folder of a Docker Registry as years of use leave it, filled through its own API: images of one and of several architectures in OCI and in Docker's
/// formats, manifests that lost their tag, layers shared between repositories, signatures and attachments under fallback tags.
/// </summary>
public sealed class OldRegistry : IAsyncLifetime
{
    /// <summary>Tagged images, without the fallback tags.</summary>
    public const int ImageCount = 200;

    private const int TagsPerRepository = 10;
    private const int ParallelPushes = 4;
    private readonly TemporaryFolder folder = new("old-registry");
    private readonly List<OldManifest> tagged = [];
    private readonly List<OldManifest> untagged = [];
    private readonly List<(string Repository, string Subject, string Referrer)> referrers = [];
    private bool filled;

    /// <summary>Every tag, fallback tags included.</summary>
    public IReadOnlyList<OldManifest> Tagged => tagged;

    /// <summary>Manifests without a tag: children of indexes and images whose tag moved on.</summary>
    public IReadOnlyList<OldManifest> Untagged => untagged;

    /// <summary>Attachments that a fallback tag names.</summary>
    public IReadOnlyList<(string Repository, string Subject, string Referrer)> Referrers => referrers;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Copies the data folder of the old registry to <paramref name="target"/>.</summary>
    public async Task CopyTo(string target, ClientShell shell, CancellationToken ct)
    {
        if (!filled)
        {
            await using var registry = await RegistryUnderTest.StartDockerRegistry(folder, Access.Open, ct);
            await Fill(registry.Http, ct);
            filled = true;
        }

        await shell.Run("cp", "-a", $"{folder.Folder("registry-data")}/.", target);
    }

    /// <summary>Checks that a registry serves everything that the old one held.</summary>
    public async Task CheckServed(RegistryHttp http, CancellationToken ct, IReadOnlyList<(string Repository, string Tag)>? newTags = null)
    {
        await Parallel.ForEachAsync(tagged.Concat(untagged), new ParallelOptions { MaxDegreeOfParallelism = ParallelPushes, CancellationToken = ct }, async (manifest, token) =>
        {
            // The digest is that of the very bytes, so the same digest is the same image.
            var pulled = await http.CheckWhole(manifest.Repository, manifest.Reference, token);
            Assert.Equal((manifest.Digest, manifest.MediaType), (pulled.Digest, pulled.MediaType));
        });
        foreach (var repository in tagged.GroupBy(manifest => manifest.Repository))
        {
            var listed = JsonNode.Parse(await http.Text($"/v2/{repository.Key}/tags/list", ct))!["tags"]!.AsArray().Select(tag => tag!.GetValue<string>());
            var added = (newTags ?? []).Where(added => added.Repository == repository.Key).Select(added => added.Tag);
            Assert.Equal(repository.Select(manifest => manifest.Reference).Concat(added).Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
        }

        var catalog = JsonNode.Parse(await http.Text("/v2/_catalog?n=1000", ct))!["repositories"]!.AsArray().Select(name => name!.GetValue<string>());
        Assert.Equal(tagged.Select(manifest => manifest.Repository).Distinct().Order(StringComparer.Ordinal), catalog.Order(StringComparer.Ordinal));
    }

    private async Task Fill(RegistryHttp http, CancellationToken ct)
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, ImageCount), new ParallelOptions { MaxDegreeOfParallelism = ParallelPushes, CancellationToken = ct }, async (number, token) =>
        {
            var repository = $"team-{number / TagsPerRepository % 4}/app-{number / TagsPerRepository}";
            var tag = $"v{number % TagsPerRepository}";
            if (number % 8 == 3)
            {
                // The tag moves on: what it named before stays without a tag.
                Note(untagged, repository, await Push(http, repository, tag, Image(number, "before"), token));
            }

            var image = Image(number, "now");
            Note(tagged, repository, await Push(http, repository, tag, image, token), tag);
            foreach (var child in image.Manifests().Where(manifest => manifest != image.Root))
            {
                Note(untagged, repository, child);
            }

            if (number % 10 == 5)
            {
                await Sign(http, repository, image.Root, token);
                await Attach(http, repository, image.Root, token);
            }
        });
    }

    private static async Task<ContentReference> Push(RegistryHttp http, string repository, string tag, OciLayout image, CancellationToken ct)
    {
        await http.Push(repository, tag, image, ct);
        return image.Root;
    }

    private OciLayout Image(int number, string age)
    {
        var layout = new OciLayoutWriter(folder.Folder("layouts", $"{number}-{age}"));
        var format = number % 3 == 0 ? ImageFormat.Docker : ImageFormat.Oci;
        ContentReference ForOne(string architecture) => layout.AddImage(format, architecture, [
            Layers.Gzip(layout, format, LayerFile.Text("base", $"shared by {number % 7}")),
            Layers.Gzip(layout, format, LayerFile.Text("app", $"{number} {age} {architecture}")),
        ]);
        return layout.Finish(number % 5 == 0 ? layout.AddIndex(format, ("amd64", ForOne("amd64")), ("arm64", ForOne("arm64"))) : ForOne("amd64"));
    }

    /// <summary>A signature as cosign 2 keeps it: an image under the tag <c>sha256-HEX.sig</c>.</summary>
    private async Task Sign(RegistryHttp http, string repository, ContentReference subject, CancellationToken ct)
    {
        var layout = new OciLayoutWriter(folder.Folder("layouts", $"sig-{subject.Digest[7..]}"));
        var signature = layout.Finish(layout.AddArtifact("application/vnd.dev.cosign.artifact.sig.v1+json", layout.AddBlob("application/vnd.dev.cosign.simplesigning.v1+json", "{}"u8.ToArray())));
        var tag = $"{subject.Digest.Replace(':', '-')}.sig";
        Note(tagged, repository, await Push(http, repository, tag, signature, ct), tag);
    }

    /// <summary>An attachment as OCI 1.1 clients keep it where there is no referrers API: named by an index under the tag <c>sha256-HEX</c>.</summary>
    private async Task Attach(RegistryHttp http, string repository, ContentReference subject, CancellationToken ct)
    {
        const string Type = "application/vnd.example.sbom";
        var layout = new OciLayoutWriter(folder.Folder("layouts", $"attach-{subject.Digest[7..]}"));
        var attachment = layout.AddArtifact(Type, layout.AddBlob("application/json", "{\"sbom\":1}"u8.ToArray()), subject);
        var descriptor = attachment.ToJson();
        descriptor["artifactType"] = Type;
        var index = layout.Finish(layout.AddJson(ImageFormat.Oci.Index, new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ImageFormat.Oci.Index,
            ["manifests"] = new JsonArray(descriptor),
        }));
        var tag = subject.Digest.Replace(':', '-');
        Note(tagged, repository, await Push(http, repository, tag, index, ct), tag);
        Note(untagged, repository, attachment);
        lock (referrers)
        {
            referrers.Add((repository, subject.Digest, attachment.Digest));
        }
    }

    private static void Note(List<OldManifest> list, string repository, ContentReference manifest, string? tag = null)
    {
        lock (list)
        {
            list.Add(new OldManifest(repository, tag ?? manifest.Digest, manifest.Digest, manifest.MediaType));
        }
    }
}
