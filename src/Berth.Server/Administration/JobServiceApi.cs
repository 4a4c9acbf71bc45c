using System.Globalization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Administration;

/// <summary>
/// Harbor's views on background jobs: schedules, queues (one a kind), the pool of workers and what they run. All replicas together are one pool.
/// </summary>
internal sealed class JobServiceApi(
    Database database, JobQueue queue, IEnumerable<IJobHandler> handlers, JobOptions options, DomainEvents events, TimeProvider time)
{
    private const string All = "all";
    private const string Pool = "berth";

    /// <summary>What Harbor calls the queue whose pause stops all schedules.</summary>
    private const string Scheduler = "scheduler";

    private const int MaxJobs = 1000;

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    internal static IEnumerable<ApiOperation> Operations(JobServiceApi api) =>
    [
        new(HttpMethods.Get, "/schedules", "listSchedules", "schedule", ApiNeed.System(SystemPermissions.JobserviceMonitorList), api.ListSchedulesAsync) { Answer = typeof(ScheduleTask), IsList = true, Summary = "All schedules" },
        new(HttpMethods.Get, "/schedules/{job_type}/paused", "getSchedulePaused", "schedule", ApiNeed.SignedIn, api.GetPausedAsync) { Answer = typeof(SchedulerStatus), Summary = "Whether schedules fire; job_type is all" },
        new(HttpMethods.Get, "/jobservice/pools", "getWorkerPools", "jobservice", ApiNeed.System(SystemPermissions.JobserviceMonitorList), api.ListPoolsAsync) { Answer = typeof(WorkerPool), IsList = true, Summary = "The pool of workers" },
        new(HttpMethods.Get, "/jobservice/pools/{pool_id}/workers", "getWorkers", "jobservice", ApiNeed.System(SystemPermissions.JobserviceMonitorList), api.ListWorkersAsync) { Answer = typeof(Worker), IsList = true, Summary = "Jobs that run now" },
        new(HttpMethods.Put, "/jobservice/jobs/{job_id}", "stopRunningJob", "jobservice", ApiNeed.System(SystemPermissions.JobserviceMonitorStop), api.StopAsync) { Summary = "Stops a job; all stops all that run" },
        new(HttpMethods.Get, "/jobservice/jobs/{job_id}/log", "actionGetJobLog", "jobservice", ApiNeed.System(SystemPermissions.JobserviceMonitorList), api.GetLogAsync) { Summary = "What a job wrote down" },
        new(HttpMethods.Get, "/jobservice/queues", "listJobQueues", "jobservice", ApiNeed.System(SystemPermissions.JobserviceMonitorList), api.ListQueuesAsync) { Answer = typeof(JobQueueView), IsList = true, Summary = "Waiting jobs of each kind" },
        new(HttpMethods.Put, "/jobservice/queues/{job_type}", "actionPendingJobs", "jobservice", ApiNeed.System(SystemPermissions.JobserviceMonitorStop), api.ActAsync) { Body = typeof(ActionRequest), Summary = "Stops the waiting jobs of a kind, pauses or resumes it; all means every kind, scheduler the schedules" },
    ];

    private async Task<ApiResult> ListSchedulesAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal)) return refusal!;
        var (schedules, total) = await database.ReadAsync(page, static async (session, p, token) => (
            await JobSchedules.ListAsync(session, p.Offset, p.Size, token).ConfigureAwait(false), await JobSchedules.CountAsync(session, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List([.. schedules.Select(s => new ScheduleTask
        {
            Id = s.Id,
            VendorType = JobWords.TypeOf(s.Kind),
            VendorId = long.TryParse(s.VendorKey[(s.VendorKey.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture, out var vendor) ? vendor : -1,
            Cron = s.Cron,
            UpdateTime = JobWords.TimeOf(s.UpdatedAt),
        })], total, AdministrationJson.Default.ListScheduleTask);
    }

    private async Task<ApiResult> GetPausedAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.Route("job_type").Equals(All, StringComparison.OrdinalIgnoreCase)) return ApiResult.BadRequest("job_type can only be 'all'");
        var paused = await PausedAsync(ct).ConfigureAwait(false);
        return ApiResult.Ok(new SchedulerStatus { Paused = paused.Contains(JobPause.Schedules) }, AdministrationJson.Default.SchedulerStatus);
    }

    private Task<ApiResult> ListPoolsAsync(ApiCall call, CancellationToken ct) => Task.FromResult(ApiResult.Ok(
    [
        new WorkerPool
        {
            Pid = Environment.ProcessId, WorkerPoolId = Pool, Concurrency = options.MaxConcurrent, Host = Environment.MachineName,
            StartAt = JobWords.TimeOf(_startedAt.ToUnixTimeMilliseconds()), HeartbeatAt = JobWords.TimeOf(time.GetUtcNow().ToUnixTimeMilliseconds()),
        },
    ], AdministrationJson.Default.ListWorkerPool));

    private async Task<ApiResult> ListWorkersAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Route("pool_id") is not (Pool or All)) return ApiResult.NotFound($"worker pool {call.Route("pool_id")} not found");
        var running = await RunningAsync(ct).ConfigureAwait(false);
        return ApiResult.Ok([.. running.Select(j => new Worker
        {
            Id = $"{j.LeaseOwner}-{j.Id}", PoolId = Pool, JobName = JobWords.TypeOf(j.Kind), JobId = j.Id.ToString(CultureInfo.InvariantCulture),
            StartAt = JobWords.TimeOf(j.StartedAt), CheckIn = j.ProgressText ?? "",
        })], AdministrationJson.Default.ListWorker);
    }

    private async Task<ApiResult> ListQueuesAsync(ApiCall call, CancellationToken ct)
    {
        var paused = await PausedAsync(ct).ConfigureAwait(false);
        var backlog = await database.ReadAsync(0, static (session, _, token) => JobViews.BacklogAsync(session, token), ct).ConfigureAwait(false);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var queues = new List<JobQueueView>();
        foreach (var kind in Kinds())
        {
            var waiting = backlog.Where(b => b.Kind == kind && b.State != JobState.Running).ToList();
            queues.Add(new JobQueueView
            {
                JobType = JobWords.TypeOf(kind),
                Count = waiting.Sum(b => b.Count),
                Latency = waiting.Count == 0 ? 0 : Math.Max(0, (now - waiting.Min(b => b.OldestAt)) / 1000),
                Paused = paused.Contains(kind),
            });
        }
        return ApiResult.Ok(queues, AdministrationJson.Default.ListJobQueueView);
    }

    private async Task<ApiResult> GetLogAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("job_id") is not { } id) return NotFound(call);
        var lines = await database.ReadAsync(id, static async (session, i, token) =>
            await JobViews.FindAsync(session, i, token).ConfigureAwait(false) is null ? null : await JobViews.LogAsync(session, i, 0, JobRun.MaxLogLines, token).ConfigureAwait(false), ct).ConfigureAwait(false);
        return lines is null ? NotFound(call) : ApiResult.Text(JobWords.LogOf(lines));
    }

    private async Task<ApiResult> StopAsync(ApiCall call, CancellationToken ct)
    {
        var word = call.Route("job_id");
        List<long> ids;
        if (word.Equals(All, StringComparison.OrdinalIgnoreCase)) ids = [.. (await RunningAsync(ct).ConfigureAwait(false)).Select(j => j.Id)];
        else if (call.RouteNumber("job_id") is { } id) ids = [id];
        else return NotFound(call);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            foreach (var job in ids)
            {
                if (await queue.CancelAsync(session, job, token).ConfigureAwait(false) == JobCancellation.NotFound) return NotFound(call);
            }
            await RaiseAsync(session, call, "stop", word, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> ActAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(AdministrationJson.Default.ActionRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var action = body.Action.ToLowerInvariant();
        if (action is not ("stop" or "pause" or "resume")) return ApiResult.BadRequest("the action is not supported");
        var type = JobWords.KindOf(call.Route("job_type"));
        var known = Kinds();
        var kinds = type == All ? [.. known, JobPause.Schedules] : type == Scheduler ? [JobPause.Schedules] : known.Contains(type) ? new List<string> { type } : [];
        if (kinds.Count == 0) return ApiResult.NotFound($"job type {call.Route("job_type")} not found");
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            foreach (var kind in kinds)
            {
                if (action == "pause") await queue.PauseAsync(session, kind, token).ConfigureAwait(false);
                else if (action == "resume") await queue.ResumeAsync(session, kind, token).ConfigureAwait(false);
                else await StopWaitingAsync(session, kind, token).ConfigureAwait(false);
            }
            await RaiseAsync(session, call, action, type, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async ValueTask StopWaitingAsync(DbSession session, string kind, CancellationToken ct)
    {
        foreach (var state in new[] { JobState.Waiting, JobState.Pending })
        {
            while (true)
            {
                var jobs = await JobViews.ListAsync(session, new JobFilter { Kind = kind, States = [state] }, 0, MaxJobs, ct).ConfigureAwait(false);
                foreach (var job in jobs) await queue.CancelAsync(session, job.Id, ct).ConfigureAwait(false);
                if (jobs.Count < MaxJobs) break;
            }
        }
    }

    private List<string> Kinds() => [.. handlers.Select(h => h.Kind).Order(StringComparer.Ordinal)];

    private ValueTask<IReadOnlySet<string>> PausedAsync(CancellationToken ct) => database.ReadAsync(0, static (session, _, token) => JobViews.PausedAsync(session, token), ct);

    private ValueTask<List<Job>> RunningAsync(CancellationToken ct) =>
        database.ReadAsync(new JobFilter { States = [JobState.Running] }, static (session, filter, token) => JobViews.ListAsync(session, filter, 0, MaxJobs, token), ct);

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string action, string what, CancellationToken ct) => events.RaiseAsync(session, new DomainEvent
    {
        Operation = action,
        ResourceType = "job",
        Resource = what,
        Actor = call.Actor,
        Description = $"{action} jobs: {what}",
    }, ct);

    private static ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"job {call.Route("job_id")} not found");
}
