using System.Text.RegularExpressions;
using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Other;

/// <summary>Lock files of smaller ecosystems: Dart, Swift, CocoaPods, Conan, Elixir, Julia, Conda, R, Haskell.</summary>
internal static partial class OtherLocks
{
    /// <summary>The analyzers.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } =
    [
        new("pub-lock", FileRole.Lock, path => ImagePath.Name(path) == "pubspec.lock", Pub, 8 << 20),
        new("swift-resolved", FileRole.Lock, path => ImagePath.Name(path) is "Package.resolved" or ".package.resolved", Swift),
        new("pod-lock", FileRole.Lock, path => ImagePath.Name(path) == "Podfile.lock", Pods, 8 << 20),
        new("conan-lock", FileRole.Lock, path => ImagePath.Name(path) == "conan.lock", Conan),
        new("mix-lock", FileRole.Lock, path => ImagePath.Name(path) == "mix.lock", Mix),
        new("julia-manifest", FileRole.ShippedLock, path => JuliaManifest().IsMatch(ImagePath.Name(path)), Julia),
        new("conda-installed", FileRole.Installed, path => path.Contains("conda-meta/", StringComparison.Ordinal) && path.EndsWith(".json", StringComparison.Ordinal), Conda),
        new("renv-lock", FileRole.Lock, path => ImagePath.Name(path) == "renv.lock", Renv),
        new("haskell-lock", FileRole.Lock, path => ImagePath.Name(path) is "cabal.project.freeze" or "stack.yaml.lock", Haskell),
    ];

    private static void Pub(FileContent content, FileReport report)
    {
        var root = YamlText.Read(content.Bytes().Span);
        if (!root.IsMap) throw new InvalidDataException("pub: document is no map");
        foreach (var (name, package) in root["packages"].Members)
        {
            var kind = package.Of("dependency");
            report.Add(package.Of("version").Length == 0 ? new Package(PackageType.Pub, "", "") : new Package(PackageType.Pub, name, package.Of("version"))
            {
                IsDevelopment = kind == "direct dev",
                Relationship = kind.StartsWith("direct", StringComparison.Ordinal) ? PackageRelationship.Direct : kind == "transitive" ? PackageRelationship.Indirect : PackageRelationship.Unknown,
            });
        }
    }

    // Advisories name a Swift package by the place of its repository, without scheme and ".git".
    private static void Swift(FileContent content, FileReport report)
    {
        var root = JsonText.Map(content.Bytes().Span);
        var pins = root["object"]["pins"].IsList ? root["object"]["pins"] : root["pins"];
        foreach (var pin in pins.Items)
        {
            var place = pin.Of("location") is { Length: > 0 } location ? location : pin.Of("repositoryURL");
            var name = place.IndexOf("://", StringComparison.Ordinal) is var scheme and >= 0 ? place[(scheme + 3)..] : place;
            if (name.StartsWith("git@", StringComparison.Ordinal)) name = name[4..].Replace(':', '/');
            if (name.EndsWith(".git", StringComparison.Ordinal)) name = name[..^4];
            if (name.Length == 0) name = pin.Of("identity") is { Length: > 0 } identity ? identity : pin.Of("package");
            var version = pin["state"].Of("version") is { Length: > 0 } exact ? exact : pin["state"].Of("branch");
            if (version.Length > 0) report.Add(new Package(PackageType.Swift, name.TrimEnd('/'), version));
        }
    }

    private static void Pods(FileContent content, FileReport report)
    {
        var root = YamlText.Read(content.Bytes().Span);
        if (!root.IsMap) throw new InvalidDataException("cocoapods: document is no map");
        foreach (var pod in root["PODS"].Items)
        {
            // "Name (1.0)", or a map from it to what it needs.
            var text = pod.Text ?? (pod.Members.Count == 1 ? pod.Members.First().Key : "");
            if (PodLine().Match(text) is { Success: true } match) report.AddOnce(new Package(PackageType.CocoaPods, match.Groups[1].Value, match.Groups[2].Value));
        }
    }

