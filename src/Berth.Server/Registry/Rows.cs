using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Berth.Server.Projects;

namespace Berth.Server.Registry;

/// <summary>Rows that several changes write in the same way: repositories, blobs and their links.</summary>
internal static class Rows
{
    /// <summary>Id of a repository, or null.</summary>
    public static ValueTask<long?> FindRepositoryAsync(DbSession session, string name, CancellationToken ct) =>
        session.ScalarAsync(SelectRepository, [name], ct);

    /// <summary>Makes pushes to a repository, and everything else that changes its rows, wait until the transaction ends. Null when it is not there.</summary>
    public static ValueTask<long?> LockRepositoryAsync(DbSession session, long repositoryId, CancellationToken ct) =>
        session.ScalarAsync(LockRepository, [repositoryId], ct);

    /// <summary>
    /// Id of a repository, which is made when it is not there; its project too, if there is a seed. Null when the project is not there and may not be made: then the
    /// transaction must be rolled back.
    /// </summary>
    public static async ValueTask<long?> FindOrAddRepositoryAsync(DbSession session, string name, ProjectSeed? seed, long now, CancellationToken ct)
    {
        if (await FindRepositoryAsync(session, name, ct).ConfigureAwait(false) is { } id) return id;
        var project = ProjectName.Of(name);
        var projectId = await ProjectRows.FindAsync(session, project, ct).ConfigureAwait(false)
            ?? (seed is null ? null : await ProjectRows.AddAsync(session, project, seed, now, ct).ConfigureAwait(false)
                ?? await ProjectRows.FindAsync(session, project, ct).ConfigureAwait(false));
        if (projectId is null) return null;
        if (await session.ScalarAsync(InsertRepository, [name, projectId, now], ct).ConfigureAwait(false) is { } added)
        {
            // A project that was renamed while this waited for it has no place for the name any more.
            if (await session.ExecuteAsync(CountRepository, [projectId, project], ct).ConfigureAwait(false) == 0) return null;
            await session.ExecuteAsync(DeleteRedirect, [name], ct).ConfigureAwait(false);
            return added;
        }
        return await FindRepositoryAsync(session, name, ct).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"repository {name} can neither be found nor made");
    }

    /// <summary>
    /// Id of a blob, which is recorded when it is not there. Where another store, or another key, has its bytes already, those that just came are let go of;
    /// where its bytes are known to be wrong, those are.
    /// </summary>
    public static async ValueTask<long> FindOrAddBlobAsync(DbSession session, string digest, long size, BlobLocation location, long now, CancellationToken ct)
    {
        if (await session.ScalarAsync(InsertBlob, [digest, size, now, location.Store, location.Key], ct).ConfigureAwait(false) is { } id) return id;
        var (known, at, isQuarantined) = await FindBlobAsync(session, digest, ct).ConfigureAwait(false);
        if (isQuarantined) await session.ExecuteAsync(HealBlob, [known, location.Store, location.Key], ct).ConfigureAwait(false);
        if (at != location) await BlobRemovals.AddAsync(session, isQuarantined ? at : location, digest, size, now, ct).ConfigureAwait(false);
        return known;
    }

    private static async ValueTask<(long Id, BlobLocation Location, bool IsQuarantined)> FindBlobAsync(DbSession session, string digest, CancellationToken ct)
    {
        await using var row = await session.Command(SelectBlob, digest).ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await row.ReadAsync(ct).ConfigureAwait(false)) throw new InvalidOperationException($"blob {digest} can neither be found nor made");
        return (row.GetInt64(0), new BlobLocation(row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2)), !row.IsDBNull(3));
    }

    /// <summary>Lets a repository hold a blob, which is looked at again later: no manifest need ever name it.</summary>
    public static async ValueTask LinkBlobAsync(DbSession session, long repositoryId, long blobId, long now, CancellationToken ct)
    {
        await session.ExecuteAsync(UpsertLink, [repositoryId, blobId, now], ct).ConfigureAwait(false);
        await Reviews.AddBlobAsync(session, repositoryId, blobId, now, ct).ConfigureAwait(false);
    }

    /// <summary>
    /// Keeps others from giving bytes the name of a digest, or taking it away, until the transaction ends. SQLite has one writer anyway.
    /// </summary>
    public static ValueTask<int> LockDigestAsync(DbSession session, string digest, CancellationToken ct) =>
        session.Kind == DatabaseKind.Postgres ? session.ExecuteAsync(LockDigest, [digest], ct) : ValueTask.FromResult(0);

    /// <summary>Whether a blob, or somebody who is committing one, counts on the bytes at the path of a digest. Asked under <see cref="LockDigestAsync"/>.</summary>
    public static async ValueTask<bool> IsPathUsedAsync(DbSession session, string digest, string store, CancellationToken ct) =>
        await session.ScalarAsync(CountPathUsers, [digest, store], ct).ConfigureAwait(false) > 0;

    private static readonly Statement LockDigest = new("SELECT @0", "SELECT pg_advisory_xact_lock(hashtextextended(@0, 0))");

    private static readonly Statement LockRepository = new("SELECT id FROM repositories WHERE id = @0", "SELECT id FROM repositories WHERE id = @0 FOR NO KEY UPDATE");

    private static readonly Statement SelectRepository = new("SELECT id FROM repositories WHERE name = @0");

    private static readonly Statement InsertRepository = new("""
        INSERT INTO repositories (name, project_id, description, pull_count, artifact_count, created_at, updated_at) VALUES (@0, @1, '', 0, 0, @2, @2)
        ON CONFLICT (name) DO NOTHING RETURNING id
        """);

    private static readonly Statement CountRepository = new("UPDATE projects SET repository_count = repository_count + 1 WHERE id = @0 AND name = @1");

    private static readonly Statement DeleteRedirect = new("DELETE FROM repository_redirects WHERE name = @0");

    private static readonly Statement InsertBlob = new("""
        INSERT INTO blobs (digest, size, created_at, store, key) VALUES (@0, @1, @2, @3, @4) ON CONFLICT (digest) DO NOTHING RETURNING id
        """);

    // The row lock keeps a collector from taking the blob away before this transaction has linked it.
    private static readonly Statement SelectBlob = new(
        "SELECT id, store, key, quarantined_at FROM blobs WHERE digest = @0", "SELECT id, store, key, quarantined_at FROM blobs WHERE digest = @0 FOR SHARE");

    private static readonly Statement HealBlob = new("UPDATE blobs SET store = @1, key = @2, quarantined_at = NULL WHERE id = @0");

    // What commits under a key of its own, or into another store, does not use the path; of what an older version commits nobody knows.
    private static readonly Statement CountPathUsers = new("""
        SELECT (SELECT count(*) FROM blobs WHERE digest = @0 AND store = @1 AND key IS NULL)
            + (SELECT count(*) FROM uploads WHERE committing_digest = @0 AND store = @1 AND coalesce(committing_key, '') = '')
        """);

    private static readonly Statement UpsertLink = new("""
        INSERT INTO repository_blobs (repository_id, blob_id, linked_at) VALUES (@0, @1, @2)
        ON CONFLICT (repository_id, blob_id) DO UPDATE SET linked_at = excluded.linked_at
        """);
}
