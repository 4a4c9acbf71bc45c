using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Webhooks;

/// <summary>
/// What Harbor has no words for: policies of the installation (administrators), and for every policy its deliveries, a test and sending again. Where
/// a policy decides who may, <see cref="ApiNeed.Inside"/>: an administrator, or for a project's policy whoever has the permission there.
/// </summary>
internal sealed class WebhookInstallationApi(
    Database database, WebhookPolicyChanges changes, WebhookTargets targets, WebhookPublisher publisher, TimeProvider time)
{
    private const string Policies = "/webhooks";
    private const string OnePolicy = Policies + "/{webhook_policy_id}";

    public static IEnumerable<ApiOperation> Operations(WebhookInstallationApi api) => new ApiOperation[]
    {
        new(HttpMethods.Get, Policies, "listWebhooks", "webhook", ApiNeed.Admin, api.ListAsync) { Answer = typeof(WebhookPolicyJson), IsList = true, Summary = "List the webhook policies of the installation." },
        new(HttpMethods.Post, Policies, "createWebhook", "webhook", ApiNeed.Admin, api.CreateAsync) { Body = typeof(WebhookPolicyJson), Summary = "Create a webhook policy of the installation." },
        new(HttpMethods.Get, OnePolicy, "getWebhook", "webhook", ApiNeed.Inside, api.GetAsync) { Answer = typeof(WebhookPolicyJson), Summary = "Get a webhook policy." },
        new(HttpMethods.Put, OnePolicy, "updateWebhook", "webhook", ApiNeed.Inside, api.UpdateAsync) { Body = typeof(WebhookPolicyJson), Summary = "Replace a webhook policy." },
        new(HttpMethods.Delete, OnePolicy, "deleteWebhook", "webhook", ApiNeed.Inside, api.DeleteAsync) { Summary = "Remove a webhook policy and its deliveries." },
        new(HttpMethods.Get, OnePolicy + "/deliveries", "listWebhookDeliveries", "webhook", ApiNeed.Inside, api.ListDeliveriesAsync)
            { Answer = typeof(WebhookDeliveryJson), IsList = true, Query = ["status"], Summary = "List the deliveries of a webhook policy." },
        new(HttpMethods.Post, OnePolicy + "/test", "testWebhook", "webhook", ApiNeed.Inside, api.TestAsync)
            { Body = typeof(WebhookTestJson), Answer = typeof(WebhookEnqueuedJson), Summary = "Send a made-up event to all targets of a webhook policy, once." },
        new(HttpMethods.Post, OnePolicy + "/deliveries/{delivery_id}/replay", "replayWebhookDelivery", "webhook", ApiNeed.Inside, api.ReplayAsync)
            { Answer = typeof(WebhookEnqueuedJson), Summary = "Send a delivery again, with the same body and event id." },
    }.Select(o => o with { Surface = ApiSurface.Berth });

    public async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var (page, total) = await database.ReadAsync(list, static (s, q, t) =>
            WebhookRows.ListAsync(s, null, q.Find("name")?.Value, q.Page.Offset, q.Page.Size, t), ct).ConfigureAwait(false);
        return ApiResult.List([.. page.Select(p => WebhookViews.Policy(p, targets))], total, WebhookJson.Default.WebhookPolicyJsonArray);
    }

    public Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct) => changes.CreateAsync(call, null, null, static id => $"/api/berth/v1/webhooks/{id}", ct);

    public async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (policy, _, refusal) = await FindAsync(call, ProjectPermissions.NotificationPolicyRead, ct).ConfigureAwait(false);
        return refusal ?? ApiResult.Ok(WebhookViews.Policy(policy!, targets), WebhookJson.Default.WebhookPolicyJson);
    }

    public async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        var (policy, project, refusal) = await FindAsync(call, ProjectPermissions.NotificationPolicyUpdate, ct).ConfigureAwait(false);
        return refusal ?? await changes.UpdateAsync(call, policy!, project, ct).ConfigureAwait(false);
    }

    public async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        var (policy, project, refusal) = await FindAsync(call, ProjectPermissions.NotificationPolicyDelete, ct).ConfigureAwait(false);
        return refusal ?? await changes.DeleteAsync(call, policy!, project, ct).ConfigureAwait(false);
    }

    public async Task<ApiResult> ListDeliveriesAsync(ApiCall call, CancellationToken ct)
    {
        var (policy, _, refusal) = await FindAsync(call, ProjectPermissions.NotificationPolicyRead, ct).ConfigureAwait(false);
        if (refusal is not null) return refusal;
        if (!call.TryReadPage(out var page, out refusal)) return refusal!;
        var word = call.Query("status");
        var states = word.Length == 0 ? null : JobWords.StatesOf(word);
        if (word.Length > 0 && states is null) return ApiResult.BadRequest($"status {word} is none of Pending, Scheduled, Running, Success, Error, Stopped");
        var filter = new JobFilter { VendorKey = WebhookPublisher.VendorKeyOf(policy!.Id), States = states };
        var (jobs, total) = await database.ReadAsync((filter, page), static async (session, q, token) =>
            (await JobViews.ListAsync(session, q.filter, q.page.Offset, q.page.Size, token).ConfigureAwait(false),
             await JobViews.CountAsync(session, q.filter, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List([.. jobs.Select(j => WebhookViews.Delivery(j, time.GetUtcNow()))], total, WebhookJson.Default.WebhookDeliveryJsonArray);
    }

    public async Task<ApiResult> TestAsync(ApiCall call, CancellationToken ct)
    {
        var (policy, project, refusal) = await FindAsync(call, ProjectPermissions.NotificationPolicyUpdate, ct).ConfigureAwait(false);
        if (refusal is not null) return refusal;
        var types = WebhookViews.EventTypesOf(policy!);
        var type = types[0];
        if (call.Http.Request.ContentLength is > 0)
        {
            var (isRead, body, problem) = await call.ReadAsync(WebhookJson.Default.WebhookTestJson, ct).ConfigureAwait(false);
            if (!isRead) return problem!;
            type = string.IsNullOrEmpty(body.EventType) ? type : body.EventType;
        }
        if (!types.Contains(type)) return ApiResult.BadRequest($"the policy does not ask for {type}: choose one of {string.Join(", ", types)}");
        var e = Sample(type, policy!.ProjectId ?? 0, project ?? "library", call);
        var active = new ActivePolicy(policy.Id, policy.ProjectId, types.ToHashSet(), null, null, targets.Read(policy.Targets));
        var ids = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var added = new List<long>();
            for (var i = 0; i < active.Targets.Count; i++) added.Add(await publisher.EnqueueAsync(session, active, i, e, isTest: true, token).ConfigureAwait(false));
            return added;
        }, ct).ConfigureAwait(false);
        return ApiResult.Ok(new WebhookEnqueuedJson { Deliveries = ids }, WebhookJson.Default.WebhookEnqueuedJson);
    }

    public async Task<ApiResult> ReplayAsync(ApiCall call, CancellationToken ct)
    {
        var (policy, _, refusal) = await FindAsync(call, ProjectPermissions.NotificationPolicyUpdate, ct).ConfigureAwait(false);
        if (refusal is not null) return refusal;
        var key = WebhookPublisher.VendorKeyOf(policy!.Id);
        var id = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var job = call.RouteNumber("delivery_id") is { } delivery ? await JobViews.FindAsync(session, delivery, token).ConfigureAwait(false) : null;
            return job?.VendorKey == key ? await publisher.ReplayAsync(session, job, token).ConfigureAwait(false) : (long?)null;
        }, ct).ConfigureAwait(false);
        return id is { } added
            ? ApiResult.Ok(new WebhookEnqueuedJson { Deliveries = [added] }, WebhookJson.Default.WebhookEnqueuedJson)
            : ApiResult.NotFound($"delivery {call.Route("delivery_id")} not found in policy {policy.Id}");
    }

    /// <summary>The policy of the path for somebody who has a permission on it; what they may not see looks as if it were not there.</summary>
    private async ValueTask<(WebhookPolicy? Policy, string? Project, ApiResult? Refusal)> FindAsync(ApiCall call, Permission permission, CancellationToken ct)
    {
        if (call.Caller.IsAnonymous) return (null, null, call.Refuse());
        var id = call.RouteNumber("webhook_policy_id");
        var policy = id is null ? null : await database.ReadAsync(id.Value, static (s, i, t) => WebhookRows.FindAsync(s, i, t), ct).ConfigureAwait(false);
        if (policy is null) return (null, null, WebhookPolicyChanges.NotFound(id));
        if (policy.ProjectId is not { } projectId) return call.IsAdmin ? (policy, null, null) : (null, null, WebhookPolicyChanges.NotFound(id));
        var project = await database.ReadAsync(projectId, static (s, i, t) => Projects.ProjectRows.ReadAsync(s, i, t), ct).ConfigureAwait(false);
        return project is not null && await call.MayAsync(project, permission, ct).ConfigureAwait(false)
            ? (policy, project.Name, null)
            : (null, null, WebhookPolicyChanges.NotFound(id));
    }

    private WebhookEvent Sample(string type, long projectId, string project, ApiCall call)
    {
        var now = time.GetUtcNow();
        const string digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        return new WebhookEvent
        {
            Id = Guid.CreateVersion7(now),
            RequestId = call.Actor.RequestId,
            ProjectId = projectId,
            Repository = $"{project}/webhook-test",
            Tag = "test",
            Body = new WebhookBody
            {
                Type = type,
                OccurAt = now.ToUnixTimeSeconds(),
                Operator = call.Caller.Name,
                EventData = new WebhookData
                {
                    Resources = [new WebhookResource { Digest = digest, Tag = "test", ResourceUrl = $"{call.Http.Request.Host.Value}/{project}/webhook-test:test" }],
                    Repository = new WebhookRepository { Name = "webhook-test", Namespace = project, RepoFullName = $"{project}/webhook-test", RepoType = "private" },
                    CustomAttributes = new Dictionary<string, string> { ["test"] = "true" },
                },
            },
        };
    }
}
