using Berth.Bench.Targets;

namespace Berth.Bench.Workloads;

/// <summary>Stops the server and starts it again: the time from the start of the process to the first 200 on <c>/v2/</c>.</summary>
internal sealed class StartUp() : Workload("start-up", "start to first answer", Unit.Milliseconds)
{
    internal override bool Restarts => true;

    internal override Measurement Round(Target target, TimeSpan duration)
    {
        target.Stop();
        return new Measurement(target.Start().TotalMilliseconds, 1);
    }
}
