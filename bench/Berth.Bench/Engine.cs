using System.Diagnostics;
using Berth.Bench.Targets;
using Berth.Bench.Wire;
using Berth.Bench.Workloads;

namespace Berth.Bench;

/// <summary>One round: the figure, and the processor time that server and generator took for it (server: null when it is not known).</summary>
internal sealed record RoundFigures(double Value, long Operations, TimeSpan Elapsed, TimeSpan? ServerTime, TimeSpan GeneratorTime, TimeSpan MachineTime)
{
    /// <summary>The part of the machine's processors that neither server nor generator used, 0 to 1; null when the server is not known.</summary>
    internal double? OthersShare => ServerTime is { } server
        ? Math.Max(0, (MachineTime - server - GeneratorTime) / (Elapsed * Environment.ProcessorCount))
        : null;
}

/// <summary>All rounds of one workload against one target. Memory is in bytes and null when the process is not known.</summary>
internal sealed record TargetFigures(string Target, RoundFigures WarmUp, IReadOnlyList<RoundFigures> Rounds, long? PeakBytes, long? ResidentBytes)
{
    internal double Median { get; } = Statistics.Median(Rounds.Select(r => r.Value));
}

/// <summary>One workload against all targets, in the order of the command line.</summary>
internal sealed record WorkloadFigures(Workload Workload, IReadOnlyList<TargetFigures> Targets);

/// <summary>Runs workloads against the targets in alternating rounds: A B A B …, so that what drifts on the machine drifts for both.</summary>
internal sealed class Engine(BenchOptions options, IReadOnlyList<Target> targets)
{
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(200);

    /// <summary>Measures one workload; null when a target cannot take part in it.</summary>
    internal WorkloadFigures? Run(Workload workload)
    {
        if (workload.Restarts && targets.FirstOrDefault(t => !t.CanRestart) is { } fixedTarget)
        {
            Log($"{workload.Name}: left out, {fixedTarget.Name} has no --start");
            return null;
        }

        foreach (var target in targets) Prepare(workload, target);
        if (!workload.Restarts) ForgetPeaks();

        var rounds = targets.ToDictionary(t => t, _ => new List<RoundFigures>());
        for (var round = 0; round <= Math.Min(options.Rounds, workload.MaxRounds); round++)
        {
            foreach (var target in targets) rounds[target].Add(Round(workload, target));
            Log($"{workload.Name}: {(round == 0 ? "warm-up" : $"round {round}")}: " +
                string.Join(", ", targets.Select(t => $"{t.Name} {rounds[t][^1].Value:0.#}")));
        }

        var figures = targets.Select(t => new TargetFigures(t.Name, rounds[t][0], rounds[t][1..],
            Memory(t, ProcessFigures.PeakBytes), Memory(t, ProcessFigures.ResidentBytes))).ToArray();
        if (workload.LeavesBytes) Clean();
        return new WorkloadFigures(workload, figures);
    }

    /// <summary>Seeds one target and says so when it took its time.</summary>
    internal static void Prepare(Workload workload, Target target)
    {
        var start = Stopwatch.GetTimestamp();
        workload.Prepare(target);
        var elapsed = Stopwatch.GetElapsedTime(start);
        if (elapsed > Settle) Log($"{workload.Name}: prepared {target.Name} in {elapsed.TotalSeconds:0.0} s");
    }

    private static long? Memory(Target target, Func<int, long> read) => target.ProcessId is { } pid ? read(pid) : null;

    private static void Log(string line) => Console.Error.WriteLine(line);

    private RoundFigures Round(Workload workload, Target target)
    {
        workload.Arrange(target, options.RoundDuration);
        GC.Collect();
        Thread.Sleep(Settle);
        var server = workload.Restarts ? null : target.ProcessId;
        var serverBefore = server is { } pid ? ProcessFigures.ProcessorTime(pid) : TimeSpan.Zero;
        var ownBefore = Environment.CpuUsage.TotalTime;
        var machineBefore = ProcessFigures.MachineTime();
        var start = Stopwatch.GetTimestamp();
        var measured = workload.Round(target, options.RoundDuration);
        var elapsed = Stopwatch.GetElapsedTime(start);
        var machine = ProcessFigures.MachineTime() - machineBefore;
        var own = Environment.CpuUsage.TotalTime - ownBefore;
        TimeSpan? serverTime = server is { } same ? ProcessFigures.ProcessorTime(same) - serverBefore : null;
        workload.Check(target);
        if (workload.LeavesBytes) Libc.Sync();
        return new RoundFigures(measured.Value, measured.Operations, elapsed, serverTime, own, machine);
    }

    private void ForgetPeaks()
    {
        foreach (var target in targets)
        {
            if (target.ProcessId is { } pid) ProcessFigures.ForgetPeak(pid);
        }
    }

    private void Clean()
    {
        foreach (var target in targets)
        {
            if (target.CanRestart && target.Options.DataFolder.Length > 0) target.Reset();
        }
    }
}
