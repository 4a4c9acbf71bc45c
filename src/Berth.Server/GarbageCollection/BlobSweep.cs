using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Berth.Server.Registry;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// Takes blobs that nothing needs out of the database, in one transaction: 1. their digests, links and rows are locked, in the order in which a push takes them,
/// 2. what is still not needed goes, and a <see cref="BlobRemoval"/> says that the bytes may be there still. <see cref="ByteRemoval"/> does the rest. So there is never
/// a blob without its bytes, wherever it is cut off; between the two there are bytes without a blob, and the removal says where.
/// <para>
/// A push of the same content at the same time either wins (its upload, its link or its manifest is seen under the locks, and the blob stays) or
/// comes after (the blob is unknown again, and the client sends the bytes).
/// </para>
/// </summary>
internal static class BlobSweep
{
    /// <summary>Step 1: keeps others from committing, linking or naming these blobs. Those that somebody is committing now are left out.</summary>
    /// <returns>Ids of the blobs that are held.</returns>
    public static async ValueTask<List<long>> HoldAsync(DbSession session, IEnumerable<string> digests, CancellationToken ct)
    {
        var json = JsonSerializer.Serialize(digests);
        // Always in the same order, so that two collections do not wait for each other in a circle. SQLite has one writer.
        if (session.Kind == DatabaseKind.Postgres) await session.ExecuteAsync(LockDigests, [json], ct).ConfigureAwait(false);
        // From here on no commit of these digests can begin; one that has begun holds its blob and wants its link, so it is left alone.
        var free = new List<long>();
        await using (var rows = await session.Command(SelectFree, json).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) free.Add(rows.GetInt64(0));
        }
        if (session.Kind == DatabaseKind.Postgres && free.Count > 0)
        {
            var ids = JsonSerializer.Serialize(free);
            await session.ExecuteAsync(LockLinks, [ids], ct).ConfigureAwait(false);
            await session.ExecuteAsync(LockBlobs, [ids], ct).ConfigureAwait(false);
        }
        return free;
    }

    /// <summary>Step 2, for blobs that are held: those that no manifest names and that no repository holds since <paramref name="cutoff"/>.</summary>
    public static async ValueTask<List<RemovedBlob>> RemoveAsync(DbSession session, IReadOnlyCollection<long> held, long cutoff, long now, CancellationToken ct)
    {
        var removed = new List<RemovedBlob>();
        if (held.Count == 0) return removed;
        await using (var rows = await session.Command(SelectUnused, JsonSerializer.Serialize(held), cutoff).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
                removed.Add(new RemovedBlob(rows.GetInt64(0), rows.GetString(1), rows.GetInt64(2), new BlobLocation(rows.GetString(3), rows.IsDBNull(4) ? null : rows.GetString(4))));
        }
        if (removed.Count == 0) return removed;
        var ids = JsonSerializer.Serialize(removed.Select(b => b.Id));
        await session.ExecuteAsync(InsertRemovals, [ids, now], ct).ConfigureAwait(false);
        await session.ExecuteAsync(DeleteLinks, [ids], ct).ConfigureAwait(false);
        await session.ExecuteAsync(DeleteReviews, [ids], ct).ConfigureAwait(false);
        await session.ExecuteAsync(DeleteBlobs, [ids], ct).ConfigureAwait(false);
        return removed;
    }

    // The same hash as Rows.LockDigestAsync takes.
    private static readonly Statement LockDigests = new("SELECT @0", """
        SELECT pg_advisory_xact_lock(hashtextextended(d, 0)) FROM (SELECT jsonb_array_elements_text(@0::jsonb) AS d ORDER BY 1) AS j
        """);

    private static readonly Statement SelectFree = new(
        $"SELECT b.id FROM json_each(@0) j JOIN blobs b ON b.digest = j.value WHERE {UnusedBlobs.NotCommitting} ORDER BY b.id",
        $"SELECT b.id FROM blobs b WHERE b.digest IN (SELECT jsonb_array_elements_text(@0::jsonb)) AND {UnusedBlobs.NotCommitting} ORDER BY b.id");

    private const string PostgresIds = "(SELECT jsonb_array_elements_text(@0::jsonb)::bigint)";

    private static readonly Statement LockLinks = new("SELECT @0", $"""
        SELECT 1 FROM repository_blobs WHERE blob_id IN {PostgresIds} ORDER BY repository_id, blob_id FOR UPDATE
        """);

    private static readonly Statement LockBlobs = new("SELECT @0", $"SELECT 1 FROM blobs WHERE id IN {PostgresIds} ORDER BY id FOR UPDATE");

    private static readonly Statement SelectUnused = new(
        $"SELECT b.id, b.digest, b.size, b.store, b.key FROM json_each(@0) j JOIN blobs b ON b.id = j.value WHERE {UnusedBlobs.Condition("@1")}",
        $"SELECT b.id, b.digest, b.size, b.store, b.key FROM blobs b WHERE b.id IN {PostgresIds} AND {UnusedBlobs.Condition("@1")}");

    private static readonly Statement InsertRemovals = new("""
        INSERT INTO blob_removals (store, key, digest, size, created_at, due_at)
        SELECT store, key, digest, size, @1, @1 FROM blobs WHERE id IN (SELECT value FROM json_each(@0))
        """, $"""
        INSERT INTO blob_removals (store, key, digest, size, created_at, due_at) SELECT store, key, digest, size, @1, @1 FROM blobs WHERE id IN {PostgresIds}
        """);

    private static readonly Statement DeleteLinks = Delete("repository_blobs", "blob_id");
    private static readonly Statement DeleteReviews = Delete("blob_reviews", "blob_id");
    private static readonly Statement DeleteBlobs = Delete("blobs", "id");

    private static Statement Delete(string table, string column) => new(
        $"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(@0))", $"DELETE FROM {table} WHERE {column} IN {PostgresIds}");
}

/// <summary>A blob whose row went.</summary>
/// <param name="Id">Id it had.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Size">Its size in bytes, as recorded.</param>
/// <param name="Location">Where its bytes were.</param>
internal sealed record RemovedBlob(long Id, string Digest, long Size, BlobLocation Location);
