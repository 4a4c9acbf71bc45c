using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory;

/// <summary>What only several files of a project together say.</summary>
internal static class ProjectRules
{
    /// <summary>Fact of an npm package that is never published.</summary>
    public const string IsPrivate = "private";

    /// <summary>Fact of a manifest: names that the project needs, one a line.</summary>
    public const string Needed = "needed";

    /// <summary>Fact of a manifest: names that only its development needs.</summary>
    public const string ForDevelopment = "development";

    /// <summary>Analyzers whose files belong together.</summary>
    public const string CargoLock = "cargo-lock", CargoManifest = "cargo-manifest", GoMod = "go-mod", GoSum = "go-sum", NpmInstalled = "npm-installed", NpmLock = "npm-lock", YarnLock = "yarn-lock", PoetryLock = "poetry-lock", PythonManifest = "python-manifest", ComposerLock = "composer-lock",
        ComposerManifest = "composer-manifest";

    /// <summary>Fact of a go.mod that leaves out what its requirements need.</summary>
    public const string NeedsSums = "needs go.sum";

    /// <summary>The files with what they say of each other.</summary>
    public static List<JoinedFile> Apply(List<JoinedFile> files)
    {
        var projects = Projects(files);
        var manifests = files.Where(one => one.File.Analyzer == CargoManifest && one.File.Facts.ContainsKey(Needed))
            .ToDictionary(one => ImagePath.Directory(one.File.Path), one => one.File.Facts, StringComparer.Ordinal);
        var composers = files.Where(one => one.File.Analyzer == ComposerManifest && one.File.Facts.ContainsKey(Needed))
            .ToDictionary(one => ImagePath.Directory(one.File.Path), one => one.File.Facts[Needed].Split('\n').ToHashSet(StringComparer.Ordinal), StringComparer.Ordinal);
        var sums = files.Where(one => one.File.Analyzer == GoSum).ToDictionary(one => ImagePath.Directory(one.File.Path), one => one.Packages, StringComparer.Ordinal);
        return [.. PythonProjects.Apply(NodeProjects.Apply(files), files).Where(one => !(one.File.Facts.ContainsKey(IsPrivate) && projects.Contains(ImagePath.Directory(one.File.Path))))
            .Select(one => one.File.Analyzer == CargoLock && manifests.TryGetValue(ImagePath.Directory(one.File.Path), out var facts) ? Judged(one, facts)
                : one.File.Analyzer == ComposerLock && composers.TryGetValue(ImagePath.Directory(one.File.Path), out var asked) ? Placed(one, asked)
                : one.File.Facts.ContainsKey(NeedsSums) && sums.TryGetValue(ImagePath.Directory(one.File.Path), out var needed) ? Completed(one, needed)
                : one)];
    }

    // Directories with installed packages below them: a private package.json there is the project itself, which is in no registry.
    private static HashSet<string> Projects(List<JoinedFile> files)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in files.Where(one => one.File.Analyzer == NpmInstalled).Select(one => one.File.Path))
        {
            var at = path.IndexOf("node_modules/", StringComparison.Ordinal);
            if (at >= 0) found.Add(at == 0 ? "" : path[..(at - 1)]);
        }
        return found;
    }

    private static JoinedFile Placed(JoinedFile file, HashSet<string> asked) =>
        file with { Packages = [.. file.Packages.Select(package => package with { Relationship = asked.Contains(package.Name) ? PackageRelationship.Direct : PackageRelationship.Indirect })] };

    private static JoinedFile Completed(JoinedFile file, IReadOnlyList<Package> sums)
    {
        var known = file.Packages.Select(package => package.Name).ToHashSet(StringComparer.Ordinal);
        return file with { Packages = [.. file.Packages, .. sums.Where(package => known.Add(package.Name)).Select(package => package with { Path = file.File.Path })] };
    }

    // Crates that the project reaches only by what its development needs.
    private static JoinedFile Judged(JoinedFile file, IReadOnlyDictionary<string, string> manifest)
    {
        var needed = manifest[Needed].Split('\n').ToHashSet(StringComparer.Ordinal);
        var development = manifest.GetValueOrDefault(ForDevelopment, "").Split('\n').ToHashSet(StringComparer.Ordinal);
        var byId = file.Packages.GroupBy(package => package.Name + "@" + package.Version).ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
        var open = new Stack<string>(byId.Where(one => one.Value.Relationship == PackageRelationship.Root)
            .SelectMany(one => one.Value.DependsOn.Where(id => Name(id) is var name && (needed.Contains(name) || !development.Contains(name))).Append(one.Key)));
        var direct = open.ToHashSet(StringComparer.Ordinal);
        var reached = new HashSet<string>(StringComparer.Ordinal);
        while (open.TryPop(out var id))
        {
            if (!reached.Add(id) || !byId.TryGetValue(id, out var package) || package.Relationship == PackageRelationship.Root) continue;
            foreach (var next in package.DependsOn) open.Push(next);
        }
        return file with
        {
            Packages = [.. file.Packages.Select(package => package with
            {
                IsDevelopment = !reached.Contains(package.Name + "@" + package.Version),
                Relationship = package.Relationship == PackageRelationship.Root ? PackageRelationship.Root
                    : direct.Contains(package.Name + "@" + package.Version) ? PackageRelationship.Direct : PackageRelationship.Indirect,
            })],
        };
    }

    private static string Name(string id) => id.LastIndexOf('@') is var at and > 0 ? id[..at] : id;
}
