using System.Text.Json;
using Berth.Oci;
using Berth.Scanner.Scan;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.Scanning;

/// <summary>A manifest that is to be scanned.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Repository">Full name of its repository.</param>
/// <param name="ProjectId">Its project.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Kind">What it is (<see cref="ArtifactKinds"/>).</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Content">Its bytes.</param>
internal sealed record ScanTarget(long Id, string Repository, long ProjectId, string Digest, string Kind, string MediaType, byte[] Content);

/// <summary>Images of this registry as a scan takes them.</summary>
internal sealed class StoredImages(Database database, BlobBytes blobs)
{
    private const int MaxConfigBytes = 16 << 20;

    /// <summary>A manifest by its row; null when it is gone.</summary>
    public ValueTask<ScanTarget?> FindAsync(long manifestId, CancellationToken ct) => database.ReadAsync(manifestId, static async ValueTask<ScanTarget?> (session, id, token) =>
    {
        await using var row = await session.Command(Select, id).ExecuteReaderAsync(token).ConfigureAwait(false);
        return await row.ReadAsync(token).ConfigureAwait(false)
            ? new ScanTarget(id, row.GetString(0), row.GetInt64(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetFieldValue<byte[]>(5))
            : null;
    }, ct);

    /// <summary>The image of a manifest.</summary>
    /// <exception cref="ImageRefusedException">It is none, or its bytes are not to be had.</exception>
    public async Task<ImageContent> OpenAsync(ScanTarget target, CancellationToken ct)
    {
        if (!ManifestReader.TryRead(target.Content, target.MediaType, out var manifest, out _) || manifest.IsIndex || manifest.Config is not { } config)
            throw new ImageRefusedException("the manifest is not that of an image");
        if (config.Size > MaxConfigBytes) throw new ImageRefusedException($"the configuration has {config.Size} bytes, up to {MaxConfigBytes} are read");
        var configuration = await blobs.ReadAsync(config.Digest, (int)config.Size, ct).ConfigureAwait(false) ?? throw new ImageRefusedException($"the bytes of {config.Digest} are missing");
        var diffIds = DiffIdsOf(configuration);
        if (diffIds.Length != manifest.Layers.Count) throw new ImageRefusedException($"the manifest names {manifest.Layers.Count} layers, the configuration {diffIds.Length}");
        return new ImageContent($"{target.Repository}@{target.Digest}")
        {
            Digest = target.Digest,
            ImageId = config.Digest.Value,
            MediaType = target.MediaType,
            RepoDigests = [$"{target.Repository}@{target.Digest}"],
            Config = configuration,
            // What BuildKit attests stands beside the images of an index as an image of documents: there is nothing to read in those.
            Layers =
            [
                .. manifest.Layers.Select((layer, at) => (Layer: layer, DiffId: diffIds[at])).Where(static one => one.Layer.MediaType.Contains("tar", StringComparison.Ordinal))
                    .Select(one => new ImageLayer(one.DiffId, one.Layer.Digest.Value, one.Layer.Size, token => OpenLayerAsync(one.Layer, token))),
            ],
        };
    }

    /// <summary>The image of a manifest as far as the diff ids of its layers tell (<see cref="ArtifactScan.DiffIds"/>): nothing of it is read, and its layers cannot be opened. Null when they do not fit.</summary>
    public static ImageContent? Known(ScanTarget target, IReadOnlyList<string> diffIds)
    {
        if (!ManifestReader.TryRead(target.Content, target.MediaType, out var manifest, out _) || manifest.IsIndex || manifest.Config is not { } config) return null;
        var layers = manifest.Layers.Where(static one => one.MediaType.Contains("tar", StringComparison.Ordinal)).ToList();
        if (layers.Count != diffIds.Count) return null;
        return new ImageContent($"{target.Repository}@{target.Digest}")
        {
            Digest = target.Digest,
            ImageId = config.Digest.Value,
            MediaType = target.MediaType,
            RepoDigests = [$"{target.Repository}@{target.Digest}"],
            Layers = [.. layers.Select((layer, at) => new ImageLayer(diffIds[at], layer.Digest.Value, layer.Size, static _ => throw new ImageRefusedException("layers are not read to judge again")))],
        };
    }

    private async ValueTask<Stream> OpenLayerAsync(Descriptor layer, CancellationToken ct) =>
        await blobs.OpenAsync(layer.Digest, ct).ConfigureAwait(false) is { } blob ? new BlobStream(blob, long.MaxValue) : throw new ImageRefusedException($"the bytes of layer {layer.Digest} are missing");

    /// <summary>Digests of the uncompressed layers that a configuration names, the lowest first.</summary>
    /// <exception cref="ImageRefusedException">It names none.</exception>
    public static string[] DiffIdsOf(byte[] configuration)
    {
        try
        {
            using var document = JsonDocument.Parse(configuration, new JsonDocumentOptions { MaxDepth = 64 });
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("rootfs", out var root) && root.ValueKind == JsonValueKind.Object
                && root.TryGetProperty("diff_ids", out var ids) && ids.ValueKind == JsonValueKind.Array && ids.EnumerateArray().All(static id => id.ValueKind == JsonValueKind.String)
                ? [.. ids.EnumerateArray().Select(static id => id.GetString()!)]
                : throw new ImageRefusedException("the configuration names no layers");
        }
        catch (JsonException e)
        {
            throw new ImageRefusedException("the configuration is no JSON", e);
        }
    }

    private static readonly Statement Select = new("""
        SELECT r.name, r.project_id, m.digest, m.kind, m.media_type, m.content FROM manifests m JOIN repositories r ON r.id = m.repository_id WHERE m.id = @0
        """);
}
