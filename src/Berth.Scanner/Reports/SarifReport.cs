using System.Text.Json;
using Berth.Scanner.Advisories;
using Berth.Scanner.Matching;

namespace Berth.Scanner.Reports;

/// <summary>SARIF 2.1.0 (OASIS): a rule a flaw, a result a finding; suppressed findings carry their reason.</summary>
public static class SarifReport
{
    private const string Schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

    public static void Write(Stream output, ScanReport report)
    {
        var rules = report.Findings.Concat(report.Suppressed.Select(static s => s.Finding)).GroupBy(static f => f.Id, StringComparer.Ordinal)
            .OrderBy(static g => g.Key, StringComparer.Ordinal).Select(static g => g.OrderByDescending(static f => f.Severity).First()).ToList();
        var indexes = rules.Select(static (f, i) => (f.Id, i)).ToDictionary(static x => x.Id, static x => x.i, StringComparer.Ordinal);
        using var json = new Utf8JsonWriter(output, ReportJson.Options);
        json.WriteStartObject();
        json.WriteString("version", "2.1.0");
        json.WriteString("$schema", Schema);
        json.WriteStartArray("runs");
        json.WriteStartObject();
        WriteTool(json, report, rules);
        json.WriteStartArray("results");
        foreach (var finding in report.Findings)
            WriteResult(json, report, finding, indexes[finding.Id], null);
        foreach (var suppressed in report.Suppressed)
            WriteResult(json, report, suppressed.Finding, indexes[suppressed.Finding.Id], suppressed.Suppression.Reason.Length > 0 ? suppressed.Suppression.Reason : suppressed.Suppression.Source);
        SarifChecks.WriteResults(json, report, rules.Count);
        json.WriteEndArray();
        json.WriteString("columnKind", "utf16CodeUnits");
        json.WriteStartObject("originalUriBaseIds");
        json.WriteStartObject("ROOTPATH");
        json.WriteString("uri", "file:///");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("properties");
        json.WriteString("imageName", report.Name);
        json.Text("imageID", report.ImageId);
        json.Texts("repoTags", report.RepoTags);
        json.Texts("repoDigests", report.RepoDigests);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteTool(Utf8JsonWriter json, ScanReport report, List<Finding> rules)
    {
        json.WriteStartObject("tool");
        json.WriteStartObject("driver");
        json.WriteString("name", "Berth");
        json.WriteString("fullName", "Berth vulnerability scanner");
        json.WriteString("version", report.ToolVersion);
        json.WriteStartArray("rules");
        foreach (var finding in rules)
            WriteRule(json, finding);
        SarifChecks.WriteRules(json, report);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteRule(Utf8JsonWriter json, Finding finding)
    {
        var title = finding.Detail?.Title is { Length: > 0 } known ? known : finding.Id;
        var description = finding.Detail?.Description is { Length: > 0 } text ? text : title;
        json.WriteStartObject();
        json.WriteString("id", finding.Id);
        json.WriteString("name", RuleName(finding));
        Message(json, "shortDescription", title);
        Message(json, "fullDescription", description);
        json.WriteStartObject("defaultConfiguration");
        json.WriteString("level", Level(finding.Severity));
        json.WriteEndObject();
        if (Uri.TryCreate(finding.PrimaryUrl, UriKind.Absolute, out _))
            json.WriteString("helpUri", finding.PrimaryUrl);
        json.WriteStartObject("help");
        json.WriteString("text", $"Vulnerability {finding.Id}\nSeverity: {finding.Severity.Word()}\nPackage: {finding.Package.Name}\nFixed Version: {finding.FixedVersion}\nLink: {finding.PrimaryUrl}\n{description}");
        json.WriteString("markdown", $"**Vulnerability {finding.Id}**\n| Severity | Package | Fixed Version | Link |\n| --- | --- | --- | --- |\n|{finding.Severity.Word()}|{finding.Package.Name}|{finding.FixedVersion}|[{finding.Id}]({finding.PrimaryUrl})|\n\n{description}");
        json.WriteEndObject();
        json.WriteStartObject("properties");
        json.WriteString("precision", "very-high");
        json.WriteString("security-severity", Score(finding));
        json.Texts("tags", ["vulnerability", "security", finding.Severity.Word()]);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteResult(Utf8JsonWriter json, ScanReport report, Finding finding, int rule, string? suppression)
    {
        var path = Uri.EscapeDataString(finding.Package.Path.Length > 0 ? finding.Package.Path : report.Name).Replace("%2F", "/", StringComparison.Ordinal);
        json.WriteStartObject();
        json.WriteString("ruleId", finding.Id);
        json.WriteNumber("ruleIndex", rule);
        json.WriteString("level", Level(finding.Severity));
        Message(json, "message", $"Package: {finding.Package.Name}\nInstalled Version: {finding.InstalledVersion}\nVulnerability {finding.Id}\nSeverity: {finding.Severity.Word()}\nFixed Version: {finding.FixedVersion}\nLink: {finding.PrimaryUrl}");
        json.WriteStartArray("locations");
        json.WriteStartObject();
        json.WriteStartObject("physicalLocation");
        json.WriteStartObject("artifactLocation");
        json.WriteString("uri", path);
        json.WriteString("uriBaseId", "ROOTPATH");
        json.WriteEndObject();
        json.WriteStartObject("region");
        foreach (var name in (ReadOnlySpan<string>)["startLine", "startColumn", "endLine", "endColumn"])
            json.WriteNumber(name, 1);
        json.WriteEndObject();
        json.WriteEndObject();
        Message(json, "message", $"{(finding.Package.Path.Length > 0 ? finding.Package.Path : report.Name)}: {finding.Package.Name}@{finding.InstalledVersion}");
        json.WriteEndObject();
        json.WriteEndArray();
        if (suppression is not null)
        {
            json.WriteStartArray("suppressions");
            json.WriteStartObject();
            json.WriteString("kind", "external");
            json.WriteString("justification", suppression);
            json.WriteEndObject();
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    internal static void Message(Utf8JsonWriter json, string name, string text)
    {
        json.WriteStartObject(name);
        json.WriteString("text", text);
        json.WriteEndObject();
    }

    private static string RuleName(Finding finding) => finding.Package.Type is Inventory.PackageType.Dpkg or Inventory.PackageType.Apk or Inventory.PackageType.Rpm
        ? "OsPackageVulnerability"
        : "LanguageSpecificPackageVulnerability";

    internal static string Level(Severity severity) => severity switch
    {
        Severity.Critical or Severity.High => "error",
        Severity.Medium => "warning",
        _ => "note",
    };

    /// <summary>The CVSS score of the source of the severity, else one that stands for the severity.</summary>
    private static string Score(Finding finding)
    {
        var scores = finding.Detail?.Cvss.GetValueOrDefault(finding.SeveritySource) ?? finding.Detail?.Cvss.GetValueOrDefault("nvd");
        if (scores is { V3Score: > 0 })
            return scores.V3Score.ToString("0.0");
        return finding.Severity switch
        {
            Severity.Critical => "9.5",
            Severity.High => "8.0",
            Severity.Medium => "5.5",
            Severity.Low => "2.0",
            _ => "0.0",
        };
    }
}
