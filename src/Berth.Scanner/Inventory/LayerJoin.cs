using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Analyzers.Releases;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Matching;
using Berth.Scanner.Secrets;

namespace Berth.Scanner.Inventory;

/// <summary>A file of an image.</summary>
/// <param name="File">What its layer says of it.</param>
/// <param name="Packages">Its packages with the layers that brought them.</param>
/// <param name="IsOwned">Whether a package of the distribution brought it.</param>
internal sealed record JoinedFile(FileInventory File, IReadOnlyList<Package> Packages, bool IsOwned);

/// <summary>The state of an image's files while its layers are applied (OCI image specification, layer.md, "Applying changesets").</summary>
internal sealed class LayerJoin
{
    // Python's own parts in distroless images, whose file lists are cut.
    private static readonly HashSet<string> AlwaysOwned = new(StringComparer.Ordinal)
    {
        "usr/lib/python2.7/argparse.egg-info", "usr/lib/python2.7/lib-dynload/Python-2.7.egg-info", "usr/lib/python2.7/wsgiref.egg-info",
    };

    private readonly Dictionary<string, List<JoinedFile>> files = new(StringComparer.Ordinal);
    private readonly List<FileProblem> problems = [];
    private readonly List<(string DiffId, RedHatFacts? Facts)> builds = [];
    private readonly HashSet<string> setUid = new(StringComparer.Ordinal);
    private readonly List<SecretFinding> secrets = [];
    private Dictionary<Identity, string> system = [];

    private readonly record struct Identity(PackageType Type, string Name, int Epoch, string Version, string Release, string Architecture)
    {
        public static Identity Of(Package package) => new(package.Type, package.Name, package.Epoch, package.Version, package.Release, package.Architecture);
    }

    /// <summary>Applies the next layer.</summary>
    public void Apply(LayerInventory layer)
    {
        problems.AddRange(layer.Problems);
        builds.Add((layer.DiffId, BuildOf(layer)));
        secrets.AddRange(layer.Secrets.Select(secret => secret with { Layer = layer.DiffId }));
        var before = layer.Files.Where(file => files.ContainsKey(file.Path)).DistinctBy(file => file.Path).ToDictionary(file => file.Path, file => files[file.Path], StringComparer.Ordinal);
        Remove(layer);
        var owned = Owned(layer);
        foreach (var file in layer.Files)
        {
            var old = before.GetValueOrDefault(file.Path)?.Find(one => one.File.Analyzer == file.Analyzer);
            var known = old?.Packages.GroupBy(Identity.Of).ToDictionary(group => group.Key, group => group.First().Layer);
            var packages = file.Packages.Select(package => package with { Layer = LayerOf(package, file, known, layer.DiffId) }).ToList();
            // A copy of the same file with another owner or date stays what it was.
            var isCopy = old is { IsOwned: true } && packages.Select(Identity.Of).ToHashSet().SetEquals(old.Packages.Select(Identity.Of));
            if (!files.TryGetValue(file.Path, out var list) || (before.TryGetValue(file.Path, out var stale) && ReferenceEquals(list, stale))) files[file.Path] = list = [];
            list.Add(new JoinedFile(file, packages, isCopy || owned.Contains(file.Path)));
        }
        foreach (var link in layer.Links) Link(link, layer.DiffId);
        system = [];
        foreach (var file in files.Values.SelectMany(list => list).Where(file => file.File.Role == FileRole.SystemDatabase))
            foreach (var package in file.Packages) system.TryAdd(Identity.Of(package), package.Layer);
        setUid.ExceptWith(layer.Files.Select(file => file.Path));
        setUid.UnionWith(layer.SetUid);
    }

    /// <summary>The image as it is now.</summary>
    public ImageInventory Result(PackageSources sources)
    {
        var all = files.OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => pair.Value).ToList();
        all = ProjectRules.Apply(all);
        var release = all.Where(one => one.File.Role == FileRole.Release).ToLookup(one => one.File.Path);
        var distribution = DistributionRules.Decide(release.ToDictionary(group => group.Key, group => group.First().File.Facts, StringComparer.Ordinal));
        var licenses = all.Where(one => one.File.Role == FileRole.License).GroupBy(one => one.File.Subject, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.First().File.Licenses, StringComparer.Ordinal);

