using System.Text.Json;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Audit;

/// <summary>Harbor's operations on the purge of the audit log: runs, their schedule, stopping one, its log.</summary>
internal sealed class PurgeApi(Database database, JobQueue queue, JobSchedules schedules, DomainEvents events, TimeProvider time)
{
    private const string VendorKey = "purge";

    /// <summary>Most lines of a log in one answer.</summary>
    private const int MaxLogLines = JobRun.MaxLogLines;

    internal static IEnumerable<ApiOperation> Operations(PurgeApi api) =>
    [
        new(HttpMethods.Get, "/system/purgeaudit", "getPurgeHistory", "purge", ApiNeed.System(SystemPermissions.PurgeAuditList), api.ListAsync) { Answer = typeof(ExecHistory), IsList = true, Summary = "Runs of the purge, the newest first" },
        new(HttpMethods.Get, "/system/purgeaudit/schedule", "getPurgeSchedule", "purge", ApiNeed.System(SystemPermissions.PurgeAuditRead), api.GetScheduleAsync) { Answer = typeof(ExecHistory), Summary = "The schedule; nothing when there is none" },
        new(HttpMethods.Post, "/system/purgeaudit/schedule", "createPurgeSchedule", "purge", ApiNeed.System(SystemPermissions.PurgeAuditCreate), api.CreateAsync) { Body = typeof(PurgeSchedule), Summary = "Runs the purge now (Manual) or sets its schedule" },
        new(HttpMethods.Put, "/system/purgeaudit/schedule", "updatePurgeSchedule", "purge", ApiNeed.System(SystemPermissions.PurgeAuditUpdate), api.UpdateAsync) { Body = typeof(PurgeSchedule), Summary = "Changes the schedule, or ends it (None)" },
        new(HttpMethods.Get, "/system/purgeaudit/{purge_id}", "getPurgeJob", "purge", ApiNeed.System(SystemPermissions.PurgeAuditRead), api.GetAsync) { Answer = typeof(ExecHistory), Summary = "One run" },
        new(HttpMethods.Put, "/system/purgeaudit/{purge_id}", "stopPurge", "purge", ApiNeed.System(SystemPermissions.PurgeAuditStop), api.StopAsync) { Summary = "Stops a run" },
        new(HttpMethods.Get, "/system/purgeaudit/{purge_id}/log", "getPurgeJobLog", "purge", ApiNeed.System(SystemPermissions.PurgeAuditRead), api.GetLogAsync) { Summary = "What a run wrote down" },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal)) return refusal!;
        var filter = new JobFilter { Kind = PurgeJob.JobKind };
        var (jobs, total) = await database.ReadAsync((filter, page), static async (session, q, token) => (
            await JobViews.ListAsync(session, q.filter, q.page.Offset, q.page.Size, token).ConfigureAwait(false),
            await JobViews.CountAsync(session, q.filter, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List([.. jobs.Select(HistoryOf)], total, PurgeJson.Default.ListExecHistory);
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct) =>
        await FindAsync(call, ct).ConfigureAwait(false) is { } job ? ApiResult.Ok(HistoryOf(job), PurgeJson.Default.ExecHistory) : NotFound(call);

    private async Task<ApiResult> GetLogAsync(ApiCall call, CancellationToken ct)
    {
        if (await FindAsync(call, ct).ConfigureAwait(false) is not { } job) return NotFound(call);
        var lines = await database.ReadAsync(job.Id, static (session, id, token) => JobViews.LogAsync(session, id, 0, MaxLogLines, token), ct).ConfigureAwait(false);
        return ApiResult.Text(JobWords.LogOf(lines));
    }

    private async Task<ApiResult> StopAsync(ApiCall call, CancellationToken ct)
    {
        if (await FindAsync(call, ct).ConfigureAwait(false) is not { } job) return NotFound(call);
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await queue.CancelAsync(session, job.Id, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "stop", $"stop purge of the audit log: {job.Id}", token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return ApiResult.Done;
    }

    private async Task<ApiResult> GetScheduleAsync(ApiCall call, CancellationToken ct)
    {
        var schedule = await database.ReadAsync(0, static (session, _, token) => JobSchedules.FindAsync(session, PurgeJob.JobKind, VendorKey, token), ct).ConfigureAwait(false);
        if (schedule is null) return ApiResult.Done;
        var policy = PolicyOf(schedule.Payload);
        return ApiResult.Ok(new ExecHistory
        {
            Id = schedule.Id,
            JobKind = schedule.Cron,
            JobParameters = ParametersOf(policy),
            JobStatus = "",
            Schedule = new ScheduleObj { Type = policy.ScheduleType ?? "Custom", Cron = schedule.Cron, NextScheduledTime = JobWords.TimeOf(schedule.NextRunAt) },
            CreationTime = JobWords.TimeOf(schedule.CreatedAt),
            UpdateTime = JobWords.TimeOf(schedule.UpdatedAt),
        }, PurgeJson.Default.ExecHistory);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (refusal, id) = await KickAsync(call, ct).ConfigureAwait(false);
        return refusal ?? ApiResult.Created($"/api/v2.0/system/purgeaudit/{id}");
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct) => (await KickAsync(call, ct).ConfigureAwait(false)).Refusal ?? ApiResult.Done;

    private async Task<(ApiResult? Refusal, long Id)> KickAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(PurgeJson.Default.PurgeSchedule, ct).ConfigureAwait(false);
        if (!isRead) return (refusal, 0);
        if (body.Schedule is not { } when) return (ApiResult.BadRequest("schedule cannot be empty"), 0);
        if (PurgePolicy.TryRead(body.Parameters, out var policy) is { } problem) return (ApiResult.BadRequest(problem), 0);
        switch (when.Type)
        {
            case "Manual":
                return (null, await StartAsync(call, policy, ct).ConfigureAwait(false));
            case "None":
                await EndScheduleAsync(call, ct).ConfigureAwait(false);
                return (null, 0);
            case "Hourly" or "Daily" or "Weekly" or "Custom":
                if (!CronExpression.TryParse(when.Cron, out var cron, out var wrong)) return (ApiResult.BadRequest($"invalid cron string for scheduled log rotation purge: {when.Cron}, error: {wrong}"), 0);
                await SetScheduleAsync(call, policy with { ScheduleType = when.Type }, cron, ct).ConfigureAwait(false);
                return (null, 0);
            default:
                return (ApiResult.Fail(ApiError.Unprocessable, $"schedule.type: {when.Type} is none of Hourly, Daily, Weekly, Custom, Manual, None"), 0);
        }
    }

    private Task<long> StartAsync(ApiCall call, PurgePolicy policy, CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
    {
        var job = NewJob.Of(PurgeJob.JobKind, policy, PurgeJson.Default.PurgePolicy) with { VendorKey = VendorKey };
        var queued = await queue.EnqueueAsync(session, job, token).ConfigureAwait(false);
        await RaiseAsync(session, call, "create", $"start purge of the audit log: {ParametersOf(policy)}", token).ConfigureAwait(false);
        return queued.Id;
    }, ct);

    private Task<bool> SetScheduleAsync(ApiCall call, PurgePolicy policy, CronExpression cron, CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
    {
        var payload = JsonSerializer.Serialize(policy, PurgeJson.Default.PurgePolicy);
        await schedules.PutAsync(session, new NewSchedule { Kind = PurgeJob.JobKind, VendorKey = VendorKey, Cron = cron, Payload = payload }, token).ConfigureAwait(false);
        await RaiseAsync(session, call, "update", $"schedule purge of the audit log: {cron} {ParametersOf(policy)}", token).ConfigureAwait(false);
        return true;
    }, ct);

    private Task<bool> EndScheduleAsync(ApiCall call, CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
    {
        if (!await JobSchedules.DeleteAsync(session, PurgeJob.JobKind, VendorKey, token).ConfigureAwait(false)) return false;
        await RaiseAsync(session, call, "delete", "end the schedule of the purge of the audit log", token).ConfigureAwait(false);
        return true;
    }, ct);

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, string description, CancellationToken ct) => events.RaiseAsync(session, new DomainEvent
    {
        Operation = operation,
        ResourceType = "purge_audit",
        Resource = "audit log",
        Actor = call.Actor,
        Description = description,
    }, ct);

    private async ValueTask<Job?> FindAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("purge_id") is not { } id) return null;
        var job = await database.ReadAsync(id, static (session, i, token) => JobViews.FindAsync(session, i, token), ct).ConfigureAwait(false);
        return job?.Kind == PurgeJob.JobKind ? job : null;
    }

    private static ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"purge job with execution ID: {call.Route("purge_id")} is not found");

    private ExecHistory HistoryOf(Job job) => new()
    {
        Id = job.Id,
        JobName = JobWords.TypeOf(PurgeJob.JobKind),
        JobKind = JobWords.TriggerOf(job.Trigger),
        JobParameters = ParametersOf(PolicyOf(job.Payload)),
        JobStatus = JobWords.StatusOf(job, time.GetUtcNow()),
        Schedule = new ScheduleObj { Type = job.Trigger == JobTrigger.Schedule ? "Schedule" : "Manual", NextScheduledTime = JobWords.TimeOf(null) },
        CreationTime = JobWords.TimeOf(job.StartedAt ?? job.CreatedAt),
        UpdateTime = JobWords.TimeOf(job.FinishedAt ?? job.StartedAt ?? Math.Min(job.CreatedAt, time.GetUtcNow().ToUnixTimeMilliseconds())),
    };

    private static PurgePolicy PolicyOf(string payload) => JsonSerializer.Deserialize(payload, PurgeJson.Default.PurgePolicy) ?? new PurgePolicy();

    private static string ParametersOf(PurgePolicy policy) => JsonSerializer.Serialize(policy with { ScheduleType = null }, PurgeJson.Default.PurgePolicy);
}
