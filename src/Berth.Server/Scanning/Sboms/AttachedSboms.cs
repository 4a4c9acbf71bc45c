using System.Text.Json;
using Berth.Oci;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers.Sboms;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Berth.Server.Scanning.Contents;

namespace Berth.Server.Scanning.Sboms;

/// <summary>A bill of materials that somebody attached to an image.</summary>
/// <param name="Manifest">Digest of the manifest that brings it.</param>
/// <param name="Blob">The blob with it.</param>
/// <param name="Way">How it is attached: <c>referrer</c>, <c>cosign-tag</c> or <c>buildkit</c>.</param>
/// <param name="PushedAt">Unix milliseconds.</param>
/// <param name="Envelope">What was read of it.</param>
/// <param name="IsAboutImage">Whether it may speak of the image: an attestation that names other images only does not.</param>
internal sealed record AttachedSbom(string Manifest, Descriptor Blob, string Way, long PushedAt, SbomEnvelope Envelope, bool IsAboutImage);

/// <summary>
/// Finds the bills of materials that users and build tools attach to an image: referrers with a CycloneDX or SPDX document, attestations in all of cosign's forms, and the attestation
/// manifests that BuildKit puts beside the images of an index. All of it comes from whoever may push: numbers and sizes are bounded, and what cannot be read is passed over.
/// </summary>
internal sealed class AttachedSboms(Database database, BlobBytes blobs)
{
    /// <summary>Largest document that is read, with its wrappings.</summary>
    public const int MaxDocumentBytes = 32 << 20;

    private const int MaxManifests = 50;
    private const int MaxDocuments = 20;

    // A document takes several times its size while it is read.
    private static readonly SemaphoreSlim s_gate = new(2, 2);

    private sealed record Bringer(string Digest, string MediaType, byte[] Content, long PushedAt, string Way);

    /// <summary>The attached bills of materials of an image, the newest first; what this server made is not among them.</summary>
    public async Task<IReadOnlyList<AttachedSbom>> FindAsync(long manifestId, string digest, CancellationToken ct)
    {
        var bringers = await database.ReadAsync(manifestId, static (session, id, token) => BringersAsync(session, id, token), ct).ConfigureAwait(false);
        var found = new List<AttachedSbom>();
        foreach (var bringer in bringers)
        {
            if (!ManifestReader.TryRead(bringer.Content, bringer.MediaType, out var manifest, out _)) continue;
            foreach (var layer in manifest.Layers.Where(static layer => MayBeSbom(layer.MediaType)))
            {
                if (found.Count == MaxDocuments) return found;
                if (await ReadAsync(layer, ct).ConfigureAwait(false) is { } envelope)
                    found.Add(new AttachedSbom(bringer.Digest, layer, bringer.Way, bringer.PushedAt, envelope, envelope.Subjects.Count == 0 || envelope.Subjects.Contains(digest)));
            }
        }
        return found;
    }

    /// <summary>One of them by the digest of its blob; null when the image has no such one.</summary>
    public async Task<AttachedSbom?> FindAsync(long manifestId, string digest, string blob, CancellationToken ct) =>
        (await FindAsync(manifestId, digest, ct).ConfigureAwait(false)).FirstOrDefault(one => one.Blob.Digest.Value == blob);

    /// <summary>What the last scan of an image judged: what its layers show, with the packages of the attached document that it used. A document that is gone counts no more.</summary>
    public async Task<ImageInventory> AsScannedAsync(ScanTarget target, ImageInventory layers, CancellationToken ct)
    {
        var rows = await database.ReadAsync(target.Id, static (session, id, token) => ContentRow.ReadAsync(session, [id], token), ct).ConfigureAwait(false);
        return rows.GetValueOrDefault(target.Id)?.SourceDocument is { } document && await FindAsync(target.Id, target.Digest, document, ct).ConfigureAwait(false) is { } one
            ? InventoryOf(one.Envelope, layers) ?? layers : layers;
    }

    /// <summary>What counts in place of an image's packages: the inventory with the packages of a document; null when the document has none that can be read.</summary>
    public static ImageInventory? InventoryOf(SbomEnvelope envelope, ImageInventory layers)
    {
        try
        {
            var packages = SbomPackages.Read(envelope.Document);
            return packages.Count == 0 ? null : layers with { Packages = packages, Distribution = SbomPackages.ReadDistribution(envelope.Document) ?? layers.Distribution };
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or FormatException or InvalidOperationException or ArgumentException or OverflowException)
        {
            // It calls itself a bill of materials and is none: text that is no Unicode is an invalid operation to the reader of JSON.
            return null;
        }
    }

