namespace Berth.Server.Platform.Jobs;

/// <summary>States and triggers of jobs in Harbor's words, as its API shows them.</summary>
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
}
