using Berth.Server.Platform.Data;

namespace Berth.Server.Quotas;

/// <summary>
/// What a project uses: the bytes of each blob that a manifest of it names, once, and of its manifests. Counted in the transaction that adds or removes a
/// manifest; a push that fails has counted nothing. Whoever calls holds the manifest's repository.
/// </summary>
internal static class ProjectUsage
{
    /// <summary>Share of the quota from which on a project is near its limit.</summary>
    public const double WarningShare = 0.85;

    /// <summary>Counts the blobs of a manifest that was just added; the bytes that the project did not use before.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="projectId">The project.</param>
    /// <param name="blobs">Each blob that the manifest names, once.</param>
    /// <param name="ids">Their ids as a JSON array.</param>
    /// <param name="ct">Cancels.</param>
    public static async ValueTask<long> AddBlobsAsync(DbSession session, long projectId, IReadOnlyCollection<LinkedBlob> blobs, string ids, CancellationToken ct)
    {
        var added = new HashSet<long>(blobs.Count);
        await using (var counted = await session.Command(Add, projectId, ids).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await counted.ReadAsync(ct).ConfigureAwait(false))
            {
                if (counted.GetInt64(1) == 1) added.Add(counted.GetInt64(0));
            }
        }
        return blobs.Sum(b => added.Contains(b.Id) ? b.Size : 0);
    }

    /// <summary>Uncounts the blobs of a manifest that is about to be removed; the bytes that the project no longer uses.</summary>
    public static async ValueTask<long> RemoveBlobsAsync(DbSession session, long projectId, long manifestId, CancellationToken ct)
    {
        await session.ExecuteAsync(Subtract, [projectId, manifestId], ct).ConfigureAwait(false);
        var bytes = await session.ScalarAsync(SumUnused, [projectId, manifestId], ct).ConfigureAwait(false) ?? 0;
        await session.ExecuteAsync(DeleteUnused, [projectId, manifestId], ct).ConfigureAwait(false);
        return bytes;
    }

    /// <summary>
    /// Changes what a project uses; for more than before, only as far as its quota goes. To be called last: on PostgreSQL the project's row is held until the
    /// transaction ends.
    /// </summary>
    /// <param name="session">The transaction.</param>
    /// <param name="projectId">The project.</param>
    /// <param name="delta">Bytes more, or less.</param>
    /// <param name="isEnforced">Whether the quota holds; without it the bytes are only counted.</param>
    /// <param name="ct">Cancels.</param>
    public static async ValueTask<UsageChange> ChangeAsync(DbSession session, long projectId, long delta, bool isEnforced, CancellationToken ct)
    {
        if (delta == 0) return new UsageChange(true, 0, -1, 0);
        await using (var row = await session.Command(isEnforced ? Change : ChangeFreely, projectId, delta).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            UsageChange? changed = null;
            while (await row.ReadAsync(ct).ConfigureAwait(false)) changed = new UsageChange(true, row.GetInt64(0), row.GetInt64(1), delta);
            if (changed is { } done) return done;
        }
        await using var now = await session.Command(Select, projectId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await now.ReadAsync(ct).ConfigureAwait(false)
            ? new UsageChange(false, now.GetInt64(0), now.GetInt64(1), delta)
            : throw new InvalidOperationException($"project {projectId} is gone");
    }

    /// <summary>Counts everything of a project again, from its manifests: for content that came another way, and to hold the count against the truth.</summary>
    /// <returns>The bytes that were kept until now, and those that it uses.</returns>
    public static async ValueTask<(long Before, long Now)> RecountAsync(DbSession session, long projectId, CancellationToken ct)
    {
        await UsageMove.LockRepositoriesAsync(session, projectId, projectId, ct).ConfigureAwait(false);
        var before = await session.ScalarAsync(LockProject, [projectId], ct).ConfigureAwait(false) ?? 0;
        await session.ExecuteAsync(DeleteAll, [projectId], ct).ConfigureAwait(false);
        await session.ExecuteAsync(InsertAll, [projectId], ct).ConfigureAwait(false);
        var bytes = await TrueBytesAsync(session, projectId, ct).ConfigureAwait(false);
        await session.ExecuteAsync(SetUsed, [projectId, bytes], ct).ConfigureAwait(false);
        return (before, bytes);
    }

    /// <summary>What a project uses, added up from its manifests and blobs without the maintained count.</summary>
    public static async ValueTask<long> TrueBytesAsync(DbSession session, long projectId, CancellationToken ct) =>
        await session.ScalarAsync(SumAll, [projectId], ct).ConfigureAwait(false) ?? 0;

    // In the order of ids, so that pushes of the same blobs wait for each other and do not lock each other out.
    private static readonly Statement Add = new("""
        INSERT INTO project_blobs (project_id, blob_id, manifest_count) SELECT @0, value, 1 FROM json_each(@1) WHERE true
        ON CONFLICT (project_id, blob_id) DO UPDATE SET manifest_count = manifest_count + 1
        RETURNING blob_id, manifest_count
        """, """
        INSERT INTO project_blobs AS p (project_id, blob_id, manifest_count)
        SELECT @0, id, 1 FROM (SELECT jsonb_array_elements_text(@1::jsonb)::bigint AS id) named ORDER BY id
        ON CONFLICT (project_id, blob_id) DO UPDATE SET manifest_count = p.manifest_count + 1
        RETURNING blob_id, manifest_count
        """);

    private static readonly Statement Subtract = new("""
        UPDATE project_blobs SET manifest_count = manifest_count - 1
        WHERE project_id = @0 AND blob_id IN (SELECT blob_id FROM manifest_blobs WHERE manifest_id = @1)
        """, """
        UPDATE project_blobs SET manifest_count = manifest_count - 1
        WHERE project_id = @0 AND blob_id IN (
            SELECT p.blob_id FROM project_blobs p JOIN manifest_blobs l ON l.blob_id = p.blob_id AND l.manifest_id = @1
            WHERE p.project_id = @0 ORDER BY p.blob_id FOR UPDATE OF p)
        """);

    private static readonly Statement SumUnused = new("""
        SELECT SUM(b.size) FROM project_blobs p JOIN blobs b ON b.id = p.blob_id
        WHERE p.project_id = @0 AND p.manifest_count <= 0 AND p.blob_id IN (SELECT blob_id FROM manifest_blobs WHERE manifest_id = @1)
        """);

    private static readonly Statement DeleteUnused = new("""
        DELETE FROM project_blobs
        WHERE project_id = @0 AND manifest_count <= 0 AND blob_id IN (SELECT blob_id FROM manifest_blobs WHERE manifest_id = @1)
        """);

    private static readonly Statement Change = new("""
        UPDATE projects SET used_bytes = used_bytes + @1
        WHERE id = @0 AND (@1 < 0 OR quota_bytes < 0 OR used_bytes + @1 <= quota_bytes)
        RETURNING used_bytes, quota_bytes
        """);

    private static readonly Statement ChangeFreely = new("UPDATE projects SET used_bytes = used_bytes + @1 WHERE id = @0 RETURNING used_bytes, quota_bytes");
    private static readonly Statement Select = new("SELECT used_bytes, quota_bytes FROM projects WHERE id = @0");
    private static readonly Statement LockProject = new("SELECT used_bytes FROM projects WHERE id = @0", "SELECT used_bytes FROM projects WHERE id = @0 FOR NO KEY UPDATE");
    private static readonly Statement DeleteAll = new("DELETE FROM project_blobs WHERE project_id = @0");

    private static readonly Statement InsertAll = new("""
        INSERT INTO project_blobs (project_id, blob_id, manifest_count)
        SELECT @0, l.blob_id, COUNT(*) FROM repositories r JOIN manifests m ON m.repository_id = r.id JOIN manifest_blobs l ON l.manifest_id = m.id
        WHERE r.project_id = @0 GROUP BY l.blob_id
        """);

    private static readonly Statement SetUsed = new("UPDATE projects SET used_bytes = @1 WHERE id = @0");

    private static readonly Statement SumAll = new("""
        SELECT COALESCE((SELECT SUM(b.size) FROM blobs b WHERE b.id IN (
                SELECT l.blob_id FROM repositories r JOIN manifests m ON m.repository_id = r.id JOIN manifest_blobs l ON l.manifest_id = m.id
                WHERE r.project_id = @0)), 0)
            + COALESCE((SELECT SUM(m.size) FROM repositories r JOIN manifests m ON m.repository_id = r.id WHERE r.project_id = @0), 0)
        """);
}

/// <summary>A blob that a repository holds.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Size">Its bytes.</param>
internal readonly record struct LinkedBlob(long Id, long Size);

/// <summary>Outcome of a change of what a project uses.</summary>
/// <param name="IsDone">False when the quota does not allow it.</param>
/// <param name="UsedBytes">What it uses now.</param>
/// <param name="QuotaBytes">Its quota; -1 for none.</param>
/// <param name="Delta">The change.</param>
internal readonly record struct UsageChange(bool IsDone, long UsedBytes, long QuotaBytes, long Delta)
{
    /// <summary>Whether this change has brought the project near its limit.</summary>
    public bool IsWarning =>
        IsDone && Delta > 0 && QuotaBytes > 0 && UsedBytes >= QuotaBytes * ProjectUsage.WarningShare && UsedBytes - Delta < QuotaBytes * ProjectUsage.WarningShare;
}
