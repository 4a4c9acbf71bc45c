using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Berth.Server.Artifacts;

/// <summary>A repository as Harbor shows it.</summary>
public sealed record RepositoryJson
{
    public long Id { get; init; }

    public long ProjectId { get; init; }

    /// <summary>Full name, the project in front.</summary>
    public required string Name { get; init; }

    public string? Description { get; init; }

    public long ArtifactCount { get; init; }

    public long PullCount { get; init; }

    public required string CreationTime { get; init; }

    public required string UpdateTime { get; init; }
}

/// <summary>What <c>updateRepository</c> takes.</summary>
public sealed record RepositoryUpdateJson
{
    public string? Description { get; init; }
}

/// <summary>An artifact as Harbor shows it.</summary>
public sealed record ArtifactJson
{
    public long Id { get; init; }

    /// <summary><c>IMAGE</c>, <c>CHART</c> …</summary>
    public required string Type { get; init; }

    /// <summary>Media type of the configuration.</summary>
    public required string MediaType { get; init; }

    public required string ManifestMediaType { get; init; }

    public string? ArtifactType { get; init; }

    public long ProjectId { get; init; }

    public long RepositoryId { get; init; }

    public required string RepositoryName { get; init; }

    public required string Digest { get; init; }

    /// <summary>Bytes of the manifest and all that it names.</summary>
    public long Size { get; init; }

    public required string Icon { get; init; }

    public required string PushTime { get; init; }

    /// <summary>The year 1 before the first pull, as in Harbor.</summary>
    public required string PullTime { get; init; }

    public RawJson? ExtraAttrs { get; init; }

    public RawJson? Annotations { get; init; }

    public IReadOnlyList<ReferenceJson>? References { get; init; }

    public IReadOnlyList<TagJson>? Tags { get; init; }

    public IReadOnlyDictionary<string, AdditionLinkJson>? AdditionLinks { get; init; }

    public IReadOnlyList<ArtifactLabelJson>? Labels { get; init; }

    public IReadOnlyList<AccessoryJson>? Accessories { get; init; }

    /// <summary>Summary of the scan by the media type of its report; left out for what was never scanned.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RawJson? ScanOverview { get; init; }

    /// <summary>Where the bill of materials is that was made of it; left out where none was asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RawJson? SbomOverview { get; init; }

    /// <summary>Ours: <c>archived</c>, or <c>withheld</c>, which nobody pulls; left out for what is not in the archive.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Archive { get; init; }
}

/// <summary>An entry of an index.</summary>
public sealed record ReferenceJson
{
    public long ParentId { get; init; }

    /// <summary>0 where the index is sparse.</summary>
    public long ChildId { get; init; }

    public required string ChildDigest { get; init; }

    public RawJson? Platform { get; init; }

    public RawJson? Annotations { get; init; }

    public RawJson? Urls { get; init; }
}

/// <summary>A tag as Harbor shows it.</summary>
public sealed record TagJson
{
    /// <summary>Stable for the name in its repository; tags have no number of their own.</summary>
    public long Id { get; init; }

    public long RepositoryId { get; init; }

    public long ArtifactId { get; init; }

    public required string Name { get; init; }

    public required string PushTime { get; init; }

    public required string PullTime { get; init; }

    public bool Immutable { get; init; }

    /// <summary>Ours: when the tag expires (RFC 3339); left out for one that stays.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ExpiresAt { get; init; }
}

/// <summary>What <c>createTag</c> takes.</summary>
public sealed record TagCreateJson
{
    public string? Name { get; init; }
}

/// <summary>Where to find an addition.</summary>
public sealed record AdditionLinkJson(string Href, bool Absolute);

/// <summary>A label on an artifact.</summary>
public sealed record ArtifactLabelJson
{
    public long Id { get; init; }

    public string? Name { get; init; }

    public string? Description { get; init; }

    public string? Color { get; init; }

    /// <summary><c>g</c> of all projects, <c>p</c> of one.</summary>
    public string? Scope { get; init; }

    public long? ProjectId { get; init; }

    public string? CreationTime { get; init; }

    public string? UpdateTime { get; init; }
}

/// <summary>What belongs to an artifact: a signature, an SBOM.</summary>
public sealed record AccessoryJson
{
    public long Id { get; init; }

    public long ArtifactId { get; init; }

    public long SubjectArtifactId { get; init; }

