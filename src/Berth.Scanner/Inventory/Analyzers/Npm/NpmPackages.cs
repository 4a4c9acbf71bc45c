using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Npm;

/// <summary>Packages of npm and those who share its registry: what is installed, and the lock files of npm, yarn, pnpm and bun.</summary>
internal static class NpmPackages
{
    /// <summary>The analyzers.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } =
    [
        new(ProjectRules.NpmInstalled, FileRole.Installed, path => ImagePath.Name(path) == "package.json", Installed, 4 << 20),
        new(ProjectRules.NpmLock, FileRole.Lock, path => IsProjectFile(path, "package-lock.json") || IsProjectFile(path, "npm-shrinkwrap.json"), NpmLock.Read),
        new(ProjectRules.YarnLock, FileRole.Lock, path => IsProjectFile(path, "yarn.lock"), YarnLock.Read),
        new("pnpm-lock", FileRole.Lock, path => IsProjectFile(path, "pnpm-lock.yaml"), PnpmLock.Read, 12 << 20),
        new("bun-lock", FileRole.Lock, path => IsProjectFile(path, "bun.lock"), BunLock.Read),
    ];

    // Lock files inside an installed package are its developer's, and nothing of them is installed.
    private static bool IsProjectFile(string path, string name) => ImagePath.Name(path) == name && !path.Contains("node_modules/", StringComparison.Ordinal);

    private static void Installed(FileContent content, FileReport report)
    {
        var package = JsonText.Map(content.Bytes().Span);
        var name = package.Of("name");
        var version = package.Of("version");
        if (!report.Path.Contains("node_modules/", StringComparison.Ordinal)) NodeProjects.Facts(package, report);
        // Extensions of VS Code and packages of Unity have the same file and another world of names.
        if (name.Length == 0 || version.Length == 0 || package["engines"]["vscode"].Exists || package["contributes"].IsMap || package["unity"].Exists) return;
        report.Add(new Package(PackageType.Npm, name, version) { Licenses = Licenses(package) });
        if (package["private"].IsTrue) report.Fact(ProjectRules.IsPrivate, "true");
    }

    private static IReadOnlyList<string> Licenses(DataNode package)
    {
        var license = package["license"];
        if (license.Text is { Length: > 0 } text) return [text];
        if (license.IsMap && license.Of("type") is { Length: > 0 } type) return [type];
        return [.. license.Items.Concat(package["licenses"].Items).Select(one => one.Text ?? one.Of("type")).Where(one => one.Length > 0)];
    }
}

/// <summary>npm's <c>package-lock.json</c>: version 1 nests dependencies, 2 and 3 list paths.</summary>
internal static class NpmLock
{
    /// <summary>Reads the file.</summary>
    public static void Read(FileContent content, FileReport report)
    {
        var root = JsonText.Map(content.Bytes().Span);
        if (root["packages"].IsMap) ReadPaths(root["packages"], report);
        else ReadTree(root["dependencies"], [], report);
    }

    private static void ReadPaths(DataNode packages, FileReport report)
    {
        var asked = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (path, package) in packages.Members.Where(one => !one.Key.Contains("node_modules", StringComparison.Ordinal)))
            foreach (var kind in (string[])["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"])
                foreach (var (name, _) in package[kind].Members) asked.Add((path.Length == 0 ? "" : path + "/") + "node_modules/" + name);
        foreach (var (path, package) in packages.Members)
        {
            if (path.Length == 0 || package["link"].IsTrue || !IsVersion(package.Of("version"))) continue;
            report.AddOnce(new Package(PackageType.Npm, NameOf(path, package), package.Of("version"))
            {
                IsDevelopment = package["dev"].IsTrue || (package["devOptional"].IsTrue && !package["optional"].IsTrue),
                Licenses = package.Of("license") is { Length: > 0 } license ? [license] : [],
                Relationship = asked.Contains(path) ? PackageRelationship.Direct : PackageRelationship.Indirect,
                DependsOn = Dependencies(path, package, packages),
            });
        }
    }

    private static string NameOf(string path, DataNode package)
    {
        if (package.Of("name") is { Length: > 0 } name) return name;
        var at = path.LastIndexOf("node_modules/", StringComparison.Ordinal);
        return at >= 0 ? path[(at + 13)..] : ImagePath.Name(path);
    }

    private static string[] Dependencies(string path, DataNode package, DataNode packages)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        if (path.Length > 4096) return [];
        foreach (var (name, _) in package["dependencies"].Members.Concat(package["optionalDependencies"].Members))
        {
            // Node looks beside the package, then upwards.
            for (var from = path; ; from = from.LastIndexOf("/node_modules/", StringComparison.Ordinal) is var up and >= 0 ? from[..up] : "")
            {
                var target = (from.Length == 0 ? "" : from + "/") + "node_modules/" + name;
                if (packages[target] is { IsMap: true } there)
                {
                    if (IsVersion(there.Of("version"))) found.Add(NameOf(target, there) + "@" + there.Of("version"));
                    break;
                }
                if (from.Length == 0) break;
            }
            if (found.Count > 1000) break;
        }
        return [.. found];
    }

    private static void ReadTree(DataNode dependencies, List<DataNode> scopes, FileReport report)
    {
        scopes.Add(dependencies);
        foreach (var (key, package) in dependencies.Members)
        {
            var (name, version) = Alias(key, package.Of("version"));
            if (IsVersion(version))
            {
                report.AddOnce(new Package(PackageType.Npm, name, version)
                {
                    IsDevelopment = package["dev"].IsTrue,
                    DependsOn = [.. package["requires"].Members.Select(one => Required(one.Key, package, scopes)).Where(one => one.Length > 0).Order(StringComparer.Ordinal)],
                });
            }
            if (package["dependencies"].IsMap) ReadTree(package["dependencies"], scopes, report);
        }
        scopes.RemoveAt(scopes.Count - 1);
    }

    private static string Required(string key, DataNode package, List<DataNode> scopes)
    {
        var there = package["dependencies"][key];
        for (var i = scopes.Count - 1; i >= 0 && !there.Exists; i--) there = scopes[i][key];
        var (name, version) = Alias(key, there.Of("version"));
        return IsVersion(version) ? name + "@" + version : "";
    }

    // "npm:string-width@4.2.0" installs a package under another name.
    private static (string Name, string Version) Alias(string key, string version)
    {
        if (!version.StartsWith("npm:", StringComparison.Ordinal)) return (key, version);
        var at = version.LastIndexOf('@');
        return at > 4 ? (version[4..at], version[(at + 1)..]) : (key, "");
    }

    private static bool IsVersion(string version) => version.Length > 0 && char.IsAsciiDigit(version[0]) && !version.Contains('/') && !version.Contains(':');
}
