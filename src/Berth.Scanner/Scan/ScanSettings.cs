using Berth.Scanner.Advisories;
using Berth.Scanner.Exceptions;

namespace Berth.Scanner.Scan;

/// <summary>What of a scan is reported.</summary>
public sealed record ScanSettings
{
    /// <summary>Severities that count; all others are left out.</summary>
    public IReadOnlySet<Severity> Severities { get; init; } = Enum.GetValues<Severity>().ToHashSet();

    /// <summary>Leaves out flaws for which there is no repair.</summary>
    public bool IgnoreUnfixed { get; init; }

    /// <summary>Flaws of these statuses are left out.</summary>
    public IReadOnlySet<FixStatus> IgnoredStatuses { get; init; } = new HashSet<FixStatus>();

    /// <summary>Packages and secrets in files of these paths are left out.</summary>
    public IReadOnlyList<PathPattern> SkippedPaths { get; init; } = [];

    /// <summary>Packages of the distribution.</summary>
    public bool SystemPackages { get; init; } = true;

    /// <summary>Packages of programming languages.</summary>
    public bool LanguagePackages { get; init; } = true;

    /// <summary>Also packages that only development needs.</summary>
    public bool IncludeDevelopment { get; init; }

    /// <summary>Report secrets; the layers must have been read with a scanner of them.</summary>
    public bool Secrets { get; init; }

    /// <summary>Check the configuration.</summary>
    public bool Misconfiguration { get; init; }

    /// <summary>What takes findings out, asked in this order.</summary>
    public IReadOnlyList<IExceptionSource> Exceptions { get; init; } = [];

    /// <summary>Whether a path (without a slash at its start) is one of <see cref="SkippedPaths"/>.</summary>
    public bool Skips(string path) => SkippedPaths.Count > 0 && path.Length > 0 && SkippedPaths.Any(pattern => pattern.Matches(path));
}
