using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Npm;

/// <summary>
/// <c>pnpm-lock.yaml</c>, versions 5 to 9. The keys of <c>packages</c> changed: <c>/name/1.2.3_peers</c> (5), <c>/name@1.2.3(peers)</c> (6), <c>name@1.2.3</c> (9, peers under
/// <c>snapshots</c>).
/// </summary>
internal static class PnpmLock
{
    /// <summary>Reads the file.</summary>
    public static void Read(FileContent content, FileReport report)
    {
        var root = YamlText.Read(Project(content.Bytes().Span));
        if (!root.Exists) return;
        if (!root.IsMap) throw new InvalidDataException("pnpm: document is no map");
        var version = double.TryParse(root.Of("lockfileVersion"), out var number) ? number : 5;
        var (running, developing) = version >= 9 ? (Reached(root, "dependencies", "optionalDependencies"), Reached(root, "devDependencies")) : ([], []);
        foreach (var (key, package) in root["packages"].Members)
        {
            var (name, found) = Identity(key, version);
            if (package.Of("name") is { Length: > 0 } given) name = given;
            if (package.Of("version") is { Length: > 0 } exact) found = exact;
            if (name.Length == 0 || found.Length == 0 || !char.IsAsciiDigit(found[0])) continue;
            report.AddOnce(new Package(PackageType.Npm, name, found) { IsDevelopment = version >= 9 ? developing.Contains(key) && !running.Contains(key) : package["dev"].IsTrue });
        }
    }

    // pnpm 11 writes what it needs itself into a document of its own, before the project's.
    private static ReadOnlySpan<byte> Project(ReadOnlySpan<byte> text)
    {
        var start = text.LastIndexOf("\n---\n"u8);
        return start >= 0 && text[(start + 4)..].IndexOf("\nlockfileVersion:"u8) >= 0 ? text[(start + 5)..] : text;
    }

    private static (string Name, string Version) Identity(string key, double version)
    {
        var open = key.IndexOf('(');
        if (open > 0) key = key[..open];
        key = key.TrimStart('/');
        // A local package has a name only where the entry says it.
        if (key.StartsWith("file:", StringComparison.Ordinal) || key.StartsWith("link:", StringComparison.Ordinal)) return ("", "");
        if (version < 6)
        {
            // Another registry stands before the name: "registry.example/name/1.2.3".
            var slash = key.LastIndexOf('/');
            if (slash <= 0) return ("", "");
            var name = key[..slash];
            var scope = name.LastIndexOf('@');
            name = scope >= 0 ? name[scope..] : ImagePath.Name(name);
            return (name, key[(slash + 1)..].Split('_')[0]);
        }
        var at = key.IndexOf('@', Math.Min(1, key.Length));
        return at <= 0 ? ("", "") : (key[..at], key[(at + 1)..].Split('_')[0]);
    }

    // Version 9 no longer marks development packages: those that only the development of an importer needs.
    private static HashSet<string> Reached(DataNode root, params string[] kinds)
    {
        var asked = root["importers"].Members.SelectMany(one => kinds.SelectMany(kind => one.Value[kind].Members)).Select(need => Key(need.Key, need.Value.Of("version")));
        var reached = Reachable.From(asked, key => Needs(root["snapshots"][key]));
        return reached.Select(key => key.IndexOf('(') is var at and > 0 ? key[..at] : key).ToHashSet(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Needs(DataNode snapshot) =>
        snapshot["dependencies"].Members.Concat(snapshot["optionalDependencies"].Members).Select(need => Key(need.Key, need.Value.Text ?? ""));

    // An alias names the package itself: "is-odd: is-even@1.0.0".
    private static string Key(string name, string version)
    {
        var plain = version.IndexOf('(') is var open and >= 0 ? version[..open] : version;
        return plain.IndexOf('@', Math.Min(1, plain.Length)) > 0 && !plain.Contains(':') ? version : name + "@" + version;
    }
}
