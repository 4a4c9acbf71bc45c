namespace Berth.Server.Platform.Health;

/// <summary>What is known of a check.</summary>
public enum HealthStatus
{
    /// <summary>It has not passed yet, and not failed often enough to count.</summary>
    Pending,

    /// <summary>It passed, or has since failed less often than its threshold.</summary>
    Ok,

    /// <summary>It failed as often in a row as its threshold says.</summary>
    Failing,
}

/// <summary>The outcome of a check's last evaluations. Immutable.</summary>
/// <param name="Status">What counts.</param>
/// <param name="Failures">Failures in a row.</param>
/// <param name="Error">The last failure; null after a success.</param>
public sealed record HealthReading(HealthStatus Status, int Failures, string? Error)
{
    /// <summary>Before the first evaluation.</summary>
    public static HealthReading None { get; } = new(HealthStatus.Pending, 0, null);

    /// <summary>Takes in one more evaluation.</summary>
    /// <param name="error">Null for a success.</param>
    /// <param name="threshold">Failures in a row that count; 0 is as 1.</param>
    public HealthReading Next(string? error, int threshold)
    {
        if (error is null) return new HealthReading(HealthStatus.Ok, 0, null);
        var failures = Failures + 1;
        return new HealthReading(failures >= threshold ? HealthStatus.Failing : Status, failures, error);
    }
}

/// <summary>One thing that is looked at again and again.</summary>
public sealed class HealthCheck
{
    private volatile HealthReading _reading = HealthReading.None;

    /// <summary>Name on <c>/health/ready</c>, which anyone may read: tells no address and no path.</summary>
    public required string Name { get; init; }

    /// <summary>Name on <c>/debug/health</c>: the one that Docker Registry gives the check.</summary>
    public required string DebugName { get; init; }

    /// <summary>Time between evaluations.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>Time limit of one evaluation.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Failures in a row before it counts.</summary>
    public required int Threshold { get; init; }

    /// <summary>One evaluation: null when all is well, else what is wrong. It may throw; the message is then what is wrong.</summary>
    public required Func<CancellationToken, ValueTask<string?>> Probe { get; init; }

    /// <summary>The last outcome.</summary>
    public HealthReading Reading => _reading;

    /// <summary>Takes in an evaluation; the reading before it.</summary>
    internal HealthReading Record(string? error)
    {
        var before = _reading;
        _reading = before.Next(error, Threshold);
        return before;
    }
}