    private static void Conan(FileContent content, FileReport report)
    {
        var root = JsonText.Map(content.Bytes().Span);
        var nodes = root["graph_lock"]["nodes"];
        // Node of the project itself: it has a path, and nobody needs it. A package that is edited in place has one too.
        var needed = nodes.Members.SelectMany(one => one.Value["requires"].Items.Concat(one.Value["build_requires"].Items)).Select(one => one.Text ?? "").ToHashSet(StringComparer.Ordinal);
        bool IsProject(KeyValuePair<string, DataNode> one) => one.Value["path"].Exists && !needed.Contains(one.Key);
        var direct = nodes.Members.Where(IsProject).SelectMany(one => one.Value["requires"].Items).Select(one => one.Text ?? "").ToHashSet(StringComparer.Ordinal);
        foreach (var (id, node) in nodes.Members.Where(one => !IsProject(one)))
        {
            var relationship = direct.Contains(id) ? PackageRelationship.Direct : direct.Count > 0 ? PackageRelationship.Indirect : PackageRelationship.Unknown;
            if (Reference(node) is { } package) report.AddOnce(package with { Relationship = relationship, DependsOn = [.. node["requires"].Items.Select(one => Reference(nodes[one.Text ?? ""])).OfType<Package>().Select(one => one.Name + "@" + one.Version).Order(StringComparer.Ordinal)] });
        }
        foreach (var kind in (string[])["requires", "build_requires", "python_requires"])
            foreach (var one in root[kind].Items)
                if (Reference(one.Text ?? (one.Items is [var first, ..] ? first.Text ?? "" : "")) is { } package) report.AddOnce(package with { IsDevelopment = kind == "build_requires" });
    }

    private static Package? Reference(DataNode node) => Reference(node.Of("ref") is { Length: > 0 } reference ? reference : node.Of("pref"));

    // name/version[@user/channel][#recipe revision][:package id …][%timestamp]
    private static Package? Reference(string text)
    {
        var end = text.IndexOfAny(['@', '#', ':', '%']);
        var parts = (end < 0 ? text : text[..end]).Split('/');
        return parts.Length == 2 && parts[0].Length > 0 && parts[1].Length > 0 ? new Package(PackageType.Conan, parts[0], parts[1]) : null;
    }

    private static void Mix(FileContent content, FileReport report)
    {
        foreach (var line in Lines.Of(content.Bytes()))
            if (line.Length < 65_536 && MixLine().Match(line) is { Success: true } match) report.Add(new Package(PackageType.Hex, match.Groups[1].Value, match.Groups[2].Value));
    }

    private static void Julia(FileContent content, FileReport report)
    {
        var root = TomlText.Read(content.Bytes().Span);
        var packages = root["deps"].IsMap ? root["deps"] : root;
        foreach (var (name, versions) in packages.Members)
        {
            foreach (var package in versions.Items)
            {
                // Parts of the language have the version of Julia itself.
                var version = package.Of("version") is { Length: > 0 } own ? own : root.Of("julia_version");
                if (version.Length > 0 && package.Of("uuid").Length > 0) report.Add(new Package(PackageType.Julia, name, version));
            }
        }
    }

    private static void Conda(FileContent content, FileReport report)
    {
        var package = JsonText.Map(content.Bytes().Span);
        if (package.Of("version").Length == 0) return;
        report.Add(new Package(PackageType.Other, package.Of("name"), package.Of("version")) { Licenses = package.Of("license") is { Length: > 0 } license ? [license] : [] });
    }

    private static void Renv(FileContent content, FileReport report)
    {
        foreach (var (name, package) in JsonText.Map(content.Bytes().Span)["Packages"].Members)
            if (package.Of("Version").Length > 0) report.Add(new Package(PackageType.Other, package.Of("Package") is { Length: > 0 } own ? own : name, package.Of("Version")));
    }

    private static void Haskell(FileContent content, FileReport report)
    {
        var isStack = report.Path.EndsWith("stack.yaml.lock", StringComparison.Ordinal);
        foreach (var line in Lines.Of(content.Bytes()).Where(line => line.Length < 4096))
            if ((isStack ? StackLine() : CabalLine()).Match(line) is { Success: true } match) report.Add(new Package(PackageType.Other, match.Groups[1].Value, match.Groups[2].Value));
    }

    [GeneratedRegex(@"^(\S+) \(([^)=<>~ ]+)\)$", RegexOptions.NonBacktracking)]
    private static partial Regex PodLine();

    [GeneratedRegex("""^\s*"[^"]+":\s*\{:hex,\s*:([A-Za-z0-9_]+),\s*"([^"]+)",""", RegexOptions.NonBacktracking)]
    private static partial Regex MixLine();

    [GeneratedRegex(@"^(Julia)?Manifest(-v\d+\.\d+)?\.toml$", RegexOptions.NonBacktracking)]
    private static partial Regex JuliaManifest();

    [GeneratedRegex(@"\bany\.([A-Za-z0-9-]+) ==([0-9.]+)", RegexOptions.NonBacktracking)]
    private static partial Regex CabalLine();

    [GeneratedRegex(@"^\s*hackage: ([A-Za-z0-9-]+)-([0-9.]+)@", RegexOptions.NonBacktracking)]
    private static partial Regex StackLine();
}
