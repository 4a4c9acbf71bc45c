namespace Berth.Server.Platform.Jobs;

/// <summary>How one try of a job ended.</summary>
public sealed record JobOutcome
{
    private JobOutcome(string? error, bool mayRetry, TimeSpan? retryAfter)
    {
        Error = error;
        MayRetry = mayRetry;
        RetryAfter = retryAfter;
    }

    /// <summary>The work is done.</summary>
    public static JobOutcome Done { get; } = new(null, mayRetry: false, retryAfter: null);

    /// <summary>Why not; null when it is done.</summary>
    public string? Error { get; }

    internal bool MayRetry { get; }

    internal TimeSpan? RetryAfter { get; }

    /// <summary>The job has not failed and is not done.</summary>
    internal bool IsWaiting { get; private init; }

    /// <summary>It failed and may succeed later: tried again after the back-off, or after the pause, until the job's attempts are used up.</summary>
    public static JobOutcome Retry(string error, TimeSpan? after = null) => new(error, mayRetry: true, after);

    /// <summary>
    /// Nothing can be done until somebody else is ready: the job is run again after the pause, and keeps no worker busy meanwhile. It counts as no failure; the handler bounds how often it waits.
    /// </summary>
    public static JobOutcome Wait(TimeSpan pause) => new(null, mayRetry: true, pause) { IsWaiting = true };

    /// <summary>It failed for good.</summary>
    public static JobOutcome Fail(string error) => new(error, mayRetry: false, retryAfter: null);
}
