using System.Diagnostics;

namespace Berth.Server.Platform.Telemetry;

/// <summary>Durations sorted into buckets, in seconds, for a Prometheus histogram. Recording takes about 15 ns and no lock.</summary>
public sealed class LatencyHistogram
{
    /// <summary>Bounds in seconds for requests: half a millisecond to two minutes.</summary>
    public static readonly double[] RequestBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

    /// <summary>Bounds in seconds for database and storage work: 25 microseconds to ten seconds.</summary>
    public static readonly double[] StorageBounds =
        [0.000025, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10];

    private readonly double[] _bounds;
    private readonly long[] _boundTicks;
    private readonly StripedCounters _cells;
    private readonly int _first;

    /// <param name="bounds">Inclusive upper bounds in seconds, rising; the bucket without a bound is added.</param>
    public LatencyHistogram(IReadOnlyList<double> bounds)
        : this(bounds, new StripedCounters(CellsFor(bounds)), first: 0)
    {
    }

    /// <summary>A histogram within a row of other counters.</summary>
    internal LatencyHistogram(IReadOnlyList<double> bounds, StripedCounters cells, int first)
    {
        for (var i = 0; i < bounds.Count; i++)
        {
            if (!(bounds[i] > (i == 0 ? 0 : bounds[i - 1]))) throw new ArgumentException("bounds of a histogram rise from above zero", nameof(bounds));
        }
        _bounds = [.. bounds];
        _boundTicks = [.. bounds.Select(bound => (long)(bound * Stopwatch.Frequency))];
        _cells = cells;
        _first = first;
    }

    /// <summary>Bounds in seconds.</summary>
    public IReadOnlyList<double> Bounds => _bounds;

    internal static int CellsFor(IReadOnlyList<double> bounds) => bounds.Count + 2;

    /// <summary>Counts a duration.</summary>
    public void Record(TimeSpan duration) => RecordTicks((long)(duration.TotalSeconds * Stopwatch.Frequency));

    /// <summary>Counts the time since a <see cref="Stopwatch.GetTimestamp"/>.</summary>
    public void RecordSince(long started) => RecordTicks(Stopwatch.GetTimestamp() - started);

    /// <summary>Counts a duration in ticks of <see cref="Stopwatch"/>.</summary>
    public void RecordTicks(long ticks) => RecordTicks(_cells.Stripe(), ticks);

    internal void RecordTicks(int stripe, long ticks)
    {
        var bounds = _boundTicks;
        var bucket = 0;
        while (bucket < bounds.Length && ticks > bounds[bucket]) bucket++;
        _cells.Add(stripe, _first + 1 + bucket, 1);
        _cells.Add(stripe, _first, Math.Max(0, ticks));
    }

    /// <summary>Number of durations.</summary>
    public long Count()
    {
        long count = 0;
        for (var i = 0; i <= _bounds.Length; i++) count += InBucket(i);
        return count;
    }

    /// <summary>Sum of the durations in seconds.</summary>
    public double SumSeconds() => _cells.Sum(_first) / (double)Stopwatch.Frequency;

    /// <summary>Durations in one bucket (not cumulative); the last one, <c>Bounds.Count</c>, has no upper bound.</summary>
    public long InBucket(int bucket) => _cells.Sum(_first + 1 + bucket);
}
