using System.Globalization;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Text;
using Berth.Server.Projects;
using Berth.Server.Quotas;
using Berth.Server.Registry;
using Berth.Server.Retention;
using Berth.Server.Scanning;

namespace Berth.Server.Webhooks;

/// <summary>Listens to what happens in repositories and through the management API, and publishes what policies want, in the same transaction.</summary>
internal sealed class WebhookWriter(WebhookPublisher publisher, WebhookScans scans, TimeProvider time) : IRegistryEventWriter, IDomainEventWriter
{
    private const int MaxDetailLength = 1024;

    /// <inheritdoc/>
    public bool Wants(RegistryEventAction action) => TypeOf(action) is { } type && publisher.MayWant(type);

    /// <inheritdoc/>
    public async ValueTask WriteAsync(DbSession session, RegistryEvent registryEvent, CancellationToken ct)
    {
        // First, also for what is not told: it finds out whether anybody listens, and until then every event costs a write.
        if (TypeOf(registryEvent.Action) is not { } type || !await publisher.WantsAsync(session, type, ct).ConfigureAwait(false)) return;
        // A blob is no artifact, and a tag that goes leaves its artifact where it is.
        if (registryEvent.IsBlob || registryEvent.Digest is not { } digest) return;
        if (await RepositoryAsync(session, registryEvent.Repository, ct).ConfigureAwait(false) is not var (projectId, repository)) return;
        var reference = registryEvent.Tag ?? digest;
        var host = HostOf(registryEvent.Request);
        await publisher.PublishAsync(session, NewEvent(type, registryEvent.Actor, registryEvent.Request.Id, projectId, registryEvent.Repository, registryEvent.Tag, new WebhookData
        {
            Resources =
            [
                new WebhookResource
                {
                    Digest = digest,
                    Tag = reference,
                    ResourceUrl = $"{host}/{registryEvent.Repository}{(registryEvent.Tag is null ? '@' : ':')}{reference}",
                },
            ],
            Repository = repository,
        }), ct).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask WriteAsync(DbSession session, DomainEvent domainEvent, CancellationToken ct)
    {
        if (domainEvent is { ResourceType: QuotaEvents.ResourceType, Detail: QuotaDetail quota })
            await WriteQuotaAsync(session, domainEvent, quota, ct).ConfigureAwait(false);
        if (domainEvent is { ResourceType: "tag-retention", Detail: RetentionDetail { IsDryRun: false } retention })
            await WriteRetentionAsync(session, domainEvent, retention, ct).ConfigureAwait(false);
        if (domainEvent is { ResourceType: "tag", Operation: TagExpiryDetail.Soon or TagExpiryDetail.Gone, Detail: TagExpiryDetail expiry })
            await WriteExpiryAsync(session, domainEvent, expiry, ct).ConfigureAwait(false);
        if (domainEvent is { ResourceType: "artifact", Operation: "scan", Detail: ScanDetail scan })
            await scans.WriteAsync(session, scan, RepositoryAsync, NewEvent, ct).ConfigureAwait(false);
        if (!domainEvent.IsSuccessful || !publisher.MayWant(WebhookEventTypes.Management)) return;
        if (!await publisher.WantsAsync(session, WebhookEventTypes.Management, ct).ConfigureAwait(false)) return;
        var words = new Dictionary<string, string>
        {
            ["operation"] = domainEvent.Operation,
            ["resource_type"] = domainEvent.ResourceType,
            ["resource"] = domainEvent.Resource,
            ["description"] = domainEvent.Description.Length <= MaxDetailLength ? domainEvent.Description : domainEvent.Description[..MaxDetailLength],
        };
        if (domainEvent.ProjectName is { } project) words["project"] = project;
        await publisher.PublishAsync(
            session,
            NewEvent(WebhookEventTypes.Management, domainEvent.Actor.Name, domainEvent.Actor.RequestId, domainEvent.ProjectId ?? 0, null, null, new WebhookData { CustomAttributes = words }),
            ct).ConfigureAwait(false);
    }

    private async ValueTask WriteQuotaAsync(DbSession session, DomainEvent domainEvent, QuotaDetail quota, CancellationToken ct)
    {
        var type = domainEvent.Operation == QuotaEvents.Exceed ? WebhookEventTypes.QuotaExceed : WebhookEventTypes.QuotaWarning;
        if (!publisher.MayWant(type) || !await publisher.WantsAsync(session, type, ct).ConfigureAwait(false)) return;
        if (await RepositoryAsync(session, quota.Repository, ct).ConfigureAwait(false) is not var (projectId, repository)) return;
        await publisher.PublishAsync(session, NewEvent(type, domainEvent.Actor.Name, domainEvent.Actor.RequestId, projectId, quota.Repository, null, new WebhookData
        {
            Repository = repository with { DateCreated = null },
            CustomAttributes = new Dictionary<string, string>
            {
                ["Details"] = domainEvent.Description,
                ["used_bytes"] = quota.UsedBytes.ToString(CultureInfo.InvariantCulture),
                ["quota_bytes"] = quota.QuotaBytes.ToString(CultureInfo.InvariantCulture),
            },
        }), ct).ConfigureAwait(false);
    }

    private async ValueTask WriteRetentionAsync(DbSession session, DomainEvent domainEvent, RetentionDetail retention, CancellationToken ct)
    {
        if (!publisher.MayWant(WebhookEventTypes.TagRetention) || !await publisher.WantsAsync(session, WebhookEventTypes.TagRetention, ct).ConfigureAwait(false)) return;
        await publisher.PublishAsync(session, NewEvent(WebhookEventTypes.TagRetention, domainEvent.Actor.Name, domainEvent.Actor.RequestId, domainEvent.ProjectId ?? 0, null, null, new WebhookData
        {
            Retention = new WebhookRetention
            {
                Total = retention.Total,
                Retained = retention.Kept,
                ProjectName = domainEvent.ProjectName,
                RetentionPolicyId = retention.PolicyId,
                Status = "SUCCESS",
                DeletedArtifact = retention.Deleted,
            },
        }), ct).ConfigureAwait(false);
    }

    private async ValueTask WriteExpiryAsync(DbSession session, DomainEvent domainEvent, TagExpiryDetail expiry, CancellationToken ct)
    {
        var type = domainEvent.Operation == TagExpiryDetail.Soon ? WebhookEventTypes.TagExpiring : WebhookEventTypes.TagExpired;
        if (!publisher.MayWant(type) || !await publisher.WantsAsync(session, type, ct).ConfigureAwait(false)) return;
        if (await RepositoryAsync(session, expiry.Repository, ct).ConfigureAwait(false) is not var (projectId, repository)) return;
        await publisher.PublishAsync(session, NewEvent(type, domainEvent.Actor.Name, domainEvent.Actor.RequestId, projectId, expiry.Repository, expiry.Tag, new WebhookData
        {
            Resources = [new WebhookResource { Digest = expiry.Digest, Tag = expiry.Tag }],
            Repository = repository,
            CustomAttributes = new Dictionary<string, string> { ["expires_at"] = UtcText.Of(expiry.ExpiresAt) },
        }), ct).ConfigureAwait(false);
    }

    private WebhookEvent NewEvent(string type, string actor, string requestId, long projectId, string? repository, string? tag, WebhookData data)
    {
        var now = time.GetUtcNow();
        return new WebhookEvent
        {
            Id = Guid.CreateVersion7(now),
            RequestId = requestId,
            ProjectId = projectId,
            Repository = repository,
            Tag = tag,
            Body = new WebhookBody { Type = type, OccurAt = now.ToUnixTimeSeconds(), Operator = actor, EventData = data },
        };
    }

    private static string? TypeOf(RegistryEventAction action) => action switch
    {
        RegistryEventAction.Push => WebhookEventTypes.PushArtifact,
        RegistryEventAction.Pull => WebhookEventTypes.PullArtifact,
        RegistryEventAction.Delete => WebhookEventTypes.DeleteArtifact,
        _ => null,
    };

    private static string HostOf(EventRequest request) => Uri.TryCreate(request.BaseUrl, UriKind.Absolute, out var url) ? url.Authority : request.Host;

    /// <summary>The repository as payloads show it, with the id of its project; null when there is no such project.</summary>
    private static async ValueTask<(long ProjectId, WebhookRepository Repository)?> RepositoryAsync(DbSession session, string name, CancellationToken ct)
    {
        await using var reader = await session.Command(SelectRepository, ProjectName.Of(name), name).ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await reader.ReadAsync(ct).ConfigureAwait(false)) return null;
        return (reader.GetInt64(0), new WebhookRepository
        {
            DateCreated = reader.IsDBNull(2) ? null : reader.GetInt64(2) / 1000,
            Name = name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..],
            Namespace = ProjectName.Of(name),
            RepoFullName = name,
            RepoType = reader.GetBoolean(1) ? "public" : "private",
        });
    }

    private static readonly Statement SelectRepository = new("""
        SELECT p.id, p.is_public, r.created_at FROM projects p LEFT JOIN repositories r ON r.name = @1 WHERE p.name = @0
        """);
}
