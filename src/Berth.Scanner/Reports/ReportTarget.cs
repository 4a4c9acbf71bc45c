using Berth.Scanner.Exceptions;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;

namespace Berth.Scanner.Reports;

/// <summary>Packages and findings that belong together: those of the distribution, of one lock file or program, or all installed ones of a language.</summary>
/// <param name="Target">Heading, such as <c>shop:1 (debian 12.5)</c>, <c>app/package-lock.json</c> or <c>Node.js</c>.</param>
/// <param name="Class"><c>os-pkgs</c> or <c>lang-pkgs</c>.</param>
/// <param name="Type">Trivy's word for the kind: <c>debian</c>, <c>npm</c>, <c>node-pkg</c> …</param>
public sealed record ReportTarget(string Target, string Class, string Type)
{
    public IReadOnlyList<Package> Packages { get; init; } = [];

    public IReadOnlyList<Finding> Findings { get; init; } = [];

    public IReadOnlyList<SuppressedFinding> Suppressed { get; init; } = [];

    /// <summary>Whether the packages lie in files of their own, so that each has a path.</summary>
    public bool IsAggregated { get; init; }

    /// <summary>The targets of a report, the distribution first, then by type and name. The distribution is there even without findings.</summary>
    public static IReadOnlyList<ReportTarget> Of(ScanReport report)
    {
        var findings = report.Findings.ToLookup(f => KeyOf(report, f.Package));
        var suppressed = report.Suppressed.ToLookup(s => KeyOf(report, s.Finding.Package));
        var packages = report.Packages.ToLookup(p => KeyOf(report, p));
        var keys = packages.Select(static g => g.Key).Concat(findings.Select(static g => g.Key)).Concat(suppressed.Select(static g => g.Key)).ToHashSet();
        if (report.Distribution is not null)
            keys.Add(OfDistribution(report));
        return
        [
            .. keys.OrderByDescending(static k => k.Class, StringComparer.Ordinal).ThenBy(static k => k.Type, StringComparer.Ordinal).ThenBy(static k => k.Target, StringComparer.Ordinal)
                .Select(k => k with { Packages = [.. packages[k]], Findings = Sorted(findings[k]), Suppressed = [.. suppressed[k]] }),
        ];
    }

    // As Trivy sorts them, so that reports can be compared line by line: by package, then the worst first.
    private static IReadOnlyList<Finding> Sorted(IEnumerable<Finding> findings) =>
    [
        .. findings.OrderBy(static f => f.Package.Name, StringComparer.Ordinal).ThenBy(static f => PackageVersions.Full(f.Package), StringComparer.Ordinal).ThenByDescending(static f => f.Severity)
            .ThenBy(static f => f.Id, StringComparer.Ordinal).ThenBy(static f => f.Package.Path, StringComparer.Ordinal),
    ];

    private static ReportTarget KeyOf(ScanReport report, Package package)
    {
        if (package.Type is PackageType.Dpkg or PackageType.Apk or PackageType.Rpm)
            return OfDistribution(report);
        var (type, heading) = TypeOf(package);
        return new ReportTarget(heading.Length > 0 ? heading : package.Path.Length > 0 ? package.Path : report.Name, "lang-pkgs", type) { IsAggregated = heading.Length > 0 };
    }

    private static ReportTarget OfDistribution(ScanReport report) => report.Distribution is { } distribution
        ? new ReportTarget($"{report.Name} ({distribution.Family} {distribution.Version})".Replace(" )", ")", StringComparison.Ordinal), "os-pkgs", distribution.Family)
        : new ReportTarget(report.Name, "os-pkgs", "");

    /// <summary>Trivy's word for the kind of file, and the heading under which installed packages stand together.</summary>
    private static (string Type, string Heading) TypeOf(Package package)
    {
        var file = package.Path[(package.Path.LastIndexOf('/') + 1)..];
        return package.Type switch
        {
            PackageType.Npm => file switch
            {
                "package-lock.json" or "npm-shrinkwrap.json" => ("npm", ""),
                "yarn.lock" => ("yarn", ""),
                "pnpm-lock.yaml" => ("pnpm", ""),
                "bun.lock" => ("bun", ""),
                _ => ("node-pkg", "Node.js"),
            },
            PackageType.PyPi => file switch
            {
                "Pipfile.lock" => ("pipenv", ""),
                "poetry.lock" => ("poetry", ""),
                "uv.lock" => ("uv", ""),
                "pylock.toml" => ("pylock", ""),
                "pdm.lock" => ("pdm", ""),
                _ when file.EndsWith(".txt", StringComparison.Ordinal) && !package.Path.Contains("-info/", StringComparison.Ordinal) => ("pip", ""),
                _ => ("python-pkg", "Python"),
            },
            PackageType.RubyGems => file.EndsWith(".lock", StringComparison.Ordinal) ? ("bundler", "") : ("gemspec", "Ruby"),
            PackageType.Maven => file switch
            {
                "pom.xml" => ("pom", ""),
                "gradle.lockfile" or "buildscript-gradle.lockfile" => ("gradle", ""),
                "build.sbt.lock" => ("sbt", ""),
                _ => ("jar", "Java"),
            },
            PackageType.Go => file == "go.mod" ? ("gomod", "") : ("gobinary", ""),
            PackageType.Cargo => file == "Cargo.lock" ? ("cargo", "") : ("rustbinary", ""),
            PackageType.NuGet => file.EndsWith(".deps.json", StringComparison.Ordinal) ? ("dotnet-core", "")
                : file.EndsWith(".props", StringComparison.Ordinal) ? ("packages-props", "") : ("nuget", ""),
            PackageType.Kubernetes => ("kubernetes", "Kubernetes"),
            PackageType.Composer => file == "installed.json" ? ("composer-vendor", "") : ("composer", ""),
            var type => (type.ToString().ToLowerInvariant(), ""),
        };
    }
}
