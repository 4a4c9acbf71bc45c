using Berth.Scanner.Inventory.Analyzers.Archives;
using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Python;

/// <summary>Python: what is installed (dist-info, egg-info, eggs) and the lock files of pip, Pipenv, Poetry, uv, PDM and PEP 751.</summary>
internal static class PythonPackages
{
    /// <summary>The analyzers.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } =
    [
        new("python-installed", FileRole.Installed, IsMetadata, Installed, 4 << 20),
        new("python-egg", FileRole.Installed, path => path.EndsWith(".egg", StringComparison.OrdinalIgnoreCase), Egg, 256 << 20),
        new("python-wheel", FileRole.Installed, IsWheel, Wheel, 1L << 30),
        new("pip-requirements", FileRole.Lock, IsRequirements, PipRequirements.Read, 4 << 20),
        new("pipfile-lock", FileRole.Lock, path => ImagePath.Name(path) == "Pipfile.lock", Pipfile),
        new(ProjectRules.PoetryLock, FileRole.Lock, path => ImagePath.Name(path) == "poetry.lock", PythonLocks.Poetry),
        new(ProjectRules.PythonManifest, FileRole.Manifest, path => ImagePath.Name(path) == "pyproject.toml", PythonProjects.Manifest, 1 << 20),
        new("pdm-lock", FileRole.Lock, path => ImagePath.Name(path) == "pdm.lock", PythonLocks.Pdm),
        new("uv-lock", FileRole.Lock, path => ImagePath.Name(path) == "uv.lock", PythonLocks.Uv),
        new("pylock", FileRole.Lock, IsPylock, PythonLocks.Pylock),
    ];

    private static bool IsMetadata(string path) =>
        path.EndsWith(".dist-info/METADATA", StringComparison.Ordinal) || path.EndsWith(".egg-info/PKG-INFO", StringComparison.Ordinal)
        || path.EndsWith("EGG-INFO/PKG-INFO", StringComparison.Ordinal) || path.EndsWith(".egg-info", StringComparison.Ordinal);

    // What Python brings to start new environments with is not for the program.
    private static bool IsWheel(string path) => path.EndsWith(".whl", StringComparison.Ordinal) && !path.Contains("ensurepip/_bundled/", StringComparison.Ordinal);

    private static bool IsRequirements(string path) =>
        ImagePath.Name(path) is var name && name.EndsWith(".txt", StringComparison.Ordinal) && name.Contains("requirements", StringComparison.Ordinal);

    private static bool IsPylock(string path) =>
        ImagePath.Name(path) is var name && (name == "pylock.toml" || (name.StartsWith("pylock.", StringComparison.Ordinal) && name.EndsWith(".toml", StringComparison.Ordinal)));

    private static void Installed(FileContent content, FileReport report) => Header(content.Bytes(), report);

    private static void Header(ReadOnlyMemory<byte> text, FileReport report)
    {
        var fields = Paragraphs.Of(text).FirstOrDefault();
        var name = fields?.GetValueOrDefault("name", "") ?? "";
        var version = fields?.GetValueOrDefault("version", "") ?? "";
        if (name.Length == 0 || version.Length == 0) return;
        report.Add(new Package(PackageType.PyPi, name, version) { Licenses = Licenses(text, fields!) });
    }

    private static IReadOnlyList<string> Licenses(ReadOnlyMemory<byte> text, Dictionary<string, string> fields)
    {
        if (fields.GetValueOrDefault("license-expression", "") is { Length: > 0 } expression) return [expression];
        var found = new List<string>();
        foreach (var line in Lines.Of(text))
        {
            if (line.Length == 0) break;
            if (!line.StartsWith("Classifier: License ::", StringComparison.Ordinal)) continue;
            var last = line[(line.LastIndexOf("::", StringComparison.Ordinal) + 2)..].Trim();
            if (last.Length > 0 && last != "OSI Approved" && !found.Contains(last)) found.Add(last);
        }
        // Some put the whole text of the licence there.
        if (found.Count == 0 && fields.GetValueOrDefault("license", "") is { Length: > 0 and < 256 } license && license != "UNKNOWN") found.Add(license.Split('\n')[0]);
        return found;
    }

    private static void Egg(FileContent content, FileReport report)
    {
        var archive = new ZipArchiveReader(content);
        if (archive.Entries.FirstOrDefault(one => one.Name == "EGG-INFO/PKG-INFO") is { } entry) Header(archive.Read(entry, 4 << 20), report);
    }

    private static void Wheel(FileContent content, FileReport report)
    {
        var archive = new ZipArchiveReader(content);
        if (archive.Entries.FirstOrDefault(one => one.Name.EndsWith(".dist-info/METADATA", StringComparison.Ordinal) && one.Name.Count('/') == 1) is { } entry) Header(archive.Read(entry, 4 << 20), report);
    }

