using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Blobs;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// Removes blobs that no manifest refers to, in two transactions a batch:
/// 1. Links and blobs go, and an <c>uploads</c> row with <c>committing_digest</c> and a time long past says that the bytes may be there still.
/// 2. The bytes go while nobody can begin to commit the same content, then that row.
/// So there is never a blob without its bytes, wherever it is cut off and whichever transaction is rolled back: between the two there are bytes
/// without a blob, and the row that says so is what the upload janitor looks for; it, or the next collection, does step 2.
/// <para>
/// A push of the same content at the same time either wins (its upload, its link or its manifest is seen under the locks of step 1, and the blob stays) or
/// comes after (the blob is unknown again: the client is told so when it pushes the manifest, and sends the bytes). The locks, in
/// the order in which a push takes them: the digest (<see cref="Rows.LockDigestAsync"/>), the links, the blob.
/// </para>
/// </summary>
internal sealed class UnusedBlobs(Database database, IBlobStore store, TimeProvider time)
{
    /// <summary>Owner of the rows that step 1 leaves; their repository is empty, so no client's session can look like one.</summary>
    public const string Owner = "garbage-collect";

    /// <summary>Digests of blobs that no manifest refers to, a page in order.</summary>
    public ValueTask<List<string>> FindAsync(string after, long cutoff, int limit, CancellationToken ct) =>
        database.ReadAsync((after, cutoff, limit), static async (session, q, token) =>
        {
            var digests = new List<string>();
            await using var reader = await session.Command(SelectUnused, q.after, q.cutoff, (long)q.limit).ExecuteReaderAsync(token).ConfigureAwait(false);
            while (await reader.ReadAsync(token).ConfigureAwait(false)) digests.Add(reader.GetString(0));
            return digests;
        }, ct);

