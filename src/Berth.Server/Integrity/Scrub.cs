using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Integrity;

/// <summary>
/// Reads the bytes of all blobs again, in the order of their ids, at a limited rate, and quarantines those that are wrong or missing. A pass is done in slices: a
/// slice goes on behind the cursor of the last one, whichever process did it.
/// </summary>
internal sealed class Scrub(
    Database database, BlobStores stores, Quarantine quarantine, BlobRepair repair, ScrubCounters counters, ScrubOptions options, TimeProvider time, ILogger<Scrub> logger)
{
    private const int PageSize = 20;

    /// <summary>Goes on with the present pass, or begins the next when its time has come.</summary>
    /// <param name="limit">When to stop, after a page.</param>
    /// <param name="tell">Told what is bad.</param>
    /// <param name="report">Told how far it is.</param>
    /// <param name="ct">Cancels; the page that was begun is done again.</param>
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
            var bad = 0;
            foreach (var blob in page)
            {
                if (!blob.IsQuarantined && !await IsGoodAsync(blob, pace, tell, ct).ConfigureAwait(false)) bad++;
            }
            var next = page.Count == 0
                ? state with { FinishedAt = Now }
                : state with { Cursor = page[^1].Id, Blobs = state.Blobs + page.Count, Bad = state.Bad + bad };
            // Another process goes on from here.
            if (await state.MoveAsync(database, next, ct).ConfigureAwait(false) is not { } moved) return state;
            state = moved;
            report(state);
        }
        counters.InQuarantine = await database.ReadAsync(0, static (session, _, token) => session.ScalarAsync(CountQuarantined, [], token), ct).ConfigureAwait(false) ?? 0;
        return state;
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task<bool> IsGoodAsync(RecordedBlob blob, Pace pace, Action<string> tell, CancellationToken ct)
    {
        BlobHealth health;
        try
        {
            health = await ContentCheck.RunAsync(stores, blob, pace, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nothing is known of it: the next pass looks again.
            counters.Failed();
            logger.NotRead(e, blob.Digest.Value, blob.Location.Store);
            return true;
        }
        counters.Checked(blob.Size);
        if (health == BlobHealth.Good || !await quarantine.AddAsync(blob, health, ct).ConfigureAwait(false)) return true;
        counters.Quarantined();
        logger.Quarantined(blob.Digest.Value, blob.Location.Store, health);
        var isHealed = await repair.TryAsync(blob with { IsQuarantined = true }, pace, ct).ConfigureAwait(false);
        tell($"{blob.Digest} in the store {blob.Location.Store}: {health}; {(isHealed ? "repaired from another store" : "quarantined until the same content is pushed")}");
        return false;
    }

    private static readonly Statement CountQuarantined = new("SELECT count(*) FROM blobs WHERE quarantined_at IS NOT NULL");
}

internal static partial class ScrubLog
{
    [LoggerMessage(1822, LogLevel.Warning, "blob {Digest} could not be read again: the store {Store} failed")]
    public static partial void NotRead(this ILogger logger, Exception error, string digest, string store);

    [LoggerMessage(1823, LogLevel.Error, "blob {Digest} in the store {Store} is quarantined: {Health}")]
    public static partial void Quarantined(this ILogger logger, string digest, string store, BlobHealth health);
}
