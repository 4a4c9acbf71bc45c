using System.Text.Json.Serialization;

namespace Berth.Server.Projects;

/// <summary>What a client sends to make or change a project.</summary>
public sealed record ProjectRequest
{
    public string? ProjectName { get; init; }

    /// <summary>Older way to say <c>metadata.public</c>.</summary>
    public bool? Public { get; init; }

    public IReadOnlyDictionary<string, string?>? Metadata { get; init; }

    public AllowListJson? CveAllowlist { get; init; }

    /// <summary>Quota in bytes; -1 for none.</summary>
    public long? StorageLimit { get; init; }

    public long? RegistryId { get; init; }
}

/// <summary>A project.</summary>
public sealed record ProjectJson
{
    public long ProjectId { get; init; }

    public required string Name { get; init; }

    public long? OwnerId { get; init; }

    public string? OwnerName { get; init; }

    public required string CreationTime { get; init; }

    public required string UpdateTime { get; init; }

    /// <summary>The strongest of the caller's roles.</summary>
    public long? CurrentUserRoleId { get; init; }

    public IReadOnlyList<long>? CurrentUserRoleIds { get; init; }

    public long RepoCount { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    public AllowListJson? CveAllowlist { get; init; }
}

/// <summary>Vulnerabilities that a project accepts.</summary>
public sealed record AllowListJson
{
    public long? Id { get; init; }

    public long? ProjectId { get; init; }

    /// <summary>Unix seconds; null for never.</summary>
    public long? ExpiresAt { get; init; }

    public IReadOnlyList<AllowedVulnerability> Items { get; init; } = [];

    public string? CreationTime { get; init; }

    public string? UpdateTime { get; init; }
}

/// <summary>One vulnerability.</summary>
public sealed record AllowedVulnerability(string CveId);

/// <summary>Whether a project can be deleted.</summary>
public sealed record ProjectDeletable(bool Deletable, string? Message);

/// <summary>A project at a glance.</summary>
public sealed record ProjectSummary
{
    public long RepoCount { get; init; }

    public long? ProjectAdminCount { get; init; }

    public long? MaintainerCount { get; init; }

    public long? DeveloperCount { get; init; }

    public long? GuestCount { get; init; }

    public long? LimitedGuestCount { get; init; }

    public ProjectQuota? Quota { get; init; }
}

/// <summary>What a project may use and uses.</summary>
public sealed record ProjectQuota(IReadOnlyDictionary<string, long> Hard, IReadOnlyDictionary<string, long> Used);

/// <summary>The new name of a project.</summary>
public sealed record ProjectRenameRequest(string? Name);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProjectRequest))]
[JsonSerializable(typeof(ProjectJson))]
[JsonSerializable(typeof(List<ProjectJson>))]
[JsonSerializable(typeof(ProjectDeletable))]
[JsonSerializable(typeof(ProjectSummary))]
[JsonSerializable(typeof(ProjectRenameRequest))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class ProjectJsonContext : JsonSerializerContext;
