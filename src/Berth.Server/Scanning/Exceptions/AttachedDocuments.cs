using System.Text;
using System.Text.Json;
using Berth.Oci;
using Berth.Scanner.Exceptions;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.Scanning.Exceptions;

/// <summary>A layer of a referrer that may be a VEX document.</summary>
/// <param name="Manifest">Digest of the referrer.</param>
/// <param name="Layer">The layer.</param>
internal sealed record AttachedDocument(string Manifest, Descriptor Layer);

/// <summary>
/// VEX documents that people have attached to images: as the artifact of an OpenVEX or CycloneDX document, as a statement of in-toto or in a bundle of Sigstore (referrers), and as cosign's older
/// attestation under the tag <c>sha256-HEX.att</c>. No signature is looked at here: whoever may push may attach, so a project has to say that they count.
/// </summary>
internal sealed class AttachedDocuments(BlobBytes blobs)
{
    private const int MaxReferrers = 32;
    private const int MaxLayers = 8;
    private const int MaxBytes = 512 * 1024;

    private readonly RecentMap<string, Parsed> _known = new(64);

    /// <summary>What may be VEX documents about manifests of a repository.</summary>
    public static async ValueTask<List<AttachedDocument>> FindAsync(DbSession session, long repositoryId, IReadOnlyList<string> subjects, CancellationToken ct)
    {
        var found = new List<AttachedDocument>();
        foreach (var subject in subjects)
        {
            await using var rows = await session.Command(Select, repositoryId, subject, subject.Replace(':', '-') + ".att", MaxReferrers).ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                if (!ManifestReader.TryRead(rows.GetFieldValue<byte[]>(2), rows.GetString(1), out var manifest, out _)) continue;
                found.AddRange(manifest.Layers.Where(static layer => layer.Size is > 0 and <= MaxBytes && MayBe(layer.MediaType)).Take(MaxLayers).Select(layer => new AttachedDocument(rows.GetString(0), layer)));
            }
        }
        return found;
    }

    /// <summary>Reads those that are documents; the others are passed over.</summary>
    public async ValueTask<IReadOnlyList<HeldSource>> ReadAsync(IReadOnlyList<AttachedDocument> candidates, CancellationToken ct)
    {
        if (candidates.Count == 0) return [];
        var found = new List<HeldSource>();
        foreach (var one in candidates)
        {
            if (!_known.TryGet(one.Layer.Digest.Value, out var parsed))
            {
                if (await blobs.ReadAsync(one.Layer.Digest, (int)one.Layer.Size, ct).ConfigureAwait(false) is not { } bytes) continue;
                parsed = new Parsed(Parse(bytes));
                _known.Set(one.Layer.Digest.Value, parsed);
            }
            if (parsed.Source is { } source) found.Add(new HeldSource($"attached document {one.Manifest}", source));
        }
        return found;
    }

    /// <summary>The document in a layer; null when there is none.</summary>
    internal static IExceptionSource? Parse(byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 64 });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return null;
            // Sigstore's bundle has an envelope, the envelope has a payload (DSSE), the payload is a statement (in-toto).
            if (root.TryGetProperty("dsseEnvelope", out var envelope) && envelope.ValueKind == JsonValueKind.Object) root = envelope;
            if (root.TryGetProperty("payload", out var payload)) return payload.ValueKind == JsonValueKind.String && payload.TryGetBytesFromBase64(out var inner) ? ParseStatement(inner) : null;
            return ParseStatement(bytes);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            // Anybody who may push can attach anything: what is no document says nothing.
            return null;
        }
    }

    private static IExceptionSource? ParseStatement(byte[] bytes)
    {
        using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 64 });
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object) return null;
        if (!root.TryGetProperty("predicateType", out var type))
        {
            return root.TryGetProperty("bomFormat", out _) ? CycloneDxVex.Parse(bytes) : root.TryGetProperty("statements", out _) ? OpenVexDocument.Parse(bytes) : null;
        }
        var text = type.ValueKind == JsonValueKind.String ? type.GetString()! : "";
        if (text.Contains("openvex", StringComparison.OrdinalIgnoreCase)) return OpenVexDocument.Parse(bytes);
        return text.Contains("cyclonedx", StringComparison.OrdinalIgnoreCase) && root.TryGetProperty("predicate", out var predicate) && predicate.ValueKind == JsonValueKind.Object
            ? CycloneDxVex.Parse(Encoding.UTF8.GetBytes(predicate.GetRawText()))
            : null;
    }

    private static bool MayBe(string type) =>
        type.Contains("vex", StringComparison.OrdinalIgnoreCase) || type.Contains("json", StringComparison.OrdinalIgnoreCase) || type.Contains("in-toto", StringComparison.OrdinalIgnoreCase)
        || type.Contains("sigstore.bundle", StringComparison.OrdinalIgnoreCase);

    private sealed record Parsed(IExceptionSource? Source);

    private static readonly Statement Select = new("""
        SELECT m.digest, m.media_type, m.content FROM manifests m WHERE m.repository_id = @0 AND m.subject = @1 AND m.subject IS NOT NULL
            AND (m.artifact_type LIKE '%vex%' OR m.artifact_type LIKE 'application/vnd.in-toto%' OR m.artifact_type LIKE 'application/vnd.dev.sigstore.bundle%' OR m.artifact_type LIKE '%cyclonedx%')
        UNION SELECT m.digest, m.media_type, m.content FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = @0 AND t.name = @2
        ORDER BY 1 LIMIT @3
        """);
}
