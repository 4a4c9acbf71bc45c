using System.Data.Common;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Berth.Server.Registry;
using Microsoft.Extensions.Logging;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// Removes the bytes that a <see cref="BlobRemoval"/> names, then the removal. Bytes under a key of their own are simply deleted: no key is used twice. Those that lie by
/// digest are deleted within a transaction that keeps everybody from committing the same content meanwhile, unless somebody has or is about to.
/// A store that fails puts its removals off; nothing else waits for them.
/// </summary>
internal sealed class ByteRemoval(Database database, BlobStores stores, TimeProvider time, ILogger<ByteRemoval> logger)
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    /// <summary>Removes what is due; null when there was nothing.</summary>
    public async Task<FreedBytes?> RunAsync(int limit, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var claimed = await database.WriteAsync(Durability.Relaxed, (session, token) =>
            ClaimAsync(session, now.ToUnixTimeMilliseconds(), (now + Lease).ToUnixTimeMilliseconds(), limit, token), ct).ConfigureAwait(false);
        if (claimed.Count == 0) return null;
        var freed = new FreedBytes(0, 0, 0);
        foreach (var removal in claimed)
        {
            ct.ThrowIfCancellationRequested();
            try
            {
                freed += await RemoveAsync(removal, ct).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or DbException)
            {
                logger.NotRemoved(e, removal.Digest, removal.Store);
                await PutOffAsync(removal, ct).ConfigureAwait(false);
                freed += new FreedBytes(0, 0, 1);
            }
        }
        return freed;
    }

    /// <summary>
    /// Removes everything that there is, whoever may be at it too, but what a move has let go of for a later time; the bytes that vanished. A store that fails ends it.
    /// </summary>
    public async Task<long> RunAllAsync(int limit, CancellationToken ct)
    {
        for (var (freed, after) = (0L, 0L); ;)
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var page = await database.ReadAsync((after, (long)limit, now), static async (session, q, token) =>
                await ReadAsync(session.Command(SelectPage, q.after, q.Item2, q.now), token).ConfigureAwait(false), ct).ConfigureAwait(false);
            if (page.Count == 0) return freed;
            foreach (var removal in page) freed += (await RemoveAsync(removal, ct).ConfigureAwait(false)).Bytes;
            after = page[^1].Id;
        }
    }

    private async Task<FreedBytes> RemoveAsync(BlobRemoval removal, CancellationToken ct)
    {
        var store = stores[removal.Store];
        if (removal.Key is not { } key) return await RemoveByDigestAsync(removal, Digest.Parse(removal.Digest), ct).ConfigureAwait(false);
        var place = new BlobLocation(removal.Store, key).PlaceOf(Digest.TryParse(removal.Digest, out var digest) ? digest : default);
        var size = await store.GetSizeAsync(place, ct).ConfigureAwait(false);
        if (size is not null) await store.DeleteAsync(place, ct).ConfigureAwait(false);
        if (removal.UploadId is { } upload) await store.DeleteUploadAsync(upload, removal.UploadState, ct).ConfigureAwait(false);
        await database.WriteAsync(Durability.Relaxed, async (session, token) => await session.ExecuteAsync(Delete, [removal.Id], token).ConfigureAwait(false), ct).ConfigureAwait(false);
        return size is { } bytes ? new FreedBytes(1, bytes, 0) : new FreedBytes(0, 0, 0);
    }

    private Task<FreedBytes> RemoveByDigestAsync(BlobRemoval removal, Digest digest, CancellationToken ct) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await Rows.LockDigestAsync(session, digest.Value, token).ConfigureAwait(false);
            if (await session.ExecuteAsync(Delete, [removal.Id], token).ConfigureAwait(false) == 0) return new FreedBytes(0, 0, 0);
            if (await Rows.IsPathUsedAsync(session, digest.Value, removal.Store, token).ConfigureAwait(false)) return new FreedBytes(0, 0, 0);
            var (store, place) = (stores[removal.Store], new BlobLocation(removal.Store, null).PlaceOf(digest));
            if (await store.GetSizeAsync(place, token).ConfigureAwait(false) is not { } size) return new FreedBytes(0, 0, 0);
            await store.DeleteAsync(place, token).ConfigureAwait(false);
            return new FreedBytes(1, size, 0);
        }, ct);

    private Task PutOffAsync(BlobRemoval removal, CancellationToken ct) =>
        database.WriteAsync(Durability.Relaxed, async (session, token) =>
            await session.ExecuteAsync(PutOff, [removal.Id, (time.GetUtcNow() + Pause).ToUnixTimeMilliseconds()], token).ConfigureAwait(false), ct);

    private static Task<List<BlobRemoval>> ClaimAsync(DbSession session, long now, long until, int limit, CancellationToken ct) =>
        ReadAsync(session.Command(Claim, now, until, (long)limit), ct);

    private static async Task<List<BlobRemoval>> ReadAsync(DbCommand command, CancellationToken ct)
    {
        var removals = new List<BlobRemoval>();
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            removals.Add(new BlobRemoval
            {
                Id = rows.GetInt64(0),
                Store = rows.GetString(1),
                Key = rows.IsDBNull(2) ? null : rows.GetString(2),
                Digest = rows.GetString(3),
                Size = rows.GetInt64(4),
                UploadId = rows.IsDBNull(5) ? null : rows.GetString(5),
                UploadState = rows.IsDBNull(6) ? null : rows.GetString(6),
            });
        }
        return removals;
    }

    private static readonly Statement SelectPage = new(
        "SELECT id, store, key, digest, size, upload_id, upload_state FROM blob_removals WHERE id > @0 AND created_at <= @2 AND NOT EXISTS (SELECT 1 FROM gc_holds WHERE until > @2) ORDER BY id LIMIT @1");

    // A removal that a backup must not meet was written after the hold: whoever sees it sees the hold too.
    private static readonly Statement Claim = new("""
        UPDATE blob_removals SET due_at = @1 WHERE id IN (SELECT id FROM blob_removals WHERE due_at <= @0
          AND NOT EXISTS (SELECT 1 FROM gc_holds WHERE until > @0) ORDER BY due_at LIMIT @2)
        RETURNING id, store, key, digest, size, upload_id, upload_state
        """, """
        UPDATE blob_removals SET due_at = @1 WHERE id IN (SELECT id FROM blob_removals WHERE due_at <= @0
          AND NOT EXISTS (SELECT 1 FROM gc_holds WHERE until > @0) ORDER BY due_at LIMIT @2 FOR UPDATE SKIP LOCKED)
        RETURNING id, store, key, digest, size, upload_id, upload_state
        """);

    private static readonly Statement Delete = new("DELETE FROM blob_removals WHERE id = @0");
    private static readonly Statement PutOff = new("UPDATE blob_removals SET due_at = @1 WHERE id = @0");
}

/// <summary>What went from the stores.</summary>
/// <param name="Blobs">How many.</param>
/// <param name="Bytes">Bytes that vanished.</param>
/// <param name="Failures">How many a store did not let go of; they are tried again.</param>
internal sealed record FreedBytes(long Blobs, long Bytes, long Failures)
{
    public static FreedBytes operator +(FreedBytes a, FreedBytes b) => new(a.Blobs + b.Blobs, a.Bytes + b.Bytes, a.Failures + b.Failures);
}

internal static partial class ByteRemovalLog
{
    [LoggerMessage(1801, LogLevel.Warning, "bytes of {Digest} not removed from the store {Store}, will be tried again")]
    public static partial void NotRemoved(this ILogger logger, Exception error, string digest, string store);
}
