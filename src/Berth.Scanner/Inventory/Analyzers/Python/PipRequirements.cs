using System.Text;
using System.Text.RegularExpressions;
using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Python;

/// <summary>pip's requirements files. A range with a lower bound gives the lowest version; one without, or with exclusions, pins nothing.</summary>
internal static partial class PipRequirements
{
    private static readonly string[] Comparators = ["===", "==", ">=", "<=", "~="];

    /// <summary>Reads the file.</summary>
    public static void Read(FileContent content, FileReport report)
    {
        foreach (var line in Joined(content.Bytes()))
        {
            var text = Options().Replace(line, "").Trim();
            if (text.IndexOf(';') is var marker and >= 0) text = text[..marker];
            text = Extras().Replace(text, "").Trim();
            if (text.Length == 0 || text[0] == '-' || Unpinned().IsMatch(text)) continue;
            var comparator = Comparators.FirstOrDefault(one => text.Contains(one, StringComparison.Ordinal));
            if (comparator is null) continue;
            var at = text.IndexOf(comparator, StringComparison.Ordinal);
            var name = text[..at].Trim();
            // A comment without a blank before it is part of no version either.
            var version = text[(at + comparator.Length)..].Split('#')[0].Trim();
            if (version.Length > 0 && char.IsAsciiLetterOrDigit(version[0]) && Name().IsMatch(name)) report.Add(new Package(PackageType.PyPi, name, version));
        }
    }

    private static IEnumerable<string> Joined(ReadOnlyMemory<byte> content)
    {
        var text = content.Length >= 2 && content.Span[0] == 0xff && content.Span[1] == 0xfe ? Encoding.UTF8.GetBytes(Encoding.Unicode.GetString(content.Span[2..])) : content;
        var made = new StringBuilder();
        foreach (var raw in Lines.Of(text))
        {
            var line = Comment().Replace(raw, "");
            // A variable of the environment is not known here.
            if (Variable().IsMatch(line)) line = "";
            if (line.EndsWith('\\') && made.Length < 1 << 16)
            {
                made.Append(line.AsSpan(0, line.Length - 1));
                continue;
            }
            yield return made.Append(line).ToString();
            made.Clear();
        }
        if (made.Length > 0) yield return made.ToString();
    }

    [GeneratedRegex(@"(^|\s+)#.*$", RegexOptions.NonBacktracking)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\$\{[A-Z0-9_]+\}", RegexOptions.NonBacktracking)]
    private static partial Regex Variable();

    [GeneratedRegex(@"(\s+|^)(--hash|--global-option|--config-settings|-C).*", RegexOptions.NonBacktracking)]
    private static partial Regex Options();

    [GeneratedRegex(@"\[[^\[\]]*\]", RegexOptions.NonBacktracking)]
    private static partial Regex Extras();

    [GeneratedRegex(@"\*|<[^=]|,|!=|<$|@", RegexOptions.NonBacktracking)]
    private static partial Regex Unpinned();

    [GeneratedRegex(@"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", RegexOptions.NonBacktracking)]
    private static partial Regex Name();
}
