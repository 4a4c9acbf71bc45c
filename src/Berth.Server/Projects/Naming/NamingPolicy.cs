using System.Text.Json.Serialization;

namespace Berth.Server.Projects.Naming;

/// <summary>How seriously a naming policy is meant.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NamingMode>))]
public enum NamingMode
{
    /// <summary>It is kept, and asked by nobody.</summary>
    [JsonStringEnumMemberName("off")]
    Off,

    /// <summary>A push that breaks it is done; its answer has a header <c>Warning</c> (RFC 7234 section 5.5), and an event tells of it.</summary>
    [JsonStringEnumMemberName("warn")]
    Warn,

    /// <summary>A push that breaks it is refused.</summary>
    [JsonStringEnumMemberName("enforce")]
    Enforce,
}

/// <summary>What a pattern is written in.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NamingPatternKind>))]
public enum NamingPatternKind
{
    /// <summary><c>*</c>, <c>?</c>, <c>{a,b}</c>, <c>[a-z]</c>.</summary>
    [JsonStringEnumMemberName("glob")]
    Glob,

    /// <summary>A regular expression over the whole name, without looking around or back, so that its time is bounded.</summary>
    [JsonStringEnumMemberName("regex")]
    Regex,
}

/// <summary>A pattern of a naming policy.</summary>
public sealed record NamingPattern
{
    public NamingPatternKind Kind { get; init; }

    /// <summary>At most 255 characters.</summary>
    public string Text { get; init; } = "";
}

/// <summary>
/// Which names repositories and tags of a project may have. It is asked when a tag is made or moved; what is there already stays. Tags that only help to find signatures
/// (<c>sha256-…</c>) are not asked about.
/// </summary>
public sealed record NamingPolicy
{
    public NamingMode Mode { get; init; }

    /// <summary>Tags have no capital letters; repositories never have.</summary>
    public bool LowerCase { get; init; }

    /// <summary>Which of <c>.</c>, <c>_</c> and <c>-</c> may stand in names of tags and repositories; null for all.</summary>
    public string? Separators { get; init; }

    /// <summary>A tag must match one of these; empty or null: anything.</summary>
    public IReadOnlyList<NamingPattern>? Tags { get; init; }

    /// <summary>A repository's name without the project must match one of these; empty or null: anything.</summary>
    public IReadOnlyList<NamingPattern>? Repositories { get; init; }

    /// <summary>No tag is called <c>latest</c>.</summary>
    public bool ForbidLatest { get; init; }

    /// <summary>A tag that is a semantic version, with or without <c>v</c>, is not moved to another manifest.</summary>
    public bool ForbidVersionOverwrite { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NamingPolicy))]
internal sealed partial class NamingJson : JsonSerializerContext;
