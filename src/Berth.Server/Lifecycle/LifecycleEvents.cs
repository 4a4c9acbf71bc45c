using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Projects;
using Berth.Server.Registry;

namespace Berth.Server.Lifecycle;

/// <summary>What is told of the life of versions.</summary>
internal static class LifecycleEvents
{
    /// <summary>Somebody did something with a tag or an artifact.</summary>
    public static ValueTask ByAsync(this DomainEvents events, DbSession session, ApiCall call, string operation, string type, string resource, string description, CancellationToken ct) =>
        events.RaiseAsync(session, new DomainEvent
        {
            Operation = operation,
            ResourceType = type,
            Resource = resource,
            ProjectId = call.Project!.Id,
            ProjectName = call.Project.Name,
            Actor = call.Actor,
            Description = description,
        }, ct);

    /// <summary>Something happened to a tag because of its end.</summary>
    public static DomainEvent OfExpiry(string operation, long projectId, TagExpiryDetail detail, string description) => new()
    {
        Operation = operation,
        ResourceType = "tag",
        Resource = $"{detail.Repository}:{detail.Tag}",
        ProjectId = projectId,
        ProjectName = ProjectName.Of(detail.Repository),
        Actor = EventActor.System,
        Description = description,
        Detail = detail,
    };
}
