using Berth.Server.Platform.Events;
using Berth.Server.Registry;

namespace Berth.Server.Audit;

/// <summary>What events are called in the audit log: Harbor's words, which its clients filter by.</summary>
internal static class AuditWords
{
    /// <summary>Stands for all events without a word of their own in a list of event types.</summary>
    public const string Other = "other";

    /// <summary>Types of events that Harbor's clients know, <c>operation_resource</c>, in its order.</summary>
    public static readonly IReadOnlyList<string> EventTypes =
    [
        "create_artifact", "delete_artifact", "pull_artifact", "create_project", "delete_project", "delete_repository", "login_user", "logout_user", "create_user",
        "delete_user", "update_user", "create_robot", "delete_robot", "update_configuration", "create_member", "delete_member", "update_member", "update_project",
    ];

    /// <summary>The types that <see cref="Other"/> does not stand for.</summary>
    public static readonly IReadOnlyList<string> ArtifactTypes = ["create_artifact", "delete_artifact", "pull_artifact"];

    /// <summary>The entry of a domain event, without project.</summary>
    public static AuditEntry EntryOf(DomainEvent happened, long now) => new()
    {
        At = now,
        ProjectId = happened.ProjectId,
        Operation = Cut(happened.Operation, 32),
        ResourceType = Cut(happened.ResourceType, 32),
        Resource = Cut(happened.Resource, 4096),
        Actor = Cut(happened.Actor.Name.Length == 0 ? "anonymous" : happened.Actor.Name, 512),
        Address = Cut(happened.Actor.Address, 64),
        RequestId = Cut(happened.Actor.RequestId, 128),
        Description = Cut(happened.Description, 4096),
        IsSuccessful = happened.IsSuccessful,
    };

    /// <summary>The entry of a registry event; null for one that is not audited: uploads and mounts of blobs.</summary>
    public static AuditEntry? EntryOf(RegistryEvent happened, long? projectId, long now)
    {
        var digest = happened.Digest;
        var (operation, type, resource, description) = (happened.Action, happened.IsBlob) switch
        {
            (RegistryEventAction.Push, false) => ("create", "artifact", happened.Tag is { } tag ? $"{happened.Repository}:{tag}" : $"{happened.Repository}@{digest}", $"push artifact: {happened.Repository}@{digest}"),
            (RegistryEventAction.Delete, false) when digest is null => ("delete", "tag", $"{happened.Repository}:{happened.Tag}", $"delete tag: {happened.Repository}:{happened.Tag}"),
            (RegistryEventAction.Delete, false) => ("delete", "artifact", $"{happened.Repository}@{digest}", $"delete artifact: {happened.Repository}@{digest}"),
            (RegistryEventAction.Delete, true) => ("delete", "blob", $"{happened.Repository}@{digest}", $"delete blob: {happened.Repository}@{digest}"),
            _ => ("", "", "", ""),
        };
        if (operation.Length == 0) return null;
        var address = happened.Request.RemoteAddress;
        return new AuditEntry
        {
            At = now,
            ProjectId = projectId,
            Operation = operation,
            ResourceType = type,
            Resource = Cut(resource, 4096),
            Actor = Cut(happened.Actor.Length == 0 ? "anonymous" : happened.Actor, 512),
            Address = Cut(address.LastIndexOf(':') is > 0 and var port ? address[..port] : address, 64),
            RequestId = Cut(happened.Request.Id, 128),
            Description = Cut(description, 4096),
        };
    }

    /// <summary>The type of an entry in lists of event types.</summary>
    public static string TypeOf(string operation, string resourceType) => $"{operation}_{resourceType}";

    /// <summary>A list of event types as clients write it: separated by commas, whatever the case.</summary>
    public static IReadOnlySet<string> ParseTypes(string text) =>
        text.ToLowerInvariant().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);

    /// <summary>A text as the database takes it: no longer than its column, and without zeros, which PostgreSQL has not.</summary>
    public static string Cut(string text, int length)
    {
        if (text.Contains('\0', StringComparison.Ordinal)) text = text.Replace('\0', ' ');
        return text.Length <= length ? text : text[..(length - 3)] + "...";
    }
}
