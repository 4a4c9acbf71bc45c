using Berth.Server.Platform.Telemetry;

namespace Berth.Server.GarbageCollection;

/// <summary>What this process has collected, for the metrics.</summary>
internal sealed class GarbageCounters
{
    private long _reviews;
    private long _reviewTicks;
    private long _manifests;
    private long _blobs;
    private long _objects;
    private long _bytes;
    private long _failures;

    /// <summary>Registers the metrics.</summary>
    public void AddTo(MetricRegistry metrics)
    {
        metrics.AddCounter("berth_gc_reviews_total", "Manifests and blobs that garbage collection looked at.", () => Volatile.Read(ref _reviews));
        metrics.AddCounter("berth_gc_review_seconds_total", "Time that looking at them took.", () => TimeSpan.FromTicks(Volatile.Read(ref _reviewTicks)).TotalSeconds);
        metrics.AddCounter("berth_gc_removed_manifests_total", "Untagged manifests removed.", () => Volatile.Read(ref _manifests));
        metrics.AddCounter("berth_gc_removed_blobs_total", "Blobs removed.", () => Volatile.Read(ref _blobs));
        metrics.AddCounter("berth_gc_removed_objects_total", "Objects removed from the blob stores.", () => Volatile.Read(ref _objects));
        metrics.AddCounter("berth_gc_freed_bytes_total", "Bytes freed in the blob stores.", () => Volatile.Read(ref _bytes));
        metrics.AddCounter("berth_gc_store_failures_total", "Objects that a blob store did not let go of at the first try.", () => Volatile.Read(ref _failures));
    }

    public void Reviewed(long count, TimeSpan elapsed)
    {
        Interlocked.Add(ref _reviews, count);
        if (count > 0) Interlocked.Add(ref _reviewTicks, elapsed.Ticks);
    }

    public void Removed(long manifests, long blobs, FreedBytes? freed)
    {
        Interlocked.Add(ref _manifests, manifests);
        Interlocked.Add(ref _blobs, blobs);
        if (freed is null) return;
        Interlocked.Add(ref _objects, freed.Blobs);
        Interlocked.Add(ref _bytes, freed.Bytes);
        Interlocked.Add(ref _failures, freed.Failures);
    }
}
