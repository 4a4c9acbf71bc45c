using System.Text.Json;

namespace Berth.Server.Api;

/// <summary>Harbor's body of a schedule.</summary>
public sealed record RunSchedule
{
    public ScheduleObj? Schedule { get; init; }

    public IReadOnlyDictionary<string, JsonElement>? Parameters { get; init; }
}

/// <summary>When: Harbor's words.</summary>
public sealed record ScheduleObj
{
    /// <summary><c>Hourly</c>, <c>Daily</c>, <c>Weekly</c>, <c>Custom</c>, <c>Manual</c> (now), <c>None</c> (never).</summary>
    public string Type { get; init; } = "";

    /// <summary>Six fields, seconds first.</summary>
    public string Cron { get; init; } = "";

    public string? NextScheduledTime { get; init; }
}

/// <summary>A run in Harbor's history.</summary>
public sealed record ExecHistory
{
    public long Id { get; init; }

    public string JobName { get; init; } = "";

    public string JobKind { get; init; } = "";

    public string JobParameters { get; init; } = "";

    public ScheduleObj? Schedule { get; init; }

    public string JobStatus { get; init; } = "";

    public bool Deleted { get; init; }

    public string CreationTime { get; init; } = "";

    public string UpdateTime { get; init; } = "";
}
