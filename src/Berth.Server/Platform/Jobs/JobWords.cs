using Berth.Server.Platform.Text;

namespace Berth.Server.Platform.Jobs;

/// <summary>Jobs in Harbor's words, as its API shows them: kinds, states, triggers, times, logs.</summary>
public static class JobWords
{
    /// <summary>Harbor's status of a job: <c>Pending</c>, <c>Scheduled</c> (not before a time), <c>Running</c>, <c>Success</c>, <c>Error</c> or <c>Stopped</c>.</summary>
    public static string StatusOf(Job job, DateTimeOffset now) => job.State switch
    {
        JobState.Pending when job.DueAt > now.ToUnixTimeMilliseconds() => "Scheduled",
        JobState.Pending or JobState.Waiting => "Pending",
        JobState.Running => "Running",
        JobState.Succeeded => "Success",
        JobState.Failed => "Error",
        JobState.Cancelled => "Stopped",
        _ => throw new ArgumentOutOfRangeException(nameof(job), job.State, "unknown state"),
    };

    /// <summary>The states that a status of Harbor may mean; null when it is none. Small and large letters are the same.</summary>
    public static IReadOnlyList<JobState>? StatesOf(string status) => status.ToUpperInvariant() switch
    {
        "PENDING" => [JobState.Pending, JobState.Waiting],
        "SCHEDULED" => [JobState.Pending],
        "RUNNING" => [JobState.Running],
        "SUCCESS" => [JobState.Succeeded],
        "ERROR" => [JobState.Failed],
        "STOPPED" => [JobState.Cancelled],
        _ => null,
    };

    /// <summary>Harbor's word for what made a job.</summary>
    public static string TriggerOf(JobTrigger trigger) => trigger switch
    {
        JobTrigger.Schedule => "SCHEDULE",
        JobTrigger.Event => "EVENT",
        _ => "MANUAL",
    };

    /// <summary>Kind of a job as Harbor writes it: <c>PURGE_AUDIT_LOG</c>.</summary>
    public static string TypeOf(string kind) => kind.ToUpperInvariant();

    /// <summary>The kind of such a word.</summary>
    public static string KindOf(string type) => type.ToLowerInvariant();

    /// <summary>A time as Harbor writes it; that of year one for none, as Go has it.</summary>
    /// <param name="at">Unix milliseconds.</param>
    public static string TimeOf(long? at) => at is { } ms and < long.MaxValue ? UtcText.Of(ms) : "0001-01-01T00:00:00.000Z";

    /// <summary>Lines of a job's log as text.</summary>
    public static string LogOf(IEnumerable<JobLogLine> lines) => string.Concat(lines.Select(l => $"{TimeOf(l.At)} {l.Text}\n"));
}
