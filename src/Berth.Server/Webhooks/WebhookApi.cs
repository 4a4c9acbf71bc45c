using System.Text.Json;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Webhooks;

/// <summary>Harbor's operations on webhooks of a project. An execution, its one task and the older interface's job are the same delivery, under one id.</summary>
internal sealed class WebhookApi(Database database, WebhookPolicyChanges changes, WebhookTargets targets, TimeProvider time)
{
    private const int MaxLogLines = 10_000;
    private const int MaxPolicies = 1000;
    private const string Policies = "/projects/{project_name_or_id}/webhook/policies";
    private const string OnePolicy = Policies + "/{webhook_policy_id}";
    private const string Executions = OnePolicy + "/executions";
    private const string Tasks = Executions + "/{execution_id}/tasks";

    public static IEnumerable<ApiOperation> Operations(WebhookApi api) =>
    [
        Read(Policies, "ListWebhookPoliciesOfProject", ProjectPermissions.NotificationPolicyList, api.ListAsync, typeof(WebhookPolicyJson), isList: true),
        new(HttpMethods.Post, Policies, "CreateWebhookPolicyOfProject", "webhook", ApiNeed.Project(ProjectPermissions.NotificationPolicyCreate), api.CreateAsync) { Body = typeof(WebhookPolicyJson) },
        Read(OnePolicy, "GetWebhookPolicyOfProject", ProjectPermissions.NotificationPolicyRead, api.GetAsync, typeof(WebhookPolicyJson)),
        new(HttpMethods.Put, OnePolicy, "UpdateWebhookPolicyOfProject", "webhook", ApiNeed.Project(ProjectPermissions.NotificationPolicyUpdate), api.UpdateAsync) { Body = typeof(WebhookPolicyJson) },
        new(HttpMethods.Delete, OnePolicy, "DeleteWebhookPolicyOfProject", "webhook", ApiNeed.Project(ProjectPermissions.NotificationPolicyDelete), api.DeleteAsync),
        Read(Executions, "ListExecutionsOfWebhookPolicy", ProjectPermissions.NotificationPolicyRead, api.ListExecutionsAsync, typeof(WebhookExecutionJson), isList: true),
        Read(Tasks, "ListTasksOfWebhookExecution", ProjectPermissions.NotificationPolicyRead, api.ListTasksAsync, typeof(WebhookTaskJson), isList: true),
        Read(Tasks + "/{task_id}/log", "GetLogsOfWebhookTask", ProjectPermissions.NotificationPolicyRead, api.GetLogAsync, null),
        Read("/projects/{project_name_or_id}/webhook/lasttrigger", "LastTrigger", ProjectPermissions.NotificationPolicyRead, api.LastTriggerAsync, typeof(WebhookLastTriggerJson)) with { IsList = true },
        Read("/projects/{project_name_or_id}/webhook/events", "GetSupportedEventTypes", ProjectPermissions.NotificationPolicyRead, SupportAsync, typeof(WebhookSupportJson)),
        Read("/projects/{project_name_or_id}/webhook/jobs", "ListWebhookJobs", ProjectPermissions.NotificationPolicyList, api.ListJobsAsync, typeof(WebhookJobJson), isList: true)
            with { Tag = "webhookjob", Query = ["policy_id", "status"] },
    ];

