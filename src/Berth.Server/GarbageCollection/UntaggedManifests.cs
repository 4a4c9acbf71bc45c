using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// Manifests that no tag leads to, and that are not archived. A tag leads to its manifest; an index that stays leads to its children; a manifest that stays leads to its
/// referrers. Recently pushed manifests count as tagged.
/// </summary>
internal static class UntaggedManifests
{
    /// <summary>
    /// Removes up to <paramref name="limit"/> manifests after <paramref name="after"/> that have no tag, that no index lists and whose subject is not there. What
    /// that leaves without its index or subject is found by asking again from the start, until a whole round removes nothing.
    /// Pushes to the repository wait meanwhile, so that none of them comes to need what is removed.
    /// </summary>
    /// <returns>The digests, in order.</returns>
    public static async Task<List<string>> RemoveAsync(DbSession session, long repositoryId, string after, long cutoff, int limit, long now, CancellationToken ct)
    {
        await Rows.LockRepositoryAsync(session, repositoryId, ct).ConfigureAwait(false);
        var (ids, digests) = (new List<long>(), new List<string>());
        await using (var reader = await session.Command(SelectLoose, repositoryId, after, cutoff, (long)limit).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await reader.ReadAsync(ct).ConfigureAwait(false))
            {
                ids.Add(reader.GetInt64(0));
                digests.Add(reader.GetString(1));
            }
        }
        await ManifestRemoval.RemoveAsync(session, repositoryId, ids, now, ct).ConfigureAwait(false);
        return digests;
    }

    /// <summary>The manifests that repeated <see cref="RemoveAsync"/> would remove, a page of digests in order.</summary>
    public static async ValueTask<List<string>> ListAsync(DbSession session, long repositoryId, string after, long cutoff, int limit, CancellationToken ct)
    {
        var digests = new List<string>();
        await using var reader = await session.Command(SelectUnreachable, repositoryId, cutoff, after, (long)limit).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) digests.Add(reader.GetString(0));
        return digests;
    }

    /// <summary>
    /// The ids of all manifests that stay, of all repositories, as a common table expression <c>kept (id)</c>.
    /// Parameter <c>@0</c>: pushes from this time on count as tagged.
    /// </summary>
    public const string KeptOnSqlite = """
        WITH RECURSIVE kept (id) AS (
            SELECT manifest_id FROM tags
            UNION SELECT id FROM manifests WHERE pushed_at >= @0 OR archive <> 0
            UNION SELECT m.id FROM trash_entries e JOIN repositories r ON r.name = e.repository JOIN manifests m ON m.repository_id = r.id AND m.digest = e.digest
            UNION SELECT c.id FROM kept k JOIN manifest_children l ON l.manifest_id = k.id JOIN manifests c ON c.repository_id = l.repository_id AND c.digest = l.child_digest
            UNION SELECT r.id FROM kept k JOIN manifests s ON s.id = k.id JOIN manifests r ON r.repository_id = s.repository_id AND r.subject = s.digest)

        """;

    /// <inheritdoc cref="KeptOnSqlite"/>
    public const string KeptOnPostgres = """
        WITH RECURSIVE kept (id) AS (
            (SELECT manifest_id FROM tags UNION SELECT id FROM manifests WHERE pushed_at >= @0 OR archive <> 0
             UNION SELECT m.id FROM trash_entries e JOIN repositories r ON r.name = e.repository JOIN manifests m ON m.repository_id = r.id AND m.digest = e.digest)
            UNION SELECT n.id FROM kept k CROSS JOIN LATERAL (
                SELECT c.id FROM manifest_children l JOIN manifests c ON c.repository_id = l.repository_id AND c.digest = l.child_digest WHERE l.manifest_id = k.id
                UNION ALL
                SELECT r.id FROM manifests s JOIN manifests r ON r.repository_id = s.repository_id AND r.subject = s.digest WHERE s.id = k.id) n)

        """;

    private static readonly Statement SelectLoose = new("""
        SELECT m.id, m.digest FROM manifests m
        WHERE m.repository_id = @0 AND m.digest > @1 AND m.pushed_at < @2 AND m.archive = 0
            AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)
            AND NOT EXISTS (SELECT 1 FROM manifest_children l WHERE l.repository_id = @0 AND l.child_digest = m.digest)
            AND NOT EXISTS (SELECT 1 FROM manifests s WHERE s.repository_id = @0 AND s.digest = m.subject)
            AND NOT EXISTS (SELECT 1 FROM repositories r JOIN trash_entries e ON e.repository = r.name WHERE r.id = @0 AND e.digest = m.digest)
        ORDER BY m.digest LIMIT @3
        """);

    /// <summary>The same as <see cref="KeptOnSqlite"/> for one repository. Parameters: <c>@0</c> its id, <c>@1</c> the time.</summary>
    public const string KeptOfOneOnSqlite = """
        WITH RECURSIVE kept (id, digest) AS (
            SELECT m.id, m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = @0
            UNION SELECT id, digest FROM manifests WHERE repository_id = @0 AND (pushed_at >= @1 OR archive <> 0)
            UNION SELECT m.id, m.digest FROM repositories r JOIN trash_entries e ON e.repository = r.name JOIN manifests m ON m.repository_id = r.id AND m.digest = e.digest WHERE r.id = @0
            UNION SELECT c.id, c.digest FROM kept k JOIN manifest_children l ON l.manifest_id = k.id JOIN manifests c ON c.repository_id = @0 AND c.digest = l.child_digest
            UNION SELECT r.id, r.digest FROM kept k JOIN manifests r ON r.repository_id = @0 AND r.subject = k.digest)

        """;

    /// <inheritdoc cref="KeptOfOneOnSqlite"/>
    public const string KeptOfOneOnPostgres = """
        WITH RECURSIVE kept (id, digest) AS (
            (SELECT m.id, m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = @0
             UNION SELECT id, digest FROM manifests WHERE repository_id = @0 AND (pushed_at >= @1 OR archive <> 0)
             UNION SELECT m.id, m.digest FROM repositories r JOIN trash_entries e ON e.repository = r.name JOIN manifests m ON m.repository_id = r.id AND m.digest = e.digest WHERE r.id = @0)
            UNION SELECT n.id, n.digest FROM kept k CROSS JOIN LATERAL (
                SELECT c.id, c.digest FROM manifest_children l JOIN manifests c ON c.repository_id = @0 AND c.digest = l.child_digest WHERE l.manifest_id = k.id
                UNION ALL
                SELECT r.id, r.digest FROM manifests r WHERE r.repository_id = @0 AND r.subject = k.digest) n)

        """;

    private const string Unreachable =
        "SELECT m.digest FROM manifests m WHERE m.repository_id = @0 AND m.digest > @2 AND m.id NOT IN (SELECT id FROM kept) ORDER BY m.digest LIMIT @3";

    private static readonly Statement SelectUnreachable = new(KeptOfOneOnSqlite + Unreachable, KeptOfOneOnPostgres + Unreachable);
}
