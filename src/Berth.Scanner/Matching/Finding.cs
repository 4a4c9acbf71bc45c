using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory;

namespace Berth.Scanner.Matching;

/// <summary>One flaw in one installed package.</summary>
/// <param name="Id">Id of the flaw as its source writes it: a CVE, GHSA, RUSTSEC, ALSA …</param>
/// <param name="Package">The package that has it, with layer and path.</param>
public sealed record Finding(string Id, Package Package)
{
    /// <summary>Other ids of the same flaw, ordered.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Ids of the vendor's announcements, such as DSA-4539-1.</summary>
    public IReadOnlyList<string> VendorIds { get; init; } = [];

    /// <summary>Version in full (epoch, version, release).</summary>
    public string InstalledVersion { get; init; } = "";

    /// <summary>Versions that repair it, one for each line of development that the source names; empty when there is none.</summary>
    public IReadOnlyList<string> FixedVersions { get; init; } = [];

    /// <summary>The same as one text, as reports show it.</summary>
    public string FixedVersion => string.Join(", ", FixedVersions);

    public FixStatus Status { get; init; }

    public Severity Severity { get; init; }

    /// <summary>Who gave the severity (<c>nvd</c>, <c>ghsa</c>, <c>debian</c> …); empty when nobody in particular did.</summary>
    public string SeveritySource { get; init; } = "";

    /// <summary>Where the advisory comes from.</summary>
    public AdvisoryBucket Source { get; init; } = new("", "");

    /// <summary>Title, text, CVSS, links; null when no source describes the flaw.</summary>
    public VulnerabilityDetail? Detail { get; init; }

    /// <summary>The page to read first; empty when none is known.</summary>
    public string PrimaryUrl { get; init; } = "";

    public ExploitPrediction? Prediction { get; init; }

    public KnownExploitation? Exploitation { get; init; }

    /// <summary>The id and all aliases.</summary>
    public IEnumerable<string> AllIds => Aliases.Prepend(Id);
}
