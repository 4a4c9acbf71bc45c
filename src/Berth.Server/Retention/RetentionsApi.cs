using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Berth.Server.Projects;
using Berth.Server.Retention.Dialects;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Retention;

/// <summary>Harbor's operations on retention: one policy a project, its executions, a task for each repository.</summary>
internal sealed class RetentionsApi(Database database, JobQueue queue, JobSchedules schedules, DomainEvents events, TimeProvider time)
{
    private const string One = "/retentions/{id}";
    private const string Executions = One + "/executions";
    private const string Tag = "Retention";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(RetentionsApi api) =>
    [
        new(HttpMethods.Get, "/retentions/metadatas", "getRentenitionMetadata", Tag, ApiNeed.SignedIn, MetadataAsync) { Summary = "Which rules there are.", Answer = typeof(HarborRetentionMetadata) },
        new(HttpMethods.Post, "/retentions", "createRetention", Tag, ApiNeed.SignedIn, api.CreateAsync) { Summary = "Makes the retention policy of a project.", Body = typeof(HarborPolicy) },
        new(HttpMethods.Get, One, "getRetention", Tag, ApiNeed.SignedIn, api.GetAsync) { Summary = "A retention policy.", Answer = typeof(HarborPolicy) },
        new(HttpMethods.Put, One, "updateRetention", Tag, ApiNeed.SignedIn, api.UpdateAsync) { Summary = "Changes a retention policy.", Body = typeof(HarborPolicy) },
        new(HttpMethods.Delete, One, "deleteRetention", Tag, ApiNeed.SignedIn, api.DeleteAsync) { Summary = "Deletes a retention policy with its executions." },
        new(HttpMethods.Get, Executions, "listRetentionExecutions", Tag, ApiNeed.SignedIn, api.ListExecutionsAsync) { Summary = "Executions of a policy, the newest first.", Answer = typeof(HarborExecution), IsList = true },
        new(HttpMethods.Post, Executions, "triggerRetentionExecution", Tag, ApiNeed.SignedIn, api.TriggerAsync) { Summary = "Runs a policy, or tries it out (dry_run).", Body = typeof(HarborTriggerRequest) },
        new(HttpMethods.Patch, Executions + "/{eid}", "operateRetentionExecution", Tag, ApiNeed.SignedIn, api.StopAsync) { Summary = "Stops an execution (action stop).", Body = typeof(HarborActionRequest) },
        new(HttpMethods.Get, Executions + "/{eid}/tasks", "listRetentionTasks", Tag, ApiNeed.SignedIn, api.ListTasksAsync) { Summary = "What an execution came to in each repository.", Answer = typeof(HarborRetentionTask), IsList = true },
        new(HttpMethods.Get, Executions + "/{eid}/tasks/{tid}", "getRetentionTaskLog", Tag, ApiNeed.SignedIn, api.GetLogAsync) { Summary = "What became of every tag of a repository, and why." },
    ];

