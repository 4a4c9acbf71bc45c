namespace Berth.Scanner.Advisories;

/// <summary>
/// What one source says about one flaw of one package. Either the form of Trivy's database (fixed version, or lists of constraints, or entries by
/// architecture or product) or that of OSV (<see cref="Ranges"/> and <see cref="Versions"/>).
/// </summary>
/// <param name="Id">Id of the source: a CVE, GHSA, RHSA …</param>
public sealed record Advisory(string Id)
{
    /// <summary>First version without the flaw; empty when there is none.</summary>
    public string FixedVersion { get; init; } = "";

    /// <summary>First version with the flaw (Alpine); empty when all before the fix have it.</summary>
    public string AffectedVersion { get; init; } = "";

    /// <summary>Severity for this very package, which wins over that of the flaw (Debian, Red Hat).</summary>
    public Severity Severity { get; init; }

    public FixStatus Status { get; init; }

    /// <summary>Ids of the vendor for the same flaw, such as DSA-5417-1 or GHSA-….</summary>
    public IReadOnlyList<string> VendorIds { get; init; } = [];

    /// <summary>Architectures that have the flaw; empty for all.</summary>
    public IReadOnlyList<string> Arches { get; init; } = [];

    /// <summary>Constraints in the language of the ecosystem; one must hold the version.</summary>
    public IReadOnlyList<string> VulnerableVersions { get; init; } = [];

    /// <summary>Constraints that hold the repaired versions.</summary>
    public IReadOnlyList<string> PatchedVersions { get; init; } = [];

    /// <summary>Constraints that hold versions from before the flaw.</summary>
    public IReadOnlyList<string> UnaffectedVersions { get; init; } = [];

    /// <summary>Cases by architecture (Rocky, Oracle) or product (Red Hat).</summary>
    public IReadOnlyList<AdvisoryEntry> Entries { get; init; } = [];

    /// <summary>Whether <see cref="Ranges"/> and <see cref="Versions"/> decide.</summary>
    public bool IsOsv { get; init; }

    public IReadOnlyList<OsvRange> Ranges { get; init; } = [];

    /// <summary>Versions that have the flaw, by their exact text.</summary>
    public IReadOnlyList<string> Versions { get; init; } = [];
}

/// <summary>One case of an advisory that differs by architecture or product.</summary>
public sealed record AdvisoryEntry
{
    public string FixedVersion { get; init; } = "";

    public FixStatus Status { get; init; }

    public IReadOnlyList<string> Arches { get; init; } = [];

    public IReadOnlyList<string> VendorIds { get; init; } = [];

    /// <summary>Indices of the products (CPEs) that it is about; only Red Hat.</summary>
    public IReadOnlyList<int> Products { get; init; } = [];

    /// <summary>The flaws that it covers, with Red Hat's severity; an empty id stands for the advisory's own.</summary>
    public IReadOnlyList<CoveredFlaw> Flaws { get; init; } = [];
}

/// <summary>A flaw that an erratum covers.</summary>
public sealed record CoveredFlaw(string Id, Severity Severity);

/// <summary>A range of versions in the words of OSV: events in the order of the ecosystem.</summary>
public sealed record OsvRange(OsvRangeKind Kind, IReadOnlyList<OsvEvent> Events);

/// <summary>Order of a range. The numbers are stored.</summary>
public enum OsvRangeKind
{
    /// <summary>Semantic Versioning.</summary>
    Semantic = 0,

    /// <summary>The ecosystem's own order.</summary>
    Ecosystem = 1,
}

/// <summary>A point where a range begins or ends.</summary>
public readonly record struct OsvEvent(OsvEventKind Kind, string Version);

/// <summary>What happens at the version of an event. The numbers are stored.</summary>
public enum OsvEventKind
{
    Introduced = 0,
    Fixed = 1,
    LastAffected = 2,
    Limit = 3,
}
