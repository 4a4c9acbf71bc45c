using System.Data.Common;
using Berth.Server.Platform.Telemetry;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Jobs;

/// <summary>
/// One try of one job. It
/// <list type="number">
/// <item>ends a job that was stopped before it began, or that too many processes did not survive,</item>
/// <item>runs the handler while the lease is renewed and the notes are written,</item>
/// <item>and writes what came of it: done, failed, tried again later, stopped, or given back.</item>
/// </list>
/// When the lease is lost it writes nothing: another process has the job.
/// </summary>
#pragma warning disable CA1001 // The token source has neither timer nor handle, and may be cancelled by others at any time: it is left to the collector.
internal sealed class JobExecution(LeasedJob job, IJobHandler handler, JobLeases leases, JobCounters counters, TimeProvider time, Random random, ILogger log)
#pragma warning restore CA1001
{
    /// <summary>Starts that were cut off after which a job is taken for the cause.</summary>
    public const int MaxLosses = 20;

    private const int MaxErrorLength = 4_000;

    // How old a note may get before others see it.
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RenewEvery = JobLeases.LeaseTime / 4;

    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _given = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly JobRun _run = new(job, time);
    private DateTimeOffset _renewedAt = time.GetUtcNow();
    private int _reason;

    private enum StopReason
    {
        None,
        CancelRequested,
        ProcessStops,
        LeaseLost,
    }

    /// <summary>Ends when nothing of this try runs any more.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    private StopReason Reason => (StopReason)Volatile.Read(ref _reason);

    /// <summary>Begins, on another thread.</summary>
    /// <param name="before">An earlier try of the same job in this process, whose lease is lost: it ends first.</param>
    /// <param name="after">Run at the end.</param>
    public void Start(JobExecution? before, Action after)
    {
        before?.Abandon();
        Ended = Task.Run(async () =>
        {
            try
            {
                if (before is not null) await before.Ended.ConfigureAwait(false);
                await RunAsync().ConfigureAwait(false);
            }
            finally
            {
                after();
            }
        }, CancellationToken.None);
    }

    /// <summary>Somebody wants the job to stop.</summary>
    public void Cancel() => Stop(StopReason.CancelRequested);

    /// <summary>The process stops: the job is given back when its handler lets go.</summary>
    public void GiveBack() => Stop(StopReason.ProcessStops);

    /// <summary>Writes nothing more: the lease is another's, or the process is at its end.</summary>
    public void Abandon()
    {
        Interlocked.Exchange(ref _reason, (int)StopReason.LeaseLost);
        _given.TrySetResult();
        _stop.Cancel();
    }

    private void Stop(StopReason reason)
    {
        if (Interlocked.CompareExchange(ref _reason, (int)reason, (int)StopReason.None) == (int)StopReason.None) _stop.Cancel();
    }

    private async Task RunAsync()
    {
        var started = time.GetTimestamp();
        // 1.
        if (job.CancelRequested)
        {
            await FinishAsync(JobState.Cancelled, error: null).ConfigureAwait(false);
            return;
        }
        if (job.Attempts - job.Failures > MaxLosses)
        {
            await FinishAsync(JobState.Failed, $"given up: it was started {job.Attempts} times, and {job.Attempts - job.Failures - 1} times its process ended before it did").ConfigureAwait(false);
            return;
        }
        // 2.
        using var span = Tracing.Source.StartActivity("job " + job.Kind);
        var work = Task.Run(() => handler.RunAsync(_run, _stop.Token), CancellationToken.None);
        await KeepAsync(work).ConfigureAwait(false);
        var outcome = await OutcomeAsync(work).ConfigureAwait(false);
        counters.Ran(time.GetElapsedTime(started));
        // 3.
        if (Reason == StopReason.LeaseLost)
            log.JobAbandoned(job.Id, job.Kind);
        else if (outcome is { IsWaiting: true } && Reason == StopReason.None)
            await WriteAsync(notes => leases.WaitAsync(job, outcome.RetryAfter!.Value, notes, CancellationToken.None)).ConfigureAwait(false);
        else if (outcome is { IsWaiting: true } && Reason == StopReason.ProcessStops)
            await WriteAsync(notes => leases.ReleaseAsync(job, notes, CancellationToken.None)).ConfigureAwait(false);
        else if (outcome is { Error: null, IsWaiting: false })
            await FinishAsync(JobState.Succeeded, error: null).ConfigureAwait(false);
        else if (Reason == StopReason.CancelRequested)
            await FinishAsync(JobState.Cancelled, outcome?.Error).ConfigureAwait(false);
        else if (outcome is null)
            await WriteAsync(notes => leases.ReleaseAsync(job, notes, CancellationToken.None)).ConfigureAwait(false);
        else
            await FailAsync(outcome).ConfigureAwait(false);
    }

    private async Task FailAsync(JobOutcome outcome)
    {
        var error = Short(outcome.Error!);
        var failures = job.Failures + 1;
        if (!outcome.MayRetry || failures >= job.MaxAttempts)
        {
            log.JobFailed(job.Id, job.Kind, job.Attempts, error);
            await FinishAsync(JobState.Failed, error).ConfigureAwait(false);
            return;
        }
        var pause = outcome.RetryAfter ?? handler.Backoff.After(failures, random.NextDouble());
        log.JobRetried(job.Id, job.Kind, job.Attempts, pause, error);
        counters.Retried();
        await WriteAsync(notes => leases.RetryAsync(job, pause, error, notes, CancellationToken.None)).ConfigureAwait(false);
    }

    private async Task FinishAsync(JobState state, string? error)
    {
        counters.Finished(state);
        await WriteAsync(notes => leases.FinishAsync(job, state, error is null ? null : Short(error), notes, CancellationToken.None)).ConfigureAwait(false);
    }

    /// <summary>The handler's outcome; null when it let go because it was told to stop.</summary>
    private async Task<JobOutcome?> OutcomeAsync(Task<JobOutcome> work)
    {
        try
        {
            return await work.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e)
        {
            // A handler is another feature's code: whatever it throws is this job's failure and nothing else's.
            log.JobThrew(e, job.Id, job.Kind);
            return JobOutcome.Retry(e.Message.Length > 0 ? e.Message : e.GetType().Name);
        }
    }

    /// <summary>Renews the lease and writes notes until the handler is done, or the lease is lost and the handler let go.</summary>
    private async Task KeepAsync(Task work)
    {
        while (!work.IsCompleted && Reason != StopReason.LeaseLost)
        {
            using (var tick = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken.None))
            {
                await Task.WhenAny(work, _given.Task, Task.Delay(Tick, time, tick.Token)).ConfigureAwait(false);
                await tick.CancelAsync().ConfigureAwait(false);
            }
            if (work.IsCompleted || Reason == StopReason.LeaseLost) break;
            try
            {
                await BeatAsync().ConfigureAwait(false);
            }
            catch (DbException e)
            {
                log.LeaseNotRenewed(e, job.Id, job.Kind);
                // From here on another process may have it, as soon as the database is back.
                if (time.GetUtcNow() - _renewedAt >= JobLeases.LeaseTime) Abandon();
            }
        }
        await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task BeatAsync()
    {
        if (time.GetUtcNow() - _renewedAt >= RenewEvery)
        {
            var now = time.GetUtcNow();
            switch (await leases.RenewAsync(job, CancellationToken.None).ConfigureAwait(false))
            {
                case null: Abandon(); return;
                case true: Cancel(); break;
            }
            _renewedAt = now;
        }
        if (_run.Unwritten() is not { } notes) return;
        if (await leases.NoteAsync(job, notes, CancellationToken.None).ConfigureAwait(false)) _run.Written(notes);
        else Abandon();
    }

    /// <summary>The last write. The database may be away for a moment: it is tried as long as the lease lasts, then the job is run again.</summary>
    private async Task WriteAsync(Func<JobNotes?, Task<bool>> write)
    {
        while (Reason != StopReason.LeaseLost)
        {
            try
            {
                if (!await write(_run.Unwritten()).ConfigureAwait(false)) log.JobAbandoned(job.Id, job.Kind);
                return;
            }
            catch (DbException e) when (time.GetUtcNow() - _renewedAt < JobLeases.LeaseTime)
            {
                log.OutcomeNotWritten(e, job.Id, job.Kind);
                await Task.WhenAny(_given.Task, Task.Delay(Tick, time, CancellationToken.None)).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                log.OutcomeLost(e, job.Id, job.Kind);
                return;
            }
        }
    }

    private static string Short(string error) => (error.Length <= MaxErrorLength ? error : error[..MaxErrorLength]).Replace('\0', ' ');
}

