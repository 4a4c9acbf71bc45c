namespace Berth.Server.Platform.Jobs;

/// <summary>
/// Does the work of one kind of job. A job is run at least once: when a process is killed, another runs the job again, so a handler is safe
/// to run twice. It looks at the token often: cancelled means that somebody stopped the job, that the process stops, or that another one has the job.
/// </summary>
public interface IJobHandler
{
    /// <summary>Name in <see cref="Job.Kind"/>: small letters, digits and _.</summary>
    string Kind { get; }

    /// <summary>Most jobs of the kind that one process runs at a time.</summary>
    int MaxConcurrent { get; }

    /// <summary>Most jobs of the kind that all replicas together run at a time; null: as many as their processes allow.</summary>
    int? MaxConcurrentOverall => null;

    /// <summary>Pauses between tries.</summary>
    JobBackoff Backoff => JobBackoff.Default;

    /// <summary>One try. An exception counts as a failure that may be retried.</summary>
    Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct);
}
