using Berth.Scanner.Advisories.Osv;
using Berth.Scanner.Inventory;

namespace Berth.Scanner.Matching;

/// <summary>Makes one finding of several that are the same flaw in the same package by their aliases; the CVE is its id, the others become aliases.</summary>
public static class FindingJoin
{
    public static List<Finding> Join(IReadOnlyList<Finding> findings)
    {
        var joined = new List<Finding>(findings.Count);
        foreach (var package in findings.GroupBy(static f => f.Package, ReferenceEqualityComparer.Instance))
            joined.AddRange(Groups([.. package]).Select(One));
        return joined;
    }

    /// <summary>Findings that share an id. Errata that repair several flaws are no bridge between them.</summary>
    private static List<List<Finding>> Groups(List<Finding> findings)
    {
        var groups = new List<(HashSet<string> Ids, List<Finding> Findings)>();
        foreach (var finding in findings)
        {
            var ids = Identity(finding);
            var merged = (Ids: ids, Findings: new List<Finding> { finding });
            for (var i = groups.Count - 1; i >= 0; i--)
            {
                if (!groups[i].Ids.Overlaps(merged.Ids))
                    continue;
                merged.Ids.UnionWith(groups[i].Ids);
                merged.Findings.InsertRange(0, groups[i].Findings);
                groups.RemoveAt(i);
            }
            groups.Add(merged);
        }
        return [.. groups.Select(static g => g.Findings)];
    }

    private static HashSet<string> Identity(Finding finding)
    {
        var names = finding.Aliases.Count(static a => a.StartsWith("CVE-", StringComparison.Ordinal));
        var isErratum = names > 1 && finding.Package.Type is (PackageType.Dpkg or PackageType.Apk or PackageType.Rpm);
        return isErratum ? [finding.Id] : [.. finding.AllIds];
    }

    private static Finding One(List<Finding> group)
    {
        if (group.Count == 1 && group[0].Source.Feed != OsvImport.Feed)
            return group[0];
        // The source of a distribution or of GitHub knows most; the order of the matcher decides among equals.
        var main = group.OrderByDescending(static f => f.FixedVersions.Count > 0).ThenByDescending(static f => f.Severity).First();
        var ids = group.SelectMany(Identity).Distinct(StringComparer.Ordinal).ToList();
        var id = ids.Where(static i => i.StartsWith("CVE-", StringComparison.Ordinal)).Order(StringComparer.Ordinal).FirstOrDefault()
            ?? group.Select(static f => f.Id).Order(StringComparer.Ordinal).First();
        if (ids.Count == 1)
            id = main.Id;
        return main with
        {
            Id = id,
            Aliases = [.. group.SelectMany(static f => f.AllIds).Where(i => i != id).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            VendorIds = [.. group.SelectMany(static f => f.VendorIds).Distinct(StringComparer.Ordinal)],
            Prediction = group.Select(static f => f.Prediction).FirstOrDefault(static p => p is not null),
            Exploitation = group.Select(static f => f.Exploitation).FirstOrDefault(static e => e is not null),
            PrimaryUrl = id == main.Id ? main.PrimaryUrl : PrimaryLinks.Of(id, main.Detail?.References ?? [], main.Source.SourceId),
        };
    }
}
