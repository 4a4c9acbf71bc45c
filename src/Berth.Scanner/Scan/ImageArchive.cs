using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Scan;

/// <summary>
/// An image on disk: an OCI image layout (folder, or tar of one) or an archive of <c>docker save</c>, both also packed with gzip. Layers can be opened until it is disposed.
/// </summary>
public sealed class ImageArchive : IDisposable
{
    private const int MaxNested = 4;

    private readonly ImageFiles files;

    private ImageArchive(ImageFiles files) => this.files = files;

    /// <summary>The image.</summary>
    public ImageContent Image { get; private set; } = new("");

    /// <summary>Opens an image.</summary>
    /// <param name="path">Folder or archive.</param>
    /// <param name="platform">Which of several platforms, such as <c>linux/arm64</c> or <c>linux/arm/v7</c>; null for that of this machine, else the first.</param>
    /// <param name="limits">What it may cost.</param>
    /// <param name="ct">Ends the work.</param>
    /// <exception cref="ImageRefusedException">It is no image, or has not the platform.</exception>
    public static async Task<ImageArchive> OpenAsync(string path, string? platform, LayerLimits limits, CancellationToken ct)
    {
        var archive = new ImageArchive(await ImageFiles.OpenAsync(path, limits, ct));
        try
        {
            archive.Image = await archive.ReadAsync(path, platform, ct);
            return archive;
        }
        catch (JsonException e)
        {
            archive.Dispose();
            throw new ImageRefusedException($"{path} holds a document that is no JSON", e);
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    public void Dispose() => files.Dispose();

    private async Task<ImageContent> ReadAsync(string path, string? platform, CancellationToken ct)
    {
        // Newer archives of docker save are layouts too; what the layout says is more exact.
        if (await files.ReadAsync("index.json", ct) is { } index) return await LayoutAsync(path, index, platform, ct);
        if (await files.ReadAsync("manifest.json", ct) is { } manifest) return await DockerAsync(path, manifest, ct);
        throw new ImageRefusedException($"{path} is neither an OCI image layout (index.json) nor an archive of docker save (manifest.json)");
    }

    private async Task<ImageContent> LayoutAsync(string path, ReadOnlyMemory<byte> index, string? platform, CancellationToken ct)
    {
        var (document, digest, tag) = (index, "", "");
        for (var depth = 0; depth < MaxNested; depth++)
        {
            using var json = JsonDocument.Parse(document, JsonText.Options);
            var root = json.RootElement;
            if (root.Object("config") is { } config) return await ManifestAsync(path, root, config, digest, tag, ct);
            var chosen = Choose(root.Items("manifests").ToList(), platform);
            if (tag.Length == 0) tag = chosen.Object("annotations") is { } notes ? notes.Text("io.containerd.image.name") is { Length: > 0 } full ? full : notes.Text("org.opencontainers.image.ref.name") : "";
            digest = chosen.Text("digest");
            document = await BlobAsync(digest, ct);
        }
        throw new ImageRefusedException($"the indexes of {path} are nested too deeply");
    }

    private async Task<ImageContent> ManifestAsync(string path, JsonElement manifest, JsonElement config, string digest, string tag, CancellationToken ct)
    {
        var configuration = await BlobAsync(config.Text("digest"), ct);
        var layers = manifest.Items("layers").Select(layer => (Digest: layer.Text("digest"), Size: LongOf(layer, "size"))).ToList();
        var diffIds = DiffIdsOf(configuration);
        if (diffIds.Count > 0 && diffIds.Count != layers.Count) throw new ImageRefusedException($"the manifest names {layers.Count} layers, the configuration {diffIds.Count}");
        return new ImageContent(path)
        {
            Digest = digest,
            ImageId = config.Text("digest"),
            MediaType = manifest.Text("mediaType") is { Length: > 0 } type ? type : "application/vnd.oci.image.manifest.v1+json",
            RepoTags = tag.Contains('/') || tag.Contains(':') ? [tag] : [],
            Config = configuration,
            Layers = [.. layers.Select((layer, at) => Layer(diffIds.Count > 0 ? diffIds[at] : "", layer.Digest, BlobPath(layer.Digest), layer.Size))],
        };
    }

    private async Task<ImageContent> DockerAsync(string path, ReadOnlyMemory<byte> document, CancellationToken ct)
    {
        using var json = JsonDocument.Parse(document, JsonText.Options);
        if (json.RootElement.ValueKind != JsonValueKind.Array || json.RootElement.GetArrayLength() == 0) throw new ImageRefusedException($"the manifest.json of {path} names no image");
        var manifest = json.RootElement[0];
        var configuration = await files.ReadAsync(manifest.Text("Config"), ct) ?? throw new ImageRefusedException($"{path} has no configuration {manifest.Text("Config")}");
        var names = manifest.Texts("Layers");
        var diffIds = DiffIdsOf(configuration);
        if (diffIds.Count != names.Length) throw new ImageRefusedException($"the manifest names {names.Length} layers, the configuration {diffIds.Count}");
        return new ImageContent(path)
        {
            ImageId = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(configuration.Span)),
            RepoTags = manifest.Texts("RepoTags"),
            Config = configuration,
            Layers = [.. names.Select((name, at) => Layer(diffIds[at], "", name, files.SizeOf(name) ?? throw new ImageRefusedException($"{path} has no layer {name}")))],
        };
    }

    private ImageLayer Layer(string diffId, string digest, string name, long size) => new(diffId, digest, size, _ =>
        files.SizeOf(name) is null ? throw new ImageRefusedException($"layer {name} is missing") : ValueTask.FromResult(files.Open(name)));

    private static JsonElement Choose(List<JsonElement> entries, string? platform)
    {
        // BuildKit's attestations stand beside the images that they are about, with an unknown platform.
        var images = entries.Where(entry => entry.Object("platform")?.Text("architecture") != "unknown" && entry.Object("annotations")?.Text("vnd.docker.reference.type") != "attestation-manifest").ToList();
        if (images.Count == 0) throw new ImageRefusedException("the index names no image");
        if (platform is null)
        {
            var own = "linux/" + RuntimeInformation.OSArchitecture switch { Architecture.X64 => "amd64", Architecture.X86 => "386", var other => other.ToString().ToLowerInvariant() };
            return images.Find(image => PlatformOf(image).StartsWith(own, StringComparison.Ordinal)) is { ValueKind: JsonValueKind.Object } here ? here : images[0];
        }
        foreach (var image in images)
            if (PlatformOf(image) is var text && (text == platform || text.StartsWith(platform + "/", StringComparison.Ordinal))) return image;
        // A single entry without a platform is the image itself, or an index that knows more.
        return images.Count == 1 && images[0].Object("platform") is null ? images[0]
            : throw new ImageRefusedException($"there is no image for {platform}; there are: {string.Join(", ", images.Select(PlatformOf))}");
    }

    private static string PlatformOf(JsonElement entry) => entry.Object("platform") is { } platform
        ? string.Join('/', new[] { platform.Text("os"), platform.Text("architecture"), platform.Text("variant") }.Where(part => part.Length > 0))
        : "";

    private async Task<ReadOnlyMemory<byte>> BlobAsync(string digest, CancellationToken ct)
    {
        var bytes = await files.ReadAsync(BlobPath(digest), ct) ?? throw new ImageRefusedException($"{digest} is missing");
        var actual = digest.StartsWith("sha512:", StringComparison.Ordinal) ? "sha512:" + Convert.ToHexStringLower(SHA512.HashData(bytes.Span)) : "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes.Span));
        return actual == digest ? bytes : throw new ImageRefusedException($"{digest} is damaged");
    }

    private static string BlobPath(string digest) => digest.IndexOf(':') is > 0 and var colon
        ? $"blobs/{digest[..colon]}/{digest[(colon + 1)..]}"
        : throw new ImageRefusedException($"\"{digest}\" is no digest");

    private static IReadOnlyList<string> DiffIdsOf(ReadOnlyMemory<byte> configuration)
    {
        using var json = JsonDocument.Parse(configuration, JsonText.Options);
        return json.RootElement.Object("rootfs")?.Texts("diff_ids") ?? [];
    }

    private static long LongOf(JsonElement element, string name) =>
        JsonText.Member(element, name) is { } value && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : 0;
}
