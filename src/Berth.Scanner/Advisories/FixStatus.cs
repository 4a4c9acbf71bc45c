namespace Berth.Scanner.Advisories;

/// <summary>What the vendor says about a flaw in a package. The numbers are those of Trivy's database and stay.</summary>
public enum FixStatus
{
    Unknown = 0,
    NotAffected = 1,
    Affected = 2,
    Fixed = 3,
    UnderInvestigation = 4,
    WillNotFix = 5,
    FixDeferred = 6,
    EndOfLife = 7,
}

/// <summary>Words of statuses.</summary>
public static class FixStatuses
{
    /// <summary>The word as reports write it, such as <c>will_not_fix</c>.</summary>
    public static string Word(this FixStatus status) => status switch
    {
        FixStatus.NotAffected => "not_affected",
        FixStatus.Affected => "affected",
        FixStatus.Fixed => "fixed",
        FixStatus.UnderInvestigation => "under_investigation",
        FixStatus.WillNotFix => "will_not_fix",
        FixStatus.FixDeferred => "fix_deferred",
        FixStatus.EndOfLife => "end_of_life",
        _ => "unknown",
    };

    /// <summary>Reads the word of a report; anything else is unknown.</summary>
    public static FixStatus Parse(string? word) =>
        Enum.GetValues<FixStatus>().FirstOrDefault(s => s.Word().Equals(word, StringComparison.OrdinalIgnoreCase));
}
