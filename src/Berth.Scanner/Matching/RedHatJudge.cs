using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Inventory;
using Berth.Scanner.Versions;
using Berth.Scanner.Versions.Rpm;

namespace Berth.Scanner.Matching;

/// <summary>
/// Red Hat and CentOS: an advisory counts when one of its products is among those of the image's content sets (or of the image itself); of several advisories for
/// one flaw the one with the highest fixed version decides.
/// </summary>
internal static class RedHatJudge
{
    private static readonly Dictionary<string, string[]> DefaultContentSets = new(StringComparer.Ordinal)
    {
        ["6"] = ["rhel-6-server-rpms", "rhel-6-server-extras-rpms"],
        ["7"] = ["rhel-7-server-rpms", "rhel-7-server-extras-rpms"],
        ["8"] = ["rhel-8-for-x86_64-baseos-rpms", "rhel-8-for-x86_64-appstream-rpms"],
        ["9"] = ["rhel-9-for-x86_64-baseos-rpms", "rhel-9-for-x86_64-appstream-rpms"],
    };

    /// <summary>The products of what is judged.</summary>
    public static HashSet<int> Products(AdvisoryDatabase database, MatchSubject subject)
    {
        var products = new HashSet<int>();
        var sets = subject.ContentSets ?? DefaultContentSets.GetValueOrDefault(ReleaseRules.Major(subject.Distribution?.Version ?? ""), []);
        foreach (var set in sets)
            products.UnionWith(database.Products("repository", WithoutRelease(set)));
        if (subject.Nvr.Length > 0)
            products.UnionWith(database.Products("nvr", subject.Nvr));
        return products;
    }

    public static IEnumerable<Verdict> Judge(Package package, IEnumerable<Advisory> advisories, HashSet<int> products)
    {
        var best = new Dictionary<string, Verdict>(StringComparer.Ordinal);
        foreach (var advisory in advisories)
        {
            foreach (var verdict in Cases(package, advisory, products))
            {
                if (!best.TryGetValue(verdict.Id, out var known) || VersionOrders.Rpm.Compare(known.FixedVersion(), verdict.FixedVersion()) < 0)
                    best[verdict.Id] = verdict;
            }
        }
        var installed = PackageVersions.Full(package);
        return best.Values.Where(v => v.FixedVersions.Count == 0 || VersionOrders.Rpm.Compare(installed, v.FixedVersions[0]) < 0)
            .OrderBy(static v => v.Id, StringComparer.Ordinal);
    }

    private static IEnumerable<Verdict> Cases(Package package, Advisory advisory, HashSet<int> products)
    {
        foreach (var entry in advisory.Entries)
        {
            if (!entry.Products.Any(products.Contains) || (entry.Arches.Count > 0 && package.Architecture != "noarch" && !entry.Arches.Contains(package.Architecture)))
                continue;
            foreach (var flaw in entry.Flaws)
            {
                var own = advisory.Id.StartsWith("CVE-", StringComparison.Ordinal);
                yield return new Verdict(own ? advisory.Id : flaw.Id)
                {
                    FixedVersions = entry.FixedVersion.Length == 0 ? [] : [RpmVersionOrder.WithoutZeroEpoch(entry.FixedVersion)],
                    VendorIds = own ? [] : [advisory.Id],
                    Status = entry.Status,
                    Severity = flaw.Severity,
                    SeveritySource = "redhat",
                };
            }
        }
    }

    private static string FixedVersion(this Verdict verdict) => verdict.FixedVersions.Count == 0 ? "" : verdict.FixedVersions[0];

    /// <summary>Content sets of some images end with the number of the release (<c>…__8</c>), which is no part of the name.</summary>
    private static string WithoutRelease(string contentSet)
    {
        var mark = contentSet.LastIndexOf("__", StringComparison.Ordinal);
        return mark > 0 && mark + 2 < contentSet.Length && contentSet.AsSpan(mark + 2).IndexOfAnyExceptInRange('0', '9') < 0 ? contentSet[..mark] : contentSet;
    }
}
