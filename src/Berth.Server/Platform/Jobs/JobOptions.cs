namespace Berth.Server.Platform.Jobs;

/// <summary>Background jobs (section <c>jobs</c>).</summary>
public sealed record JobOptions
{
    /// <summary>Most jobs that this process runs at a time, all kinds together.</summary>
    public int MaxConcurrent { get; init; } = 16;

    /// <summary>How long a finished job and its log are kept.</summary>
    public TimeSpan KeepFinished { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How many finished jobs are kept, for each kind and outcome.</summary>
    public int MaxFinished { get; init; } = 10_000;
}
