using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Npm;

/// <summary>
/// <c>pnpm-lock.yaml</c>, versions 5 to 9. The keys of <c>packages</c> changed: <c>/name/1.2.3_peers</c> (5), <c>/name@1.2.3(peers)</c> (6), <c>name@1.2.3</c> (9, peers under
/// <c>snapshots</c>).
/// </summary>
internal static class PnpmLock
{
    private static readonly string[] Runtime = ["dependencies", "optionalDependencies"];
    private static readonly string[] Asked = ["dependencies", "optionalDependencies", "devDependencies"];

    /// <summary>Reads the file.</summary>
    public static void Read(FileContent content, FileReport report)
    {
        var root = YamlText.Read(Project(content.Bytes().Span));
        if (!root.Exists) return;
        if (!root.IsMap) throw new InvalidDataException("pnpm: document is no map");
        var version = double.TryParse(root.Of("lockfileVersion"), out var number) ? number : 5;
        var (running, developing) = version >= 9 ? (Reached(root, Runtime), Reached(root, ["devDependencies"])) : ([], []);
        // A project of one part has no list of parts before version 9.
        var direct = root["importers"].Members.Select(one => one.Value).Append(root).SelectMany(one => Needs(one, Asked, version)).ToHashSet(StringComparer.Ordinal);
        var needs = Snapshots(root, version);
        foreach (var (key, package) in root["packages"].Members)
        {
            var (name, found) = Identity(key, version);
            if (package.Of("name") is { Length: > 0 } given) name = given;
            if (package.Of("version") is { Length: > 0 } exact) found = exact;
            if (name.Length == 0 || found.Length == 0 || !char.IsAsciiDigit(found[0])) continue;
            report.AddOnce(new Package(PackageType.Npm, name, found)
            {
                IsDevelopment = version >= 9 ? developing.Contains(key) && !running.Contains(key) : package["dev"].IsTrue,
                Relationship = direct.Count == 0 ? PackageRelationship.Unknown : direct.Contains(name + "@" + found) ? PackageRelationship.Direct : PackageRelationship.Indirect,
                DependsOn = [.. needs[key].SelectMany(one => Needs(one, Runtime, version)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            });
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
    private static HashSet<string> Reached(DataNode root, string[] kinds)
    {
        var asked = root["importers"].Members.SelectMany(one => kinds.SelectMany(kind => one.Value[kind].Members)).Select(need => Key(need.Key, need.Value.Of("version")));
        var reached = Reachable.From(asked, key => Runtime.SelectMany(kind => root["snapshots"][key][kind].Members).Select(need => Key(need.Key, need.Value.Text ?? "")));
        return reached.Select(WithoutPeers).ToHashSet(StringComparer.Ordinal);
    }

    // What a package needs stands in its entry; since version 9 apart, once for each set of peers.
    private static ILookup<string, DataNode> Snapshots(DataNode root, double version) =>
        (version >= 9 ? root["snapshots"] : root["packages"]).Members.ToLookup(one => version >= 9 ? WithoutPeers(one.Key) : one.Key, one => one.Value, StringComparer.Ordinal);

    private static string WithoutPeers(string key) => key.IndexOf('(') is var at and > 0 ? key[..at] : key;

    /// <summary>Names with version of what an entry needs; what comes from elsewhere than the registry has none.</summary>
    private static IEnumerable<string> Needs(DataNode from, string[] kinds, double version)
    {
        foreach (var (key, need) in kinds.SelectMany(kind => from[kind].Members))
        {
            var text = WithoutPeers(need.Text ?? need.Of("version"));
            var (name, found) = text.StartsWith('/') || (version >= 9 && text.IndexOf('@', Math.Min(1, text.Length)) > 0) ? Identity(text, version) : (key, text.Split('_')[0]);
            if (found.Length > 0 && char.IsAsciiDigit(found[0])) yield return name + "@" + found;
        }
    }

    // An alias names the package itself: "is-odd: is-even@1.0.0".
    private static string Key(string name, string version)
    {
        var plain = version.IndexOf('(') is var open and >= 0 ? version[..open] : version;
        return plain.IndexOf('@', Math.Min(1, plain.Length)) > 0 && !plain.Contains(':') ? version : name + "@" + version;
    }
}
