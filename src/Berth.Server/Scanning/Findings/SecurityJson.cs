using System.Text.Json.Serialization;
using Berth.Scanner.Advisories;
using Berth.Scanner.Reports;
using Berth.Server.Api;

namespace Berth.Server.Scanning.Findings;

/// <summary>A finding of an image.</summary>
public sealed record FindingJson
{
    public long ProjectId { get; init; }

    public required string Repository { get; init; }

    public required string Digest { get; init; }

    public required string Vulnerability { get; init; }

    public IReadOnlyList<string>? Aliases { get; init; }

    public required string Severity { get; init; }

    public double? CvssScoreV3 { get; init; }

    public required string Status { get; init; }

    public required string Package { get; init; }

    public required string Version { get; init; }

    public string? FixedVersion { get; init; }

    public string? Path { get; init; }

    public string? Layer { get; init; }

    /// <summary>Whether the package comes from the base image; left out while nobody knows.</summary>
    public bool? FromBase { get; init; }

    public required string FirstSeen { get; init; }

    internal static FindingJson Of(StoredFinding finding) => new()
    {
        ProjectId = finding.ProjectId,
        Repository = finding.Repository,
        Digest = finding.Digest,
        Vulnerability = finding.Vulnerability,
        Aliases = finding.Aliases.Count == 0 ? null : finding.Aliases,
        Severity = SecurityWords.SeverityOf(finding.Severity),
        CvssScoreV3 = finding.Score,
        Status = finding.Status.Word(),
        Package = finding.Package,
        Version = finding.Version,
        FixedVersion = finding.FixedVersion,
        Path = finding.Path,
        Layer = finding.Layer,
        FromBase = finding.FromBase,
        FirstSeen = ApiTime.Text(finding.FirstSeen),
    };
}

/// <summary>A page of findings.</summary>
public sealed record FindingsJson
{
    public required IReadOnlyList<FindingJson> Items { get; init; }

    /// <summary>What <c>after</c> must be for the next page; left out on the last one.</summary>
    public string? Next { get; init; }
}

/// <summary>An image that has a package.</summary>
public sealed record FoundPackageJson
{
    /// <summary>Ecosystem, or release of a distribution.</summary>
    public required string Scope { get; init; }

    public required string Name { get; init; }

    public required string Version { get; init; }

    public long ProjectId { get; init; }

    public required string Repository { get; init; }

    public required string Digest { get; init; }
}

/// <summary>A page of images that have a package.</summary>
public sealed record PackagesJson
{
    public required IReadOnlyList<FoundPackageJson> Items { get; init; }

    /// <summary>What <c>after</c> must be for the next page; left out on the last one.</summary>
    public string? Next { get; init; }
}

/// <summary>Counts of findings, of images, and how they were on days before.</summary>
public sealed record StatisticsJson
{
    public required CountsJson Counts { get; init; }

    public required IReadOnlyList<ImageCountsJson> Worst { get; init; }

    public required IReadOnlyList<DayCountsJson> Trend { get; init; }

    internal static StatisticsJson Of(ScanCounts counts, IReadOnlyList<WorstImage> worst, IReadOnlyList<ScanTrend> trend) => new()
    {
        Counts = new CountsJson
        {
            Images = counts.Images,
            Scanned = counts.Scanned,
            Critical = counts.Critical,
            High = counts.High,
            Medium = counts.Medium,
            Low = counts.Low,
            Unknown = counts.Unknown,
            Fixable = counts.Fixable,
        },
        Worst =
        [
            .. worst.Select(static one => new ImageCountsJson
            {
                ProjectId = one.ProjectId, Repository = one.Repository, Digest = one.Digest, Critical = one.Critical, High = one.High, Medium = one.Medium, Low = one.Low, Unknown = one.Unknown,
                Fixable = one.Fixable,
            }),
        ],
        Trend =
        [
            .. trend.Select(static one => new DayCountsJson
            {
                Date = ScanStatistics.DateOf(one.Day), Images = one.Images, Critical = one.Critical, High = one.High, Medium = one.Medium, Low = one.Low, Unknown = one.Unknown, Fixable = one.Fixable,
            }),
        ],
    };
}

/// <summary>Counts over many images.</summary>
public sealed record CountsJson
{
    public long Images { get; init; }

    public long Scanned { get; init; }

    public long Critical { get; init; }

    public long High { get; init; }

    public long Medium { get; init; }

    public long Low { get; init; }

    public long Unknown { get; init; }

    public long Fixable { get; init; }
}

/// <summary>Counts of one image.</summary>
public sealed record ImageCountsJson
{
    public long ProjectId { get; init; }

    public required string Repository { get; init; }

    public required string Digest { get; init; }

    public int Critical { get; init; }

    public int High { get; init; }

    public int Medium { get; init; }

    public int Low { get; init; }

    public int Unknown { get; init; }

    public int Fixable { get; init; }
}

/// <summary>Counts of a day.</summary>
public sealed record DayCountsJson
{
    /// <summary>As in <c>2026-11-22</c>, in UTC.</summary>
    public required string Date { get; init; }

    public long Images { get; init; }

    public long Critical { get; init; }

    public long High { get; init; }

    public long Medium { get; init; }

    public long Low { get; init; }

    public long Unknown { get; init; }

    public long Fixable { get; init; }
}

/// <summary>Words of findings in answers.</summary>
internal static class SecurityWords
{
    /// <summary>Harbor's word for a rank (<see cref="StoredReport.Rank"/>).</summary>
    public static string SeverityOf(int rank) => HarborReport.Word((Severity)Math.Clamp(rank - 1, 0, 4));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FindingsJson))]
[JsonSerializable(typeof(PackagesJson))]
[JsonSerializable(typeof(StatisticsJson))]
internal sealed partial class SecurityJson : JsonSerializerContext;