    private static Task<ApiResult> MetadataAsync(ApiCall call, CancellationToken ct) => Task.FromResult(ApiResult.Ok(HarborRetentionMetadata.All, HarborRetentionApiJson.Default.HarborRetentionMetadata));

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(HarborRetentionApiJson.Default.HarborPolicy, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (body.Scope is not { Level: "project", Ref: > 0 and var projectId }) return ApiResult.BadRequest($"scope {body.Scope?.Level} is not support");
        if (await call.FindProjectAsync(projectId, ct).ConfigureAwait(false) is not { } project) return ApiResult.BadRequest($"invalid Project id {projectId}");
        if (!await call.MayAsync(project, ProjectPermissions.TagRetentionCreate, ct).ConfigureAwait(false)) return call.Refuse();
        if (ReadPolicy(body, new RetentionPolicy { ProjectId = project.Id, Rules = "", Dialect = "harbor" }, out var policy) is { } problem) return problem;
        var (id, failure) = await database.WriteAsync<(long, ApiResult?)>(Durability.Full, async (session, token) =>
        {
            if (await PolicyRows.FindAsync(session, project.Id, "", token).ConfigureAwait(false) is { } known)
                return (0, ApiResult.BadRequest($"project {project.Id} already has retention policy {known.Id}"));
            var made = await PolicyRows.SaveAsync(session, schedules, policy, Now, token).ConfigureAwait(false);
            await RaiseAsync(session, call, project, "create", made, token).ConfigureAwait(false);
            return (made, null);
        }, ct).ConfigureAwait(false);
        return failure ?? ApiResult.Created($"/api/v2.0/retentions/{id}");
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (policy, _, refusal) = await FindAsync(call, ProjectPermissions.TagRetentionRead, ct).ConfigureAwait(false);
        if (policy is null) return refusal!;
        var (shown, problems) = HarborRetention.ToPolicy(PolicyRows.RulesOf(policy));
        if (problems.Count > 0) return ApiResult.Conflict($"the policy says more than Harbor's form can: {string.Join("; ", problems)}. Read it at /api/berth/v1/projects/{policy.ProjectId}/retention");
        return ApiResult.Ok(shown with
        {
            Id = policy.Id,
            Trigger = new HarborTrigger("Schedule", new Dictionary<string, JsonElement> { ["cron"] = JsonSerializer.SerializeToElement(policy.Cron, HarborRetentionApiJson.Default.String) }, new Dictionary<string, JsonElement>()),
            Scope = new HarborScope("project", policy.ProjectId),
        }, HarborRetentionApiJson.Default.HarborPolicy);
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, wrong) = await call.ReadAsync(HarborRetentionApiJson.Default.HarborPolicy, ct).ConfigureAwait(false);
        if (!isRead) return wrong!;
        var (known, project, refusal) = await FindAsync(call, ProjectPermissions.TagRetentionUpdate, ct).ConfigureAwait(false);
        if (known is null) return refusal!;
        if (body.Scope?.Ref is { } scope && scope != known.ProjectId) return ApiResult.NotFound($"the retention policy id {known.Id} does not match");
        if (ReadPolicy(body, known, out var policy) is { } problem) return problem;
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await PolicyRows.SaveAsync(session, schedules, policy, Now, token).ConfigureAwait(false);
            await RaiseAsync(session, call, project!, "update", policy.Id, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        var (policy, project, refusal) = await FindAsync(call, ProjectPermissions.TagRetentionDelete, ct).ConfigureAwait(false);
        if (policy is null) return refusal!;
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await PolicyRows.DeleteAsync(session, policy, token).ConfigureAwait(false);
            await RaiseAsync(session, call, project!, "delete", policy.Id, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> ListExecutionsAsync(ApiCall call, CancellationToken ct)
    {
        var (policy, _, refusal) = await FindAsync(call, ProjectPermissions.TagRetentionList, ct).ConfigureAwait(false);
        if (policy is null || !call.TryReadPage(out var page, out refusal)) return refusal!;
        var (runs, total) = await database.ReadAsync((policy.Id, page), static (session, q, token) => RunRows.ListAsync(session, q.Id, q.page.Offset, q.page.Size, token), ct).ConfigureAwait(false);
        return ApiResult.List([.. runs.Select(r => new HarborExecution
        {
            Id = r.Run.Id,
            PolicyId = r.Run.PolicyId,
            StartTime = JobWords.TimeOf(r.Run.StartedAt),
            EndTime = JobWords.TimeOf(r.Run.FinishedAt),
            Status = r.StatusAt(time.GetUtcNow()),
            Trigger = r.Trigger,
            DryRun = r.Run.IsDryRun,
        })], total, HarborRetentionApiJson.Default.ListHarborExecution);
    }

    private async Task<ApiResult> TriggerAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, wrong) = await call.ReadAsync(HarborRetentionApiJson.Default.HarborTriggerRequest, ct).ConfigureAwait(false);
        if (!isRead) return wrong!;
        var (policy, project, refusal) = await FindAsync(call, ProjectPermissions.TagRetentionUpdate, ct).ConfigureAwait(false);
        if (policy is null) return refusal!;
        var id = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await RaiseAsync(session, call, project!, body.DryRun == true ? "try" : "start", policy.Id, token).ConfigureAwait(false);
            return await RetentionJob.StartAsync(session, queue, new RetentionWork { PolicyId = policy.Id, DryRun = body.DryRun == true }, policy.ProjectId, Now, token).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
        return ApiResult.Created($"/api/v2.0/retentions/{policy.Id}/executions/{id}");
    }

