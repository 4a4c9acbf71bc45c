using System.Collections.Concurrent;
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
    private readonly ClientShell shell = new("old-registry");
    private readonly int port = RegistryUnderTest.FreePort();
    private readonly List<OldManifest> tagged = [];
    private readonly List<OldManifest> untagged = [];
    private readonly List<(string Repository, string Subject, string Referrer)> referrers = [];
    private string? settings;
    private bool adopted;

    /// <summary>Every tag, fallback tags included.</summary>
    public IReadOnlyList<OldManifest> Tagged => tagged;

    /// <summary>Manifests without a tag: children of indexes and images whose tag moved on.</summary>
    public IReadOnlyList<OldManifest> Untagged => untagged;

    /// <summary>Attachments that a fallback tag names.</summary>
    public IReadOnlyList<(string Repository, string Subject, string Referrer)> Referrers => referrers;

    public ValueTask InitializeAsync()
    {
        // A setting of podman's that reads like one of Docker Registry's (auth.file).
        shell.Unset("REGISTRY_AUTH_FILE");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        shell.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Starts Docker Registry on the folder.</summary>
    public async Task<RunningRegistry> StartDockerRegistry(CancellationToken ct) =>
        await Launch([Programs.Require("docker-registry"), "serve", await Filled(ct)], ct);

    /// <summary>Starts Berth on the folder, with the same configuration file.</summary>
    public async Task<RunningRegistry> StartBerth(CancellationToken ct) =>
        await Launch([RegistryUnderTest.BerthBinary(), "registry", "serve", await Filled(ct)], ct);

    /// <summary>Has Berth take the folder over; only once for all tests unless <paramref name="again"/> is set.</summary>
    public async Task Adopt(bool again, CancellationToken ct)
    {
        RegistryUnderTest.OnlyBerth("adoption");
        var file = await Filled(ct);
        if (!adopted || again)
        {
            var before = BlobFiles();
            await shell.Run(RegistryUnderTest.BerthBinary(), "adopt", "--config", file);
            Assert.Equal(before, BlobFiles());
            adopted = true;
        }
    }

    /// <summary>Checks that a registry serves everything that the old one held.</summary>
    public async Task CheckServed(RegistryHttp http, CancellationToken ct)
    {
        var checkedBlobs = new ConcurrentDictionary<(string Repository, string Digest), bool>();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = ParallelPushes, CancellationToken = ct };
        await Parallel.ForEachAsync(tagged.Concat(untagged), parallel, async (manifest, token) =>
        {
            // The digest is that of the very bytes, so the same digest is the same manifest.
            var pulled = await http.Manifest(manifest.Repository, manifest.Reference, token);
            Assert.Equal((manifest.Digest, manifest.MediaType), (pulled.Digest, pulled.MediaType));
            foreach (var blob in ManifestContent.BlobsOf(pulled.Bytes).Where(blob => checkedBlobs.TryAdd((manifest.Repository, blob.Digest), true)))
            {
                await http.CheckBlob(manifest.Repository, blob, token);
            }
        });
        foreach (var repository in tagged.GroupBy(manifest => manifest.Repository))
        {
            var listed = JsonNode.Parse(await http.Text($"/v2/{repository.Key}/tags/list", ct))!["tags"]!.AsArray().Select(tag => tag!.GetValue<string>());
            Assert.Equal(repository.Select(manifest => manifest.Reference).Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
        }

        var catalog = JsonNode.Parse(await http.Text("/v2/_catalog?n=1000", ct))!["repositories"]!.AsArray().Select(name => name!.GetValue<string>()).ToHashSet();
        Assert.All(tagged, manifest => Assert.Contains(manifest.Repository, catalog));
    }

    private string DataFolder => shell.Folder.Folder("registry-data");

    /// <summary>Fills the registry when that was not done yet; returns its configuration file.</summary>
    private async Task<string> Filled(CancellationToken ct)
    {
        if (settings is null)
        {
            var file = await RegistryUnderTest.WriteDockerRegistrySettings(shell.Folder, DataFolder, port, Access.Open, ct);
            await using var registry = await Launch([Programs.Require("docker-registry"), "serve", file], ct);
            await Fill(registry.Http, ct);
            settings = file;
        }

        return settings;
    }

    private Task<RunningRegistry> Launch(string[] command, CancellationToken ct) =>
        RegistryUnderTest.Launch(new RegistryCommand(command, DataFolder, port, shell.Folder.File("registry", "log")), ct);

    /// <summary>Path, size and time of every blob: adoption copies none and touches none.</summary>
    private string[] BlobFiles() => [.. new DirectoryInfo(Path.Combine(DataFolder, "docker", "registry", "v2", "blobs"))
        .EnumerateFiles("*", SearchOption.AllDirectories)
        .Select(file => $"{file.FullName} {file.Length} {file.LastWriteTimeUtc:O}")
        .Order(StringComparer.Ordinal)];

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
        var layout = new OciLayoutWriter(shell.Folder.Folder("layouts", $"{number}-{age}"));
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
        var layout = new OciLayoutWriter(shell.Folder.Folder("layouts", $"sig-{subject.Digest[7..]}"));
        var signature = layout.Finish(layout.AddArtifact("application/vnd.dev.cosign.artifact.sig.v1+json", layout.AddBlob("application/vnd.dev.cosign.simplesigning.v1+json", "{}"u8.ToArray())));
        var tag = $"{subject.Digest.Replace(':', '-')}.sig";
        Note(tagged, repository, await Push(http, repository, tag, signature, ct), tag);
    }

    /// <summary>An attachment as OCI 1.1 clients keep it where there is no referrers API: named by an index under the tag <c>sha256-HEX</c>.</summary>
    private async Task Attach(RegistryHttp http, string repository, ContentReference subject, CancellationToken ct)
    {
        const string Type = "application/vnd.example.sbom";
        var layout = new OciLayoutWriter(shell.Folder.Folder("layouts", $"attach-{subject.Digest[7..]}"));
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
