namespace Berth.Server.Scanning.PullGate;

/// <summary>Totals since the start, for the metrics page.</summary>
internal sealed class GateCounters
{
    private long _passed;
    private long _refused;
    private long _warned;

    /// <summary>Pulls of images that a gate let pass.</summary>
    public long Passed => Interlocked.Read(ref _passed);

    /// <summary>Pulls that were refused.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Pulls that would have been refused if the gate were enforced.</summary>
    public long Warned => Interlocked.Read(ref _warned);

    public void CountPassed() => Interlocked.Increment(ref _passed);

    public void CountRefused() => Interlocked.Increment(ref _refused);

    public void CountWarned() => Interlocked.Increment(ref _warned);
}
