using Berth.Bench.Targets;

namespace Berth.Bench.Workloads;

internal enum Unit
{
    PerSecond,
    MegabytesPerSecond,
    Milliseconds,
    Megabytes,
}

/// <summary>What one round found: the figure in the workload's unit, and how many operations it was taken from.</summary>
internal sealed record Measurement(double Value, long Operations);

/// <summary>
/// One kind of work. <see cref="Prepare"/> runs once a target, then for each round <see cref="Arrange"/>, <see cref="Round"/> and <see cref="Check"/>;
/// only <see cref="Round"/> is measured. Each throws <see cref="IOException"/> when the registry does not answer as it must.
/// </summary>
internal abstract class Workload(string name, string title, Unit unit)
{
    /// <summary>The word for <c>--only</c> and the JSON report.</summary>
    internal string Name { get; } = name;

    internal string Title { get; } = title;

    internal Unit Unit { get; } = unit;

    /// <summary>True when each round leaves gigabytes in the registry: then data is synced after each round and removed after the last.</summary>
    internal virtual bool LeavesBytes => false;

    /// <summary>Counted rounds at most, whatever was asked for.</summary>
    internal virtual int MaxRounds => int.MaxValue;

    /// <summary>True when a round starts a new server process, so that processor time and peak are not those of the work.</summary>
    internal virtual bool Restarts => false;

    /// <summary>Puts the data set into the registry unless it is there, and reads it back to see that it is right.</summary>
    internal virtual void Prepare(Target target)
    {
    }

    /// <summary>Makes the content of the next round.</summary>
    internal virtual void Arrange(Target target, TimeSpan duration)
    {
    }

    internal abstract Measurement Round(Target target, TimeSpan duration);

    /// <summary>Reads back a sample of what the round wrote.</summary>
    internal virtual void Check(Target target)
    {
    }
}
