using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;
using Berth.Scanner.Reports;
using Berth.Scanner.Scan;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;

namespace Berth.Server.Scanning.Contents;

/// <summary>Makes whole reports of stored images from what is kept of their layers: for an index the union of its images.</summary>
internal sealed class ImageReports(Database database, KnownImages known, AdvisoryStore advisories, TimeProvider time)
{
    /// <summary>Check for secrets in the environment (<see cref="Berth.Scanner.Misconfiguration.ImageConfigurationChecks"/>).</summary>
    private const string EnvironmentCheck = "DS031";

    /// <summary>The packages of an image or index, without judging them; the same bytes come of it each time, so its time is that of the push.</summary>
    /// <param name="manifestId">The image or index.</param>
    /// <param name="name">Name in the report.</param>
    /// <param name="platform">Only images of this platform; empty for all.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>The report; else what is missing for it.</returns>
    public async Task<(ScanReport? Report, string? Missing)> ListAsync(long manifestId, ReportName name, string platform, CancellationToken ct)
    {
        var set = await known.ReadAsync(manifestId, platform, asScanned: false, ct).ConfigureAwait(false);
        if (MissingOf(set, platform) is { } missing) return (null, missing);
        var pushed = await PushedAsync(manifestId, ct).ConfigureAwait(false);
        return (Union([.. set.Images.Select(image => ListOf(image.Image, image.Inventory, pushed))], name), null);
    }

    /// <summary>The report of what the last scan found, judged by the advisories as they are now.</summary>
    /// <param name="manifestId">The image or index.</param>
    /// <param name="name">Name in the report.</param>
    /// <param name="platform">Only images of this platform; empty for all.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>The report; else what is missing for it.</returns>
    public async Task<(ScanReport? Report, string? Missing)> JudgeAsync(long manifestId, ReportName name, string platform, CancellationToken ct)
    {
        var set = await known.ReadAsync(manifestId, platform, asScanned: true, ct).ConfigureAwait(false);
        if (MissingOf(set, platform) is { } missing) return (null, missing);
        using var loan = advisories.Borrow();
        if (loan is null) return (null, "there is no advisory database to judge the packages by");
        var (now, reports) = (time.GetUtcNow(), new List<ScanReport>(set.Images.Count));
        foreach (var image in set.Images)
        {
            var problems = await database.ReadAsync(image.Target.Id, static (session, id, token) => ContentRow.ReadProblemsAsync(session, id, token), ct).ConfigureAwait(false);
            var report = ScanAssembly.Of(image.Image, image.Inventory, new Matcher(loan.Database), BuiltInScanner.Settings, now);
            reports.Add(report with
            {
                ToolVersion = BuiltInScanner.Version,
                // The form for others shows the configuration as it is: not one with secrets in it.
                ImageConfig = HasSecretsInConfig(problems) ? default : report.ImageConfig,
                Secrets = problems.Secrets,
                Problems = problems.Problems,
            });
        }
        return (Union(reports, name), null);
    }

    /// <summary>The packages of an image as a report; <paramref name="pushed"/> is its time.</summary>
    public static ScanReport ListOf(ImageContent image, ImageInventory inventory, DateTimeOffset pushed) =>
        ScanAssembly.Of(image, inventory, null, new ScanSettings(), pushed) with { ToolVersion = BuiltInScanner.Version };

    /// <summary>When a manifest came: the same time however often it is pushed again.</summary>
    public async Task<DateTimeOffset> PushedAsync(long manifestId, CancellationToken ct) => DateTimeOffset.FromUnixTimeMilliseconds(
        await database.ReadAsync(manifestId, static async (session, id, token) => await session.ScalarAsync(SelectCreated, [id], token).ConfigureAwait(false) ?? 0, ct).ConfigureAwait(false));

    private static bool HasSecretsInConfig(StoredProblems problems) =>
        problems.Secrets.Any(static secret => secret.Path == ScanContents.ConfigPath && secret.Layer.Length == 0) || problems.Problems.Any(static problem => problem.Id == EnvironmentCheck);

    private static string? MissingOf(KnownImageSet set, string platform) => set switch
    {
        { Unknown.Count: > 0 } => $"{set.Unknown[0]} was not read yet: scan it first",
        { Images.Count: 0 } when platform.Length > 0 => $"there is no image for {platform}",
        { Images.Count: 0 } => "there is no image that could be scanned",
        _ => null,
    };

    private static ScanReport Union(IReadOnlyList<ScanReport> reports, ReportName name)
    {
        if (reports is [var only]) return only;
        string Package(Package package) => $"{PackageUrls.Of(package, reports[0].Distribution)}\n{package.Path}\n{package.Layer}";
        return reports[0] with
        {
            Name = name.Name,
            Digest = name.Digest,
            MediaType = name.MediaType,
            ImageId = "",
            ImageConfig = default,
            RepoDigests = [name.Name],
            Layers = [.. reports.SelectMany(static one => one.Layers).DistinctBy(static layer => layer.DiffId)],
            Packages = [.. reports.SelectMany(static one => one.Packages).DistinctBy(Package)],
            Findings = [.. reports.SelectMany(static one => one.Findings).DistinctBy(finding => $"{finding.Id}\n{Package(finding.Package)}")],
            Suppressed = [.. reports.SelectMany(static one => one.Suppressed)],
            Secrets = [.. reports.SelectMany(static one => one.Secrets).Distinct()],
            Problems = [.. reports.SelectMany(static one => one.Problems).Distinct()],
        };
    }

    private static readonly Statement SelectCreated = new("SELECT created_at FROM manifests WHERE id = @0");
}

/// <summary>How a report of several images calls what they belong to.</summary>
/// <param name="Name"><c>repository@digest</c>.</param>
/// <param name="Digest">Digest of the index.</param>
/// <param name="MediaType">Its media type.</param>
internal sealed record ReportName(string Name, string Digest, string MediaType)
{
    public static ReportName Of(ArtifactRow row) => new($"{row.Repository}@{row.Digest}", row.Digest, row.MediaType);
}