    public async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var (page, total) = await database.ReadAsync((call.Project!.Id, list), static (s, q, t) =>
            WebhookRows.ListAsync(s, q.Id, q.list.Find("name")?.Value, q.list.Page.Offset, q.list.Page.Size, t), ct).ConfigureAwait(false);
        return ApiResult.List([.. page.Select(p => WebhookViews.Policy(p, targets))], total, WebhookJson.Default.WebhookPolicyJsonArray);
    }

    public Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct) =>
        changes.CreateAsync(call, call.Project!.Id, call.Project.Name, id => $"{call.Http.Request.Path.ToUriComponent().TrimEnd('/')}/{id}", ct);

    public async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct) =>
        await PolicyAsync(call, ct).ConfigureAwait(false) is { } policy
            ? ApiResult.Ok(WebhookViews.Policy(policy, targets), WebhookJson.Default.WebhookPolicyJson)
            : PolicyNotFound(call);

    public async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct) =>
        await PolicyAsync(call, ct).ConfigureAwait(false) is { } policy
            ? await changes.UpdateAsync(call, policy, call.Project!.Name, ct).ConfigureAwait(false)
            : PolicyNotFound(call);

    public async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct) =>
        await PolicyAsync(call, ct).ConfigureAwait(false) is { } policy
            ? await changes.DeleteAsync(call, policy, call.Project!.Name, ct).ConfigureAwait(false)
            : PolicyNotFound(call);

    public async Task<ApiResult> ListExecutionsAsync(ApiCall call, CancellationToken ct)
    {
        if (await PolicyAsync(call, ct).ConfigureAwait(false) is not { } policy) return PolicyNotFound(call);
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        if (!TryReadStatus(list.Find("status")?.Values, out var states)) return ApiResult.List([], 0, WebhookJson.Default.WebhookExecutionJsonArray);
        var (jobs, total) = await JobsAsync(policy.Id, states, list.Page, ct).ConfigureAwait(false);
        return ApiResult.List([.. jobs.Select(j => WebhookViews.Execution(j, time.GetUtcNow()))], total, WebhookJson.Default.WebhookExecutionJsonArray);
    }

    public async Task<ApiResult> ListTasksAsync(ApiCall call, CancellationToken ct)
    {
        if (await PolicyAsync(call, ct).ConfigureAwait(false) is not { } policy) return PolicyNotFound(call);
        if (await DeliveryAsync(call, policy, ct).ConfigureAwait(false) is not { } job) return ExecutionNotFound(call);
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        WebhookTaskJson[] tasks = list.Page.Number == 1 ? [WebhookViews.Task(job, time.GetUtcNow())] : [];
        return ApiResult.List(tasks, 1, WebhookJson.Default.WebhookTaskJsonArray);
    }

    public async Task<ApiResult> GetLogAsync(ApiCall call, CancellationToken ct)
    {
        if (await PolicyAsync(call, ct).ConfigureAwait(false) is not { } policy) return PolicyNotFound(call);
        if (await DeliveryAsync(call, policy, ct).ConfigureAwait(false) is not { } job) return ExecutionNotFound(call);
        if (call.RouteNumber("task_id") != job.Id) return ApiResult.NotFound($"task {call.Route("task_id")} not found in execution {job.Id}");
        var lines = await database.ReadAsync(job.Id, static (s, id, t) => JobViews.LogAsync(s, id, 0, MaxLogLines, t), ct).ConfigureAwait(false);
        return ApiResult.Text(WebhookViews.Log(lines), "text/plain");
    }

    public async Task<ApiResult> LastTriggerAsync(ApiCall call, CancellationToken ct)
    {
        var triggers = await database.ReadAsync(call.Project!.Id, static async (session, projectId, token) =>
        {
            var (policies, _) = await WebhookRows.ListAsync(session, projectId, null, 0, MaxPolicies, token).ConfigureAwait(false);
            var last = await LastTriggersAsync(session, policies, token).ConfigureAwait(false);
            return policies.SelectMany(p => WebhookViews.EventTypesOf(p).Select(type =>
                WebhookViews.LastTrigger(p, type, last.TryGetValue((WebhookPublisher.VendorKeyOf(p.Id), type), out var at) ? at : null))).ToList();
        }, ct).ConfigureAwait(false);
        return ApiResult.Ok([.. triggers], WebhookJson.Default.WebhookLastTriggerJsonArray);
    }

    // When policies were last triggered, by their key and the type of the event.
    private static async ValueTask<Dictionary<(string Key, string Type), long>> LastTriggersAsync(DbSession session, List<WebhookPolicy> policies, CancellationToken ct)
    {
        var last = new Dictionary<(string, string), long>();
        var keys = JsonSerializer.Serialize(policies.Select(p => WebhookPublisher.VendorKeyOf(p.Id)));
        await using var rows = await session.Command(SelectLast, keys).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            // Deliveries begin with their type: {"event_type":"PUSH_ARTIFACT",
            if (rows.GetString(1).Split('"') is not [_, _, _, { } type, _, ..]) continue;
            var key = (rows.GetString(0), type);
            last[key] = Math.Max(last.GetValueOrDefault(key), rows.GetInt64(2));
        }
        return last;
    }

    public static Task<ApiResult> SupportAsync(ApiCall call, CancellationToken ct) => Task.FromResult(ApiResult.Ok(
        new WebhookSupportJson
        {
            EventType = WebhookEventTypes.OfProjects,
            NotifyType = WebhookTarget.Types,
            PayloadFormats = [new WebhookFormatsJson { NotifyType = WebhookTarget.Http, Formats = WebhookTarget.Formats }],
        }, WebhookJson.Default.WebhookSupportJson));

    public async Task<ApiResult> ListJobsAsync(ApiCall call, CancellationToken ct)
    {
        if (!long.TryParse(call.Query("policy_id"), out var id)) return ApiResult.Fail(ApiError.Unprocessable, "policy_id in query is required");
        if (await database.ReadAsync(id, static (s, i, t) => WebhookRows.FindAsync(s, i, t), ct).ConfigureAwait(false) is not { } policy || policy.ProjectId != call.Project!.Id)
            return WebhookPolicyChanges.NotFound(id);
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var words = call.Http.Request.Query["status"].SelectMany(v => (v ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToArray();
        if (!TryReadStatus(words.Length == 0 ? list.Find("status")?.Values : words, out var states)) return ApiResult.List([], 0, WebhookJson.Default.WebhookJobJsonArray);
        var (jobs, total) = await JobsAsync(id, states, list.Page, ct).ConfigureAwait(false);
        return ApiResult.List([.. jobs.Select(j => WebhookViews.Job(j, time.GetUtcNow()))], total, WebhookJson.Default.WebhookJobJsonArray);
    }

    // False: a word that no delivery ever has.
    private static bool TryReadStatus(IReadOnlyList<string>? words, out IReadOnlyList<JobState>? states)
    {
        states = words is null ? null : [.. words.SelectMany(w => JobWords.StatesOf(w) ?? []).Distinct()];
        return states is null || states.Count > 0;
    }

    private ValueTask<(List<Job> Jobs, long Total)> JobsAsync(long policyId, IReadOnlyList<JobState>? states, ApiPage page, CancellationToken ct) =>
        database.ReadAsync((Filter: new JobFilter { VendorKey = WebhookPublisher.VendorKeyOf(policyId), States = states }, page), static async (session, q, token) =>
            (await JobViews.ListAsync(session, q.Filter, q.page.Offset, q.page.Size, token).ConfigureAwait(false),
             await JobViews.CountAsync(session, q.Filter, token).ConfigureAwait(false)), ct);

    // Null: there is none, or it is another project's.
    private async ValueTask<WebhookPolicy?> PolicyAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("webhook_policy_id") is not { } id) return null;
        var policy = await database.ReadAsync(id, static (s, i, t) => WebhookRows.FindAsync(s, i, t), ct).ConfigureAwait(false);
        return policy?.ProjectId == call.Project!.Id ? policy : null;
    }

    private async ValueTask<Job?> DeliveryAsync(ApiCall call, WebhookPolicy policy, CancellationToken ct)
    {
        if (call.RouteNumber("execution_id") is not { } id) return null;
        var job = await database.ReadAsync(id, static (s, i, t) => JobViews.FindAsync(s, i, t), ct).ConfigureAwait(false);
        return job?.VendorKey == WebhookPublisher.VendorKeyOf(policy.Id) ? job : null;
    }

    private static ApiResult PolicyNotFound(ApiCall call) =>
        ApiResult.NotFound($"project id:{call.Project!.Id}, webhook policy id: {call.Route("webhook_policy_id")} not found");

    private static ApiResult ExecutionNotFound(ApiCall call) =>
        ApiResult.NotFound($"execution {call.Route("execution_id")} not found in policy {call.Route("webhook_policy_id")}");

    private static ApiOperation Read(string path, string id, Permission permission, ApiHandler run, Type? answer, bool isList = false) =>
        new(HttpMethods.Get, path, id, "webhook", ApiNeed.Project(permission), run) { Answer = answer, IsList = isList };

    private static readonly Statement SelectLast = new(
        "SELECT vendor_key, SUBSTR(payload, 1, 40), MAX(created_at) FROM jobs WHERE vendor_key IN (SELECT value FROM json_each(@0)) AND vendor_key IS NOT NULL GROUP BY 1, 2",
        "SELECT vendor_key, SUBSTR(payload, 1, 40), MAX(created_at) FROM jobs WHERE vendor_key IN (SELECT jsonb_array_elements_text(@0::jsonb)) AND vendor_key IS NOT NULL GROUP BY 1, 2");
}
