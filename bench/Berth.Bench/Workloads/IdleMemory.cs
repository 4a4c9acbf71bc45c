using Berth.Bench.Targets;

namespace Berth.Bench.Workloads;

/// <summary>Resident memory of a server that was started, answered once and was then left alone for the duration of a round.</summary>
internal sealed class IdleMemory() : Workload("idle-memory", "resident memory idle", Unit.Megabytes)
{
    internal override bool Restarts => true;

    internal override Measurement Round(Target target, TimeSpan duration)
    {
        target.Stop();
        target.Start();
        Thread.Sleep(duration);
        return new Measurement(ProcessFigures.ResidentBytes(target.ProcessId!.Value) / 1e6, 1);
    }
}
