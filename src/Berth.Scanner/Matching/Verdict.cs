using Berth.Scanner.Advisories;

namespace Berth.Scanner.Matching;

/// <summary>What an advisory says about one package before the details of the flaw are looked up.</summary>
/// <param name="Id">Id of the flaw.</param>
internal sealed record Verdict(string Id)
{
    public IReadOnlyList<string> FixedVersions { get; init; } = [];

    public IReadOnlyList<string> VendorIds { get; init; } = [];

    public FixStatus Status { get; init; }

    /// <summary>Severity for this very package with its source; an empty source means that there is none.</summary>
    public Severity Severity { get; init; }

    public string SeveritySource { get; init; } = "";
}
