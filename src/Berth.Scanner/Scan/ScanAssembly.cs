using Berth.Scanner.Exceptions;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;
using Berth.Scanner.Misconfiguration;
using Berth.Scanner.Reports;
using Berth.Scanner.Sbom;
using Berth.Scanner.Secrets;

namespace Berth.Scanner.Scan;

/// <summary>Makes the report: 1. packages that count, 2. their flaws, 3. secrets and configuration, 4. severities, 5. exceptions.</summary>
public static class ScanAssembly
{
    /// <summary>The report of an image or file system.</summary>
    /// <param name="image">What was scanned; without layers for a file system or a bill of materials.</param>
    /// <param name="inventory">What is in it.</param>
    /// <param name="matcher">Judges packages; null lists them only.</param>
    /// <param name="settings">What is reported.</param>
    /// <param name="now">Time of the report, and the one against which exceptions expire.</param>
    public static ScanReport Of(ImageContent image, ImageInventory inventory, Matcher? matcher, ScanSettings settings, DateTimeOffset now)
    {
        // 1.
        inventory = inventory with { Packages = [.. inventory.Packages.Where(package => Counts(package, settings))] };
        var report = new ScanReport(image.Name, now)
        {
            Distribution = inventory.Distribution,
            Digest = image.Digest,
            ImageId = image.ImageId,
            MediaType = image.MediaType,
            RepoTags = image.RepoTags,
            RepoDigests = image.RepoDigests,
            ImageConfig = image.Config,
            Layers = [.. image.Layers.Select(layer => new ReportLayer(layer.DiffId, layer.Digest, layer.SizeBytes))],
            Packages = inventory.Packages,
        };
        // 2. to 4.
        var findings = (matcher?.Match(inventory) ?? []).Where(finding => settings.Severities.Contains(finding.Severity) && !settings.IgnoredStatuses.Contains(finding.Status) && (!settings.IgnoreUnfixed || finding.FixedVersions.Count > 0)).ToList();
        var secrets = settings.Secrets ? inventory.Secrets.Where(secret => settings.Severities.Contains(secret.Severity) && !settings.Skips(secret.Path) && !IsIgnored(secret, settings, now)) : [];
        var problems = settings.Misconfiguration ? ProblemsOf(image, inventory).Where(problem => settings.Severities.Contains(problem.Severity) && !IsIgnored(problem, settings, now)) : [];
        // 5.
        var subject = new ExceptionSubject(now) { Distribution = inventory.Distribution, ProductIds = ProductIdsOf(report) };
        var (counted, suppressed) = new ExceptionSet(settings.Exceptions).Apply(findings, subject);
        return report with { Findings = counted, Suppressed = suppressed, Secrets = [.. secrets], Problems = [.. problems] };
    }

    private static bool Counts(Package package, ScanSettings settings)
    {
        if ((package.IsDevelopment && !settings.IncludeDevelopment) || settings.Skips(package.Path)) return false;
        return package.Type is PackageType.Dpkg or PackageType.Apk or PackageType.Rpm ? settings.SystemPackages : settings.LanguagePackages;
    }

    private static IEnumerable<ConfigurationProblem> ProblemsOf(ImageContent image, ImageInventory inventory) =>
        (image.Config.IsEmpty ? [] : ImageConfigurationChecks.Check(image.Config, SecretScanner.Default)).Concat(ImageConfigurationChecks.SetUid(inventory.SetUid));

    private static bool IsIgnored(SecretFinding secret, ScanSettings settings, DateTimeOffset now) =>
        settings.Exceptions.OfType<TrivyIgnoreFile>().Any(file => file.Secrets.Any(rule => rule.Id == secret.RuleId && !rule.IsExpired(now) && rule.HasPath(secret.Path)));

    private static bool IsIgnored(ConfigurationProblem problem, ScanSettings settings, DateTimeOffset now) =>
        settings.Exceptions.OfType<TrivyIgnoreFile>().Any(file => file.Misconfigurations.Any(rule => rule.Id == problem.Id && !rule.IsExpired(now)));

    /// <summary>The names by which a VEX document may call the image.</summary>
    private static IReadOnlyList<string> ProductIdsOf(ScanReport report) =>
    [
        .. new[] { report.Digest, report.ImageId, report.Name, SbomIdentity.ImageUrl(report) }.Concat(report.RepoTags).Concat(report.RepoDigests).Where(static name => name.Length > 0).Distinct(StringComparer.Ordinal),
    ];
}
