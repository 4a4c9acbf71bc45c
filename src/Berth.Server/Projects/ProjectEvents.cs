using Berth.Server.Platform.Events;

namespace Berth.Server.Projects;

/// <summary>What tells of a renamed project or repository, beside the words of every event.</summary>
public sealed record RenameDetail(string From, string To);

/// <summary>Events of projects.</summary>
internal static class ProjectEvents
{
    public const string ResourceType = "project";
    public const string Create = "create";
    public const string Update = "update";
    public const string Delete = "delete";
    public const string Rename = "rename";

    /// <summary>Something was done to a project.</summary>
    public static DomainEvent Of(string operation, long id, string name, EventActor actor, string description, object? detail = null) => new()
    {
        Operation = operation,
        ResourceType = ResourceType,
        Resource = name,
        ProjectId = id,
        ProjectName = name,
        Actor = actor,
        Description = description,
        Detail = detail,
    };
}
