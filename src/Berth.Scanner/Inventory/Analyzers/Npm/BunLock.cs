using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Npm;

/// <summary>
/// bun's <c>bun.lock</c>: JSON with trailing commas. A key of <c>packages</c> is the place of a package (<c>name</c>, or <c>parent/name</c> below another), its value a list whose first item is
/// <c>name@version</c> and whose map says what it needs.
/// </summary>
internal static class BunLock
{
    private const int MaxKeyChars = 1024;
    private const int MaxLevels = 16;

    private static readonly string[] Runtime = ["dependencies", "optionalDependencies", "peerDependencies"];

    /// <summary>Reads the file.</summary>
    public static void Read(FileContent content, FileReport report)
    {
        var root = JsonText.Map(content.Bytes().Span);
        var packages = root["packages"];
        var workspaces = root["workspaces"].Members.Select(one => one.Value).ToList();
        var direct = workspaces.SelectMany(one => Needs(one, Runtime, one.Of("name"), packages)).ToHashSet(StringComparer.Ordinal);
        var needed = Reachable.From(direct, key => Needs(Facts(packages[key]), Runtime, key, packages));
        var asked = workspaces.SelectMany(one => Needs(one, ["devDependencies"], one.Of("name"), packages)).ToHashSet(StringComparer.Ordinal);
        var development = Reachable.From(asked, key => Needs(Facts(packages[key]), Runtime, key, packages));
        foreach (var (key, package) in packages.Members)
        {
            if (Identity(package) is not var (name, version)) continue;
            report.AddOnce(new Package(PackageType.Npm, name, version)
            {
                IsDevelopment = development.Contains(key) && !needed.Contains(key),
                Relationship = direct.Contains(key) || asked.Contains(key) ? PackageRelationship.Direct : workspaces.Count > 0 ? PackageRelationship.Indirect : PackageRelationship.Unknown,
                DependsOn = [.. Needs(Facts(package), Runtime, key, packages).Select(one => Identity(packages[one]) is var (other, found) ? other + "@" + found : "").Where(one => one.Length > 0)
                    .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            });
        }
    }

    // A package of a registry; what comes from a directory, a file or a repository has no version here.
    private static (string Name, string Version)? Identity(DataNode package)
    {
        if (package.Items.Count == 0 || package.Items[0].Text is not { } id) return null;
        var at = id.IndexOf('@', Math.Min(1, id.Length));
        return at > 0 && at + 1 < id.Length && char.IsAsciiDigit(id[at + 1]) ? (id[..at], id[(at + 1)..]) : null;
    }

    private static DataNode Facts(DataNode package) => package.Items.FirstOrDefault(one => one.IsMap) ?? DataNode.Missing;

    private static IEnumerable<string> Needs(DataNode from, string[] kinds, string key, DataNode packages) =>
        kinds.SelectMany(kind => from[kind].Members).Select(one => Place(key, one.Key, packages)).Where(place => place.Length > 0);

    // Looks below the package, then below those above it, then at the top.
    private static string Place(string key, string name, DataNode packages)
    {
        var above = key.Length > MaxKeyChars ? "" : key;
        for (var level = 0; level < MaxLevels && above.Length > 0; level++, above = Above(above))
            if (packages[above + "/" + name].IsList) return above + "/" + name;
        return packages[name].IsList ? name : "";
    }

    private static string Above(string key)
    {
        var slash = key.LastIndexOf('/');
        if (slash <= 0) return "";
        // "@scope/name" is one name.
        var scope = key.LastIndexOf('/', slash - 1) + 1;
        return key[scope] == '@' ? key[..Math.Max(0, scope - 1)] : key[..slash];
    }
}
