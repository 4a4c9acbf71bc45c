using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Platform.Jobs;

/// <summary>Queue, schedules and workers of one process on a database.</summary>
internal sealed class JobSite : IAsyncDisposable
{
    private readonly Database _database;

    public JobSite(Database database, TimeProvider time, params IReadOnlyList<IJobHandler> handlers)
        : this(database, time, new JobOptions(), handlers)
    {
    }

    public JobSite(Database database, TimeProvider time, JobOptions options, params IReadOnlyList<IJobHandler> handlers)
    {
        _database = database;
        Queue = new JobQueue(time);
        Schedules = new JobSchedules(database, Queue, time, NullLogger<JobSchedules>.Instance);
        Metrics = new MetricRegistry(NullLogger<MetricRegistry>.Instance);
        Workers = new JobWorkers(database, Queue, Schedules, handlers, options, Metrics, time, NullLogger<JobWorkers>.Instance);
        Purge = new JobPurge(database, options, [.. handlers.Select(h => h.Kind)], time);
    }

    public JobQueue Queue { get; }

    public JobSchedules Schedules { get; }

    public JobWorkers Workers { get; }

    public JobPurge Purge { get; }

    public MetricRegistry Metrics { get; }

    public Task StartAsync() => Workers.StartAsync(CancellationToken.None);

    public Task<EnqueuedJob> EnqueueAsync(NewJob job) => WriteAsync(session => Queue.EnqueueAsync(session, job, CancellationToken.None));

    public Task<JobCancellation> CancelAsync(long id) => WriteAsync(session => Queue.CancelAsync(session, id, CancellationToken.None));

    public Task<T> WriteAsync<T>(Func<DbSession, ValueTask<T>> work) =>
        _database.WriteAsync(Durability.Full, (session, _) => work(session).AsTask(), CancellationToken.None);

    public async Task<Job> JobAsync(long id) => Assert.IsType<Job>(await ReadAsync(session => JobViews.FindAsync(session, id, CancellationToken.None)));

    public Task<T> ReadAsync<T>(Func<DbSession, ValueTask<T>> query) =>
        _database.ReadAsync(query, static (session, q, _) => q(session), CancellationToken.None).AsTask();

    /// <summary>Until a job is in a state.</summary>
    public async Task<Job> UntilAsync(long id, JobState state)
    {
        await Eventually.TrueAsync(async () => (await JobAsync(id)).State == state, $"job {id} {state}");
        return await JobAsync(id);
    }

    public ValueTask DisposeAsync() => Workers.DisposeAsync();
}

/// <summary>Runs a function, and remembers which jobs it had.</summary>
internal sealed class TestHandler(string kind, Func<JobRun, CancellationToken, Task<JobOutcome>>? run = null) : IJobHandler
{
    private readonly Lock _gate = new();
    private readonly List<long> _started = [];
    private int _running;

    public string Kind => kind;

    public int MaxConcurrent { get; init; } = 4;

    public int? MaxConcurrentOverall { get; init; }

    public JobBackoff Backoff { get; init; } = JobBackoff.Default;

    /// <summary>Most that ran at a time.</summary>
    public int Peak { get; private set; }

    public IReadOnlyList<long> Started
    {
        get
        {
            lock (_gate) return [.. _started];
        }
    }

    public async Task<JobOutcome> RunAsync(JobRun r, CancellationToken ct)
    {
        lock (_gate)
        {
            _started.Add(r.Id);
            Peak = Math.Max(Peak, ++_running);
        }
        try
        {
            return run is null ? JobOutcome.Done : await run(r, ct);
        }
        finally
        {
            lock (_gate) _running--;
        }
    }

    /// <summary>Waits until it is told to stop.</summary>
    public static async Task<JobOutcome> ForeverAsync(JobRun r, CancellationToken ct)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        return JobOutcome.Done;
    }
}
