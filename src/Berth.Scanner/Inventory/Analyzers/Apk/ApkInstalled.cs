using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Apk;

/// <summary>apk's database <c>lib/apk/db/installed</c>: paragraphs of one-letter fields (apk-package(5), the installed form).</summary>
internal static class ApkInstalled
{
    /// <summary>The analyzer.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } =
        [new("apk", FileRole.SystemDatabase, path => path is "lib/apk/db/installed" or "usr/lib/apk/db/installed", Read, 256 << 20)];

    private static void Read(FileContent content, FileReport report)
    {
        var packages = new List<(Package Package, string Depends)>();
        var providers = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var owned = new List<string>();
        var fields = new Dictionary<char, string>();
        var directory = "";
        foreach (var line in Lines.Of(content.Bytes()))
        {
            if (line.Length < 2)
            {
                Close();
                continue;
            }
            if (line[1] != ':') continue;
            if (line[0] == 'F') directory = line[2..];
            else if (line[0] == 'R') owned.Add(directory.Length == 0 ? line[2..] : directory + "/" + line[2..]);
            else fields.TryAdd(line[0], line[2..]);
        }
        Close();
        foreach (var (package, depends) in packages) report.Add(package with { DependsOn = Dependencies(depends, providers) });
        report.Own("", owned);

        void Close()
        {
            if (fields.GetValueOrDefault('P', "") is { Length: > 0 } name && fields.GetValueOrDefault('V', "") is { Length: > 0 } version && names.Add(name))
            {
                packages.Add((new Package(PackageType.Apk, name, version)
                {
                    Architecture = fields.GetValueOrDefault('A', ""),
                    SourceName = fields.GetValueOrDefault('o', "") is { Length: > 0 } origin ? origin : name,
                    Licenses = fields.GetValueOrDefault('L', "") is { Length: > 0 } license ? [license] : [],
                }, fields.GetValueOrDefault('D', "")));
                var id = name + "@" + version;
                providers[name] = id;
                foreach (var provided in fields.GetValueOrDefault('p', "").Split(' ', StringSplitOptions.RemoveEmptyEntries)) providers.TryAdd(WithoutVersion(provided), id);
            }
            fields.Clear();
            directory = "";
        }
    }

    private static string[] Dependencies(string depends, Dictionary<string, string> providers) =>
        [.. depends.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(one => one[0] != '!')
            .Select(one => providers.GetValueOrDefault(WithoutVersion(one), "")).Where(one => one.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static string WithoutVersion(string text) => text.IndexOfAny(['<', '>', '=', '~']) is var at and > 0 ? text[..at] : text;
}
