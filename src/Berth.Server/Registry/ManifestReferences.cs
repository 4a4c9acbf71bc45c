using System.Text.Json;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Quotas;

namespace Berth.Server.Registry;

/// <summary>Holds what a manifest refers to against what its repository has (OCI distribution spec, "Pushing Manifests").</summary>
internal sealed class ManifestReferences(ManifestPolicy policy)
{
    /// <summary>The blobs that a manifest refers to, or why it cannot be written.</summary>
    public async ValueTask<(IReadOnlyCollection<LinkedBlob> Blobs, ManifestOutcome? Missing)> FindAsync(
        DbSession session, long repositoryId, ManifestDocument document, CancellationToken ct)
    {
        List<string> unknown = [];
        List<string> wrong = [];
        var blobs = await LinkedBlobsAsync(session, repositoryId, document, ct).ConfigureAwait(false);
        foreach (var descriptor in document.Config is null ? document.Layers : document.Layers.Prepend(document.Config))
        {
            if (blobs.TryGetValue(descriptor.Digest.Value, out var blob))
            {
                if (blob.Size != descriptor.Size) wrong.Add($"{descriptor.Digest} has {blob.Size} bytes, the manifest says {descriptor.Size}");
            }
            else if (ManifestPolicy.MustExist(descriptor) && MediaTypes.IsKnownManifest(document.MediaType) && !unknown.Contains(descriptor.Digest.Value))
            {
                unknown.Add(descriptor.Digest.Value);
            }
        }
        await AddMissingChildrenAsync(session, repositoryId, document, unknown, ct).ConfigureAwait(false);
        if (unknown.Count > 0) return ([], new ManifestOutcome(OciError.ManifestBlobUnknown, unknown));
        if (wrong.Count > 0) return ([], new ManifestOutcome(OciError.ManifestInvalid, wrong));
        return (blobs.Values, null);
    }

    private static async ValueTask<Dictionary<string, LinkedBlob>> LinkedBlobsAsync(
        DbSession session, long repositoryId, ManifestDocument document, CancellationToken ct)
    {
        var found = new Dictionary<string, LinkedBlob>(StringComparer.Ordinal);
        var digests = document.Layers.Select(l => l.Digest.Value).ToList();
        if (document.Config is { } config) digests.Add(config.Digest.Value);
        if (digests.Count == 0) return found;
        await using var reader = await session.Command(SelectLinkedBlobs, repositoryId, Json(digests)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) found[reader.GetString(0)] = new LinkedBlob(reader.GetInt64(1), reader.GetInt64(2));
        return found;
    }

    private async ValueTask AddMissingChildrenAsync(DbSession session, long repositoryId, ManifestDocument document, List<string> unknown, CancellationToken ct)
    {
        var wanted = document.Manifests.Where(policy.MustExistInIndex).Select(m => m.Digest.Value).Distinct().ToList();
        if (wanted.Count == 0) return;
        var found = new HashSet<string>(StringComparer.Ordinal);
        await using var reader = await session.Command(SelectManifests, repositoryId, Json(wanted)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) found.Add(reader.GetString(0));
        unknown.AddRange(wanted.Where(digest => !found.Contains(digest)));
    }

    private static string Json<T>(IEnumerable<T> values) => JsonSerializer.Serialize(values);

    // CROSS JOIN: SQLite keeps the order. Its own choice begins with all that the repository has, for it thinks the list long.
    internal static readonly Statement SelectLinkedBlobs = new("""
        SELECT b.digest, b.id, b.size FROM json_each(@1) j
        CROSS JOIN blobs b ON b.digest = j.value AND b.quarantined_at IS NULL
        CROSS JOIN repository_blobs l ON l.repository_id = @0 AND l.blob_id = b.id
        """, """
        SELECT b.digest, b.id, b.size FROM blobs b
        JOIN repository_blobs l ON l.repository_id = @0 AND l.blob_id = b.id
        WHERE b.digest IN (SELECT jsonb_array_elements_text(@1::jsonb)) AND b.quarantined_at IS NULL
        FOR SHARE OF l
        """);

    internal static readonly Statement SelectManifests = new("""
        SELECT m.digest FROM json_each(@1) j CROSS JOIN manifests m ON m.repository_id = @0 AND m.digest = j.value
        """, """
        SELECT m.digest FROM manifests m WHERE m.repository_id = @0 AND m.digest IN (SELECT jsonb_array_elements_text(@1::jsonb))
        """);
}
