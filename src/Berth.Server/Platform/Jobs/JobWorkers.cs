using System.Collections.Concurrent;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Jobs;

/// <summary>
/// Runs jobs. One loop
/// <list type="number">
/// <item>asks in one query what is due, by kind, and when the next schedule fires,</item>
/// <item>fires schedules,</item>
/// <item>takes as many jobs as there is room for and starts them (<see cref="JobExecution"/>),</item>
/// <item>clears up at an interval,</item>
/// <item>and sleeps until something of this process is enqueued or ends, the next thing is due, or it is time to look for what other replicas added.</item>
/// </list>
/// It may be killed at any instruction: the rows are still there, and their leases end.
/// </summary>
public sealed class JobWorkers : IHostedService, IAsyncDisposable
{
    /// <summary>How often the loop looks for what other replicas added.</summary>
    public static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);

    /// <summary>How long running jobs may go on when the process is asked to stop, before they are told.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Trouble = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PurgeEvery = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan CountEvery = TimeSpan.FromSeconds(15);

    private readonly Database _database;
    private readonly JobQueue _queue;
    private readonly JobSchedules _schedules;
    private readonly JobOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lane[] _lanes;
    private readonly JobLeases _leases;
    private readonly JobPurge _purge;
    private readonly ConcurrentDictionary<long, JobExecution> _running = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Random _random;
    private IReadOnlyList<JobBacklog> _backlog = [];
    private int _backlogWanted;
    private DateTimeOffset _countedAt;
    private DateTimeOffset _purgeAt;
    private int _active;
    private int _isDisposed;
    private int _first;
    private Task _loop = Task.CompletedTask;

    /// <summary>Makes the workers of this process; they do nothing before <see cref="StartAsync"/>.</summary>
    public JobWorkers(
        Database database, JobQueue queue, JobSchedules schedules, IEnumerable<IJobHandler> handlers, JobOptions options, MetricRegistry metrics,
        TimeProvider time, ILogger<JobWorkers> log)
    {
        (_database, _queue, _schedules, _options, _time, _log) = (database, queue, schedules, options, time, log);
        _lanes = [.. handlers.Select(h => new Lane(h, metrics))];
        var kinds = _lanes.Select(l => l.Handler.Kind).ToArray();
        if (kinds.Distinct().Count() != kinds.Length || !kinds.All(NewJob.IsKind)) throw new ArgumentException($"kinds of jobs must be well formed and differ: {string.Join(", ", kinds)}");
        _leases = new JobLeases(database, queue, kinds, Guid.CreateVersion7(time.GetUtcNow()).ToString("N"), time);
        _purge = new JobPurge(database, options, kinds, time);
        _purgeAt = time.GetUtcNow() + PurgeEvery;
        _random = Random.Shared;
        // On another thread: this one may be the writer of the database, and what a cancelled handler does next must not hold it up.
        _queue.CancelRequested = id => ThreadPool.QueueUserWorkItem(_ =>
        {
            if (_running.TryGetValue(id, out var execution)) execution.Cancel();
        });
        AddMetrics(metrics);
    }

    /// <summary>Starts the loop and returns at once.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loop = Task.Run(LoopAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Takes no more jobs, lets those that run end within a grace, then tells them to stop and gives them back.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        var ended = Task.WhenAll(_running.Values.Select(e => e.Ended));
        using (var grace = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            await Task.WhenAny(ended, Task.Delay(Grace, _time, grace.Token)).ConfigureAwait(false);
            await grace.CancelAsync().ConfigureAwait(false);
        }
        foreach (var execution in _running.Values) execution.GiveBack();
        try
        {
            await ended.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The host waits no longer: the leases end by themselves, and the jobs are run again.
            foreach (var execution in _running.Values) execution.Abandon();
        }
    }

    /// <summary>Lets go of what still runs, without a word in the database.</summary>
    public async ValueTask DisposeAsync()
    {
        // The container knows the workers as themselves and as a hosted service, and disposes both.
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        foreach (var execution in _running.Values) execution.Abandon();
        await Task.WhenAll(_running.Values.Select(e => e.Ended)).ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task LoopAsync()
    {
        var ct = _stopping.Token;
        var tookOver = _database.Kind != DatabaseKind.Sqlite;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                // SQLite has one process: every lease that is there at the start is of one that is gone.
                if (!tookOver) await _leases.ExpireAllAsync(ct).ConfigureAwait(false);
                tookOver = true;
                var wait = await RoundAsync(ct).ConfigureAwait(false);
                // 5.
                await _queue.Wake.WaitAsync(wait, _time, ct).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The loop must outlive whatever happens to the database.
                _log.LoopBroke(e);
                await Task.Delay(Trouble, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>One look; how long to sleep after it.</summary>
    private async Task<TimeSpan> RoundAsync(CancellationToken ct)
    {
        // 1.
        var due = await _leases.DueAsync(ct).ConfigureAwait(false);
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        // 2.
        if (due.Schedule <= now) await _schedules.FireDueAsync(ct).ConfigureAwait(false);
        // 3. Each time another kind is first, so that none takes all the room.
        _first++;
        for (var i = 0; i < _lanes.Length; i++)
        {
            var at = (_first + i) % _lanes.Length;
            if (due.Kinds[at] <= now) await TakeAsync(_lanes[at], ct).ConfigureAwait(false);
        }
        // 4.
        await UpkeepAsync(ct).ConfigureAwait(false);
        var next = due.Kinds.Append(due.Schedule).Where(at => at > now).Min();
        return next is { } soon ? TimeSpan.FromMilliseconds(Math.Min(soon - now, (long)Poll.TotalMilliseconds)) : Poll;
    }

    private async Task TakeAsync(Lane lane, CancellationToken ct)
    {
        var room = Math.Min(lane.Handler.MaxConcurrent - Volatile.Read(ref lane.Active), _options.MaxConcurrent - Volatile.Read(ref _active));
        if (room <= 0) return;
        foreach (var job in await _leases.ClaimAsync(lane.Handler.Kind, room, lane.Handler.MaxConcurrentOverall, ct).ConfigureAwait(false)) Start(lane, job);
    }

    private void Start(Lane lane, LeasedJob job)
    {
        Interlocked.Increment(ref lane.Active);
        Interlocked.Increment(ref _active);
        var execution = new JobExecution(job, lane.Handler, _leases, lane.Counters, _time, _random, _log);
        // This process lost the lease of an earlier try without noticing yet, and has just taken the job again.
        _running.TryGetValue(job.Id, out var before);
        _running[job.Id] = execution;
        execution.Start(before, () =>
        {
            _running.TryRemove(KeyValuePair.Create(job.Id, execution));
            Interlocked.Decrement(ref lane.Active);
            Interlocked.Decrement(ref _active);
            _queue.Wake.Set();
        });
    }

    private async Task UpkeepAsync(CancellationToken ct)
    {
        var now = _time.GetUtcNow();
        if (now - _countedAt >= CountEvery && Interlocked.Exchange(ref _backlogWanted, 0) == 1)
        {
            _countedAt = now;
            _backlog = await _database.ReadAsync(0, static (session, _, token) => JobViews.BacklogAsync(session, token), ct).ConfigureAwait(false);
        }
        if (now < _purgeAt) return;
        _purgeAt = now + PurgeEvery;
        var removed = await _purge.RunAsync(ct).ConfigureAwait(false);
        if (removed > 0) _log.Purged(removed);
    }

    private void AddMetrics(MetricRegistry metrics)
    {
        metrics.AddGauges("berth_jobs", "Unfinished background jobs of all replicas, counted at most every 15 s.", () =>
        {
            // Counting is the loop's work, and done only for somebody who looks.
            Volatile.Write(ref _backlogWanted, 1);
            return _backlog.Select(b => new MetricSample(b.Count, ("kind", b.Kind), ("state", Word(b.State))));
        });
        metrics.AddGauges("berth_job_oldest_seconds", "Age of the oldest unfinished background job of all replicas.", () =>
        {
            var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
            return _backlog.Select(b => new MetricSample(Math.Max(0, now - b.OldestAt) / 1000.0, ("kind", b.Kind), ("state", Word(b.State))));
        });
        metrics.AddGauge("berth_jobs_running", "Background jobs that this process runs now.", () => Volatile.Read(ref _active));
        metrics.AddCounters("berth_jobs_finished_total", "Background jobs that this process finished.", () =>
            from lane in _lanes
            from state in new[] { JobState.Succeeded, JobState.Failed, JobState.Cancelled }
            select new MetricSample(lane.Counters.FinishedCount(state), ("kind", lane.Handler.Kind), ("result", Word(state))));
        metrics.AddCounters("berth_jobs_retried_total", "Tries of background jobs that failed and are repeated.", () =>
            _lanes.Select(lane => new MetricSample(lane.Counters.RetriedCount, ("kind", lane.Handler.Kind))));
    }

    private static string Word(JobState state) => state.ToString().ToLowerInvariant();

    /// <summary>The jobs of one kind in this process.</summary>
    private sealed class Lane(IJobHandler handler, MetricRegistry metrics)
    {
        public int Active;

        public IJobHandler Handler { get; } = handler;

        public JobCounters Counters { get; } = new(metrics.AddHistogram(
            "berth_job_duration_seconds", "Time of one try of a background job.", JobCounters.Bounds, ("kind", handler.Kind)));
    }
}

internal static partial class JobWorkersLog
{
    [LoggerMessage(250, LogLevel.Error, "job loop broke, goes on in a moment; no job is lost")]
    public static partial void LoopBroke(this ILogger log, Exception error);

    [LoggerMessage(251, LogLevel.Information, "finished jobs removed: {Count}")]
    public static partial void Purged(this ILogger log, long count);
}