    public required string SubjectArtifactDigest { get; init; }

    public required string SubjectArtifactRepo { get; init; }

    public long Size { get; init; }

    public required string Digest { get; init; }

    /// <summary><c>signature.cosign</c> …</summary>
    public required string Type { get; init; }

    public required string Icon { get; init; }

    public required string CreationTime { get; init; }
}

/// <summary>An icon: a small picture in base64.</summary>
public sealed record IconJson
{
    [JsonPropertyName("content-type")]
    public required string ContentType { get; init; }

    public required string Content { get; init; }
}

/// <summary>One move of a tag.</summary>
public sealed record TagMoveJson
{
    public long Id { get; init; }

    public required string Tag { get; init; }

    /// <summary>Where the tag points since; missing when it was deleted.</summary>
    public string? Digest { get; init; }

    /// <summary>Where it pointed before; missing when it was new.</summary>
    public string? PreviousDigest { get; init; }

    public required string Actor { get; init; }

    public required string Address { get; init; }

    public required string Time { get; init; }
}

/// <summary>A page of moves, the latest first.</summary>
public sealed record TagHistoryJson
{
    public required IReadOnlyList<TagMoveJson> Items { get; init; }

    /// <summary>Give it as <c>before</c> for the next page; missing on the last.</summary>
    public long? Next { get; init; }
}

/// <summary>What a rollback takes: one of the two.</summary>
public sealed record RollbackJson
{
    /// <summary>Digest that the tag shall point to.</summary>
    public string? Digest { get; init; }

    /// <summary>Id of a move: the tag shall point to where it pointed after it.</summary>
    public long? HistoryId { get; init; }
}

/// <summary>Where a tag points after a rollback.</summary>
public sealed record RolledBackJson(string Tag, string Digest);

/// <summary>Bytes of a repository or artifact.</summary>
public sealed record UsageJson
{
    /// <summary>All that is named, each blob once.</summary>
    public long TotalBytes { get; init; }

    /// <summary>Of these, what nothing else of the project names: what a deletion frees for its quota.</summary>
    public long UniqueBytes { get; init; }

    /// <summary>Of these, what other content of the project names too.</summary>
    public long SharedBytes { get; init; }

    public long BlobCount { get; init; }

    public long ManifestCount { get; init; }
}

/// <summary>A node of a model's file tree.</summary>
public sealed record ModelFileJson
{
    public required string Name { get; init; }

    /// <summary><c>file</c> or <c>directory</c>.</summary>
    public required string Type { get; init; }

    public long? Size { get; init; }

    public IReadOnlyList<ModelFileJson>? Children { get; init; }
}

/// <summary>JSON text that is written as it stands; whoever makes one has checked it.</summary>
[JsonConverter(typeof(RawJsonConverter))]
public sealed record RawJson(string Text);

internal sealed class RawJsonConverter : JsonConverter<RawJson>
{
    public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return new RawJson(document.RootElement.GetRawText());
    }

    public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options) => writer.WriteRawValue(value.Text, skipInputValidation: true);
}

/// <summary>Times as Harbor writes them.</summary>
internal static class HarborTime
{
    /// <summary>ISO 8601 in UTC with milliseconds; the year 1 for what has not happened.</summary>
    public static string Of(long? milliseconds) => milliseconds is null or 0
        ? "0001-01-01T00:00:00.000Z"
        : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds.Value).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<RepositoryJson>))]
[JsonSerializable(typeof(RepositoryUpdateJson))]
[JsonSerializable(typeof(IReadOnlyList<ArtifactJson>))]
[JsonSerializable(typeof(IReadOnlyList<TagJson>))]
[JsonSerializable(typeof(TagCreateJson))]
[JsonSerializable(typeof(ArtifactLabelJson))]
[JsonSerializable(typeof(IReadOnlyList<AccessoryJson>))]
[JsonSerializable(typeof(IconJson))]
[JsonSerializable(typeof(TagHistoryJson))]
[JsonSerializable(typeof(RollbackJson))]
[JsonSerializable(typeof(RolledBackJson))]
[JsonSerializable(typeof(UsageJson))]
[JsonSerializable(typeof(LayerUsesJson))]
[JsonSerializable(typeof(IReadOnlyList<ModelFileJson>))]
internal sealed partial class ArtifactsJsonContext : JsonSerializerContext;
