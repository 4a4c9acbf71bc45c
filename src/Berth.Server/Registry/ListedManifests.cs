using System.Text.Json;
using Berth.Server.Platform.Data;

namespace Berth.Server.Registry;

/// <summary>
/// Keeps up which manifests lists of artifacts show, and how many (<see cref="Manifest.IsListed"/>, <see cref="Repository.ArtifactCount"/>). Whoever calls
/// holds the repository, so that nobody else changes its manifests and tags.
/// </summary>
internal static class ListedManifests
{
    /// <summary>Whether a tag alone puts what it points to into lists: not those by which clients find signatures and referrers.</summary>
    public static bool IsForPeople(string tag) => !tag.StartsWith("sha256-", StringComparison.Ordinal) && !tag.StartsWith("sha512-", StringComparison.Ordinal);

    /// <summary>Counts a manifest whose row was written with what lists show of it, and touches nothing else.</summary>
    public static ValueTask<int> AddAsync(DbSession session, long repositoryId, bool isListed, long now, CancellationToken ct) =>
        ApplyAsync(session, repositoryId, isListed ? 1 : 0, now, ct);

    /// <summary>
    /// Looks again at manifests and at those that they list: after a push at the new one and at those that its tags pointed to before, after a removal at those that
    /// have lost a tag or an index. The ids of what is gone do no harm.
    /// </summary>
    /// <param name="session">The transaction.</param>
    /// <param name="repositoryId">The repository.</param>
    /// <param name="ids">The manifests.</param>
    /// <param name="uncounted">Listed ones that were added and not counted yet; negative for those that were removed.</param>
    /// <param name="now">Unix milliseconds.</param>
    /// <param name="ct">Cancels.</param>
    public static async ValueTask RefreshAsync(DbSession session, long repositoryId, IEnumerable<long> ids, long uncounted, long now, CancellationToken ct)
    {
        var json = JsonSerializer.Serialize(ids.Distinct());
        var shown = await session.ExecuteAsync(Show, [repositoryId, json], ct).ConfigureAwait(false);
        var hidden = await session.ExecuteAsync(Hide, [repositoryId, json], ct).ConfigureAwait(false);
        await ApplyAsync(session, repositoryId, shown - hidden + uncounted, now, ct).ConfigureAwait(false);
    }

    /// <summary>Looks at every manifest of a repository, for content that came another way.</summary>
    public static async ValueTask RefreshAllAsync(DbSession session, long repositoryId, CancellationToken ct)
    {
        await session.ExecuteAsync(RefreshWhole, [repositoryId], ct).ConfigureAwait(false);
        await session.ExecuteAsync(CountWhole, [repositoryId], ct).ConfigureAwait(false);
    }

    private static ValueTask<int> ApplyAsync(DbSession session, long repositoryId, long change, long now, CancellationToken ct) =>
        session.ExecuteAsync(Count, [repositoryId, change, now], ct);

    // A manifest stands in lists when a tag that is for people points to it, or when no index names it; never what belongs to another.
    private const string Stands = """
        m.accessory_kind IS NULL AND (
            EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id AND NOT (t.name LIKE 'sha256-%' OR t.name LIKE 'sha512-%'))
            OR NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)
                AND NOT EXISTS (SELECT 1 FROM manifest_children l WHERE l.repository_id = m.repository_id AND l.child_digest = m.digest))
        """;

    // By id alone, and CROSS JOIN in this order: SQLite would rather go through all manifests of the repository.
    private const string OnSqlite = """
        m.id IN (
            SELECT value FROM json_each(@1)
            UNION SELECT c.id FROM json_each(@1) j CROSS JOIN manifest_children l ON l.manifest_id = j.value
                CROSS JOIN manifests c ON c.repository_id = @0 AND c.digest = l.child_digest)
        """;

    private const string OnPostgres = """
        m.repository_id = @0 AND m.id IN (
            SELECT jsonb_array_elements_text(@1::jsonb)::bigint
            UNION SELECT c.id FROM manifest_children l JOIN manifests c ON c.repository_id = @0 AND c.digest = l.child_digest
                WHERE l.manifest_id IN (SELECT jsonb_array_elements_text(@1::jsonb)::bigint))
        """;

    internal static readonly Statement Show = new(
        $"UPDATE manifests AS m SET is_listed = true WHERE {OnSqlite} AND NOT m.is_listed AND {Stands}",
        $"UPDATE manifests AS m SET is_listed = true WHERE {OnPostgres} AND NOT m.is_listed AND {Stands}");

    internal static readonly Statement Hide = new(
        $"UPDATE manifests AS m SET is_listed = false WHERE {OnSqlite} AND m.is_listed AND NOT ({Stands})",
        $"UPDATE manifests AS m SET is_listed = false WHERE {OnPostgres} AND m.is_listed AND NOT ({Stands})");

    // The time rises with every change, two in one millisecond too: what is counted of a repository is good for as long as it stays the same.
    private static readonly Statement Count = new(
        "UPDATE repositories SET artifact_count = artifact_count + @1, updated_at = MAX(updated_at + 1, @2) WHERE id = @0",
        "UPDATE repositories SET artifact_count = artifact_count + @1, updated_at = GREATEST(updated_at + 1, @2) WHERE id = @0");

    private static readonly Statement RefreshWhole = new($"UPDATE manifests AS m SET is_listed = ({Stands}) WHERE m.repository_id = @0");

    private static readonly Statement CountWhole = new(
        "UPDATE repositories SET artifact_count = (SELECT COUNT(*) FROM manifests m WHERE m.repository_id = @0 AND m.is_listed) WHERE id = @0");
}
