using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Npm;

/// <summary><c>yarn.lock</c> of yarn 1 (its own format) and of yarn 2 and later (YAML in the same shape). Both are read line by line.</summary>
internal static class YarnLock
{
    private const int MaxVersions = 20;

    /// <summary>Reads the file.</summary>
    public static void Read(FileContent content, FileReport report)
    {
        var entries = Entries(content.Bytes()).ToList();
        var byPattern = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in entries)
            foreach (var pattern in entry.Patterns) byPattern.TryAdd(pattern, entry.Name + "@" + entry.Version);
        var byName = entries.ToLookup(entry => entry.Name, entry => entry.Name + "@" + entry.Version, StringComparer.Ordinal);
        foreach (var entry in entries.Where(entry => entry.Version.Length > 0 && entry.Name.Length > 0))
        {
            report.AddOnce(new Package(PackageType.Npm, entry.Name, entry.Version)
            {
                DependsOn = [.. entry.Needs.SelectMany(need => Resolve(need, byPattern, byName)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            });
        }
    }

    private sealed class Entry
    {
        public List<string> Patterns { get; init; } = [];
        public string Name { get; set; } = "";
        public string Version { get; set; } = "";
        public List<(string Name, string Range)> Needs { get; } = [];
    }

    private static IEnumerable<Entry> Entries(ReadOnlyMemory<byte> text)
    {
        Entry? entry = null;
        var inDependencies = false;
        foreach (var line in Lines.Of(text))
        {
            if (line.Length == 0 || line.StartsWith('#')) continue;
            if (line[0] != ' ')
            {
                if (entry is not null) yield return entry;
                entry = Start(line);
                inDependencies = false;
                continue;
            }
            if (entry is null) continue;
            if (line.StartsWith("    ", StringComparison.Ordinal))
            {
                if (inDependencies && Pair(line) is { } need) entry.Needs.Add(need);
                continue;
            }
            inDependencies = line.TrimEnd() is "  dependencies:" or "  optionalDependencies:";
            if (Pair(line) is not { } field) continue;
            if (field.Name == "version") entry.Version = field.Value;
            else if (field.Name == "resolution") Resolution(entry, field.Value);
        }
        if (entry is not null) yield return entry;
    }

    private static Entry? Start(string line)
    {
        var keys = line.TrimEnd();
        if (!keys.EndsWith(':')) throw new InvalidDataException("yarn: line is no entry");
        keys = keys[..^1];
        if (keys is "__metadata") return null;
        var patterns = keys.Split(',', StringSplitOptions.TrimEntries).Select(one => one.Trim('"')).Where(one => one.Length > 0).ToList();
        return patterns.Count == 0 ? null : new Entry { Patterns = patterns, Name = NameOf(patterns[0]) };
    }

    // "name@^1", "@scope/name@^1", "alias@npm:name@^1", "alias@npm:name"; yarn 2 and later write "name@npm:^1" and say the real name as the resolution.
    private static string NameOf(string pattern)
    {
        var at = pattern.IndexOf('@', Math.Min(1, pattern.Length));
        if (at <= 0) return pattern;
        var range = pattern[(at + 1)..];
        if (range.StartsWith("npm:", StringComparison.Ordinal) && range.IndexOf('@', Math.Min(5, range.Length)) is var inner and > 4) return range[4..inner];
        if (range.Length > 4 && range.StartsWith("npm:", StringComparison.Ordinal) && (range[4] == '@' || char.IsAsciiLetter(range[4]))) return range[4..];
        return pattern[..at];
    }

    private static void Resolution(Entry entry, string resolution)
    {
        var at = resolution.IndexOf('@', Math.Min(1, resolution.Length));
        if (at <= 0) return;
        // The workspace at the top is the project itself.
        if (resolution.AsSpan(at + 1) is "workspace:.") entry.Name = "";
        else entry.Name = resolution[..at];
    }

    private static (string Name, string Value)? Pair(string line)
    {
        var text = line.AsSpan().Trim();
        var split = text.StartsWith("\"") ? text[1..].IndexOf('"') + 2 : text.IndexOf(' ');
        if (split <= 1 || split >= text.Length) return null;
        return (text[..split].Trim("\": ").ToString(), text[split..].Trim("\": ").ToString());
    }

    // A range that the project overrules, or that a patch stands for, is no key: then it may be any version that is there.
    private static IEnumerable<string> Resolve((string Name, string Range) need, Dictionary<string, string> byPattern, ILookup<string, string> byName) =>
        (byPattern.GetValueOrDefault(need.Name + "@" + need.Range) ?? byPattern.GetValueOrDefault(need.Name + "@npm:" + need.Range)) is { } exact ? [exact] : byName[need.Name].Take(MaxVersions);
}
