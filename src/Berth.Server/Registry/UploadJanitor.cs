using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Registry;

/// <summary>
/// Clears up behind uploads at an interval: sessions untouched for too long, and commits that a crash cut off between
/// naming the bytes and recording the blob.
/// </summary>
internal sealed class UploadJanitor(
    Database database, BlobStores stores, BlobCommit commit, RegistryOptions options, TimeProvider time, ILogger<UploadJanitor> logger) : BackgroundService
{
    private const int BatchSize = 100;

    /// <summary>Removes what has expired; the number of sessions removed.</summary>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        var removed = 0;
        var now = time.GetUtcNow();
        var before = now - options.UploadExpiry;
        var committingBefore = now - options.CommitPatience;
        while (true)
        {
            var batch = await database.ReadAsync((before, committingBefore), static (s, q, token) =>
                SelectAsync(s, q.before.ToUnixTimeMilliseconds(), q.committingBefore.ToUnixTimeMilliseconds(), token), ct).ConfigureAwait(false);
            if (options.UploadJanitorDryRun)
            {
                if (batch.Count > 0) logger.WouldRemove(batch.Count, before);
                return 0;
            }
            foreach (var upload in batch)
            {
                await RemoveAsync(upload, ct).ConfigureAwait(false);
                removed++;
            }
            if (batch.Count < BatchSize) break;
        }
        removed += await RemoveBytesWithoutSessionAsync(before, committingBefore, ct).ConfigureAwait(false);
        if (removed > 0) logger.Removed(removed, before);
        return removed;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.UploadJanitorInterval <= TimeSpan.Zero) return;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(options.UploadJanitorInterval, time, stoppingToken).ConfigureAwait(false);
                await RunAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is IOException or System.Data.Common.DbException)
            {
                // The next round tries again; nothing is lost by waiting.
                logger.RoundFailed(e);
            }
        }
    }

    // Blobs that came in one request have no session until they are complete; a crash leaves their bytes alone. In an object store every blob has a session before
    // its bytes, and what has none may be a backup that is under way, whose parts are as old as its start.
    private async Task<int> RemoveBytesWithoutSessionAsync(DateTimeOffset before, DateTimeOffset committingBefore, CancellationToken ct)
    {
        var removed = 0;
        foreach (var store in stores.Names.Select(name => stores[name]))
        {
            await foreach (var key in store.ListUploadsAsync(store.IsObjectStore ? before : committingBefore, ct).ConfigureAwait(false))
            {
                var sessionsOfKey = await database.ReadAsync(key, static (s, id, token) => s.ScalarAsync(CountSessions, [id], token), ct).ConfigureAwait(false);
                if (sessionsOfKey > 0) continue;
                await store.DeleteUploadAsync(key, null, ct).ConfigureAwait(false);
                removed++;
            }
        }
        return removed;
    }

    private async Task RemoveAsync(UploadSession upload, CancellationToken ct)
    {
        var digest = upload.CommittingDigest is { } text ? Digest.Parse(text) : default;
        var location = upload.LocationIn(stores, digest);
        if (location.Key is not null || digest.IsDefault)
        {
            await commit.GiveUpAsync(upload, digest, isStale: true).ConfigureAwait(false);
            return;
        }
        // In the transaction: no blob of that digest can be recorded, and no other commit of it can begin, while its bytes are removed.
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await Rows.LockDigestAsync(session, digest.Value, token).ConfigureAwait(false);
            if (!await UploadSessions.DeleteAsync(session, upload.Id, token).ConfigureAwait(false)) return false;
            if (!await Rows.IsPathUsedAsync(session, digest.Value, upload.Store, token).ConfigureAwait(false))
                await stores[upload.Store].DeleteAsync(location.PlaceOf(digest), token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        await stores[upload.Store].DeleteUploadAsync(upload.Id, upload.State, ct).ConfigureAwait(false);
    }

    private static async ValueTask<List<UploadSession>> SelectAsync(DbSession session, long before, long committingBefore, CancellationToken ct)
    {
        var found = new List<UploadSession>();
        await using var reader = await session.Command(SelectStale, before, committingBefore, (long)BatchSize).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            found.Add(new UploadSession
            {
                Id = reader.GetString(0),
                CommittingDigest = reader.IsDBNull(1) ? null : reader.GetString(1),
                Store = reader.GetString(2),
                State = reader.IsDBNull(3) ? null : reader.GetString(3),
                CommittingKey = reader.IsDBNull(4) ? null : reader.GetString(4),
                Repository = "",
                Owner = "",
                Algorithm = "",
            });
        }
        return found;
    }

    private static readonly Statement SelectStale = new("""
        SELECT id, committing_digest, store, state, committing_key FROM uploads
        WHERE updated_at < @0 OR (committing_digest IS NOT NULL AND updated_at < @1) ORDER BY updated_at LIMIT @2
        """);

    private static readonly Statement CountSessions = new("SELECT count(*) FROM uploads WHERE id = @0");
}

internal static partial class UploadJanitorLog
{
    [LoggerMessage(1020, LogLevel.Information, "expired uploads removed: {Count}, untouched since {Before}")]
    public static partial void Removed(this ILogger logger, int count, DateTimeOffset before);

    [LoggerMessage(1021, LogLevel.Information, "expired uploads found: {Count} or more, untouched since {Before}; kept in dry run")]
    public static partial void WouldRemove(this ILogger logger, int count, DateTimeOffset before);

    [LoggerMessage(1022, LogLevel.Warning, "upload clean-up failed, will be tried again")]
    public static partial void RoundFailed(this ILogger logger, Exception error);
}
