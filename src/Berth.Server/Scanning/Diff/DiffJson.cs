using System.Text.Json.Serialization;

namespace Berth.Server.Scanning.Diff;

/// <summary>What changed between two artifacts.</summary>
public sealed record DiffJson
{
    public required DiffSideJson From { get; init; }

    public required DiffSideJson To { get; init; }

    /// <summary>False where there is no advisory database: then no findings are listed.</summary>
    public bool IsJudged { get; init; }

    /// <summary>One for each platform that both have.</summary>
    public required IReadOnlyList<PlatformDiffJson> Platforms { get; init; }

    /// <summary>Platforms that only the first has.</summary>
    public required IReadOnlyList<string> OnlyFrom { get; init; }

    /// <summary>Platforms that only the second has.</summary>
    public required IReadOnlyList<string> OnlyTo { get; init; }
}

/// <summary>One of the two.</summary>
public sealed record DiffSideJson
{
    public required string Repository { get; init; }

    public required string Digest { get; init; }
}

/// <summary>What changed for one platform.</summary>
public sealed record PlatformDiffJson
{
    /// <summary><c>os/architecture[/variant]</c>; empty when the images name none.</summary>
    public required string Platform { get; init; }

    public required string FromDigest { get; init; }

    public required string ToDigest { get; init; }

    /// <summary>Packages that only the second has.</summary>
    public required IReadOnlyList<PackageChangeJson> Added { get; init; }

    /// <summary>Packages that only the first has.</summary>
    public required IReadOnlyList<PackageChangeJson> Removed { get; init; }

    /// <summary>Packages in other versions.</summary>
    public required IReadOnlyList<PackageChangeJson> Changed { get; init; }

    /// <summary>Findings that only the first has, the worst first.</summary>
    public required IReadOnlyList<FindingChangeJson> Fixed { get; init; }

    /// <summary>Findings that only the second has, the worst first.</summary>
    public required IReadOnlyList<FindingChangeJson> New { get; init; }

    /// <summary>Findings that both have, the worst first; with the versions of the second.</summary>
    public required IReadOnlyList<FindingChangeJson> Unchanged { get; init; }
}

/// <summary>A package whose versions differ.</summary>
public sealed record PackageChangeJson
{
    /// <summary>Kind: <c>dpkg</c>, <c>npm</c> …</summary>
    public required string Type { get; init; }

    public required string Name { get; init; }

    /// <summary>Left out where the kind has none.</summary>
    public string? Architecture { get; init; }

    /// <summary>Versions that only the first has.</summary>
    public required IReadOnlyList<string> From { get; init; }

    /// <summary>Versions that only the second has.</summary>
    public required IReadOnlyList<string> To { get; init; }
}

/// <summary>A flaw in a package.</summary>
public sealed record FindingChangeJson
{
    public required string Id { get; init; }

    public required string Package { get; init; }

    /// <summary>Versions that are installed and have it.</summary>
    public required IReadOnlyList<string> Versions { get; init; }

    /// <summary>Left out when there is no repair.</summary>
    public string? FixedVersion { get; init; }

    /// <summary><c>CRITICAL</c> to <c>UNKNOWN</c>.</summary>
    public required string Severity { get; init; }

    public string? Title { get; init; }

    /// <summary>Order of severities.</summary>
    [JsonIgnore]
    public int Rank { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DiffJson))]
internal sealed partial class DiffJsonContext : JsonSerializerContext;
