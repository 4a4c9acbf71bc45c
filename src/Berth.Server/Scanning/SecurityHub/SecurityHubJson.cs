using System.Text.Json.Serialization;

namespace Berth.Server.Scanning.SecurityHub;

/// <summary>Harbor's summary of the installation.</summary>
public sealed record SecuritySummaryJson
{
    public long CriticalCnt { get; init; }

    public long HighCnt { get; init; }

    public long MediumCnt { get; init; }

    public long LowCnt { get; init; }

    /// <summary>Always 0: what is in a report has a severity, or one that is unknown.</summary>
    public long NoneCnt { get; init; }

    public long UnknownCnt { get; init; }

    public long TotalVuls { get; init; }

    public long ScannedCnt { get; init; }

    /// <summary>Images that can be scanned.</summary>
    public long TotalArtifact { get; init; }

    public long FixableCnt { get; init; }

    public IReadOnlyList<DangerousCveJson>? DangerousCves { get; init; }

    public IReadOnlyList<DangerousArtifactJson>? DangerousArtifacts { get; init; }
}

/// <summary>A flaw with a high score.</summary>
public sealed record DangerousCveJson
{
    public required string CveId { get; init; }

    public required string Severity { get; init; }

    [JsonPropertyName("cvss_score_v3")]
    public double CvssScoreV3 { get; init; }

    public required string Desc { get; init; }

    public required string Package { get; init; }

    public required string Version { get; init; }
}

/// <summary>An image with many bad findings.</summary>
public sealed record DangerousArtifactJson
{
    public long ProjectId { get; init; }

    public required string RepositoryName { get; init; }

    public required string Digest { get; init; }

    public long CriticalCnt { get; init; }

    public long HighCnt { get; init; }

    public long MediumCnt { get; init; }
}

/// <summary>A finding as Harbor's search shows it.</summary>
public sealed record VulnerabilityItemJson
{
    public long ProjectId { get; init; }

    public required string RepositoryName { get; init; }

    public required string Digest { get; init; }

    /// <summary>With <c>with_tag</c>.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    public required string CveId { get; init; }

    public required string Severity { get; init; }

    public required string Status { get; init; }

    [JsonPropertyName("cvss_v3_score")]
    public double CvssV3Score { get; init; }

    public required string Package { get; init; }

    public required string Version { get; init; }

    public required string FixedVersion { get; init; }

    public required string Desc { get; init; }

    public required IReadOnlyList<string> Links { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SecuritySummaryJson))]
[JsonSerializable(typeof(List<VulnerabilityItemJson>))]
internal sealed partial class SecurityHubJson : JsonSerializerContext;