    /// <summary>Step 1. The blobs that went; those missing were found to be in use.</summary>
    public Task<List<RemovedBlob>> RemoveRowsAsync(List<string> candidates, long cutoff, CancellationToken ct) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var json = JsonSerializer.Serialize(candidates);
            await LockDigestsAsync(session, json, token).ConfigureAwait(false);
            await session.ExecuteAsync(LockLinks, [json], token).ConfigureAwait(false);
            await session.ExecuteAsync(LockBlobs, [json], token).ConfigureAwait(false);
            var removed = new List<RemovedBlob>();
            await using (var reader = await session.Command(SelectStillUnused, json, cutoff).ExecuteReaderAsync(token).ConfigureAwait(false))
            {
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                    removed.Add(new RemovedBlob(UploadSessions.NewId(), reader.GetInt64(0), reader.GetString(1), reader.GetInt64(2)));
            }
            if (removed.Count == 0) return removed;
            var rows = JsonSerializer.Serialize(removed);
            await session.ExecuteAsync(DeleteLinks, [rows], token).ConfigureAwait(false);
            await session.ExecuteAsync(DeleteBlobs, [rows], token).ConfigureAwait(false);
            await session.ExecuteAsync(InsertIntents, [rows, Owner, time.GetUtcNow().ToUnixTimeMilliseconds()], token).ConfigureAwait(false);
            return removed;
        }, ct);

    /// <summary>Step 2. The bytes that vanished from the store.</summary>
    public async Task<long> RemoveBytesAsync(IReadOnlyCollection<(string IntentId, string Digest)> intents, CancellationToken ct)
    {
        if (intents.Count == 0) return 0;
        var ids = JsonSerializer.Serialize(intents.Select(i => i.IntentId));
        var digests = JsonSerializer.Serialize(intents.Select(i => i.Digest));
        // By digest, because the transaction may be run again after some bytes are gone.
        var freed = new Dictionary<string, long>(StringComparer.Ordinal);
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await LockDigestsAsync(session, digests, token).ConfigureAwait(false);
            // Whoever takes the row away does the work: it may be the janitor of a server.
            var ours = await TextsAsync(session, DeleteIntents, ids, token).ConfigureAwait(false);
            var used = await TextsAsync(session, SelectUsed, JsonSerializer.Serialize(ours), token).ConfigureAwait(false);
            foreach (var digest in ours.Except(used).Select(Digest.Parse))
            {
                if (await store.GetSizeAsync(digest, token).ConfigureAwait(false) is not { } size) continue;
                await store.DeleteAsync(digest, token).ConfigureAwait(false);
                freed[digest.Value] = size;
            }
            return true;
        }, ct).ConfigureAwait(false);
        return freed.Values.Sum();
    }

    /// <summary>Step 2 for what an earlier collection left behind when it was cut off.</summary>
    public async Task<long> FinishEarlierAsync(int batchSize, CancellationToken ct)
    {
        for (var freed = 0L; ;)
        {
            var left = await database.ReadAsync(batchSize, static async (session, limit, token) =>
            {
                var found = new List<(string, string)>();
                await using var reader = await session.Command(SelectIntents, Owner, (long)limit).ExecuteReaderAsync(token).ConfigureAwait(false);
                while (await reader.ReadAsync(token).ConfigureAwait(false)) found.Add((reader.GetString(0), reader.GetString(1)));
                return found;
            }, ct).ConfigureAwait(false);
            if (left.Count == 0) return freed;
            freed += await RemoveBytesAsync(left, ct).ConfigureAwait(false);
        }
    }

    private static async ValueTask<List<string>> TextsAsync(DbSession session, Statement statement, string json, CancellationToken ct)
    {
        var texts = new List<string>();
        await using var reader = await session.Command(statement, json).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) texts.Add(reader.GetString(0));
        return texts;
    }

    // Always in the same order, so that two collections do not wait for each other in a circle. SQLite has one writer.
    private static ValueTask<int> LockDigestsAsync(DbSession session, string json, CancellationToken ct) =>
        session.Kind == DatabaseKind.Postgres ? session.ExecuteAsync(LockDigests, [json], ct) : ValueTask.FromResult(0);

    private static readonly Statement SelectUnused = new("""
        SELECT b.digest FROM blobs b
        WHERE b.digest > @0 AND NOT EXISTS (SELECT 1 FROM manifest_blobs m WHERE m.blob_id = b.id)
            AND NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.blob_id = b.id AND l.linked_at >= @1)
        ORDER BY b.digest LIMIT @2
        """);

    // The same hash as Rows.LockDigestAsync takes.
    private static readonly Statement LockDigests = new("SELECT @0", """
        SELECT pg_advisory_xact_lock(hashtextextended(d, 0)) FROM (SELECT jsonb_array_elements_text(@0::jsonb) AS d ORDER BY 1) AS j
        """);

    private static readonly Statement LockLinks = new("SELECT @0", """
        SELECT 1 FROM repository_blobs WHERE blob_id IN (SELECT b.id FROM blobs b WHERE b.digest IN (SELECT jsonb_array_elements_text(@0::jsonb)))
        ORDER BY repository_id, blob_id FOR UPDATE
        """);

    private static readonly Statement LockBlobs = new("SELECT @0", """
        SELECT 1 FROM blobs WHERE digest IN (SELECT jsonb_array_elements_text(@0::jsonb)) ORDER BY id FOR UPDATE
        """);

    private static readonly Statement SelectStillUnused = new("""
        SELECT b.id, b.digest, b.size FROM json_each(@0) j JOIN blobs b ON b.digest = j.value
        WHERE NOT EXISTS (SELECT 1 FROM manifest_blobs m WHERE m.blob_id = b.id)
            AND NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.blob_id = b.id AND l.linked_at >= @1)
            AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.committing_digest = b.digest)
        """, """
        SELECT b.id, b.digest, b.size FROM blobs b
        WHERE b.digest IN (SELECT jsonb_array_elements_text(@0::jsonb))
            AND NOT EXISTS (SELECT 1 FROM manifest_blobs m WHERE m.blob_id = b.id)
            AND NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.blob_id = b.id AND l.linked_at >= @1)
            AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.committing_digest = b.digest)
        ORDER BY b.digest
        """);

    private static readonly Statement DeleteLinks = new(
        "DELETE FROM repository_blobs WHERE blob_id IN (SELECT value ->> 'b' FROM json_each(@0))",
        "DELETE FROM repository_blobs WHERE blob_id IN (SELECT b FROM jsonb_to_recordset(@0::jsonb) AS j(b bigint))");

    private static readonly Statement DeleteBlobs = new(
        "DELETE FROM blobs WHERE id IN (SELECT value ->> 'b' FROM json_each(@0))",
        "DELETE FROM blobs WHERE id IN (SELECT b FROM jsonb_to_recordset(@0::jsonb) AS j(b bigint))");

    private static readonly Statement InsertIntents = new("""
        INSERT INTO uploads (id, repository, owner, algorithm, committing_digest, byte_offset, started_at, updated_at)
        SELECT value ->> 'i', '', @1, substr(value ->> 'd', 1, 6), value ->> 'd', value ->> 's', @2, 0 FROM json_each(@0)
        """, """
        INSERT INTO uploads (id, repository, owner, algorithm, committing_digest, byte_offset, started_at, updated_at)
        SELECT i, '', @1, substr(d, 1, 6), d, s, @2, 0 FROM jsonb_to_recordset(@0::jsonb) AS j(i text, d text, s bigint)
        """);

    private static readonly Statement SelectIntents = new(
        "SELECT id, committing_digest FROM uploads WHERE owner = @0 AND repository = '' AND committing_digest IS NOT NULL ORDER BY id LIMIT @1");

    private static readonly Statement DeleteIntents = new(
        "DELETE FROM uploads WHERE id IN (SELECT value FROM json_each(@0)) RETURNING committing_digest",
        "DELETE FROM uploads WHERE id IN (SELECT jsonb_array_elements_text(@0::jsonb)) RETURNING committing_digest");

    private static readonly Statement SelectUsed = new("""
        SELECT value FROM json_each(@0) j
        WHERE EXISTS (SELECT 1 FROM blobs b WHERE b.digest = j.value) OR EXISTS (SELECT 1 FROM uploads u WHERE u.committing_digest = j.value)
        """, """
        SELECT d FROM (SELECT jsonb_array_elements_text(@0::jsonb) AS d) AS j
        WHERE EXISTS (SELECT 1 FROM blobs b WHERE b.digest = j.d) OR EXISTS (SELECT 1 FROM uploads u WHERE u.committing_digest = j.d)
        """);
}

/// <summary>A blob whose row went.</summary>
/// <param name="IntentId">Id of the row that says its bytes may be there still.</param>
/// <param name="BlobId">Id it had.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Size">Its size in bytes, as recorded.</param>
internal sealed record RemovedBlob(
    [property: JsonPropertyName("i")] string IntentId, [property: JsonPropertyName("b")] long BlobId,
    [property: JsonPropertyName("d")] string Digest, [property: JsonPropertyName("s")] long Size);
