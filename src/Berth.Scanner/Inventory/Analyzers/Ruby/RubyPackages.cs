using System.Text.RegularExpressions;
using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Ruby;

/// <summary>Ruby: installed gem specifications and Bundler's lock files.</summary>
internal static partial class RubyPackages
{
    /// <summary>The analyzers.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } =
    [
        new("gem-installed", FileRole.Installed, path => path.EndsWith(".gemspec", StringComparison.Ordinal) && path.Contains("specifications/", StringComparison.Ordinal), Specification, 1 << 20),
        new("gemfile-lock", FileRole.Lock, path => ImagePath.Name(path) is "Gemfile.lock" or "gems.locked", Lock),
    ];

    private static void Specification(FileContent content, FileReport report)
    {
        string name = "", version = "";
        var isSpecification = false;
        var constants = new Dictionary<string, string>(StringComparer.Ordinal);
        var licenses = new List<string>();
        foreach (var line in Lines.Of(content.Bytes()))
        {
            if (line.Length > 4096) continue;
            isSpecification |= line.Contains("Gem::Specification.new", StringComparison.Ordinal);
            if (ConstantLine().Match(line) is { Success: true } constant) constants[constant.Groups[1].Value] = constant.Groups[2].Value;
            if (name.Length == 0 && NameLine().Match(line) is { Success: true } named) name = named.Groups[1].Value;
            else if (version.Length == 0 && VersionLine().Match(line) is { Success: true } numbered) version = numbered.Groups[1].Value;
            else if (version.Length == 0 && VersionName().Match(line) is { Success: true } indirect) version = constants.GetValueOrDefault(indirect.Groups[1].Value, "");
            else if (licenses.Count == 0 && LicenseLine().Match(line) is { Success: true } licensed) licenses.AddRange(Quoted().Matches(licensed.Groups[1].Value).Select(one => one.Groups[1].Value));
        }
        if (!isSpecification || name.Length == 0) return;
        // An installed specification is named after its gem; the version is what stands behind the name, before the platform.
        var file = ImagePath.Name(report.Path);
        if (version.Length == 0 && file.StartsWith(name + "-", StringComparison.Ordinal)) version = file[(name.Length + 1)..^".gemspec".Length].Split('-')[0];
        if (version.Length > 0) report.Add(new Package(PackageType.RubyGems, name, version) { Licenses = licenses });
    }

    private static void Lock(FileContent content, FileReport report)
    {
        var found = new List<(string Name, string Version, List<string> Needs)>();
        var direct = new HashSet<string>(StringComparer.Ordinal);
        var section = "";
        var inSpecs = false;
        foreach (var line in Lines.Of(content.Bytes()))
        {
            if (line.Length == 0) continue;
            if (line[0] != ' ')
            {
                section = line.Trim();
                inSpecs = false;
            }
            else if (section is "GEM" or "GIT" or "PATH" or "PLUGIN SOURCE")
            {
                if (line == "  specs:") inSpecs = true;
                else if (!inSpecs) continue;
                else if (SpecLine().Match(line) is { Success: true } match) found.Add((match.Groups[1].Value, match.Groups[2].Value.Split('-')[0], []));
                else if (line.StartsWith("      ", StringComparison.Ordinal) && found.Count > 0) found[^1].Needs.Add(line.Trim().Split(' ')[0]);
            }
            else if (section == "DEPENDENCIES")
            {
                direct.Add(line.Trim().Split(' ')[0].TrimEnd('!'));
            }
        }
        var versions = found.GroupBy(one => one.Name).ToDictionary(group => group.Key, group => group.First().Version, StringComparer.Ordinal);
        foreach (var (name, version, needs) in found)
        {
            report.AddOnce(new Package(PackageType.RubyGems, name, version)
            {
                Relationship = direct.Contains(name) ? PackageRelationship.Direct : PackageRelationship.Indirect,
                DependsOn = [.. needs.Where(versions.ContainsKey).Select(need => need + "@" + versions[need]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            });
        }
    }

    [GeneratedRegex("""^\s*\w+\.name\s*=\s*["']([^"']+)["']""", RegexOptions.NonBacktracking)]
    private static partial Regex NameLine();

    [GeneratedRegex("""^\s*\w+\.version\s*=\s*(?:Gem::Version\.new\()?\s*["']([^"']+)["']""", RegexOptions.NonBacktracking)]
    private static partial Regex VersionLine();

    [GeneratedRegex("""^\s*([A-Z][A-Z0-9_]*)\s*=\s*["']([^"']+)["']""", RegexOptions.NonBacktracking)]
    private static partial Regex ConstantLine();

    [GeneratedRegex(@"^\s*\w+\.version\s*=\s*([A-Z][A-Z0-9_]*)\s*$", RegexOptions.NonBacktracking)]
    private static partial Regex VersionName();

    [GeneratedRegex("""^\s*\w+\.licenses?\s*=\s*(.+)$""", RegexOptions.NonBacktracking)]
    private static partial Regex LicenseLine();

    [GeneratedRegex("""["']([^"']+)["']""", RegexOptions.NonBacktracking)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^    ([^ (]+) \(([^)]+)\)", RegexOptions.NonBacktracking)]
    private static partial Regex SpecLine();
}
