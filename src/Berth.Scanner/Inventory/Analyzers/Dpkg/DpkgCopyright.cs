using System.Text.RegularExpressions;
using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Dpkg;

/// <summary>Licences out of <c>usr/share/doc/PACKAGE/copyright</c>: the License fields of the machine-readable form (DEP-5), else the texts of <c>common-licenses</c> it points to.</summary>
internal static partial class DpkgCopyright
{
    private const string Top = "usr/share/doc/";

    /// <summary>Whether a path is a package's copyright file.</summary>
    public static bool Wants(string path) =>
        path.StartsWith(Top, StringComparison.Ordinal) && path.EndsWith("/copyright", StringComparison.Ordinal) && path.Count('/') == 4;

    /// <summary>Reads one file.</summary>
    public static void Read(FileContent content, FileReport report)
    {
        var found = new List<string>();
        var pointed = new List<string>();
        foreach (var line in Lines.Of(content.Bytes()))
        {
            if (line.StartsWith("License:", StringComparison.OrdinalIgnoreCase))
            {
                foreach (var one in Alternatives().Split(line[8..].Trim()).Select(one => one.Trim().TrimEnd(',')))
                    if (one.Length < 64 && Name().IsMatch(one) && !found.Contains(one)) found.Add(one);
            }
            else if (CommonLicense().Match(line) is { Success: true } match && !pointed.Contains(match.Groups[1].Value.TrimEnd('.')))
            {
                pointed.Add(match.Groups[1].Value.TrimEnd('.'));
            }
            if (found.Count + pointed.Count > 100) break;
        }
        foreach (var one in pointed)
            if (!found.Contains(one)) found.Add(one);
        report.Subject = report.Path[Top.Length..report.Path.IndexOf('/', Top.Length)];
        report.Licenses = found;
    }

    // Some old files have the text of the licence in this place.
    [GeneratedRegex("^[0-9A-Za-z][0-9A-Za-z.+~/_:-]*( with [0-9A-Za-z .+~/_-]*exceptions?)?$", RegexOptions.NonBacktracking | RegexOptions.IgnoreCase)]
    private static partial Regex Name();

    [GeneratedRegex("/usr/share/common-licenses/([0-9A-Za-z_.+-]+[0-9A-Za-z+])", RegexOptions.NonBacktracking)]
    private static partial Regex CommonLicense();

    [GeneratedRegex(" and(?:/or)? | or |, ", RegexOptions.NonBacktracking | RegexOptions.IgnoreCase)]
    private static partial Regex Alternatives();
}
