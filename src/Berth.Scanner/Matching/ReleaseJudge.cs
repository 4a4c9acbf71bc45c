using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory;
using Berth.Scanner.Versions;
using Berth.Scanner.Versions.Rpm;

namespace Berth.Scanner.Matching;

/// <summary>Judges packages of distributions by advisories with fixed versions.</summary>
internal static class ReleaseJudge
{
    /// <summary>The names under which the advisories of the package stand.</summary>
    public static string NameOf(ReleaseRules rules, Package package) => rules.Key switch
    {
        NameKey.Source => package.SourceName.Length > 0 ? package.SourceName : package.Name,
        NameKey.Modular => Modular(package),
        _ => package.Name,
    };

    /// <summary>Whether the package can be judged at all.</summary>
    public static bool IsJudged(ReleaseRules rules, Package package) => !IsForeign(rules, package) && package.Version.Length > 0
        && (rules.Quirk != ReleaseQuirk.SkipsUnlabelledModules || package.Modularity.Length > 0
            || !package.Release.Contains(".module_el", StringComparison.Ordinal));

    /// <summary>Whether no advisory of the distribution speaks of the package: it has another publisher, or is only a key.</summary>
    public static bool IsForeign(ReleaseRules rules, Package package) =>
        (package.IsThirdParty && !rules.JudgesThirdParty) || (package.Type == PackageType.Rpm && package.Name == "gpg-pubkey");

    /// <summary>Every case of the advisory that is about the package.</summary>
    public static IEnumerable<Verdict> Judge(ReleaseRules rules, Package package, Advisory advisory)
    {
        var order = VersionOrders.Of(package.Type);
        var installed = rules.Installed == InstalledSide.Source ? PackageVersions.Source(package) : PackageVersions.Full(package);
        if (!order.IsValid(installed))
            yield break;
        if (advisory.Entries.Count == 0)
        {
            if (Holds(rules, package, order, installed, advisory.FixedVersion, advisory.AffectedVersion)
                && (advisory.Arches.Count == 0 || Fits(advisory.Arches, package)))
                yield return Of(rules, advisory, advisory.FixedVersion, advisory.VendorIds);
            yield break;
        }
        foreach (var entry in advisory.Entries)
        {
            if (entry.Arches.Contains(package.Architecture) && Holds(rules, package, order, installed, entry.FixedVersion, ""))
                yield return Of(rules, advisory, entry.FixedVersion, entry.VendorIds);
        }
    }

    public static string Modular(Package package)
    {
        // nodejs:12:8030020201124152102:229f0a1c and npm give nodejs:12::npm.
        var first = package.Modularity.IndexOf(':');
        var second = first < 0 ? -1 : package.Modularity.IndexOf(':', first + 1);
        return second < 0 ? package.Name : $"{package.Modularity[..second]}::{package.Name}";
    }

    private static bool Fits(IReadOnlyList<string> arches, Package package) => package.Architecture == "noarch" || arches.Contains(package.Architecture);

    private static bool Holds(ReleaseRules rules, Package package, VersionOrder order, string installed, string fixedVersion, string affected)
    {
        if (affected.Length > 0 && (!order.IsValid(affected) || order.Compare(affected, installed) > 0))
            return false;
        if (fixedVersion.Length == 0)
            return rules.UnfixedCounts;
        if (rules.Quirk == ReleaseQuirk.ComparesFlavours && Flavour(fixedVersion) != Flavour(package.Release))
            return false;
        return order.IsValid(fixedVersion) && order.Compare(installed, fixedVersion) < 0;
    }

    private static Verdict Of(ReleaseRules rules, Advisory advisory, string fixedVersion, IReadOnlyList<string> vendorIds) => new(advisory.Id)
    {
        FixedVersions = fixedVersion.Length == 0 ? [] : [rules.TrimsEpoch ? RpmVersionOrder.WithoutZeroEpoch(fixedVersion) : fixedVersion],
        VendorIds = vendorIds,
        Status = advisory.Status,
        Severity = advisory.Severity,
        SeveritySource = advisory.Severity != Severity.Unknown ? rules.SeveritySource : "",
    };

    /// <summary>Oracle builds some packages in more than one way; their versions do not compare.</summary>
    private static string Flavour(string version)
    {
        version = version.ToLowerInvariant();
        return version.EndsWith("_fips", StringComparison.Ordinal) ? "fips" : version.Contains(".ksplice", StringComparison.Ordinal) ? "ksplice" : "";
    }
}
