using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Constraints;
using Berth.Scanner.Inventory;
using Berth.Scanner.Versions;

namespace Berth.Scanner.Matching;

/// <summary>Advisories of programming languages in the form of Trivy's database: constraints for vulnerable, patched and unaffected versions.</summary>
internal static class ConstraintRules
{
    public static bool Holds(Advisory advisory, string feed, PackageType type, string version)
    {
        // An empty constraint holds everything.
        if (advisory.VulnerableVersions.Contains("") || advisory.PatchedVersions.Contains(""))
            return true;
        var order = OrderOf(type, feed);
        if (advisory.VulnerableVersions.Count > 0 && order.Satisfies(version, string.Join(" || ", advisory.VulnerableVersions)) != true)
            return false;
        if (advisory.PatchedVersions.Count == 0 && advisory.UnaffectedVersions.Count == 0)
            return advisory.VulnerableVersions.Count > 0;
        return order.Satisfies(version, string.Join(" || ", advisory.PatchedVersions.Concat(advisory.UnaffectedVersions))) == false;
    }

    /// <summary>The patched versions, else the upper ends of the vulnerable ones.</summary>
    public static IReadOnlyList<string> FixedVersions(Advisory advisory)
    {
        if (advisory.PatchedVersions.Count > 0)
            return [.. advisory.PatchedVersions.Where(static v => v is not ("" or "< 0")).Distinct(StringComparer.Ordinal)];
        return [.. advisory.VulnerableVersions.SelectMany(static v => v.Split(',', StringSplitOptions.TrimEntries))
            .Where(static v => v.StartsWith('<') && !v.StartsWith("<=", StringComparison.Ordinal))
            .Select(static v => v[1..].Trim()).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Constraints of Packagist in Trivy's database are in the plain language of advisories, those of its own sources in Composer's.</summary>
    private static VersionOrder OrderOf(PackageType type, string feed) =>
        type == PackageType.Composer && feed != ConstraintImport.Feed ? VersionOrders.Semantic : VersionOrders.Of(type);
}
