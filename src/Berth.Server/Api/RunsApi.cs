using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Api;

/// <summary>
/// Harbor's seven operations on work of the whole installation that runs on demand and on a schedule, garbage collection for example: runs, their schedule,
/// stopping one, its log.
/// </summary>
/// <typeparam name="TPolicy">How a run is to be done; payload of its jobs.</typeparam>
internal abstract class RunsApi<TPolicy>(RunsKind kind, JsonTypeInfo<TPolicy> policyType, Database database, JobQueue queue, JobSchedules schedules, DomainEvents events, TimeProvider time)
    where TPolicy : class, IRunPolicy, new()
{
    /// <summary>Most lines of a log in one answer.</summary>
    private const int MaxLogLines = JobRun.MaxLogLines;

    /// <summary>The operations below a path.</summary>
    /// <param name="path">Such as <c>/system/gc</c>.</param>
    /// <param name="word">In the ids of the operations, such as <c>GC</c>: <c>getGCHistory</c> …</param>
    /// <param name="jobWord">In the ids of those about one run.</param>
    /// <param name="rights">What each needs.</param>
    protected IEnumerable<ApiOperation> OperationsBelow(string path, string word, string jobWord, RunsRights rights) =>
    [
        new(HttpMethods.Get, path, $"get{word}History", kind.Tag, ApiNeed.System(rights.List), ListAsync) { Answer = typeof(ExecHistory), IsList = true, Summary = $"Runs of the {kind.Noun}, the newest first" },
        new(HttpMethods.Get, $"{path}/schedule", $"get{word}Schedule", kind.Tag, ApiNeed.System(rights.Read), GetScheduleAsync) { Answer = typeof(ExecHistory), Summary = "The schedule; nothing when there is none" },
        new(HttpMethods.Post, $"{path}/schedule", $"create{word}Schedule", kind.Tag, ApiNeed.System(rights.Create), CreateAsync) { Body = typeof(RunSchedule), Summary = $"Runs the {kind.Noun} now (Manual) or sets its schedule" },
        new(HttpMethods.Put, $"{path}/schedule", $"update{word}Schedule", kind.Tag, ApiNeed.System(rights.Update), UpdateAsync) { Body = typeof(RunSchedule), Summary = "Changes the schedule, or ends it (None)" },
        new(HttpMethods.Get, $"{path}/{{{kind.RouteId}}}", $"get{jobWord}", kind.Tag, ApiNeed.System(rights.Read), GetAsync) { Answer = typeof(ExecHistory), Summary = "One run" },
        new(HttpMethods.Put, $"{path}/{{{kind.RouteId}}}", $"stop{word}", kind.Tag, ApiNeed.System(rights.Stop), StopAsync) { Summary = "Stops a run" },
        new(HttpMethods.Get, $"{path}/{{{kind.RouteId}}}/log", $"get{jobWord}Log", kind.Tag, ApiNeed.System(rights.Read), GetLogAsync) { Summary = "What a run wrote down" },
    ];

    /// <summary>Reads Harbor's parameters; the sentence says what is wrong with them, or is null.</summary>
    protected abstract string? TryRead(IReadOnlyDictionary<string, JsonElement>? parameters, out TPolicy policy);

    /// <summary>Parameters of a run as Harbor shows them.</summary>
    /// <param name="policy">How it is to be done.</param>
    /// <param name="result">What came out; null before the end, and for a schedule.</param>
    protected abstract string ParametersOf(TPolicy policy, string? result);

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal)) return refusal!;
        var filter = new JobFilter { Kind = kind.Job };
        var (jobs, total) = await database.ReadAsync((filter, page), static async (session, q, token) => (
            await JobViews.ListAsync(session, q.filter, q.page.Offset, q.page.Size, token).ConfigureAwait(false),
            await JobViews.CountAsync(session, q.filter, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List([.. jobs.Select(HistoryOf)], total, RunsJson.Default.ListExecHistory);
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct) =>
        await FindAsync(call, ct).ConfigureAwait(false) is { } job ? ApiResult.Ok(HistoryOf(job), RunsJson.Default.ExecHistory) : NotFound(call);

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
            await RaiseAsync(session, call, "stop", $"stop {kind.Noun}: {job.Id}", token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return ApiResult.Done;
    }

    private async Task<ApiResult> GetScheduleAsync(ApiCall call, CancellationToken ct)
    {
        var schedule = await database.ReadAsync(kind, static (session, k, token) => JobSchedules.FindAsync(session, k.Job, k.VendorKey, token), ct).ConfigureAwait(false);
        if (schedule is null) return ApiResult.Done;
        var policy = PolicyOf(schedule.Payload);
        return ApiResult.Ok(new ExecHistory
        {
            Id = schedule.Id,
            JobKind = schedule.Cron,
            JobParameters = ParametersOf(policy, null),
            JobStatus = "",
            Schedule = new ScheduleObj { Type = policy.ScheduleType ?? "Custom", Cron = schedule.Cron, NextScheduledTime = JobWords.TimeOf(schedule.NextRunAt) },
            CreationTime = JobWords.TimeOf(schedule.CreatedAt),
            UpdateTime = JobWords.TimeOf(schedule.UpdatedAt),
        }, RunsJson.Default.ExecHistory);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (refusal, id) = await KickAsync(call, ct).ConfigureAwait(false);
        return refusal ?? ApiResult.Created($"/api/v2.0{kind.Path}/{id}");
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct) => (await KickAsync(call, ct).ConfigureAwait(false)).Refusal ?? ApiResult.Done;

    private async Task<(ApiResult? Refusal, long Id)> KickAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(RunsJson.Default.RunSchedule, ct).ConfigureAwait(false);
        if (!isRead) return (refusal, 0);
        if (body.Schedule is not { } when) return (ApiResult.BadRequest("schedule cannot be empty"), 0);
        if (TryRead(body.Parameters, out var policy) is { } problem) return (ApiResult.BadRequest(problem), 0);
        switch (when.Type)
        {
            case "Manual":
                return (null, await StartAsync(call, policy, ct).ConfigureAwait(false));
            case "None":
                await EndScheduleAsync(call, ct).ConfigureAwait(false);
                return (null, 0);
            case "Hourly" or "Daily" or "Weekly" or "Custom":
                if (!CronExpression.TryParse(when.Cron, out var cron, out var wrong)) return (ApiResult.BadRequest($"invalid cron string for scheduled {kind.Noun}: {when.Cron}, error: {wrong}"), 0);
                policy.ScheduleType = when.Type;
                await SetScheduleAsync(call, policy, cron, ct).ConfigureAwait(false);
                return (null, 0);
            default:
                return (ApiResult.Fail(ApiError.Unprocessable, $"schedule.type: {when.Type} is none of Hourly, Daily, Weekly, Custom, Manual, None"), 0);
        }
    }

    private Task<long> StartAsync(ApiCall call, TPolicy policy, CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
    {
        var job = NewJob.Of(kind.Job, policy, policyType) with { VendorKey = kind.VendorKey };
        var queued = await queue.EnqueueAsync(session, job, token).ConfigureAwait(false);
        await RaiseAsync(session, call, "create", $"start {kind.Noun}: {ParametersOf(policy, null)}", token).ConfigureAwait(false);
        return queued.Id;
    }, ct);

    private Task<bool> SetScheduleAsync(ApiCall call, TPolicy policy, CronExpression cron, CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
    {
        var payload = JsonSerializer.Serialize(policy, policyType);
        await schedules.PutAsync(session, new NewSchedule { Kind = kind.Job, VendorKey = kind.VendorKey, Cron = cron, Payload = payload }, token).ConfigureAwait(false);
        await RaiseAsync(session, call, "update", $"schedule {kind.Noun}: {cron} {ParametersOf(policy, null)}", token).ConfigureAwait(false);
        return true;
    }, ct);

    private Task<bool> EndScheduleAsync(ApiCall call, CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
    {
        if (!await JobSchedules.DeleteAsync(session, kind.Job, kind.VendorKey, token).ConfigureAwait(false)) return false;
        await RaiseAsync(session, call, "delete", $"end the schedule of the {kind.Noun}", token).ConfigureAwait(false);
        return true;
    }, ct);

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, string description, CancellationToken ct) => events.RaiseAsync(session, new DomainEvent
    {
        Operation = operation,
        ResourceType = kind.ResourceType,
        Resource = kind.Resource,
        Actor = call.Actor,
        Description = description,
    }, ct);

    private async ValueTask<Job?> FindAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber(kind.RouteId) is not { } id) return null;
        var job = await database.ReadAsync(id, static (session, i, token) => JobViews.FindAsync(session, i, token), ct).ConfigureAwait(false);
        return job?.Kind == kind.Job ? job : null;
    }

    private ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"{kind.Tag} job with execution ID: {call.Route(kind.RouteId)} is not found");

    private ExecHistory HistoryOf(Job job) => new()
    {
        Id = job.Id,
        JobName = JobWords.TypeOf(kind.Job),
        JobKind = JobWords.TriggerOf(job.Trigger),
        JobParameters = ParametersOf(PolicyOf(job.Payload), job.Result),
        JobStatus = JobWords.StatusOf(job, time.GetUtcNow()),
        Schedule = new ScheduleObj { Type = job.Trigger == JobTrigger.Schedule ? "Schedule" : "Manual", NextScheduledTime = JobWords.TimeOf(null) },
        CreationTime = JobWords.TimeOf(job.StartedAt ?? job.CreatedAt),
        UpdateTime = JobWords.TimeOf(job.FinishedAt ?? job.StartedAt ?? Math.Min(job.CreatedAt, time.GetUtcNow().ToUnixTimeMilliseconds())),
    };

    private TPolicy PolicyOf(string payload) => JsonSerializer.Deserialize(payload, policyType) ?? new TPolicy();
}

/// <summary>What such work is called.</summary>
/// <param name="Job">Kind of its jobs.</param>
/// <param name="VendorKey">Vendor key of its jobs and schedule.</param>
/// <param name="Path">Of its runs.</param>
/// <param name="RouteId">Name of a run's number in routes.</param>
/// <param name="Tag">Tag of the operations.</param>
/// <param name="Noun">In sentences.</param>
/// <param name="ResourceType">In events.</param>
/// <param name="Resource">In events.</param>
internal sealed record RunsKind(string Job, string VendorKey, string Path, string RouteId, string Tag, string Noun, string ResourceType, string Resource);

/// <summary>What the operations need.</summary>
internal sealed record RunsRights(Permission List, Permission Read, Permission Create, Permission Update, Permission Stop);

/// <summary>How a run is to be done.</summary>
internal interface IRunPolicy
{
    /// <summary>How the schedule was given: <c>Hourly</c>, <c>Daily</c>, <c>Weekly</c>, <c>Custom</c>; null for a single run.</summary>
    string? ScheduleType { get; set; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RunSchedule))]
[JsonSerializable(typeof(List<ExecHistory>))]
[JsonSerializable(typeof(ExecHistory))]
internal sealed partial class RunsJson : JsonSerializerContext;
