using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Php;

/// <summary>PHP's Composer: <c>composer.lock</c> and <c>vendor/composer/installed.json</c>.</summary>
internal static class PhpPackages
{
    /// <summary>The analyzers.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } =
    [
        new(ProjectRules.ComposerLock, FileRole.Lock, path => ImagePath.Name(path) == "composer.lock", Lock),
        new(ProjectRules.ComposerManifest, FileRole.Manifest, path => ImagePath.Name(path) == "composer.json" && !path.Contains("vendor/", StringComparison.Ordinal), Manifest, 1 << 20),
        new("composer-installed", FileRole.Installed, path => ImagePath.Name(path) == "installed.json", Installed),
    ];

    private static void Manifest(FileContent content, FileReport report)
    {
        var root = JsonText.Map(content.Bytes().Span);
        report.Names(ProjectRules.Needed, [.. root["require"].Members.Concat(root["require-dev"].Members).Select(one => one.Key).Distinct(StringComparer.Ordinal)]);
    }

    private static void Lock(FileContent content, FileReport report)
    {
        var root = JsonText.Map(content.Bytes().Span);
        Add(root["packages"].Items, root, report, _ => false);
        Add(root["packages-dev"].Items, root, report, _ => true);
    }

    private static void Installed(FileContent content, FileReport report)
    {
        // Composer 1 wrote the bare list.
        var root = JsonText.Read(content.Bytes().Span);
        var dev = root["dev-package-names"].Items.Select(one => one.Text).ToHashSet(StringComparer.Ordinal);
        // Others call files so too: a package of Composer has the name of its vendor before its own.
        var packages = root.IsList ? root.Items : root["packages"].Items;
        Add([.. packages.Where(package => package.Of("name").Contains('/'))], root, report, package => dev.Contains(package.Of("name")));
    }

    private static void Add(IReadOnlyList<DataNode> packages, DataNode root, FileReport report, Func<DataNode, bool> isDevelopment)
    {
        var versions = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var package in packages.Concat(root["packages"].Items)) versions.TryAdd(package.Of("name"), package.Of("version"));
        foreach (var package in packages.Where(package => package.Of("version").Length > 0))
        {
            report.Add(new Package(PackageType.Composer, package.Of("name"), package.Of("version"))
            {
                IsDevelopment = isDevelopment(package),
                Licenses = [.. package["license"].Items.Select(one => one.Text ?? "").Where(one => one.Length > 0)],
                DependsOn = [.. package["require"].Members.Where(one => versions.ContainsKey(one.Key)).Select(one => one.Key + "@" + versions[one.Key]).Order(StringComparer.Ordinal)],
            });
        }
    }
}
