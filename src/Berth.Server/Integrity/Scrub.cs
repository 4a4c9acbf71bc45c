using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Integrity;

/// <summary>
/// Reads the bytes of all blobs again, in the order of their ids, at a limited rate, and quarantines those that are wrong or missing. A pass is done in slices: a
/// slice goes on behind the cursor of the last one, whichever process did it. Store failures quarantine nothing.
/// </summary>
internal sealed class Scrub(
    Database database, BlobStores stores, Quarantine quarantine, BlobRepair repair, ScrubCounters counters, ScrubOptions options, TimeProvider time, ILogger<Scrub> logger)
{
    private const int PageSize = 20;

    // After so much what was found is written down, however few blobs it was.
    private const long BytesAtOnce = 256 << 20;

    // So many blobs of one store, all missing and none there, are a folder that is not mounted, or another bucket, rather than lost.
    private const int SuspiciouslyMany = 10;

    /// <summary>Goes on with the present pass, or begins the next when its time has come.</summary>
    /// <param name="limit">When to stop, after some blobs.</param>
    /// <param name="tell">Told what is bad.</param>
    /// <param name="report">Told how far it is.</param>
    /// <param name="ct">Cancels; the blobs that were not written down are looked at again.</param>
    public async Task<ScrubState> RunAsync(TimeSpan limit, Action<string> tell, Action<ScrubState> report, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var pace = new Pace(options.BytesPerSecond, time);
        var state = await ScrubState.ReadAsync(database, ct).ConfigureAwait(false);
        if (!state.IsDue(options.Interval, time.GetUtcNow())) return state;
        if (state.FinishedAt is not null || state.StartedAt == 0)
        {
            await repair.RunAsync(pace, ct).ConfigureAwait(false);
            if (await state.MoveAsync(database, new ScrubState { StartedAt = Now }, ct).ConfigureAwait(false) is not { } begun) return state;
            state = begun;
        }
        while (state.FinishedAt is null && time.GetElapsedTime(started) < limit)
        {
            var page = await RecordedBlob.NextAsync(database, state.Cursor, PageSize, ct).ConfigureAwait(false);
            if (await LookAsync(page, pace, ct).ConfigureAwait(false) is not { } looked)
            {
                tell("a store is out of order, or has none of its blobs: the next slice begins here again");
                break;
            }
            var bad = 0;
            foreach (var (blob, health) in looked)
            {
                if (health is BlobHealth.Missing or BlobHealth.Wrong && await TakeOutAsync(blob, health.Value, pace, tell, ct).ConfigureAwait(false)) bad++;
            }
            var next = looked.Count == 0
                ? state with { FinishedAt = Now }
                : state with { Cursor = looked[^1].Blob.Id, Blobs = state.Blobs + looked.Count, Bad = state.Bad + bad };
            // Another process goes on from here.
            if (await state.MoveAsync(database, next, ct).ConfigureAwait(false) is not { } moved) return state;
            state = moved;
            report(state);
        }
        counters.InQuarantine = await database.ReadAsync(0, static (session, _, token) => session.ScalarAsync(CountQuarantined, [], token), ct).ConfigureAwait(false) ?? 0;
        return state;
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    // The first blobs of a page, with what is known of each; null when a store says that it is not the time to look.
    private async Task<List<(RecordedBlob Blob, BlobHealth? Health)>?> LookAsync(List<RecordedBlob> page, Pace pace, CancellationToken ct)
    {
        var looked = new List<(RecordedBlob Blob, BlobHealth? Health)>(page.Count);
        var bytes = 0L;
        foreach (var blob in page.TakeWhile(_ => bytes < BytesAtOnce))
        {
            bytes += blob.Size;
            var health = blob.IsQuarantined ? null : await HealthAsync(blob, pace, ct).ConfigureAwait(false);
            if (health is null && !blob.IsQuarantined && !await AnswersAsync(blob.Location.Store, ct).ConfigureAwait(false)) return null;
            looked.Add((blob, health));
        }
        foreach (var store in looked.Where(l => l.Health is not null).GroupBy(l => l.Blob.Location.Store))
        {
            if (store.Count() < SuspiciouslyMany || store.Any(l => l.Health != BlobHealth.Missing)) continue;
            counters.Failed();
            logger.AllMissing(store.Key, store.Count());
            return null;
        }
        return looked;
    }

    // Null when its store did not let it be read.
    private async Task<BlobHealth?> HealthAsync(RecordedBlob blob, Pace pace, CancellationToken ct)
    {
        try
        {
            var health = await ContentCheck.RunAsync(stores, blob, pace, ct).ConfigureAwait(false);
            counters.Checked(blob.Size);
            return health;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            counters.Failed();
            logger.NotRead(e, blob.Digest.Value, blob.Location.Store);
            return null;
        }
    }

    // One blob that cannot be read is left to the next pass, as is a store that nobody has; a store that is away is waited for.
    private async Task<bool> AnswersAsync(string store, CancellationToken ct)
    {
        if (!stores.Has(store)) return true;
        try
        {
            await stores[store].ProbeAsync(ct).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.StoreAway(e, store);
            return false;
        }
    }

    private async Task<bool> TakeOutAsync(RecordedBlob blob, BlobHealth health, Pace pace, Action<string> tell, CancellationToken ct)
    {
        if (!await quarantine.AddAsync(blob, health, ct).ConfigureAwait(false)) return false;
        counters.Quarantined();
        logger.Quarantined(blob.Digest.Value, blob.Location.Store, health);
        var isHealed = await repair.TryAsync(blob with { IsQuarantined = true }, pace, ct).ConfigureAwait(false);
        tell($"{blob.Digest} in the store {blob.Location.Store}: {health}; {(isHealed ? "repaired" : "quarantined until the same content is pushed")}");
        return true;
    }

    private static readonly Statement CountQuarantined = new("SELECT count(*) FROM blobs WHERE quarantined_at IS NOT NULL");
}

internal static partial class ScrubLog
{
    [LoggerMessage(1822, LogLevel.Warning, "blob {Digest} could not be read again: the store {Store} failed")]
    public static partial void NotRead(this ILogger logger, Exception error, string digest, string store);

    [LoggerMessage(1825, LogLevel.Warning, "scrub paused: the store {Store} does not work, will be tried again")]
    public static partial void StoreAway(this ILogger logger, Exception error, string store);

    [LoggerMessage(1826, LogLevel.Error, "scrub paused: all of {Count} blobs are missing in the store {Store}, see whether it is mounted and the right one; if they are lost, run berth fsck --repair")]
    public static partial void AllMissing(this ILogger logger, string store, int count);

    [LoggerMessage(1823, LogLevel.Error, "blob {Digest} in the store {Store} is quarantined: {Health}")]
    public static partial void Quarantined(this ILogger logger, string digest, string store, BlobHealth health);
}
