using System.Text;
using Berth.Scanner.Advisories;
using Berth.Scanner.Exceptions;
using Berth.Scanner.Matching;

namespace Berth.Scanner.Reports;

/// <summary>Tables for people: one a target, plain text with box characters, no colours.</summary>
public static class TableReport
{
    private const int MaxTitle = 58;
    private const int MaxCell = 40;

    private static readonly string[] Head = ["Library", "Vulnerability", "Severity", "Status", "Installed", "Fixed in", "Title"];

    public static string Write(ScanReport report, bool showSuppressed = false)
    {
        var text = new StringBuilder();
        foreach (var target in ReportTarget.Of(report))
        {
            if (target.Class != "os-pkgs" && target.Findings.Count == 0 && !(showSuppressed && target.Suppressed.Count > 0))
                continue;
            var heading = $"{target.Target} ({target.Type})".Replace($") ({target.Type})", ")", StringComparison.Ordinal);
            text.Append('\n').Append(heading).Append('\n').Append('=', heading.Length).Append('\n');
            text.Append(Totals(target.Findings)).Append('\n');
            if (target.Findings.Count > 0)
                WriteTable(text, Head, target.Findings.Select(Row));
            if (showSuppressed && target.Suppressed.Count > 0)
            {
                text.Append($"\nSuppressed: {target.Suppressed.Count}\n");
                WriteTable(text, ["Library", "Vulnerability", "Severity", "Status", "Statement", "Source"], target.Suppressed.Select(Row));
            }
        }
        WriteProblems(text, report);
        WriteSecrets(text, report);
        return text.ToString();
    }

    private static void WriteProblems(StringBuilder text, ScanReport report)
    {
        if (report.Problems.Count == 0) return;
        var heading = $"{report.Name} (configuration)";
        text.Append('\n').Append(heading).Append('\n').Append('=', heading.Length).Append('\n').Append($"Problems: {report.Problems.Count}\n");
        WriteTable(text, ["Check", "Severity", "What", "What to do"], report.Problems.Select(static p => new[] { p.Id, p.Severity.Word(), Short(p.Message, MaxTitle), Short(p.Resolution, MaxTitle) }));
    }

    private static void WriteSecrets(StringBuilder text, ScanReport report)
    {
        if (report.Secrets.Count == 0) return;
        var heading = $"{report.Name} (secrets)";
        text.Append('\n').Append(heading).Append('\n').Append('=', heading.Length).Append('\n').Append($"Secrets: {report.Secrets.Count}\n");
        WriteTable(text, ["Secret", "Severity", "Where", "Line"], report.Secrets.Select(static s => new[] { Short(s.Title, MaxCell), s.Severity.Word(), $"{End(s.Path)}:{s.StartLine}", Short(s.Match, MaxTitle) }));
    }

    /// <summary>Such as <c>Total: 3 (UNKNOWN: 0, LOW: 1, MEDIUM: 2, HIGH: 0, CRITICAL: 0)</c>.</summary>
    public static string Totals(IReadOnlyList<Finding> findings) =>
        $"Total: {findings.Count} ({string.Join(", ", Enum.GetValues<Severity>().Select(s => $"{s.Word()}: {findings.Count(f => f.Severity == s)}"))})";

    private static string[] Row(Finding finding) =>
    [
        Short(finding.Package.Name, MaxCell) + (finding.Package.Path.Length > 0 && finding.Package.Path.Contains('/') ? "\n  " + End(finding.Package.Path) : ""),
        finding.Id, finding.Severity.Word(), finding.Status.Word(), Short(finding.InstalledVersion, MaxCell), Short(finding.FixedVersion, MaxCell),
        Short(finding.Detail?.Title is { Length: > 0 } title ? title : finding.Detail?.Description ?? "", MaxTitle) + (finding.PrimaryUrl.Length > 0 ? "\n" + finding.PrimaryUrl : ""),
    ];

    private static string[] Row(SuppressedFinding suppressed) =>
    [
        Short(suppressed.Finding.Package.Name, MaxCell), suppressed.Finding.Id, suppressed.Finding.Severity.Word(), suppressed.Suppression.Status.Word(),
        Short(suppressed.Suppression.Reason, MaxTitle), Short(suppressed.Suppression.Source, MaxCell),
    ];

    private static void WriteTable(StringBuilder text, string[] head, IEnumerable<string[]> rows)
    {
        var all = rows.Select(static r => r.Select(static c => c.Split('\n')).ToArray()).ToList();
        var widths = head.Select((h, i) => Math.Max(h.Length, all.Count == 0 ? 0 : all.Max(r => r[i].Max(static l => l.Length)))).ToArray();
        Rule(text, widths, '┌', '┬', '┐');
        Line(text, widths, head);
        foreach (var row in all)
        {
            Rule(text, widths, '├', '┼', '┤');
            for (var i = 0; i < row.Max(static c => c.Length); i++)
                Line(text, widths, [.. row.Select(c => i < c.Length ? c[i] : "")]);
        }
        Rule(text, widths, '└', '┴', '┘');
    }

    private static void Rule(StringBuilder text, int[] widths, char left, char middle, char right) =>
        text.Append(left).AppendJoin(middle, widths.Select(static w => new string('─', w + 2))).Append(right).Append('\n');

    private static void Line(StringBuilder text, int[] widths, string[] cells) =>
        text.Append('│').AppendJoin('│', cells.Select((c, i) => $" {c.PadRight(widths[i])} ")).Append("│\n");

    /// <summary>One line without control characters: titles are texts of strangers, and a terminal obeys what it is sent.</summary>
    private static string Short(string text, int max)
    {
        var clean = string.Concat(text.Select(static c => char.IsControl(c) ? ' ' : c)).Trim();
        return clean.Length <= max ? clean : clean[..(max - 1)] + "…";
    }

    private static string End(string path)
    {
        var clean = Short(path, int.MaxValue);
        return clean.Length <= MaxCell ? clean : "…" + clean[^(MaxCell - 1)..];
    }
}
