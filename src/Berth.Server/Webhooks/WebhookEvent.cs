using System.Text.Json;

namespace Berth.Server.Webhooks;

/// <summary>An event before it is put into the form that a receiver wants.</summary>
internal sealed record WebhookEvent
{
    /// <summary>Stays the same however often it is sent.</summary>
    public required Guid Id { get; init; }

    /// <summary>Id of the request that caused it; empty for the server itself.</summary>
    public required string RequestId { get; init; }

    /// <summary>The project it happened in; 0 for none.</summary>
    public long ProjectId { get; init; }

    /// <summary>Full name of the repository, if it is about one.</summary>
    public string? Repository { get; init; }

    /// <summary>Tag, if it is about one.</summary>
    public string? Tag { get; init; }

    /// <summary>What Harbor's default format holds.</summary>
    public required WebhookBody Body { get; init; }
}

/// <summary>Harbor's default payload.</summary>
public sealed record WebhookBody
{
    public required string Type { get; init; }

    /// <summary>Unix seconds.</summary>
    public required long OccurAt { get; init; }

    public required string Operator { get; init; }

    public required WebhookData EventData { get; init; }
}

/// <summary><c>event_data</c> of a payload.</summary>
public sealed record WebhookData
{
    public IReadOnlyList<WebhookResource>? Resources { get; init; }

    public WebhookRepository? Repository { get; init; }

    public IReadOnlyDictionary<string, string>? CustomAttributes { get; init; }

    public WebhookRetention? Retention { get; init; }
}

/// <summary>What a run of a retention policy came to.</summary>
public sealed record WebhookRetention
{
    public long Total { get; init; }

    public long Retained { get; init; }

    public string? ProjectName { get; init; }

    public long RetentionPolicyId { get; init; }

    public string Status { get; init; } = "";

    /// <summary>The first of those that went.</summary>
    public IReadOnlyList<string>? DeletedArtifact { get; init; }
}

/// <summary>An artifact that an event is about.</summary>
public sealed record WebhookResource
{
    public string? Digest { get; init; }

    public string? Tag { get; init; }

    public string? ResourceUrl { get; init; }

    /// <summary>The summary of its scan by the media type of the report, for events of scans.</summary>
    public JsonElement? ScanOverview { get; init; }
}

/// <summary>The repository that an event is about.</summary>
public sealed record WebhookRepository
{
    /// <summary>Unix seconds; null once it is gone.</summary>
    public long? DateCreated { get; init; }

    /// <summary>Without the project.</summary>
    public required string Name { get; init; }

    /// <summary>The project.</summary>
    public required string Namespace { get; init; }

    public required string RepoFullName { get; init; }

    /// <summary><c>public</c> or <c>private</c>.</summary>
    public required string RepoType { get; init; }
}
