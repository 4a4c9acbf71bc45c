using System.Text.Json;
using Berth.Server.Platform.Data;

namespace Berth.Server.Artifacts;

/// <summary>A referrer of a referrer: a signature of an SBOM, for example.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Subject">Digest of what it is about.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Type">Its artifact type, or its kind as accessory.</param>
/// <param name="Size">Bytes.</param>
/// <param name="CreatedAt">Unix milliseconds.</param>
internal sealed record Referrer(long Id, string Subject, string Digest, string Type, long Size, long CreatedAt);

/// <summary>What is about what is about an artifact, as deep as it goes.</summary>
internal static class ReferrerTree
{
    private const long MaxDepth = 5;
    private const long MaxReferrers = 200;

    /// <summary>Referrers of manifests of a repository, and theirs in turn, by their subject.</summary>
    public static async ValueTask<ILookup<string, Referrer>> ReadAsync(DbSession session, long repositoryId, IEnumerable<string> subjects, CancellationToken ct)
    {
        var found = new List<Referrer>();
        await using var rows = await session.Command(Select, repositoryId, JsonSerializer.Serialize(subjects), MaxDepth, MaxReferrers).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(new Referrer(rows.GetInt64(0), rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetInt64(4), rows.GetInt64(5)));
        return found.ToLookup(r => r.Subject, StringComparer.Ordinal);
    }

    private const string Tree = """
        , t(id, subject, digest, kind, size, created_at, depth) AS (
            SELECT m.id, m.subject, m.digest, COALESCE(m.artifact_type, m.accessory_kind, m.kind), m.total_size, m.created_at, 1
            FROM s JOIN manifests m ON m.repository_id = @0 AND m.subject = s.digest AND m.subject IS NOT NULL
            UNION ALL
            SELECT m.id, m.subject, m.digest, COALESCE(m.artifact_type, m.accessory_kind, m.kind), m.total_size, m.created_at, t.depth + 1
            FROM t JOIN manifests m ON m.repository_id = @0 AND m.subject = t.digest AND m.subject IS NOT NULL WHERE t.depth < @2)
        SELECT id, subject, digest, kind, size, created_at FROM t ORDER BY created_at, id LIMIT @3
        """;

    private static readonly Statement Select = new(
        "WITH RECURSIVE s(digest) AS (SELECT value FROM json_each(@1))" + Tree,
        "WITH RECURSIVE s(digest) AS (SELECT jsonb_array_elements_text(@1::jsonb))" + Tree);
}
