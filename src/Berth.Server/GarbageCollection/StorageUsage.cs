using Berth.Server.Platform.Data;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// Which bytes are whose. A blob is stored once; its bytes are unique to a project when no manifest of another one names it, else shared. Bytes of
/// manifests are in the database and are not counted.
/// </summary>
internal static class StorageUsage
{
    /// <summary>Of the whole registry: unique is what exactly one project names, shared what several do.</summary>
    public static async ValueTask<StorageUsageJson> OfRegistryAsync(DbSession session, CancellationToken ct)
    {
        await using var row = await session.Command(SelectRegistry).ExecuteReaderAsync(ct).ConfigureAwait(false);
        await row.ReadAsync(ct).ConfigureAwait(false);
        var (unique, shared, unused, blobs, removing) = (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4));
        return new StorageUsageJson { UniqueBytes = unique, SharedBytes = shared, UnreferencedBytes = unused, Blobs = blobs, StoredBytes = unique + shared + unused + removing };
    }

    /// <summary>Of a project.</summary>
    public static ValueTask<StorageUsageJson> OfProjectAsync(DbSession session, long projectId, CancellationToken ct) => ReadAsync(session, SelectProject, projectId, ct);

    private static async ValueTask<StorageUsageJson> ReadAsync(DbSession session, Statement statement, long id, CancellationToken ct)
    {
        await using var row = await session.Command(statement, id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        await row.ReadAsync(ct).ConfigureAwait(false);
        return new StorageUsageJson { UniqueBytes = row.GetInt64(0), SharedBytes = row.GetInt64(1), Blobs = row.GetInt64(2) };
    }

    // In the order of both keys: two walks side by side, and no search for each blob.
    private static readonly Statement SelectRegistry = new("""
        SELECT u.own, u.several, a.bytes - u.own - u.several, a.n, (SELECT CAST(COALESCE(SUM(size), 0) AS bigint) FROM blob_removals)
        FROM (
            SELECT CAST(COALESCE(SUM(CASE WHEN p.n = 1 THEN b.size END), 0) AS bigint) AS own, CAST(COALESCE(SUM(CASE WHEN p.n > 1 THEN b.size END), 0) AS bigint) AS several
            FROM (SELECT blob_id, count(*) AS n FROM project_blobs GROUP BY blob_id) p JOIN blobs b ON b.id = p.blob_id) AS u,
            (SELECT CAST(COALESCE(SUM(size), 0) AS bigint) AS bytes, count(*) AS n FROM blobs) AS a
        """);

    private static readonly Statement SelectProject = new("""
        SELECT CAST(COALESCE(SUM(CASE WHEN NOT shared THEN size END), 0) AS bigint), CAST(COALESCE(SUM(CASE WHEN shared THEN size END), 0) AS bigint), count(*)
        FROM (SELECT b.size, EXISTS (SELECT 1 FROM project_blobs o WHERE o.blob_id = b.id AND o.project_id <> @0) AS shared
            FROM project_blobs p JOIN blobs b ON b.id = p.blob_id WHERE p.project_id = @0) AS u
        """);
}

/// <summary>Bytes in the blob stores.</summary>
public sealed record StorageUsageJson
{
    /// <summary>Bytes of blobs that nothing else names.</summary>
    public long UniqueBytes { get; init; }

    /// <summary>Bytes of blobs that something else names too.</summary>
    public long SharedBytes { get; init; }

    /// <summary>Of the registry: bytes of blobs that no manifest names and that wait for garbage collection.</summary>
    public long? UnreferencedBytes { get; init; }

    /// <summary>Number of blobs.</summary>
    public long Blobs { get; init; }

    /// <summary>Of the registry: everything that the stores hold, what is about to be removed included.</summary>
    public long? StoredBytes { get; init; }
}
