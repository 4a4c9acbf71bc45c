using System.Text.Json;
using Berth.Scanner.Advisories;
using Berth.Scanner.Misconfiguration;
using Berth.Scanner.Secrets;

namespace Berth.Scanner.Reports;

/// <summary>The results of Trivy's report that are about no packages: problems of the configuration, and secrets, one result a file.</summary>
internal static class TrivyChecks
{
    public static void Write(Utf8JsonWriter json, ScanReport report)
    {
        if (report.Problems.Count > 0)
        {
            json.WriteStartObject();
            json.WriteString("Target", report.Name);
            json.WriteString("Class", "config");
            json.WriteString("Type", "dockerfile");
            json.WriteStartObject("MisconfSummary");
            json.WriteNumber("Successes", 0);
            json.WriteNumber("Failures", report.Problems.Count);
            json.WriteEndObject();
            json.WriteStartArray("Misconfigurations");
            foreach (var problem in report.Problems) WriteProblem(json, problem);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        foreach (var file in report.Secrets.GroupBy(static secret => secret.Path, StringComparer.Ordinal).OrderBy(static group => group.Key, StringComparer.Ordinal))
        {
            json.WriteStartObject();
            json.WriteString("Target", report.Layers.Count > 0 ? "/" + file.Key : file.Key);
            json.WriteString("Class", "secret");
            json.WriteStartArray("Secrets");
            foreach (var secret in file) WriteSecret(json, report, secret);
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    private static void WriteProblem(Utf8JsonWriter json, ConfigurationProblem problem)
    {
        json.WriteStartObject();
        json.WriteString("Type", "Dockerfile Security Check");
        json.WriteString("ID", problem.Id);
        json.WriteString("Title", problem.Title);
        json.WriteString("Message", problem.Message);
        json.WriteString("Resolution", problem.Resolution);
        json.WriteString("Severity", problem.Severity.Word());
        json.WriteString("Status", "FAIL");
        json.WriteEndObject();
    }

    private static void WriteSecret(Utf8JsonWriter json, ScanReport report, SecretFinding secret)
    {
        json.WriteStartObject();
        json.WriteString("RuleID", secret.RuleId);
        json.WriteString("Category", secret.Category);
        json.WriteString("Severity", secret.Severity.Word());
        json.WriteString("Title", secret.Title);
        json.WriteNumber("StartLine", secret.StartLine);
        json.WriteNumber("EndLine", secret.EndLine);
        json.WriteString("Match", secret.Match);
        if (secret.Layer.Length > 0)
        {
            json.WriteStartObject("Layer");
            json.Text("Digest", report.Layers.FirstOrDefault(layer => layer.DiffId == secret.Layer)?.Digest ?? "");
            json.WriteString("DiffID", secret.Layer);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
