using Berth.Server.Platform.Data;

namespace Berth.Server.Quotas;

/// <summary>Moves what a repository uses from one project to another, when the repository moves. Whoever calls holds the repository.</summary>
internal static class UsageMove
{
    /// <summary>
    /// Counts the manifests and blobs of a repository for its new project, as far as that one's quota goes, and no longer for the old one. When the outcome is not
    /// done, the transaction must be rolled back.
    /// </summary>
    public static async ValueTask<UsageChange> MoveAsync(DbSession session, long repositoryId, long from, long to, bool isEnforced, CancellationToken ct)
    {
        var manifests = await session.ScalarAsync(SumManifests, [repositoryId], ct).ConfigureAwait(false) ?? 0;
        var added = await session.ScalarAsync(SumNew, [repositoryId, to], ct).ConfigureAwait(false) ?? 0;
        await session.ExecuteAsync(Add, [repositoryId, to], ct).ConfigureAwait(false);
        await session.ExecuteAsync(Subtract, [repositoryId, from], ct).ConfigureAwait(false);
        var freed = await session.ScalarAsync(SumUnused, [from], ct).ConfigureAwait(false) ?? 0;
        await session.ExecuteAsync(DeleteUnused, [from], ct).ConfigureAwait(false);
        await ProjectUsage.ChangeAsync(session, from, -(freed + manifests), isEnforced: false, ct).ConfigureAwait(false);
        return await ProjectUsage.ChangeAsync(session, to, added + manifests, isEnforced, ct).ConfigureAwait(false);
    }

    /// <summary>
    /// Keeps everybody else from counting for some projects until the transaction ends, so that nothing changes between looking and writing. Taken in the order of
    /// ids before anything of them is touched. SQLite has one writer anyway.
    /// </summary>
    public static async ValueTask LockRepositoriesAsync(DbSession session, long first, long second, CancellationToken ct)
    {
        if (session.Kind == DatabaseKind.Postgres) await session.ExecuteAsync(LockRepositories, [first, second], ct).ConfigureAwait(false);
    }

    // Pushes and deletes hold their repository first: whoever holds all repositories of a project is alone with its counts.
    private static readonly Statement LockRepositories = new(
        "SELECT @0, @1", "SELECT id FROM repositories WHERE project_id IN (@0, @1) ORDER BY id FOR NO KEY UPDATE");

    private static readonly Statement SumManifests = new("SELECT SUM(size) FROM manifests WHERE repository_id = @0");

    private static readonly Statement SumNew = new("""
        SELECT SUM(b.size) FROM blobs b
        WHERE b.id IN (SELECT l.blob_id FROM manifests m JOIN manifest_blobs l ON l.manifest_id = m.id WHERE m.repository_id = @0)
            AND NOT EXISTS (SELECT 1 FROM project_blobs p WHERE p.project_id = @1 AND p.blob_id = b.id)
        """);

    private static readonly Statement Add = new("""
        INSERT INTO project_blobs (project_id, blob_id, manifest_count)
        SELECT @1, l.blob_id, COUNT(*) FROM manifests m JOIN manifest_blobs l ON l.manifest_id = m.id WHERE m.repository_id = @0 GROUP BY l.blob_id ORDER BY l.blob_id
        ON CONFLICT (project_id, blob_id) DO UPDATE SET manifest_count = project_blobs.manifest_count + excluded.manifest_count
        """);

    private static readonly Statement Subtract = new("""
        UPDATE project_blobs SET manifest_count = manifest_count - (
            SELECT COUNT(*) FROM manifests m JOIN manifest_blobs l ON l.manifest_id = m.id WHERE m.repository_id = @0 AND l.blob_id = project_blobs.blob_id)
        WHERE project_id = @1 AND blob_id IN (SELECT l.blob_id FROM manifests m JOIN manifest_blobs l ON l.manifest_id = m.id WHERE m.repository_id = @0)
        """);

    private static readonly Statement SumUnused = new(
        "SELECT SUM(b.size) FROM project_blobs p JOIN blobs b ON b.id = p.blob_id WHERE p.project_id = @0 AND p.manifest_count <= 0");

    private static readonly Statement DeleteUnused = new("DELETE FROM project_blobs WHERE project_id = @0 AND manifest_count <= 0");
}
