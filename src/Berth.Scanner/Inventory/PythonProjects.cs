using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory;

/// <summary>What the files of a Python project say of each other: before its version 2 Poetry's lock does not know what only development needs, <c>pyproject.toml</c> does.</summary>
internal static class PythonProjects
{
    /// <summary>Notes what a project asks for: fields of Poetry, of the standard (PEP 621) and dependency groups (PEP 735).</summary>
    public static void Manifest(FileContent content, FileReport report)
    {
        var root = TomlText.Read(content.Bytes().Span);
        var poetry = root["tool"]["poetry"];
        var needed = poetry["dependencies"].Members.Select(one => one.Key).Concat(Requirements(root["project"]["dependencies"]))
            .Concat(root["project"]["optional-dependencies"].Members.SelectMany(one => Requirements(one.Value)));
        var development = poetry["dev-dependencies"].Members.Concat(poetry["group"].Members.SelectMany(one => one.Value["dependencies"].Members)).Select(one => one.Key)
            .Concat(root["dependency-groups"].Members.SelectMany(one => Requirements(one.Value)));
        if (report.Names(ProjectRules.ForDevelopment, Spelled(development))) report.Names(ProjectRules.Needed, Spelled(needed));
    }

    /// <summary>The files with locks of Poetry judged by the manifests beside.</summary>
    public static IEnumerable<JoinedFile> Apply(IEnumerable<JoinedFile> files, IReadOnlyList<JoinedFile> all)
    {
        var manifests = all.Where(one => one.File.Analyzer == ProjectRules.PythonManifest && one.File.Facts.GetValueOrDefault(ProjectRules.Needed, "").Length > 0)
            .ToDictionary(one => ImagePath.Directory(one.File.Path), one => one.File.Facts, StringComparer.Ordinal);
        return files.Select(one => one.File.Analyzer == ProjectRules.PoetryLock && manifests.TryGetValue(ImagePath.Directory(one.File.Path), out var facts)
            ? one with { Packages = ProjectGraph.Judge(one.Packages, Set(facts[ProjectRules.Needed]), Set(facts[ProjectRules.ForDevelopment]), Spelled) } : one);
    }

    /// <summary>Name of a requirement (PEP 508): what stands before its extras, version or condition.</summary>
    public static string NameOf(string requirement) =>
        requirement.Trim() is var text && text.IndexOfAny([' ', '<', '>', '=', '~', '!', ';', '[', '(', '@']) is var end and > 0 ? text[..end] : text;

    /// <summary>The one spelling of a name (PEP 503).</summary>
    public static string Spelled(string name) => PackageNames.ForOsv(PackageType.PyPi, name);

    private static IEnumerable<string> Requirements(DataNode list) => list.Items.Select(one => one.Text ?? "").Where(one => one.Length > 0).Select(NameOf);

    private static List<string> Spelled(IEnumerable<string> names) => [.. names.Select(Spelled).Distinct(StringComparer.Ordinal)];

    private static HashSet<string> Set(string lines) => lines.Split('\n').ToHashSet(StringComparer.Ordinal);
}