    private async Task<ApiResult> StopAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, wrong) = await call.ReadAsync(HarborRetentionApiJson.Default.HarborActionRequest, ct).ConfigureAwait(false);
        if (!isRead) return wrong!;
        if (body.Action != "stop") return ApiResult.BadRequest("action should be 'stop'");
        var (policy, _, refusal) = await FindAsync(call, ProjectPermissions.TagRetentionUpdate, ct).ConfigureAwait(false);
        if (policy is null) return refusal!;
        if (await FindRunAsync(call, policy, ct).ConfigureAwait(false) is not { } run) return RunNotFound(call);
        await database.WriteAsync(Durability.Full, async (session, token) => await queue.CancelAsync(session, run.Run.JobId, token).ConfigureAwait(false), ct).ConfigureAwait(false);
        return ApiResult.Done;
    }

    private async Task<ApiResult> ListTasksAsync(ApiCall call, CancellationToken ct)
    {
        var (policy, _, refusal) = await FindAsync(call, ProjectPermissions.TagRetentionList, ct).ConfigureAwait(false);
        if (policy is null || !call.TryReadPage(out var page, out refusal)) return refusal!;
        if (await FindRunAsync(call, policy, ct).ConfigureAwait(false) is not { } run) return RunNotFound(call);
        var (results, total) = await database.ReadAsync((run.Run.Id, page), static (session, q, token) => RunRows.ResultsAsync(session, q.Id, q.page.Offset, q.page.Size, token), ct).ConfigureAwait(false);
        return ApiResult.List([.. results.Select(r => new HarborRetentionTask
        {
            Id = r.Id,
            ExecutionId = run.Run.Id,
            Repository = ProjectName.WithoutProject(r.Repository),
            JobId = run.Run.JobId.ToString(CultureInfo.InvariantCulture),
            Status = "Success",
            StatusCode = 3,
            StartTime = JobWords.TimeOf(r.StartedAt),
            EndTime = JobWords.TimeOf(r.FinishedAt),
            Total = r.Total,
            Retained = r.Kept,
        })], total, HarborRetentionApiJson.Default.ListHarborRetentionTask);
    }

    private async Task<ApiResult> GetLogAsync(ApiCall call, CancellationToken ct)
    {
        var (policy, _, refusal) = await FindAsync(call, ProjectPermissions.TagRetentionRead, ct).ConfigureAwait(false);
        if (policy is null) return refusal!;
        if (await FindRunAsync(call, policy, ct).ConfigureAwait(false) is not { } run || call.RouteNumber("tid") is not { } task) return RunNotFound(call);
        var found = await database.ReadAsync((run.Run.Id, task), static (session, q, token) => RunRows.ReportAsync(session, q.Id, q.task, token), ct).ConfigureAwait(false);
        if (found is not var (repository, report)) return ApiResult.NotFound($"task {task} not found");
        return ApiResult.Stream("text/plain; charset=utf-8", async (http, token) =>
        {
            foreach (var line in RetentionReport.Unpack(report))
            {
                var text = $"{(line.Goes ? run.Run.IsDryRun ? "would go" : "went" : "kept"),-8} {repository}{(line.Tag is null ? "@" + line.Digest : ":" + line.Tag)}  {line.Because}\n";
                await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), token).ConfigureAwait(false);
            }
        });
    }

    private async Task<(RetentionPolicy? Policy, ProjectFacts? Project, ApiResult? Refusal)> FindAsync(ApiCall call, Permission permission, CancellationToken ct)
    {
        var policy = call.RouteNumber("id") is { } id ? await database.ReadAsync(id, static (session, i, token) => PolicyRows.FindAsync(session, i, token), ct).ConfigureAwait(false) : null;
        // Harbor knows one policy a project: the others are not for its clients.
        if (policy is not { ProjectId: { } projectId, Repository: "" } || await call.FindProjectAsync(projectId, ct).ConfigureAwait(false) is not { } project)
            return (null, null, ApiResult.NotFound($"no such Retention policy with id {call.Route("id")}"));
        return await call.MayAsync(project, permission, ct).ConfigureAwait(false) ? (policy, project, null) : (null, null, call.Refuse());
    }

    private async Task<RunView?> FindRunAsync(ApiCall call, RetentionPolicy policy, CancellationToken ct) => call.RouteNumber("eid") is { } id
        ? await database.ReadAsync((policy.Id, id), static (session, q, token) => RunRows.FindAsync(session, q.Id, q.id, token), ct).ConfigureAwait(false)
        : null;

    private static ApiResult RunNotFound(ApiCall call) => ApiResult.NotFound($"execution {call.Route("eid")} not found");

    private static ApiResult? ReadPolicy(HarborPolicy body, RetentionPolicy known, out RetentionPolicy policy)
    {
        policy = known;
        var reading = HarborRetention.Read(body);
        if (reading.Rules is null) return ApiResult.BadRequest(string.Join("; ", reading.Problems));
        for (var i = 1; i < reading.Rules.Rules.Count; i++)
        {
            var same = reading.Rules.Rules.Take(i).ToList().FindIndex(r => TextOf(r) == TextOf(reading.Rules.Rules[i]));
            if (same >= 0) return ApiResult.Conflict($"rule {i} is conflict with rule {same}");
        }
        if (body.Trigger?.Kind is not (null or "" or "Schedule")) return ApiResult.BadRequest($"the trigger must be Schedule, not {body.Trigger.Kind}");
        var cron = body.Trigger?.Settings?.GetValueOrDefault("cron") is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";
        if (cron.Length > 0 && !CronExpression.TryParse(cron, out _, out var problem)) return ApiResult.BadRequest($"invalid cron string for scheduled retention: {cron}, error: {problem}");
        policy.Rules = RetentionDialects.WriteOwn(reading.Rules);
        policy.Dialect = "harbor";
        policy.Cron = cron;
        return null;
    }

    private static string TextOf(RetentionRule rule) => RetentionDialects.WriteOwn(new RetentionRuleSet { Rules = [rule with { Name = "", Priority = 0 }] });

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private ValueTask RaiseAsync(DbSession session, ApiCall call, ProjectFacts project, string operation, long id, CancellationToken ct) => events.RaiseAsync(session, new DomainEvent
    {
        Operation = operation,
        ResourceType = "tag-retention",
        Resource = project.Name,
        ProjectId = project.Id,
        ProjectName = project.Name,
        Actor = call.Actor,
        Description = $"{operation} retention policy {id} of {project.Name}",
    }, ct);
}

