using Berth.Scanner.Advisories;
using Berth.Scanner.Reports;
using Berth.Server.Platform.Events;
using Berth.Server.Projects;
using Berth.Server.Scanning.Adapters;
using Berth.Server.Scanning.Findings;

namespace Berth.Server.Scanning;

/// <summary>How a scan came to its end.</summary>
public enum ScanEnd
{
    Completed,
    Failed,

    /// <summary>Somebody stopped it.</summary>
    Stopped,
}

/// <summary>What a scan came to, beside the words of every event.</summary>
/// <param name="ManifestId">The image's row.</param>
/// <param name="Repository">Full name.</param>
/// <param name="Digest">The image.</param>
/// <param name="End">How it ended.</param>
public sealed record ScanDetail(long ManifestId, string Repository, string Digest, ScanEnd End)
{
    /// <summary>Most new findings that are named; <see cref="NewCount"/> counts all.</summary>
    public const int MaxNamed = 100;

    public int Critical { get; init; }

    public int High { get; init; }

    public int Medium { get; init; }

    public int Low { get; init; }

    public int Unknown { get; init; }

    /// <summary>Why it failed; null when it did not.</summary>
    public string? Problem { get; init; }

    /// <summary>Whether no layer was read: another advisory database judged the packages that are known.</summary>
    public bool IsRejudged { get; init; }

    /// <summary>Findings that the report before did not have, the worst first; none for the first report of an image.</summary>
    public IReadOnlyList<NewFinding> New { get; init; } = [];

    /// <summary>How many those are.</summary>
    public int NewCount { get; init; }
}

/// <summary>A finding that an image did not have before.</summary>
/// <param name="Vulnerability">Id of the flaw.</param>
/// <param name="Severity">Harbor's word.</param>
/// <param name="Package">Name of the package.</param>
/// <param name="Version">Installed version.</param>
/// <param name="FixedVersion">Versions that repair it; null when there is none.</param>
public sealed record NewFinding(string Vulnerability, string Severity, string Package, string Version, string? FixedVersion);

/// <summary>What is told of scans.</summary>
internal static class ScanEvents
{
    /// <summary>What a report came to.</summary>
    /// <param name="target">The image.</param>
    /// <param name="report">Its report.</param>
    /// <param name="changes">What changed in its findings.</param>
    /// <param name="isFirst">Whether there was no report before.</param>
    public static ScanDetail DetailOf(ScanTarget target, ScanReport report, FindingChanges changes, bool isFirst)
    {
        int Count(Severity severity) => report.Findings.Count(finding => finding.Severity == severity);
        return new ScanDetail(target.Id, target.Repository, target.Digest, ScanEnd.Completed)
        {
            Critical = Count(Severity.Critical),
            High = Count(Severity.High),
            Medium = Count(Severity.Medium),
            Low = Count(Severity.Low),
            Unknown = Count(Severity.Unknown),
            New = NewOf(changes, isFirst),
            NewCount = isFirst ? 0 : changes.Added.Count,
        };
    }

    /// <summary>What the report of a scanner outside came to.</summary>
    /// <param name="target">The image.</param>
    /// <param name="report">Its report.</param>
    /// <param name="changes">What changed in its findings.</param>
    /// <param name="isFirst">Whether there was no report before.</param>
    public static ScanDetail DetailOf(ScanTarget target, OutsideReport report, FindingChanges changes, bool isFirst) => new(target.Id, target.Repository, target.Digest, ScanEnd.Completed)
    {
        Critical = report.Critical,
        High = report.High,
        Medium = report.Medium,
        Low = report.Low,
        Unknown = report.Unknown,
        New = NewOf(changes, isFirst),
        NewCount = isFirst ? 0 : changes.Added.Count,
    };

    /// <summary>The event of a scan that has ended.</summary>
    public static DomainEvent Of(long projectId, ScanDetail detail) => new()
    {
        Operation = "scan",
        ResourceType = "artifact",
        Resource = $"{detail.Repository}@{detail.Digest}",
        ProjectId = projectId,
        ProjectName = ProjectName.Of(detail.Repository),
        Actor = EventActor.System,
        Description = DescriptionOf(detail),
        Detail = detail,
        IsSuccessful = detail.End == ScanEnd.Completed,
    };

    // With the first report of an image nothing is new.
    private static IReadOnlyList<NewFinding> NewOf(FindingChanges changes, bool isFirst) => isFirst ? [] :
    [
        .. changes.Added.OrderByDescending(static row => row.Severity).ThenBy(static row => row.Vulnerability, StringComparer.Ordinal).Take(ScanDetail.MaxNamed)
            .Select(static row => new NewFinding(row.Vulnerability, SecurityWords.SeverityOf(row.Severity), row.Package, row.Version, row.FixedVersion)),
    ];

    private static string DescriptionOf(ScanDetail detail) => detail.End switch
    {
        ScanEnd.Failed => $"scan failed: {detail.Problem}",
        ScanEnd.Stopped => "scan stopped",
        _ => $"{(detail.IsRejudged ? "judged again" : "scanned")}: {detail.Critical} critical, {detail.High} high, {detail.Medium} medium, {detail.Low} low"
            + (detail.NewCount == 0 ? "" : $"; new: {string.Join(", ", detail.New.Take(5).Select(static one => one.Vulnerability))}{(detail.NewCount > 5 ? " …" : "")}"),
    };
}
