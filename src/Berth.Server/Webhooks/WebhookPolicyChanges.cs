using System.Text.Json;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Webhooks;

/// <summary>Creates, changes and removes policies, for both interfaces. Checks, rows and event are one transaction.</summary>
internal sealed class WebhookPolicyChanges(
    Database database, WebhookTargets targets, OutgoingGuard guard, WebhookOptions options, DomainEvents events, TimeProvider time)
{
    /// <summary>Creates the policy of a request's body, in a project or (null) for the installation.</summary>
    /// <param name="call">The request.</param>
    /// <param name="projectId">The project.</param>
    /// <param name="projectName">Its name.</param>
    /// <param name="location">Address of the policy by its id.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<ApiResult> CreateAsync(ApiCall call, long? projectId, string? projectName, Func<long, string> location, CancellationToken ct)
    {
        var (isRead, json, refusal) = await call.ReadAsync(WebhookJson.Default.WebhookPolicyJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (ProblemOf(json, projectId) is { } problem) return ApiResult.BadRequest(problem);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await WebhookRows.IsTakenAsync(session, projectId, json.Name!, 0, token).ConfigureAwait(false)) return Taken(json.Name!);
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var id = await WebhookRows.AddAsync(session, RowOf(json, null, projectId, call.Caller.Name, now), token).ConfigureAwait(false);
            await RaiseAsync(session, call, "create", json.Name!, projectId, projectName, token).ConfigureAwait(false);
            return ApiResult.Created(location(id));
        }, ct).ConfigureAwait(false);
    }

    /// <summary>Replaces a policy by a request's body.</summary>
    public async Task<ApiResult> UpdateAsync(ApiCall call, WebhookPolicy policy, string? projectName, CancellationToken ct)
    {
        var (isRead, json, refusal) = await call.ReadAsync(WebhookJson.Default.WebhookPolicyJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (ProblemOf(json, policy.ProjectId) is { } problem) return ApiResult.BadRequest(problem);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await WebhookRows.FindAsync(session, policy.Id, token).ConfigureAwait(false) is not { } before) return NotFound(policy.Id);
            if (await WebhookRows.IsTakenAsync(session, policy.ProjectId, json.Name!, policy.Id, token).ConfigureAwait(false)) return Taken(json.Name!);
            var row = RowOf(json, before, before.ProjectId, before.Creator, time.GetUtcNow().ToUnixTimeMilliseconds());
            await WebhookRows.UpdateAsync(session, row, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "update", row.Name, policy.ProjectId, projectName, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    /// <summary>Removes a policy and its deliveries.</summary>
    public async Task<ApiResult> DeleteAsync(ApiCall call, WebhookPolicy policy, string? projectName, CancellationToken ct) =>
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await WebhookRows.DeleteAsync(session, policy.Id, token).ConfigureAwait(false);
            await JobQueue.DeleteAsync(session, WebhookPublisher.VendorKeyOf(policy.Id), token).ConfigureAwait(false);
            await RaiseAsync(session, call, "delete", policy.Name, policy.ProjectId, projectName, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);

    /// <summary>The answer for a policy that is not there.</summary>
    public static ApiResult NotFound(long? id) => ApiResult.NotFound($"webhook policy id: {id} not found");

    private string? ProblemOf(WebhookPolicyJson json, long? projectId) => WebhookRules.ProblemOf(json, projectId is not null, guard, options.Smtp.Host.Length > 0);

    private WebhookPolicy RowOf(WebhookPolicyJson json, WebhookPolicy? before, long? projectId, string creator, long now)
    {
        var old = before is null ? [] : targets.Read(before.Targets);
        return new WebhookPolicy
        {
            Id = before?.Id ?? 0,
            ProjectId = projectId,
            Name = json.Name!,
            Description = json.Description ?? "",
            Enabled = json.Enabled,
            EventTypes = JsonSerializer.Serialize([.. json.EventTypes!.Distinct()], WebhookJson.Default.StringArray),
            Repositories = string.IsNullOrEmpty(json.Repositories) ? null : json.Repositories,
            Tags = string.IsNullOrEmpty(json.Tags) ? null : json.Tags,
            Targets = targets.Store([.. json.Targets!.Select((t, i) => WebhookRules.TargetOf(t, i < old.Count ? old[i] : null))]),
            Creator = creator,
            CreatedAt = before?.CreatedAt ?? now,
            UpdatedAt = now,
        };
    }

    private static ApiResult Taken(string name) => ApiResult.Conflict($"notification policy named {name} already exists");

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, string name, long? projectId, string? projectName, CancellationToken ct) =>
        events.RaiseAsync(session, new DomainEvent
        {
            Operation = operation,
            ResourceType = "webhook",
            Resource = name,
            ProjectId = projectId,
            ProjectName = projectName,
            Actor = call.Actor,
            Description = $"{operation} webhook policy {name}",
        }, ct);
}
