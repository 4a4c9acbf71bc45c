using Berth.Server.Platform.Telemetry;

namespace Berth.Server.Platform.Jobs;

/// <summary>What this process counts of one kind of job.</summary>
internal sealed class JobCounters(LatencyHistogram durations)
{
    /// <summary>Bounds in seconds: ten milliseconds to an hour.</summary>
    public static readonly double[] Bounds = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600];

    private readonly long[] _finished = new long[(int)JobState.Cancelled + 1];
    private long _retried;

    /// <summary>Tries that failed and are repeated.</summary>
    public long RetriedCount => Interlocked.Read(ref _retried);

    public long FinishedCount(JobState state) => Interlocked.Read(ref _finished[(int)state]);

    public void Ran(TimeSpan duration) => durations.Record(duration);

    public void Retried() => Interlocked.Increment(ref _retried);

    public void Finished(JobState state) => Interlocked.Increment(ref _finished[(int)state]);
}
