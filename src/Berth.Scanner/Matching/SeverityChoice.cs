using Berth.Scanner.Advisories;

namespace Berth.Scanner.Matching;

/// <summary>Which of the many severities of a flaw counts.</summary>
internal static class SeverityChoice
{
    /// <summary>The severity and who gave it.</summary>
    /// <param name="id">Id of the flaw.</param>
    /// <param name="detail">What is known about it.</param>
    /// <param name="source">Id of the source of the advisory.</param>
    /// <param name="wanted">Sources in the order of preference; <c>auto</c> for the choice by the source of the advisory.</param>
    public static (Severity Severity, string Source) Of(string id, VulnerabilityDetail detail, string source, IReadOnlyList<string> wanted)
    {
        foreach (var name in wanted)
        {
            if (name == "auto")
                return Auto(id, detail, source);
            if (detail.VendorSeverities.TryGetValue(name, out var severity))
                return (severity, name);
        }
        return (Severity.Unknown, "");
    }

    private static (Severity Severity, string Source) Auto(string id, VulnerabilityDetail detail, string source)
    {
        if (detail.VendorSeverities.TryGetValue(source, out var own))
            return (own, source);
        if (id.StartsWith("GHSA-", StringComparison.Ordinal) && detail.VendorSeverities.TryGetValue("ghsa", out var ghsa) && ghsa != Severity.Unknown)
            return (ghsa, "ghsa");
        if (detail.VendorSeverities.TryGetValue("nvd", out var nvd) && nvd != Severity.Unknown)
            return (nvd, "nvd");
        return (detail.Severity, "");
    }
}
