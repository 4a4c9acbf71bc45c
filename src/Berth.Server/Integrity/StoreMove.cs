using System.Text.Json;
using Berth.Blobs;
using Berth.Blobs.Encryption;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Berth.Server.Registry;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Integrity;

/// <summary>What is to be moved.</summary>
public sealed record StoreMoveRequest
{
    /// <summary>Name of the store that has the blobs.</summary>
    public string From { get; init; } = "";

    /// <summary>Name of the store that gets them; the same to encrypt what is plain, or the other way round, after the setting was switched.</summary>
    public string To { get; init; } = "";

    /// <summary>Names of projects; only blobs that they hold are moved. Null or empty for all.</summary>
    public IReadOnlyList<string>? Projects { get; init; }
}

/// <summary>What a move came to.</summary>
/// <param name="Moved">Blobs moved.</param>
/// <param name="MovedBytes">Their bytes.</param>
/// <param name="Bad">Blobs that were not moved since their bytes are wrong or missing; they are quarantined.</param>
/// <param name="Failed">Blobs that were not moved since a store failed; the next try moves them.</param>
public sealed record StoreMoveResult(long Moved, long MovedBytes, long Bad, long Failed);

/// <summary>
/// Moves blobs from one store to another while they are served: 1. a verified copy is made (<see cref="BlobCopy"/>), 2. one transaction ends the copy's row, gives
/// the blob its new place, and lets go of the old bytes, 3. which stay for a while, since replicas remember places for some seconds. What is moved has another place, so
/// a move that was cut off is just begun again.
/// </summary>
internal sealed class StoreMove(
    Database database, BlobStores stores, BlobCopy copy, Quarantine quarantine, ScrubCounters counters, RedirectOptions redirect, TimeProvider time, ILogger<StoreMove> logger)
{
    private const int PageSize = 50;
    private const int AtATime = 4;

    // So many failures with no success between them are a store that is out of order.
    private const int MaxFailures = 20;

    /// <summary>How long old bytes stay at least: who reads them piece by piece comes to the end, and replicas forget where they were.</summary>
    internal static readonly TimeSpan Pause = TimeSpan.FromMinutes(10);

    /// <summary>Moves.</summary>
    /// <param name="move">What.</param>
    /// <param name="report">Told how far it is, in blobs looked at and all blobs.</param>
    /// <param name="ct">Cancels it; copies that are not done are let go of.</param>
    /// <exception cref="IOException">A store is out of order.</exception>
    public async Task<StoreMoveResult> RunAsync(StoreMoveRequest move, Action<StoreMoveResult, long, long> report, CancellationToken ct)
    {
        var projects = JsonSerializer.Serialize(move.Projects ?? [], IntegrityJson.Default.IReadOnlyListString);
        var all = (long)(move.Projects?.Count ?? 0);
        var total = await database.ReadAsync((move.From, projects, all), static (session, q, token) => session.ScalarAsync(Count, [q.From, q.projects, q.all], token), ct).ConfigureAwait(false) ?? 0;
        var (result, seen, failures, gate) = (new StoreMoveResult(0, 0, 0, 0), 0L, 0, new Lock());
        for (var after = 0L; await NextAsync(move.From, projects, all, after, ct).ConfigureAwait(false) is { Count: > 0 } page; after = page[^1].Id)
        {
            await Parallel.ForEachAsync(page, new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = ct }, async (blob, token) =>
            {
                var outcome = await TryMoveAsync(blob, move.To, () => Interlocked.Increment(ref failures) < MaxFailures, token).ConfigureAwait(false);
                lock (gate)
                {
                    seen++;
                    if (outcome == MoveOutcome.Moved) failures = 0;
                    result = outcome switch
                    {
                        MoveOutcome.Moved => result with { Moved = result.Moved + 1, MovedBytes = result.MovedBytes + blob.Size },
                        MoveOutcome.Bad => result with { Bad = result.Bad + 1 },
                        MoveOutcome.Failed => result with { Failed = result.Failed + 1 },
                        _ => result,
                    };
                }
            }).ConfigureAwait(false);
            report(result, seen, total);
        }
        return result;
    }

    // One blob that a store does not give or take keeps no other from being moved.
    private async Task<MoveOutcome> TryMoveAsync(RecordedBlob blob, string to, Func<bool> mayFail, CancellationToken ct)
    {
        try
        {
            return await MoveAsync(blob, to, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && mayFail())
        {
            logger.MoveFailed(e, blob.Digest.Value, blob.Location.Store, to);
            return MoveOutcome.Failed;
        }
    }

    private async Task<MoveOutcome> MoveAsync(RecordedBlob blob, string to, CancellationToken ct)
    {
        if (IsThere(blob, to)) return MoveOutcome.Nothing;
        // 1.
        UploadSession? copied = null;
        try
        {
            using var source = await stores.OpenReadAsync(blob.Location, blob.Digest, 0, ct).ConfigureAwait(false);
            if (source is not null) copied = await copy.RunAsync(source, blob.Digest, to, Pace.Unlimited, ct).ConfigureAwait(false);
        }
        catch (DamagedContentException e)
        {
            logger.NotMoved(e, blob.Digest.Value, blob.Location.Store);
        }
        if (copied is null) return await QuarantineAsync(blob, ct).ConfigureAwait(false) ? MoveOutcome.Bad : MoveOutcome.Nothing;
        // 2.
        return await SwitchAsync(blob, copied, copy.LocationOf(copied, blob.Digest)).ConfigureAwait(false) ? MoveOutcome.Moved : MoveOutcome.Nothing;
    }

    private bool IsThere(RecordedBlob blob, string to)
    {
        if (blob.Location.Store != to) return false;
        var place = stores[to].PlaceOf("probe", blob.Digest);
        return (place.Key is null) == (blob.Location.Key is null) && EncryptedBlobStore.IsEncrypted(place) == EncryptedBlobStore.IsEncrypted(blob.Location.PlaceOf(blob.Digest));
    }

    private Task<bool> SwitchAsync(RecordedBlob blob, UploadSession copied, BlobLocation at) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await Rows.LockDigestAsync(session, blob.Digest.Value, token).ConfigureAwait(false);
            // Whoever ends the row decides what becomes of the copy.
            if (!await UploadSessions.DeleteAsync(session, copied.Id, token).ConfigureAwait(false)) return false;
            var isMoved = await session.ExecuteAsync(Switch, [blob.Id, blob.Location.Store, blob.Location.Key, at.Store, at.Key], token).ConfigureAwait(false) == 1;
            // 3. A blob that is gone, or lies elsewhere by now, does not need the copy.
            var (left, since) = isMoved ? (blob.Location, time.GetUtcNow() + Pause + (redirect.Enabled ? redirect.Lifetime : TimeSpan.Zero)) : (at, time.GetUtcNow());
            if (at != blob.Location) await BlobRemovals.AddAsync(session, left, blob.Digest.Value, blob.Size, since.ToUnixTimeMilliseconds(), token).ConfigureAwait(false);
            return isMoved;
        }, CancellationToken.None);

    // Only what is really bad: it may have been moved or pushed meanwhile.
    private async Task<bool> QuarantineAsync(RecordedBlob blob, CancellationToken ct)
    {
        var health = await ContentCheck.RunAsync(stores, blob, Pace.Unlimited, ct).ConfigureAwait(false);
        if (health == BlobHealth.Good || !await quarantine.AddAsync(blob, health, ct).ConfigureAwait(false)) return false;
        counters.Quarantined();
        return true;
    }

    private ValueTask<List<RecordedBlob>> NextAsync(string from, string projects, long all, long after, CancellationToken ct) =>
        database.ReadAsync((from, projects, all, after), static (session, q, token) =>
            RecordedBlob.ReadAsync(session.Command(SelectNext, q.from, q.projects, q.all, q.after, (long)PageSize), token), ct);

    private enum MoveOutcome
    {
        Nothing,
        Moved,
        Bad,
        Failed,
    }

    private const string OfProjects = """
         FROM blobs b WHERE b.store = @0 AND b.quarantined_at IS NULL AND (@2 = 0 OR EXISTS (
            SELECT 1 FROM repository_blobs l JOIN repositories r ON r.id = l.repository_id JOIN projects p ON p.id = r.project_id WHERE l.blob_id = b.id AND p.name IN (
        """;

    private const string Next = "SELECT b.id, b.digest, b.size, b.store, b.key, b.quarantined_at" + OfProjects;
    private const string Behind = "))) AND b.id > @3 ORDER BY b.id LIMIT @4";
    private const string SqliteNames = "SELECT value FROM json_each(@1)";
    private const string PostgresNames = "SELECT jsonb_array_elements_text(@1::jsonb)";

    private static readonly Statement SelectNext = new(Next + SqliteNames + Behind, Next + PostgresNames + Behind);
    private static readonly Statement Count = new("SELECT count(*)" + OfProjects + SqliteNames + ")))", "SELECT count(*)" + OfProjects + PostgresNames + ")))");

    private static readonly Statement Switch = new(
        "UPDATE blobs SET store = @3, key = @4 WHERE id = @0 AND store = @1 AND key IS NOT DISTINCT FROM @2 AND quarantined_at IS NULL");
}

internal static partial class StoreMoveLog
{
    [LoggerMessage(1824, LogLevel.Warning, "blob {Digest} in the store {Store} is damaged and was not moved")]
    public static partial void NotMoved(this ILogger logger, Exception error, string digest, string store);

    [LoggerMessage(1827, LogLevel.Warning, "blob {Digest} was not moved from the store {From} to {To}, will be tried again")]
    public static partial void MoveFailed(this ILogger logger, Exception error, string digest, string from, string to);
}
