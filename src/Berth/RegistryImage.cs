using System.Text.Json;
using Berth.Client;
using Berth.Oci;
using Berth.Scanner.Scan;

namespace Berth;

/// <summary>An image of a registry as a scan takes it: its layers are read while they come, and none is kept on disk.</summary>
internal static class RegistryImage
{
    private const int MaxConfigBytes = 16 << 20;

    /// <summary>Reads manifest and configuration.</summary>
    /// <param name="client">Asks the registry.</param>
    /// <param name="name">The image as it was named.</param>
    /// <param name="reference">The image.</param>
    /// <param name="platform">Which of several; null for that of this machine, else the first.</param>
    /// <param name="watch">Told how many bytes of a layer came; null for nobody.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="RegistryException">It cannot be read.</exception>
    /// <exception cref="ImageRefusedException">It is no image.</exception>
    public static async Task<ImageContent> OpenAsync(RegistryClient client, string name, ImageReference reference, ImagePlatform? platform, Action<int>? watch, CancellationToken ct)
    {
        var manifest = await client.ImageAsync(reference, platform, ct);
        if (manifest.Document.Config is not { } config) throw new ImageRefusedException($"{name} is no image but {manifest.MediaType}");
        var layers = manifest.Document.Layers;
        var bytes = await client.BlobAsync(reference, config, MaxConfigBytes, ct);
        var diffIds = DiffIdsOf(bytes) ?? throw new ImageRefusedException($"{name} is no image but {manifest.Document.ArtifactType ?? config.MediaType}");
        if (diffIds.Length != layers.Count) throw new ImageRefusedException($"the manifest names {layers.Count} layers, the configuration {diffIds.Length}");
        return new ImageContent(name)
        {
            Digest = manifest.Digest.Value,
            ImageId = config.Digest.Value,
            MediaType = manifest.MediaType,
            RepoTags = reference.Tag is { } tag ? [$"{Familiar(reference)}:{tag}"] : [],
            RepoDigests = [$"{Familiar(reference)}@{manifest.Digest}"],
            Config = bytes,
            Layers = [.. layers.Select((layer, at) => new ImageLayer(diffIds[at], layer.Digest.Value, layer.Size, token => LayerAsync(client, reference, layer, watch, token)))],
        };
    }

    private static async ValueTask<Stream> LayerAsync(RegistryClient client, ImageReference reference, Descriptor layer, Action<int>? watch, CancellationToken ct)
    {
        var stream = await client.OpenBlobAsync(reference, layer, ct);
        return watch is null ? stream : new WatchedStream(stream, watch);
    }

    // As Docker shows names: without what it takes for granted.
    private static string Familiar(ImageReference reference) => reference.Registry != ImageReference.DockerHub ? reference.Name
        : reference.Repository.Value.StartsWith("library/", StringComparison.Ordinal) ? reference.Repository.Value["library/".Length..] : reference.Repository.Value;

    // Null when it is no configuration of an image.
    private static string[]? DiffIdsOf(byte[] configuration)
    {
        try
        {
            using var json = JsonDocument.Parse(configuration, new JsonDocumentOptions { MaxDepth = 64 });
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("rootfs", out var root) && root.ValueKind == JsonValueKind.Object
                && root.TryGetProperty("diff_ids", out var ids) && ids.ValueKind == JsonValueKind.Array && ids.EnumerateArray().All(static id => id.ValueKind == JsonValueKind.String)
                ? [.. ids.EnumerateArray().Select(static id => id.GetString()!)]
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
