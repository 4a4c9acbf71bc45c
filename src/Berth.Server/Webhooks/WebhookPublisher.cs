using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Webhooks;

/// <summary>
/// Turns an event into deliveries: one job for each target of each policy that is about it, in the transaction of what happened. Deliveries of
/// one target and repository form a group: they arrive in the order in which the events were committed.
/// </summary>
internal sealed class WebhookPublisher(WebhookPolicies policies, JobQueue queue, WebhookOptions options)
{
    /// <summary>Kind of the jobs.</summary>
    public const string JobKind = "webhook";

    /// <summary>Names a policy to the queue.</summary>
    public static string VendorKeyOf(long policyId) => $"webhook:{policyId}";

    /// <summary>Whether anybody may want events of a type.</summary>
    public bool MayWant(string eventType) => policies.MayWant(eventType);

    /// <summary>Whether anybody wants events of a type; certain.</summary>
    public async ValueTask<bool> WantsAsync(DbSession session, string eventType, CancellationToken ct)
    {
        foreach (var policy in await policies.AllAsync(session, ct).ConfigureAwait(false))
        {
            if (policy.EventTypes.Contains(eventType)) return true;
        }
        return false;
    }

    /// <summary>Enqueues the deliveries of an event.</summary>
    public async ValueTask PublishAsync(DbSession session, WebhookEvent e, CancellationToken ct)
    {
        foreach (var policy in await policies.AllAsync(session, ct).ConfigureAwait(false))
        {
            if (!policy.IsAbout(e)) continue;
            for (var i = 0; i < policy.Targets.Count; i++) await EnqueueAsync(session, policy, i, e, isTest: false, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Enqueues one delivery.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="policy">Whose target it is.</param>
    /// <param name="target">Which of its targets.</param>
    /// <param name="e">The event.</param>
    /// <param name="isTest">Tried once, out of any order.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>The job.</returns>
    public async ValueTask<long> EnqueueAsync(DbSession session, ActivePolicy policy, int target, WebhookEvent e, bool isTest, CancellationToken ct)
    {
        var to = policy.Targets[target];
        var content = WebhookFormats.Write(to, e, policy.Id);
        var delivery = new WebhookDelivery
        {
            EventType = e.Body.Type,
            NotifyType = to.Type,
            PolicyId = policy.Id,
            Target = target,
            EventId = e.Id.ToString(),
            ContentType = content.ContentType,
            Subject = to.Type == WebhookTarget.Email ? WebhookFormats.SubjectOf(e.Body.Type, e.Repository) : null,
            Body = content.Text,
        };
        var job = NewJob.Of(JobKind, delivery, WebhookJson.Default.WebhookDelivery) with
        {
            VendorKey = VendorKeyOf(policy.Id),
            ProjectId = e.ProjectId == 0 ? null : e.ProjectId,
            Trigger = isTest ? JobTrigger.Manual : JobTrigger.Event,
            MaxAttempts = isTest ? 1 : options.MaxAttempts,
            GroupKey = isTest ? null : $"webhook:{policy.Id}:{target}:{e.Repository}",
        };
        return (await queue.EnqueueAsync(session, job, ct).ConfigureAwait(false)).Id;
    }

    /// <summary>Enqueues a delivery again, with the same body and event id, behind what waits for the same target and repository.</summary>
    public async ValueTask<long> ReplayAsync(DbSession session, Job delivered, CancellationToken ct) =>
        (await queue.EnqueueAsync(session, new NewJob
        {
            Kind = JobKind,
            Payload = delivered.Payload,
            VendorKey = delivered.VendorKey,
            ProjectId = delivered.ProjectId,
            GroupKey = delivered.GroupKey,
            MaxAttempts = options.MaxAttempts,
            Trigger = JobTrigger.Manual,
        }, ct).ConfigureAwait(false)).Id;

    /// <summary>The delivery that a job makes.</summary>
    public static WebhookDelivery DeliveryOf(string payload) =>
        JsonSerializer.Deserialize(payload, WebhookJson.Default.WebhookDelivery) ?? throw new JsonException("the payload of a delivery is null");
}
