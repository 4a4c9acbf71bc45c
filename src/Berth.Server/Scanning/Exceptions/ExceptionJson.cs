using System.Text.Json.Serialization;

namespace Berth.Server.Scanning.Exceptions;

/// <summary>A document of exceptions that somebody brings.</summary>
public sealed record NewExceptionJson
{
    /// <summary><c>openvex</c>, <c>cyclonedx</c>, <c>trivyignore</c> or <c>trivyignore-yaml</c>.</summary>
    public string? Kind { get; init; }

    /// <summary>Name for people, such as that of the file.</summary>
    public string? Name { get; init; }

    /// <summary>Why it is brought; stands as the reason where the document gives none.</summary>
    public string? Note { get; init; }

    /// <summary>When all of it ends (RFC 3339); null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The document as text.</summary>
    public string? Content { get; init; }

    /// <summary>Name of a repository without the project, of a project's document that is for that repository alone.</summary>
    public string? Repository { get; init; }
}

/// <summary>A document of exceptions.</summary>
public sealed record ExceptionDocumentJson
{
    public required long Id { get; init; }

    /// <summary><c>system</c>, <c>project</c> or <c>repository</c>.</summary>
    public required string Scope { get; init; }

    /// <summary>Name of the repository without the project; null for one of more than a repository.</summary>
    public string? Repository { get; init; }

    /// <summary><c>openvex</c>, <c>cyclonedx</c>, <c>trivyignore</c> or <c>trivyignore-yaml</c>.</summary>
    public required string Kind { get; init; }

    public required string Name { get; init; }

    public required string Note { get; init; }

    /// <summary>Statements or rules in it.</summary>
    public required int Entries { get; init; }

    public string? ExpiresAt { get; init; }

    /// <summary>Whether it has run out.</summary>
    public required bool IsExpired { get; init; }

    public required string CreatedBy { get; init; }

    public required string CreatedAt { get; init; }

    /// <summary>The document as text; only where one is asked for.</summary>
    public string? Content { get; init; }
}

/// <summary>A finding and what exceptions say of it.</summary>
public sealed record MarkedFindingJson
{
    public required string Id { get; init; }

    public required string Package { get; init; }

    public required string Version { get; init; }

    public required string FixVersion { get; init; }

    /// <summary>Harbor's word.</summary>
    public required string Severity { get; init; }

    /// <summary>The image: of an index one of its images.</summary>
    public required string Digest { get; init; }

    public string? Path { get; init; }

    /// <summary>What keeps it from counting; null when it counts.</summary>
    public SuppressionJson? Suppression { get; init; }

    /// <summary>What kept it from counting until it ran out; null when nothing did.</summary>
    public SuppressionJson? Expired { get; init; }

    /// <summary>What a document says that is attached to the image and does not count, because the project does not trust such documents; null when none does.</summary>
    public SuppressionJson? Attached { get; init; }
}

/// <summary>Why a finding does not count.</summary>
public sealed record SuppressionJson
{
    /// <summary>Where it is written.</summary>
    public required string Source { get; init; }

    /// <summary><c>ignored</c>, <c>not_affected</c> or <c>fixed</c>.</summary>
    public required string Status { get; init; }

    public required string Reason { get; init; }

    public string? ExpiresAt { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NewExceptionJson))]
[JsonSerializable(typeof(ExceptionDocumentJson))]
[JsonSerializable(typeof(List<ExceptionDocumentJson>))]
[JsonSerializable(typeof(List<MarkedFindingJson>))]
internal sealed partial class ExceptionJson : JsonSerializerContext;
