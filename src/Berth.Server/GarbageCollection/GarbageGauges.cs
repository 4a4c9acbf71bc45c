using Berth.Server.Platform.Data;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Registry;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// The queues of garbage collection on the metrics page, of all replicas: reviews of manifests and blobs, and bytes to be removed. Read when the page is asked for,
/// at most every <see cref="ReadEvery"/>.
/// </summary>
internal sealed class GarbageGauges(Database database, GarbageOptions options, TimeProvider time)
{
    /// <summary>How old the figures may be.</summary>
    public static readonly TimeSpan ReadEvery = TimeSpan.FromSeconds(15);

    private Queue[] _queues = [];
    private long _readAt;

    /// <summary>Puts the figures on the page.</summary>
    public void AddTo(MetricRegistry metrics)
    {
        metrics.AddRefresh(RefreshAsync);
        metrics.AddGauges("berth_gc_queue", "Manifests and blobs that garbage collection is to look at, and objects that it is to remove.",
            () => _queues.Select(queue => new MetricSample(queue.Waiting, ("kind", queue.Kind))));
        metrics.AddGauges("berth_gc_queue_due", "Those of them whose delay is over.", () => _queues.Select(queue => new MetricSample(queue.Due, ("kind", queue.Kind))));
        metrics.AddGauges("berth_gc_overdue_seconds", "How long the oldest of them has been due.", () =>
            _queues.Select(queue => new MetricSample(queue.OverdueMilliseconds / 1000.0, ("kind", queue.Kind))));
    }

    private async ValueTask RefreshAsync(CancellationToken ct)
    {
        var at = time.GetTimestamp();
        if (_readAt != 0 && time.GetElapsedTime(_readAt, at) < ReadEvery) return;
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        _queues = await database.ReadAsync((Now: now, BlobsSince: now - (long)options.Delay.TotalMilliseconds), static async (session, times, token) => new[]
        {
            await CountAsync(session, "manifest", CountManifests, times.Now, token).ConfigureAwait(false),
            await CountAsync(session, "blob", CountBlobs, times.BlobsSince, token).ConfigureAwait(false),
            await CountAsync(session, "object", CountObjects, times.Now, token).ConfigureAwait(false),
        }, ct).ConfigureAwait(false);
        _readAt = at;
    }

    private static async ValueTask<Queue> CountAsync(DbSession session, string kind, Statement count, long dueUntil, CancellationToken ct)
    {
        await using var rows = await session.Command(count, dueUntil).ExecuteReaderAsync(ct).ConfigureAwait(false);
        await rows.ReadAsync(ct).ConfigureAwait(false);
        return new Queue(kind, rows.GetInt64(0), rows.GetInt64(1), rows.IsDBNull(2) ? 0 : Math.Max(0, dueUntil - rows.GetInt64(2)));
    }

    private static readonly Statement CountManifests = new(
        "SELECT (SELECT COUNT(*) FROM manifest_reviews), COUNT(*), MIN(look_from) FROM manifest_reviews WHERE look_from <= @0");

    private static readonly Statement CountBlobs = new(
        "SELECT (SELECT COUNT(*) FROM blob_reviews), COUNT(*), MIN(since) FROM blob_reviews WHERE since <= @0");

    private static readonly Statement CountObjects = new(
        "SELECT (SELECT COUNT(*) FROM blob_removals), COUNT(*), MIN(due_at) FROM blob_removals WHERE due_at <= @0");

    private sealed record Queue(string Kind, long Waiting, long Due, long OverdueMilliseconds);
}