internal static partial class JobExecutionLog
{
    [LoggerMessage(260, LogLevel.Warning, "job {Job} of kind {Kind} failed for good at try {Attempt}: {Problem}")]
    public static partial void JobFailed(this ILogger log, long job, string kind, int attempt, string problem);

    [LoggerMessage(261, LogLevel.Information, "job {Job} of kind {Kind} failed at try {Attempt}, will be tried again in {Pause}: {Problem}")]
    public static partial void JobRetried(this ILogger log, long job, string kind, int attempt, TimeSpan pause, string problem);

    [LoggerMessage(262, LogLevel.Error, "job {Job} of kind {Kind} broke")]
    public static partial void JobThrew(this ILogger log, Exception error, long job, string kind);

    [LoggerMessage(263, LogLevel.Warning, "job {Job} of kind {Kind} abandoned: its lease was lost, another process may run it")]
    public static partial void JobAbandoned(this ILogger log, long job, string kind);

    [LoggerMessage(264, LogLevel.Warning, "job lease not renewed, job {Job} of kind {Kind}")]
    public static partial void LeaseNotRenewed(this ILogger log, Exception error, long job, string kind);

    [LoggerMessage(265, LogLevel.Warning, "job outcome not written, job {Job} of kind {Kind}, will be tried again")]
    public static partial void OutcomeNotWritten(this ILogger log, Exception error, long job, string kind);

    [LoggerMessage(266, LogLevel.Error, "job outcome lost, job {Job} of kind {Kind}: it will be run again")]
    public static partial void OutcomeLost(this ILogger log, Exception error, long job, string kind);
}