/// <summary>Harbor's body of a run on demand.</summary>
public sealed record HarborTriggerRequest(bool? DryRun);

/// <summary>Harbor's body of what is to be done to a run.</summary>
public sealed record HarborActionRequest(string? Action);

/// <summary>A run as Harbor has it.</summary>
public sealed record HarborExecution
{
    public long Id { get; init; }
    public long PolicyId { get; init; }
    public string StartTime { get; init; } = "";
    public string EndTime { get; init; } = "";
    public string Status { get; init; } = "";
    public string Trigger { get; init; } = "";
    public bool DryRun { get; init; }
}

/// <summary>A run in one repository as Harbor has it.</summary>
public sealed record HarborRetentionTask
{
    public long Id { get; init; }
    public long ExecutionId { get; init; }
    public string Repository { get; init; } = "";
    public string JobId { get; init; } = "";
    public string Status { get; init; } = "";
    public int StatusCode { get; init; }
    public long StatusRevision { get; init; }
    public string StartTime { get; init; } = "";
    public string EndTime { get; init; } = "";
    public int Total { get; init; }
    public int Retained { get; init; }
}

/// <summary>Which rules there are, for a form.</summary>
public sealed record HarborRetentionMetadata(
    IReadOnlyList<HarborTemplate> Templates, IReadOnlyList<HarborSelectorKind> ScopeSelectors, IReadOnlyList<HarborSelectorKind> TagSelectors)
{
    /// <summary>All of them.</summary>
    public static HarborRetentionMetadata All { get; } = new(
        [
            Counted("latestPushedK", "the most recently pushed # artifacts", "COUNT"),
            Counted("latestPulledN", "the most recently pulled # artifacts", "COUNT"),
            Counted("nDaysSinceLastPush", "pushed within the last # days", "DAYS"),
            Counted("nDaysSinceLastPull", "pulled within the last # days", "DAYS"),
            new HarborTemplate("always", "always", "retain", []),
        ],
        [new HarborSelectorKind("Repositories", "doublestar", ["repoMatches", "repoExcludes"])],
        [new HarborSelectorKind("Tags", "doublestar", ["matches", "excludes"])]);

    private static HarborTemplate Counted(string name, string text, string unit) => new(name, text, "retain", [new HarborTemplateParameter("int", unit, true)]);
}

/// <summary>A rule that there is.</summary>
public sealed record HarborTemplate(string RuleTemplate, string DisplayText, string Action, IReadOnlyList<HarborTemplateParameter> Params);

/// <summary>A parameter of a rule.</summary>
public sealed record HarborTemplateParameter(string Type, string Unit, bool Required);

/// <summary>A selector that there is.</summary>
public sealed record HarborSelectorKind(string DisplayText, string Kind, IReadOnlyList<string> Decorations);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HarborPolicy))]
[JsonSerializable(typeof(HarborTriggerRequest))]
[JsonSerializable(typeof(HarborActionRequest))]
[JsonSerializable(typeof(List<HarborExecution>))]
[JsonSerializable(typeof(List<HarborRetentionTask>))]
[JsonSerializable(typeof(HarborRetentionMetadata))]
[JsonSerializable(typeof(string))]
internal sealed partial class HarborRetentionApiJson : JsonSerializerContext;
