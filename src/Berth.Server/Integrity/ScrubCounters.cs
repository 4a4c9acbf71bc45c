using Berth.Server.Platform.Telemetry;

namespace Berth.Server.Integrity;

/// <summary>What this process has read again, for the metrics.</summary>
internal sealed class ScrubCounters
{
    private long _blobs;
    private long _bytes;
    private long _quarantined;
    private long _healed;
    private long _failures;

    /// <summary>Blobs that are quarantined, of all replicas; as of the last slice.</summary>
    public long InQuarantine
    {
        get => Volatile.Read(ref field);
        set => Volatile.Write(ref field, value);
    }

    /// <summary>Registers the metrics.</summary>
    public void AddTo(MetricRegistry metrics)
    {
        metrics.AddCounter("berth_scrub_blobs_total", "Blobs whose bytes were read again and held against their digests.", () => Volatile.Read(ref _blobs));
        metrics.AddCounter("berth_scrub_bytes_total", "Bytes read for it.", () => Volatile.Read(ref _bytes));
        metrics.AddCounter("berth_scrub_quarantined_total", "Blobs whose bytes were wrong or missing.", () => Volatile.Read(ref _quarantined));
        metrics.AddCounter("berth_scrub_healed_total", "Quarantined blobs that were repaired from a store.", () => Volatile.Read(ref _healed));
        metrics.AddCounter("berth_scrub_store_failures_total", "Blobs that could not be read since their store was out of order.", () => Volatile.Read(ref _failures));
        metrics.AddGauge("berth_scrub_quarantined_blobs", "Blobs in quarantine when this process last worked on a pass.", () => InQuarantine);
    }

    public void Checked(long bytes)
    {
        Interlocked.Increment(ref _blobs);
        Interlocked.Add(ref _bytes, bytes);
    }

    public void Quarantined() => Interlocked.Increment(ref _quarantined);

    public void Healed() => Interlocked.Increment(ref _healed);

    public void Failed() => Interlocked.Increment(ref _failures);
}
