using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory;

/// <summary>What the files of a Node project say of each other: <c>package.json</c> knows what only development needs, which <c>yarn.lock</c> does not.</summary>
internal static class NodeProjects
{
    private const string Workspaces = "workspaces";
    private const string Identity = "project";

    /// <summary>Notes what a project asks for.</summary>
    public static void Facts(DataNode manifest, FileReport report)
    {
        static IEnumerable<string> Names(DataNode from, params string[] kinds) => kinds.SelectMany(kind => from[kind].Members).Select(one => RealName(one.Key, one.Value.Text ?? ""));
        var needed = Names(manifest, "dependencies", "optionalDependencies", "peerDependencies").Distinct(StringComparer.Ordinal).ToList();
        var development = Names(manifest, "devDependencies").Distinct(StringComparer.Ordinal).ToList();
        if (needed.Count + development.Count == 0 || !report.Names(ProjectRules.Needed, needed) || !report.Names(ProjectRules.ForDevelopment, development)) return;
        if (manifest[Workspaces].Exists) report.Fact(Workspaces, "true");
        if (manifest.Of("name").Length > 0 && manifest.Of("version").Length > 0 && !manifest["private"].IsTrue) report.Fact(Identity, manifest.Of("name") + "@" + manifest.Of("version"));
    }

    // "alias": "npm:name@^1.0.0"
    private static string RealName(string key, string range) =>
        !range.StartsWith("npm:", StringComparison.Ordinal) ? key : range.IndexOf('@', Math.Min(5, range.Length)) is var at and > 4 ? range[4..at] : range[4..];

    /// <summary>The files with locks judged by the manifests beside and, where a project has several parts, below them.</summary>
    public static IEnumerable<JoinedFile> Apply(IReadOnlyList<JoinedFile> files)
    {
        var manifests = files.Where(one => one.File.Analyzer == ProjectRules.NpmInstalled && one.File.Facts.ContainsKey(ProjectRules.Needed))
            .ToDictionary(one => ImagePath.Directory(one.File.Path), one => one.File.Facts, StringComparer.Ordinal);
        // A part of a project belongs to the nearest lock above it.
        var locks = files.Where(one => one.File.Analyzer == ProjectRules.YarnLock).Select(one => ImagePath.Directory(one.File.Path)).ToHashSet(StringComparer.Ordinal);
        var parts = locks.Count == 0 ? null : manifests.Where(one => Nearest(one.Key, locks) is not null).ToLookup(one => Nearest(one.Key, locks)!, one => one.Value, StringComparer.Ordinal);
        // npm does not read its lock file where one to publish is there.
        var published = files.Where(one => ImagePath.Name(one.File.Path) == "npm-shrinkwrap.json").Select(one => ImagePath.Directory(one.File.Path)).ToHashSet(StringComparer.Ordinal);
        foreach (var one in files)
        {
            var directory = ImagePath.Directory(one.File.Path);
            if (one.File.Analyzer == ProjectRules.NpmLock && ImagePath.Name(one.File.Path) == "package-lock.json" && published.Contains(directory)) continue;
            yield return one.File.Analyzer == ProjectRules.YarnLock && manifests.TryGetValue(directory, out var facts) ? Judged(one, facts, facts.ContainsKey(Workspaces) ? parts![directory] : [facts]) : one;
        }
    }

    private static string? Nearest(string directory, HashSet<string> locks)
    {
        while (!locks.Contains(directory))
        {
            if (directory.Length == 0) return null;
            directory = ImagePath.Directory(directory);
        }
        return directory;
    }

    private static JoinedFile Judged(JoinedFile file, IReadOnlyDictionary<string, string> project, IEnumerable<IReadOnlyDictionary<string, string>> manifests)
    {
        var parts = manifests.ToList();
        var needed = parts.SelectMany(one => one[ProjectRules.Needed].Split('\n')).ToHashSet(StringComparer.Ordinal);
        var development = parts.SelectMany(one => one[ProjectRules.ForDevelopment].Split('\n')).ToHashSet(StringComparer.Ordinal);
        var judged = ProjectGraph.Judge(file.Packages, needed, development, name => name);
        if (project.GetValueOrDefault(Identity) is { } self && self.LastIndexOf('@') is var at and > 0 && !judged.Exists(one => ProjectGraph.Id(one) == self))
        {
            judged.Add(new Package(PackageType.Npm, self[..at], self[(at + 1)..])
            {
                Path = file.File.Path,
                Layer = file.Packages.Count > 0 ? file.Packages[0].Layer : "",
                Relationship = PackageRelationship.Root,
                DependsOn = [.. judged.Where(one => needed.Contains(one.Name)).Select(ProjectGraph.Id).Order(StringComparer.Ordinal)],
            });
        }
        return file with { Packages = judged };
    }
}
