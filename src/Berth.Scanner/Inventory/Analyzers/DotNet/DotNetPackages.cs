using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.DotNet;

/// <summary>.NET: what a published program holds (<c>*.deps.json</c>) and NuGet's project and lock files.</summary>
internal static class DotNetPackages
{
    private const string RuntimePack = "runtimepack.";

    /// <summary>The analyzers.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } =
    [
        new("dotnet-deps", FileRole.Installed, path => path.EndsWith(".deps.json", StringComparison.Ordinal), Dependencies),
        new("nuget-lock", FileRole.ShippedLock, path => ImagePath.Name(path) is var name && name.StartsWith("packages.", StringComparison.Ordinal) && name.EndsWith("lock.json", StringComparison.Ordinal), Lock),
        new("nuget-assets", FileRole.Lock, path => ImagePath.Name(path) == "project.assets.json", Assets),
        new("nuget-config", FileRole.ShippedLock, path => ImagePath.Name(path).Equals("packages.config", StringComparison.OrdinalIgnoreCase), Config, 4 << 20),
        new("nuget-props", FileRole.ShippedLock, path => ImagePath.Name(path) is var name && (name.Equals("Directory.Packages.props", StringComparison.OrdinalIgnoreCase) || name.Equals("Packages.props", StringComparison.OrdinalIgnoreCase)), Props, 4 << 20),
    ];

    private static void Dependencies(FileContent content, FileReport report)
    {
        var root = JsonText.Map(content.Bytes().Span);
        var target = root["targets"][root["runtimeTarget"].Text ?? root["runtimeTarget"].Of("name")];
        foreach (var (id, library) in root["libraries"].Members)
        {
            var slash = id.IndexOf('/');
            if (slash <= 0) continue;
            var name = id[..slash];
            var version = id[(slash + 1)..];
            var isProject = library.Of("type").Equals("project", StringComparison.OrdinalIgnoreCase);
            // A program that brings its own .NET names it with a word before: advisories are about the pack itself.
            if (library.Of("type") == "runtimepack" && name.StartsWith(RuntimePack, StringComparison.Ordinal)) name = name[RuntimePack.Length..];
            else if (!isProject && !library.Of("type").Equals("package", StringComparison.OrdinalIgnoreCase)) continue;
            report.Add(new Package(PackageType.NuGet, name, version)
            {
                Relationship = isProject ? PackageRelationship.Root : PackageRelationship.Unknown,
                DependsOn = [.. target[id]["dependencies"].Members.Select(one => one.Key + "@" + one.Value.Text).Order(StringComparer.Ordinal)],
            });
        }
    }

    private static void Lock(FileContent content, FileReport report)
    {
        foreach (var (_, framework) in JsonText.Map(content.Bytes().Span)["dependencies"].Members)
        {
            foreach (var (name, package) in framework.Members)
            {
                var version = package.Of("resolved");
                if (package.Of("type").Equals("Project", StringComparison.OrdinalIgnoreCase) || version.Length == 0) continue;
                report.AddOnce(new Package(PackageType.NuGet, name, version)
                {
                    Relationship = package.Of("type") == "Direct" ? PackageRelationship.Direct : PackageRelationship.Indirect,
                    DependsOn = [.. package["dependencies"].Members.Where(one => framework[one.Key].Of("resolved").Length > 0).Select(one => one.Key + "@" + framework[one.Key].Of("resolved")).Order(StringComparer.Ordinal)],
                });
            }
        }
    }

    private static void Assets(FileContent content, FileReport report)
    {
        foreach (var (id, library) in JsonText.Map(content.Bytes().Span)["libraries"].Members)
        {
            var slash = id.IndexOf('/');
            if (slash > 0 && library.Of("type").Equals("package", StringComparison.OrdinalIgnoreCase)) report.Add(new Package(PackageType.NuGet, id[..slash], id[(slash + 1)..]));
        }
    }

    private static void Config(FileContent content, FileReport report)
    {
        var root = XmlText.Read(content.Bytes());
        if (root.Name.LocalName != "packages") throw new InvalidDataException("nuget: no list of packages");
        foreach (var one in XmlText.Children(root, "package"))
        {
            var version = one.Attribute("version")?.Value ?? "";
            if (version.Length > 0) report.Add(new Package(PackageType.NuGet, one.Attribute("id")?.Value ?? "", version) { IsDevelopment = one.Attribute("developmentDependency")?.Value == "true" });
        }
    }

    private static void Props(FileContent content, FileReport report)
    {
        var root = XmlText.Read(content.Bytes());
        var properties = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var one in XmlText.Children(root, "PropertyGroup").SelectMany(group => group.Elements())) properties[one.Name.LocalName] = one.Value.Trim();
        foreach (var one in XmlText.Children(root, "ItemGroup").SelectMany(group => group.Elements()).Where(one => one.Name.LocalName is "PackageVersion" or "GlobalPackageReference" or "PackageReference"))
        {
            var name = Filled(one.Attribute("Include")?.Value ?? one.Attribute("Update")?.Value ?? "", properties);
            var version = Filled(one.Attribute("Version")?.Value ?? XmlText.Child(one, "Version"), properties).Trim('[', ']');
            if (name.Length > 0 && version.Length > 0 && !name.Contains("$(", StringComparison.Ordinal) && version.IndexOfAny(['$', '*', ',', '(', '%']) < 0)
                report.Add(new Package(PackageType.NuGet, name.Trim(), version.Trim()) { Relationship = PackageRelationship.Unknown });
        }
    }

    private static string Filled(string text, Dictionary<string, string> properties)
    {
        for (var round = 0; round < 5; round++)
        {
            var open = text.IndexOf("$(", StringComparison.Ordinal);
            var close = open < 0 ? -1 : text.IndexOf(')', open);
            if (close < 0 || text.Length > 512 || !properties.TryGetValue(text[(open + 2)..close], out var value)) return text;
            text = text[..open] + value + text[(close + 1)..];
        }
        return text;
    }
}
