using System.Globalization;
using System.Text;
using Berth.Server.Api;

namespace Berth.Server.Scanning;

/// <summary>Findings as comma-separated values (RFC 4180), for spreadsheets. A cell that such a program would take for a formula is written as text.</summary>
internal static class FindingsTable
{
    /// <summary>The head of a table of findings.</summary>
    public static IReadOnlyList<string> Head { get; } = ["Vulnerability", "Severity", "Package", "Installed", "Fixed in", "Status", "CVSS", "Layer", "Path", "First seen", "Exception", "Link"];

    /// <summary>The row of a finding.</summary>
    public static IReadOnlyList<string> Of(FindingLine line) =>
    [
        line.Id, line.Severity, line.Package, line.Version, line.FixedVersion, line.Status, line.Score?.ToString("0.0", CultureInfo.InvariantCulture) ?? "", line.Layer, line.Path,
        line.FirstSeen is { } seen ? ApiTime.Text(seen) : "", line.Suppression is { } why ? $"{why.Source}: {why.Reason}" : "", line.Link,
    ];

    /// <summary>The whole table with its head.</summary>
    public static string Write(IReadOnlyList<string> head, IEnumerable<IReadOnlyList<string>> rows)
    {
        var text = new StringBuilder();
        foreach (var row in rows.Prepend(head)) text.AppendJoin(',', row.Select(Cell)).Append("\r\n");
        return text.ToString();
    }

    /// <summary>One cell. Names in images are anybody's: what begins like a formula gets an apostrophe in front.</summary>
    public static string Cell(string value)
    {
        if (value.Length > 0 && value[0] is '=' or '+' or '-' or '@' or '\t' or '\r') value = "'" + value;
        return value.AsSpan().IndexOfAny(",\"\r\n") < 0 ? value : "\"" + value.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
    }
}
