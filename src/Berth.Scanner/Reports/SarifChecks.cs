using System.Text.Json;
using Berth.Scanner.Advisories;

namespace Berth.Scanner.Reports;

/// <summary>Rules and results of SARIF that are about no packages: problems of the configuration, and secrets.</summary>
internal static class SarifChecks
{
    /// <summary>Writes the rules, behind those of flaws.</summary>
    public static void WriteRules(Utf8JsonWriter json, ScanReport report)
    {
        foreach (var rule in RulesOf(report))
        {
            json.WriteStartObject();
            json.WriteString("id", rule.Id);
            json.WriteString("name", rule.Name);
            SarifReport.Message(json, "shortDescription", rule.Title);
            SarifReport.Message(json, "fullDescription", rule.Title);
            json.WriteStartObject("defaultConfiguration");
            json.WriteString("level", SarifReport.Level(rule.Severity));
            json.WriteEndObject();
            json.WriteStartObject("properties");
            json.Texts("tags", [rule.Name == "Secret" ? "secret" : "misconfiguration", "security", rule.Severity.Word()]);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    /// <summary>Writes the results; <paramref name="before"/> rules stand in front of those of this class.</summary>
    public static void WriteResults(Utf8JsonWriter json, ScanReport report, int before)
    {
        var indexes = RulesOf(report).Select((rule, at) => (rule.Id, at)).ToDictionary(static one => one.Id, one => before + one.at, StringComparer.Ordinal);
        foreach (var problem in report.Problems)
            WriteResult(json, problem.Id, indexes[problem.Id], problem.Severity, $"{problem.Message}\n{problem.Resolution}", report.Name, 1, 1);
        foreach (var secret in report.Secrets)
            WriteResult(json, secret.RuleId, indexes[secret.RuleId], secret.Severity, $"{secret.Title}: {secret.Match}", secret.Path, secret.StartLine, secret.EndLine);
    }

    private static List<(string Id, string Name, string Title, Severity Severity)> RulesOf(ScanReport report) =>
    [
        .. report.Problems.Select(static p => (p.Id, Name: "Misconfiguration", p.Title, p.Severity))
            .Concat(report.Secrets.Select(static s => (Id: s.RuleId, Name: "Secret", s.Title, s.Severity))).DistinctBy(static rule => rule.Id),
    ];

    private static void WriteResult(Utf8JsonWriter json, string id, int rule, Severity severity, string message, string path, int startLine, int endLine)
    {
        json.WriteStartObject();
        json.WriteString("ruleId", id);
        json.WriteNumber("ruleIndex", rule);
        json.WriteString("level", SarifReport.Level(severity));
        SarifReport.Message(json, "message", message);
        json.WriteStartArray("locations");
        json.WriteStartObject();
        json.WriteStartObject("physicalLocation");
        json.WriteStartObject("artifactLocation");
        json.WriteString("uri", Uri.EscapeDataString(path).Replace("%2F", "/", StringComparison.Ordinal));
        json.WriteString("uriBaseId", "ROOTPATH");
        json.WriteEndObject();
        json.WriteStartObject("region");
        json.WriteNumber("startLine", startLine);
        json.WriteNumber("startColumn", 1);
        json.WriteNumber("endLine", endLine);
        json.WriteNumber("endColumn", 1);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