    private static void Pipfile(FileContent content, FileReport report)
    {
        if (content.Length == 0) return;
        var root = JsonText.Map(content.Bytes().Span);
        foreach (var (section, packages) in root.Members.Where(one => one.Key != "_meta"))
        {
            foreach (var (name, package) in packages.Members)
            {
                var version = package.Of("version");
                if (!version.StartsWith("==", StringComparison.Ordinal)) continue;
                version = version.TrimStart('=').Trim();
                var dev = section == "develop";
                // What both sections name is needed to run.
                if (dev && root["default"][name].Of("version").TrimStart('=').Trim() == version) continue;
                report.Add(new Package(PackageType.PyPi, name, version) { IsDevelopment = dev });
            }
        }
    }
}

/// <summary>Lock files of Python in TOML.</summary>
internal static class PythonLocks
{
    private const int MaxVersions = 20;

    /// <summary><c>poetry.lock</c>.</summary>
    public static void Poetry(FileContent content, FileReport report) =>
        Each(content, "package", report, package => package.Of("category") == "dev" || (package["groups"].Items.Count > 0 && package["groups"].Items.All(one => one.Text != "main")));

    /// <summary><c>pdm.lock</c>.</summary>
    public static void Pdm(FileContent content, FileReport report) =>
        Each(content, "package", report, package => package["groups"].Items.Count > 0 && package["groups"].Items.All(one => one.Text is not ("default" or "optional")) && IsOnly(package["groups"], "dev"));

    /// <summary><c>uv.lock</c>; a project that is never installed itself is not listed.</summary>
    public static void Uv(FileContent content, FileReport report)
    {
        var packages = TomlText.Read(content.Bytes().Span)["package"].Items;
        var byName = packages.ToLookup(package => package.Of("name"), StringComparer.Ordinal);
        // Parts of the project lie beside the lock file.
        var parts = packages.Where(package => package["source"]["virtual"].Exists || package["source"]["editable"].Exists).ToList();
        static IEnumerable<string> Names(DataNode needs) => needs.IsMap ? needs.Members.SelectMany(group => Names(group.Value)) : needs.Items.Select(one => one.Of("name"));
        IEnumerable<string> Runtime(string name) => byName[name].SelectMany(one => Names(one["dependencies"]).Concat(Names(one["optional-dependencies"])));
        var names = parts.Select(part => part.Of("name")).Distinct(StringComparer.Ordinal).ToList();
        var asked = parts.SelectMany(part => Names(part["dev-dependencies"])).ToHashSet(StringComparer.Ordinal);
        var (needed, development) = (Reachable.From(names, Runtime), Reachable.From(asked, Runtime));
        var direct = names.SelectMany(Runtime).Concat(asked).ToHashSet(StringComparer.Ordinal);
        Each(packages, report, package => development.Contains(package.Of("name")) && !needed.Contains(package.Of("name")), package => package["source"].Of("virtual") == ".",
            package => package["source"].Of("editable") == "." ? PackageRelationship.Root : direct.Contains(package.Of("name")) ? PackageRelationship.Direct
                : parts.Count > 0 ? PackageRelationship.Indirect : PackageRelationship.Unknown);
    }

    /// <summary><c>pylock.toml</c> (PEP 751).</summary>
    public static void Pylock(FileContent content, FileReport report) => Each(content, "packages", report, _ => false, package => package["directory"].IsMap && package.Of("version").Length == 0);

    private static void Each(FileContent content, string table, FileReport report, Func<DataNode, bool> isDevelopment, Func<DataNode, bool>? isProject = null) =>
        Each(TomlText.Read(content.Bytes().Span)[table].Items, report, isDevelopment, isProject, _ => PackageRelationship.Unknown);

    private static void Each(IReadOnlyList<DataNode> packages, FileReport report, Func<DataNode, bool> isDevelopment, Func<DataNode, bool>? isProject, Func<DataNode, PackageRelationship> relationship)
    {
        // Where a condition chooses between versions, each is meant.
        var ids = packages.Where(package => package.Of("version").Length > 0).ToLookup(package => PythonProjects.Spelled(package.Of("name")), package => package.Of("name") + "@" + package.Of("version"), StringComparer.Ordinal);
        foreach (var package in packages)
        {
            if (package.Of("version").Length == 0 || isProject?.Invoke(package) == true) continue;
            report.AddOnce(new Package(PackageType.PyPi, package.Of("name"), package.Of("version"))
            {
                IsDevelopment = isDevelopment(package),
                Relationship = relationship(package),
                DependsOn = [.. Needs(package["dependencies"]).SelectMany(name => ids[PythonProjects.Spelled(name)].Take(MaxVersions)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            });
        }
    }

    // Poetry writes a table, PDM "name>=1", uv and pylock {name = …}.
    private static IEnumerable<string> Needs(DataNode dependencies) => dependencies.IsMap
        ? dependencies.Members.Select(one => one.Key)
        : dependencies.Items.Select(one => one.Text is { } text ? PythonProjects.NameOf(text) : one.Of("name"));

    private static bool IsOnly(DataNode groups, string name) => groups.Items.Count == 1 && groups.Items[0].Text == name;
}
