using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;
using Berth.Scanner.Scan;
using Berth.Server.Artifacts;
using Berth.Server.Scanning.Contents;

namespace Berth.Server.Scanning.Diff;

/// <summary>
/// What changed between two artifacts: packages and findings, platform by platform. Both are judged by the same advisories, those of now, so that a finding is new or fixed because of a package and not
/// because somebody scanned later. No layer is read.
/// </summary>
internal sealed class ImageDiff(KnownImages known, AdvisoryStore advisories, TimeProvider time)
{
    /// <summary>Compares two artifacts.</summary>
    /// <returns>The difference; else what is missing for it.</returns>
    public async Task<(DiffJson? Diff, string? Missing)> CompareAsync(ArtifactRow from, ArtifactRow to, CancellationToken ct)
    {
        var before = await known.ReadAsync(from.Id, "", asScanned: true, ct).ConfigureAwait(false);
        var after = await known.ReadAsync(to.Id, "", asScanned: true, ct).ConfigureAwait(false);
        foreach (var (row, set) in new[] { (from, before), (to, after) })
        {
            if (set.Unknown.Count > 0) return (null, $"{set.Unknown[0]} of {row.Repository} was not read yet: scan it first");
            if (set.Images.Count == 0) return (null, $"{row.Repository}@{row.Digest} has no image that could be scanned");
        }
        using var loan = advisories.Borrow();
        var matcher = loan is null ? null : new Matcher(loan.Database);
        var pairs = Pair(before.Images, after.Images);
        return (new DiffJson
        {
            From = SideOf(from),
            To = SideOf(to),
            IsJudged = matcher is not null,
            Platforms = [.. pairs.Select(pair => Compare(pair.From, pair.To, matcher, time.GetUtcNow()))],
            OnlyFrom = [.. before.Images.Except(pairs.Select(static pair => pair.From)).Select(static image => image.Platform)],
            OnlyTo = [.. after.Images.Except(pairs.Select(static pair => pair.To)).Select(static image => image.Platform)],
        }, null);
    }

    /// <summary>Images of one platform; two that stand alone are compared whatever their platforms are.</summary>
    internal static List<(KnownImage From, KnownImage To)> Pair(IReadOnlyList<KnownImage> before, IReadOnlyList<KnownImage> after)
    {
        if (before is [var one] && after is [var other]) return [(one, other)];
        var pairs = new List<(KnownImage, KnownImage)>();
        var left = after.ToList();
        foreach (var image in before)
        {
            if (left.Find(candidate => candidate.Platform == image.Platform) is not { } match) continue;
            left.Remove(match);
            pairs.Add((image, match));
        }
        return pairs;
    }

    private static PlatformDiffJson Compare(KnownImage from, KnownImage to, Matcher? matcher, DateTimeOffset now)
    {
        var (before, after) = (FindingsOf(from, matcher, now), FindingsOf(to, matcher, now));
        var packages = Packages(from.Inventory, to.Inventory);
        return new PlatformDiffJson
        {
            Platform = to.Platform.Length > 0 ? to.Platform : from.Platform,
            FromDigest = from.Target.Digest,
            ToDigest = to.Target.Digest,
            Added = [.. packages.Where(static one => one.From.Count == 0)],
            Removed = [.. packages.Where(static one => one.To.Count == 0)],
            Changed = [.. packages.Where(static one => one.From.Count > 0 && one.To.Count > 0)],
            Fixed = Only(before, after),
            New = Only(after, before),
            Unchanged = Shared(after, before),
        };
    }

    /// <summary>Packages whose versions differ, with those of each side that the other has not; a package of one side only has none of the other.</summary>
    internal static List<PackageChangeJson> Packages(ImageInventory from, ImageInventory to)
    {
        var (before, after) = (VersionsOf(from), VersionsOf(to));
        var found = new List<PackageChangeJson>();
        foreach (var key in before.Keys.Union(after.Keys).OrderBy(static key => key.Name, StringComparer.Ordinal).ThenBy(static key => key.Type).ThenBy(static key => key.Architecture, StringComparer.Ordinal))
        {
            var (old, present) = (before.GetValueOrDefault(key) ?? [], after.GetValueOrDefault(key) ?? []);
            if (old.SetEquals(present)) continue;
            // Of several versions of one package those that both have are no change.
            var isOnBoth = old.Count > 0 && present.Count > 0;
            var (gone, come) = (isOnBoth ? old.Except(present).ToList() : [.. old], isOnBoth ? present.Except(old).ToList() : [.. present]);
            found.Add(new PackageChangeJson
            {
                Type = key.Type.ToString().ToLowerInvariant(),
                Name = key.Name,
                Architecture = key.Architecture.Length > 0 ? key.Architecture : null,
                From = [.. gone.Order(StringComparer.Ordinal)],
                To = [.. come.Order(StringComparer.Ordinal)],
            });
        }
        return found;
    }

    private static Dictionary<(PackageType Type, string Name, string Architecture), HashSet<string>> VersionsOf(ImageInventory inventory) => inventory.Packages
        .GroupBy(static package => (package.Type, package.Name, package.Architecture))
        .ToDictionary(static group => group.Key, static group => group.Select(PackageVersions.Full).ToHashSet(StringComparer.Ordinal));

    private static Dictionary<(string Id, PackageType Type, string Package), FindingChangeJson> FindingsOf(KnownImage image, Matcher? matcher, DateTimeOffset now)
    {
        if (matcher is null) return [];
        var report = ScanAssembly.Of(image.Image, image.Inventory, matcher, new ScanSettings(), now);
        return report.Findings.GroupBy(static finding => (finding.Id, finding.Package.Type, finding.Package.Name)).ToDictionary(static group => group.Key, static group => Of(group));
    }

    private static FindingChangeJson Of(IEnumerable<Finding> findings)
    {
        var all = findings.ToList();
        return new FindingChangeJson
        {
            Id = all[0].Id,
            Package = all[0].Package.Name,
            Versions = [.. all.Select(static one => one.InstalledVersion).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            FixedVersion = all[0].FixedVersion.Length > 0 ? all[0].FixedVersion : null,
            Severity = all[0].Severity.Word(),
            Title = all[0].Detail?.Title is { Length: > 0 } title ? title : null,
            Rank = (int)all[0].Severity,
        };
    }

    private static List<FindingChangeJson> Only<TKey>(Dictionary<TKey, FindingChangeJson> these, Dictionary<TKey, FindingChangeJson> others)
        where TKey : notnull => Ordered(these.Where(one => !others.ContainsKey(one.Key)).Select(static one => one.Value));

    private static List<FindingChangeJson> Shared<TKey>(Dictionary<TKey, FindingChangeJson> these, Dictionary<TKey, FindingChangeJson> others)
        where TKey : notnull => Ordered(these.Where(one => others.ContainsKey(one.Key)).Select(static one => one.Value));

    private static List<FindingChangeJson> Ordered(IEnumerable<FindingChangeJson> findings) =>
        [.. findings.OrderByDescending(static one => one.Rank).ThenBy(static one => one.Id, StringComparer.Ordinal).ThenBy(static one => one.Package, StringComparer.Ordinal)];

    private static DiffSideJson SideOf(ArtifactRow row) => new() { Repository = row.Repository, Digest = row.Digest };
}