    private async Task<SbomEnvelope?> ReadAsync(Descriptor layer, CancellationToken ct)
    {
        if (layer.Size is <= 0 or > MaxDocumentBytes) return null;
        await s_gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            return await blobs.ReadAsync(layer.Digest, (int)layer.Size, ct).ConfigureAwait(false) is { } bytes ? SbomEnvelope.Open(bytes) : null;
        }
        finally
        {
            s_gate.Release();
        }
    }

    private static bool MayBeSbom(string mediaType) =>
        mediaType.Contains("spdx", StringComparison.OrdinalIgnoreCase) || mediaType.Contains("cyclonedx", StringComparison.OrdinalIgnoreCase)
        || mediaType.StartsWith("application/vnd.in-toto", StringComparison.Ordinal) || mediaType.StartsWith("application/vnd.dsse.envelope", StringComparison.Ordinal)
        || mediaType.StartsWith("application/vnd.dev.sigstore.bundle", StringComparison.Ordinal) || mediaType is "application/json" or "text/json"
        || mediaType.StartsWith("application/vnd.syft", StringComparison.Ordinal);

    private static async ValueTask<List<Bringer>> BringersAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        var (repositoryId, digest) = (0L, "");
        await using (var row = await session.Command(SelectImage, manifestId).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            if (!await row.ReadAsync(ct).ConfigureAwait(false)) return [];
            (repositoryId, digest) = (row.GetInt64(0), row.GetString(1));
        }
        var tag = digest.Replace(':', '-');
        var found = new List<Bringer>();
        await ReadAsync(session.Command(SelectReferrers, repositoryId, digest, manifestId, MaxManifests), "referrer").ConfigureAwait(false);
        await ReadAsync(session.Command(SelectTagged, repositoryId, tag + ".att", tag + ".sbom"), "cosign-tag").ConfigureAwait(false);
        foreach (var attestation in await AttestationsAsync(session, repositoryId, digest, ct).ConfigureAwait(false))
            await ReadAsync(session.Command(SelectOne, repositoryId, attestation), "buildkit").ConfigureAwait(false);
        return [.. found.DistinctBy(static one => one.Digest).OrderByDescending(static one => one.PushedAt).ThenBy(static one => one.Digest, StringComparer.Ordinal)];

        async Task ReadAsync(System.Data.Common.DbCommand command, string way)
        {
            await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(new Bringer(rows.GetString(0), rows.GetString(1), rows.GetFieldValue<byte[]>(2), rows.GetInt64(3), way));
        }
    }

    // BuildKit (docs/attestations/attestation-storage.md): the index lists a manifest of documents and says by annotations which image it is about.
    private static async ValueTask<HashSet<string>> AttestationsAsync(DbSession session, long repositoryId, string digest, CancellationToken ct)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        await using var rows = await session.Command(SelectIndexes, repositoryId, digest, MaxManifests).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            using var index = JsonDocument.Parse(rows.GetFieldValue<byte[]>(0), new JsonDocumentOptions { MaxDepth = 64 });
            if (!index.RootElement.TryGetProperty("manifests", out var entries) || entries.ValueKind != JsonValueKind.Array) continue;
            foreach (var entry in entries.EnumerateArray())
            {
                if (found.Count == MaxManifests) return found;
                if (entry.TryGetProperty("annotations", out var notes) && notes.ValueKind == JsonValueKind.Object && Is(notes, "vnd.docker.reference.type", "attestation-manifest")
                    && Is(notes, "vnd.docker.reference.digest", digest) && entry.TryGetProperty("digest", out var named) && named.ValueKind == JsonValueKind.String) found.Add(named.GetString()!);
            }
        }
        return found;
    }

    private static bool Is(JsonElement notes, string name, string value) => notes.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String && text.ValueEquals(value);

    private static readonly Statement SelectImage = new("SELECT repository_id, digest FROM manifests WHERE id = @0");

    private static readonly Statement SelectReferrers = new("""
        SELECT m.digest, m.media_type, m.content, m.pushed_at FROM manifests m WHERE m.repository_id = @0 AND m.subject = @1 AND m.subject IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM artifact_sboms s WHERE s.manifest_id = @2 AND s.sbom_digest = m.digest)
        ORDER BY m.pushed_at DESC, m.id DESC LIMIT @3
        """);

    private static readonly Statement SelectTagged = new("""
        SELECT m.digest, m.media_type, m.content, m.pushed_at FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = @0 AND t.name IN (@1, @2)
        """);

    private static readonly Statement SelectOne = new("SELECT digest, media_type, content, pushed_at FROM manifests WHERE repository_id = @0 AND digest = @1");

    private static readonly Statement SelectIndexes = new("""
        SELECT m.content FROM manifest_children l JOIN manifests m ON m.id = l.manifest_id WHERE l.repository_id = @0 AND l.child_digest = @1 ORDER BY m.id DESC LIMIT @2
        """);
}
