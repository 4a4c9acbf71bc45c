using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Go;

/// <summary>
/// <c>go.mod</c> (go.dev/ref/mod): required modules after replacements. The module itself and the <c>go</c> line are no packages. Before Go 1.17 the file did not name what its requirements
/// need: <c>go.sum</c> beside it does.
/// </summary>
internal static class GoModules
{
    /// <summary>The analyzer.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } =
    [
        new(ProjectRules.GoMod, FileRole.Lock, path => ImagePath.Name(path) == "go.mod", Read, 4 << 20),
        new(ProjectRules.GoSum, FileRole.Manifest, path => ImagePath.Name(path) == "go.sum", ReadSums),
    ];

    // "module v1.2.3 h1:…"; of several versions the last was taken, and lines with /go.mod only took part in the choice.
    private static void ReadSums(FileContent content, FileReport report)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in Lines.Of(content.Bytes()))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 3 && !words[1].EndsWith("/go.mod", StringComparison.Ordinal)) found[words[0]] = words[1];
        }
        foreach (var (name, version) in found) report.Add(new Package(PackageType.Go, name, version.TrimStart('v')) { Relationship = PackageRelationship.Indirect });
    }

    private static void Read(FileContent content, FileReport report)
    {
        var required = new List<(string Name, string Version, bool IsIndirect)>();
        var replaced = new Dictionary<(string Name, string Version), (string Name, string Version)>();
        var block = "";
        foreach (var raw in Lines.Of(content.Bytes()))
        {
            var comment = raw.IndexOf("//", StringComparison.Ordinal);
            var line = (comment >= 0 ? raw[..comment] : raw).Trim();
            if (line.Length == 0) continue;
            if (block.Length > 0 && line == ")")
            {
                block = "";
                continue;
            }
            var words = Words(line);
            var verb = block;
            if (verb.Length == 0)
            {
                verb = words[0];
                if (verb is not ("module" or "go" or "toolchain" or "require" or "replace" or "exclude" or "retract" or "godebug" or "tool" or "ignore")) throw new InvalidDataException("go.mod: unknown line");
                if (words.Count == 2 && words[1] == "(")
                {
                    block = verb;
                    continue;
                }
                words.RemoveAt(0);
            }
            if (verb == "go" && words is [var release] && IsBefore117(release)) report.Fact(ProjectRules.NeedsSums, "true");
            else if (verb == "require")
            {
                if (words.Count != 2) throw new InvalidDataException("go.mod: broken requirement");
                required.Add((words[0], words[1], comment >= 0 && raw[comment..].Contains("indirect", StringComparison.Ordinal)));
            }
            else if (verb == "replace")
            {
                Replace(words, replaced);
            }
        }
        foreach (var (name, version, isIndirect) in required)
        {
            var (realName, realVersion) = replaced.TryGetValue((name, version), out var exact) ? exact : replaced.TryGetValue((name, ""), out var any) ? any : (name, version);
            // A replacement by a directory has no version.
            if (realVersion.Length == 0) continue;
            report.AddOnce(new Package(PackageType.Go, realName, realVersion.TrimStart('v')) { Relationship = isIndirect ? PackageRelationship.Indirect : PackageRelationship.Direct });
        }
    }

    private static void Replace(List<string> words, Dictionary<(string, string), (string, string)> replaced)
    {
        var arrow = words.IndexOf("=>");
        if (arrow is not (1 or 2) || words.Count - arrow is not (2 or 3)) throw new InvalidDataException("go.mod: broken replacement");
        replaced[(words[0], arrow == 2 ? words[1] : "")] = (words[arrow + 1], words.Count - arrow == 3 ? words[arrow + 2] : "");
    }

    private static bool IsBefore117(string release) =>
        release.Split('.') is ["1", var minor, ..] && int.TryParse(minor, out var number) && number < 17;

    private static List<string> Words(string line) => [.. line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries).Select(word => word.Trim('"', '`'))];
}
