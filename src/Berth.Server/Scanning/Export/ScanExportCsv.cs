using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Berth.Server.Scanning.Export;

/// <summary>Findings as CSV with the columns of Harbor's export, lines ending in a line feed as Harbor writes them.</summary>
internal static class ScanExportCsv
{
    /// <summary>The first line.</summary>
    public const string Header = "Repository,Artifact Digest,CVE,Package,Current Version,Fixed in version,Severity,CWE Ids,Additional Data,Scanner\n";

    /// <summary>Adds the findings of a report (Harbor's form) that the condition on ids lets through; how many.</summary>
    public static int Append(StringBuilder to, string repository, string digest, string report, Func<string, bool> wants)
    {
        var json = JsonNode.Parse(report, documentOptions: new JsonDocumentOptions { MaxDepth = 64 }) as JsonObject;
        var scanner = TextOf((json?["scanner"] as JsonObject)?["name"]);
        var count = 0;
        foreach (var found in (json?["vulnerabilities"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var id = TextOf(found["id"]);
            if (!wants(id)) continue;
            string[] fields =
            [
                repository, digest, id, TextOf(found["package"]), TextOf(found["version"]), TextOf(found["fix_version"]), TextOf(found["severity"]),
                string.Join(',', (found["cwe_ids"] as JsonArray ?? []).Select(TextOf)), AttributesOf(found), scanner,
            ];
            to.AppendJoin(',', fields.Select(Field)).Append('\n');
            count++;
        }
        return count;
    }

    // What Berth itself adds to a report for marking exceptions is none of Harbor's columns.
    private static string AttributesOf(JsonObject found)
    {
        if (found["vendor_attributes"] is not JsonObject attributes) return "";
        attributes.Remove("berth");
        return attributes.ToJsonString();
    }

    private static string TextOf(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : "";

    // RFC 4180. A text that a spreadsheet would take for a formula gets a quote before it: names of packages come from images. The names of npm's scopes are left as they are.
    private static string Field(string text)
    {
        if (text.Length > 0 && (text[0] is '=' or '+' or '-' or '\t' || (text[0] == '@' && text.Contains('(', StringComparison.Ordinal)))) text = "'" + text;
        return text.AsSpan().IndexOfAny("\",\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