        var packages = new List<Package>();
        var seen = new HashSet<Identity>();
        // Databases first: what a bill of materials or status.d says of the same package is the same package.
        foreach (var one in all.Where(one => Counts(one, sources)).OrderBy(one => one.File.Role == FileRole.Sbom))
        {
            foreach (var package in one.Packages)
            {
                if (IsOfSystem(package.Type))
                {
                    // A bill of materials may have come with files of another distribution.
                    if (distribution is not null && !PackageUrls.MayBeOf(distribution, package.Namespace)) continue;
                    if (!seen.Add(Identity.Of(package))) continue;
                    packages.Add(package.Type == PackageType.Dpkg && licenses.TryGetValue(package.Name, out var found) ? package with { Licenses = found } : package);
                }
                else packages.Add(package);
            }
        }
        return new ImageInventory(distribution, packages, problems)
        {
            RepositoryRelease = release[AlpineRepositories.Path].FirstOrDefault()?.File.Facts.GetValueOrDefault("release") ?? "",
            Builds = Builds(),
            SetUid = [.. setUid.Order(StringComparer.Ordinal)],
            Secrets = secrets,
        };
    }

    private static RedHatFacts? BuildOf(LayerInventory layer)
    {
        var sets = layer.Files.Where(file => file.Analyzer == ReleaseFiles.ContentSets).SelectMany(file => file.Facts.Keys).Distinct(StringComparer.Ordinal).ToList();
        var nvr = layer.Files.Where(file => file.Analyzer == ReleaseFiles.Dockerfile).Select(file => file.Facts.GetValueOrDefault("nvr", "")).LastOrDefault(text => text.Length > 0) ?? "";
        return sets.Count == 0 && nvr.Length == 0 ? null : new RedHatFacts(sets.Count == 0 ? null : sets, nvr);
    }

    // The lowest layer's facts are written into the second; what others build on top has those of the nearest layer below.
    private Dictionary<string, RedHatFacts> Builds()
    {
        var known = new Dictionary<string, RedHatFacts>(StringComparer.Ordinal);
        for (var i = 0; i < builds.Count; i++)
        {
            var facts = builds[i].Facts ?? (i == 0 ? builds.Skip(1).Select(next => next.Facts).FirstOrDefault() : builds.Take(i).Select(below => below.Facts).LastOrDefault(below => below is not null));
            if (facts is not null) known[builds[i].DiffId] = facts;
        }
        return known;
    }

    private static bool IsOfSystem(PackageType type) => type is PackageType.Dpkg or PackageType.Apk or PackageType.Rpm;

    private static bool Counts(JoinedFile one, PackageSources sources)
    {
        if (one.IsOwned && one.File.Role != FileRole.SystemDatabase && !sources.HasFlag(PackageSources.Owned)) return false;
        return one.File.Role switch
        {
            FileRole.SystemDatabase => sources.HasFlag(PackageSources.System),
            FileRole.Installed => sources.HasFlag(PackageSources.Installed),
            FileRole.Lock => sources.HasFlag(PackageSources.Locks),
            FileRole.ShippedLock => sources.HasFlag(PackageSources.ShippedLocks),
            FileRole.Sbom => sources.HasFlag(PackageSources.Sboms),
            _ => false,
        };
    }

    private string LayerOf(Package package, FileInventory file, Dictionary<Identity, string>? known, string diffId)
    {
        var identity = Identity.Of(package);
        if (file.Role == FileRole.SystemDatabase) return system.GetValueOrDefault(identity, diffId);
        return known?.GetValueOrDefault(identity) ?? diffId;
    }

    private HashSet<string> Owned(LayerInventory layer)
    {
        var thirdParty = layer.Files.SelectMany(file => file.ThirdParty)
            .Concat(files.Values.SelectMany(list => list).SelectMany(file => file.File.ThirdParty)).ToHashSet(StringComparer.Ordinal);
        var owned = new HashSet<string>(AlwaysOwned, StringComparer.Ordinal);
        foreach (var one in layer.Owned.Where(one => !thirdParty.Contains(one.Package.Split(':')[0]))) owned.UnionWith(one.Paths);
        return owned;
    }

    private void Remove(LayerInventory layer)
    {
        var gone = new HashSet<string>(layer.Removed.Concat(layer.Replaced), StringComparer.Ordinal);
        var opaque = new HashSet<string>(layer.OpaqueDirectories, StringComparer.Ordinal);
        // A file takes the place of a directory, and a directory the place of a file.
        var directories = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in layer.Files.Select(file => file.Path).Concat(layer.Replaced).Concat(layer.Directories)) AddDirectories(path, directories);
        directories.UnionWith(layer.Directories);
        bool IsGone(string path) => gone.Contains(path) || directories.Contains(path) || LiesBelow(path, gone, opaque);
        setUid.RemoveWhere(IsGone);
        foreach (var path in files.Keys.Where(IsGone).ToList()) files.Remove(path);
        foreach (var file in layer.Files) gone.Add(file.Path);
        foreach (var path in files.Keys.Where(path => LiesBelow(path, gone, opaque)).ToList()) files.Remove(path);
    }

    private static void AddDirectories(string path, HashSet<string> directories)
    {
        for (var at = path.LastIndexOf('/'); at > 0 && directories.Add(path[..at]); at = path.LastIndexOf('/', at - 1))
        {
        }
    }

    // A hard link to a file of a lower layer is that file under another name.
    private void Link(LayerLink link, string diffId)
    {
        if (!files.TryGetValue(link.Target, out var found)) return;
        var wanted = AnalyzerSet.All.For(link.Path);
        var linked = found.Where(one => one.File.Analyzer == AnalyzerSet.Programs || wanted.Any(analyzer => analyzer.Name == one.File.Analyzer)).ToList();
        if (linked.Count == 0) return;
        files[link.Path] =
        [
            .. linked.Select(one => one with
            {
                File = one.File with { Path = link.Path },
                Packages = [.. one.Packages.Select(package => package with { Path = link.Path + package.Path[link.Target.Length..], Layer = diffId })],
            }),
        ];
    }

    private static bool LiesBelow(string path, HashSet<string> gone, HashSet<string> opaque)
    {
        if (opaque.Contains("")) return true;
        for (var at = path.IndexOf('/'); at > 0; at = path.IndexOf('/', at + 1))
        {
            var top = path[..at];
            if (gone.Contains(top) || opaque.Contains(top)) return true;
        }
        return false;
    }
}
