using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Client;
using Berth.Client.Content;
using Berth.Oci;
using Berth.Scanner.Advisories.Bundle;
using Berth.Scanner.Advisories.Trivy;

namespace Berth.Scanner.Advisories.Updates;

/// <summary>
/// Advisories as an artifact of a registry: a bundle of this program, Trivy's database, or files that somebody pushed (as <c>oras push</c> does, with their names as
/// <c>org.opencontainers.image.title</c>).
/// </summary>
public static class AdvisoryArtifact
{
    /// <summary>Type of the artifact that <see cref="PushAsync"/> makes.</summary>
    public const string ArtifactType = "application/vnd.berth.advisories.v1";

    /// <summary>Media type of its only layer, a bundle (<see cref="AdvisoryBundle"/>).</summary>
    public const string BundleMediaType = "application/vnd.berth.advisories.bundle.v1+tar";

    private const string Title = "org.opencontainers.image.title";
    private const string Created = "org.opencontainers.image.created";
    private const string TrivyFile = "db.tar.gz";
    private const string BundleFile = "advisories.tar";
    private const int MaxFiles = 1000;

    /// <summary>The files of an artifact, with names that are safe to write.</summary>
    /// <param name="manifest">The artifact.</param>
    /// <exception cref="InvalidDataException">It holds no advisories.</exception>
    public static IReadOnlyList<(Descriptor Blob, string Name, bool IsBundle)> FilesOf(RegistryManifest manifest)
    {
        if (manifest.Document.IsIndex || manifest.Document.Layers.Count == 0) throw new InvalidDataException($"{manifest.Reference} holds no advisories");
        if (manifest.Document.Layers.Count > MaxFiles) throw new InvalidDataException($"{manifest.Reference} has more than {MaxFiles} files");
        using var json = JsonDocument.Parse(manifest.Content);
        var titles = json.RootElement.Items("layers").Select(static layer => layer.Object("annotations")?.Text(Title) ?? "").ToList();
        var files = new List<(Descriptor, string, bool)>();
        foreach (var (layer, at) in manifest.Document.Layers.Select(static (layer, at) => (layer, at)))
        {
            var isBundle = layer.MediaType == BundleMediaType;
            // Trivy's layer is known by its type, whatever it is called.
            var name = isBundle ? BundleFile : layer.MediaType == TrivyArchive.LayerMediaType ? TrivyFile : at < titles.Count ? Path.GetFileName(titles[at].Replace('\\', '/')) : "";
            if (name is "" or "." or "..") continue;
            files.Add((layer, name, isBundle));
        }
        return files.Count > 0 ? files : throw new InvalidDataException($"{manifest.Reference} holds no advisories: its files have no names");
    }

    /// <summary>Pushes a bundle.</summary>
    /// <param name="client">Talks to the registry.</param>
    /// <param name="target">Where to, with a tag.</param>
    /// <param name="bundlePath">The bundle.</param>
    /// <param name="builtAt">When its database was built.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>Digest of the artifact.</returns>
    /// <exception cref="RegistryException">The registry does not take it.</exception>
    public static async Task<Digest> PushAsync(RegistryClient client, ImageReference target, string bundlePath, DateTimeOffset builtAt, CancellationToken ct)
    {
        var empty = "{}"u8.ToArray();
        await client.Uploads.PushBlobAsync(target, Digest.Of(empty), empty.Length, () => new MemoryStream(empty), ct);
        Digest digest;
        long size;
        await using (var file = File.OpenRead(bundlePath))
        {
            digest = Digest.FromHash(default, await SHA256.HashDataAsync(file, ct));
            size = file.Length;
        }
        await client.Uploads.PushBlobAsync(target, digest, size, () => File.OpenRead(bundlePath), ct);
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["artifactType"] = ArtifactType,
            ["config"] = Describe(MediaTypes.OciEmpty, Digest.Of(empty), empty.Length),
            ["layers"] = new JsonArray(Titled(Describe(BundleMediaType, digest, size))),
            ["annotations"] = new JsonObject { [Created] = builtAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) },
        };
        return await client.Uploads.PushManifestAsync(target, MediaTypes.OciManifest, JsonSerializer.SerializeToUtf8Bytes(manifest), ct);
    }

    private static JsonObject Describe(string mediaType, Digest digest, long size) => new() { ["mediaType"] = mediaType, ["digest"] = digest.Value, ["size"] = size };

    private static JsonObject Titled(JsonObject descriptor)
    {
        descriptor["annotations"] = new JsonObject { [Title] = BundleFile };
        return descriptor;
    }
}
