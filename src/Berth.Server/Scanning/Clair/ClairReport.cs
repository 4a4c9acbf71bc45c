using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Berth.Server.Scanning.Adapters;

namespace Berth.Server.Scanning.Clair;

/// <summary>
/// Clair v4's vulnerability report in Harbor's form. Clair lists packages, vulnerabilities and which has which by ids of the report; the CVSS vectors stand beside, as an enrichment. A severity is Clair's
/// normalized one.
/// </summary>
internal static class ClairReport
{
    private const int MaxFindings = 200_000;
    private const int MaxLinks = 50;

    private static readonly JsonDocumentOptions s_bounded = new() { MaxDepth = 64 };

    /// <summary>Reads a report; false with what is wrong with it.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> body, ScanTarget target, DateTimeOffset now, [NotNullWhen(true)] out OutsideReport? report, out string problem)
    {
        (report, problem) = (null, "");
        try
        {
            using var document = JsonDocument.Parse(body, s_bounded);
            var root = document.RootElement;
            if (Object(root, "package_vulnerabilities") is not { } lists || Object(root, "vulnerabilities") is not { } vulnerabilities || Object(root, "packages") is not { } packages)
            {
                problem = "it is no vulnerability report of Clair v4";
                return false;
            }
            var harbor = new ArrayBufferWriter<byte>(4096);
            using (var json = new Utf8JsonWriter(harbor, AdapterMedia.Writing))
            {
                WriteHead(json, target, now);
                if (!WriteFindings(json, root, lists, vulnerabilities, packages))
                {
                    problem = $"it has more than {MaxFindings} findings";
                    return false;
                }
                json.WriteEndObject();
            }
            return OutsideReport.TryRead(harbor.WrittenMemory, now, out report, out problem);
        }
        // A text with half a character is JSON, and no text.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            problem = "it is no JSON";
            return false;
        }
    }

    private static void WriteHead(Utf8JsonWriter json, ScanTarget target, DateTimeOffset now)
    {
        json.WriteStartObject();
        json.WriteString("generated_at", now.UtcDateTime);
        json.WriteStartObject("artifact");
        json.WriteString("repository", target.Repository);
        json.WriteString("digest", target.Digest);
        json.WriteString("mime_type", target.MediaType);
        json.WriteEndObject();
        json.WriteStartObject("scanner");
        json.WriteString("name", "Clair");
        json.WriteString("vendor", "Project Quay");
        json.WriteString("version", "4");
        json.WriteEndObject();
    }

    private static bool WriteFindings(Utf8JsonWriter json, JsonElement root, JsonElement lists, JsonElement vulnerabilities, JsonElement packages)
    {
        var scores = ScoresOf(root);
        var seen = new HashSet<(string, string, string)>();
        json.WriteStartArray("vulnerabilities");
        foreach (var list in lists.EnumerateObject())
        {
            if (list.Value.ValueKind != JsonValueKind.Array || Object(packages, list.Name) is not { } package) continue;
            var (name, version) = (Text(package, "name"), Text(package, "version"));
            foreach (var id in list.Value.EnumerateArray().Where(static id => id.ValueKind == JsonValueKind.String).Select(static id => id.GetString()!))
            {
                // Several advisories may name one flaw of a package.
                if (Object(vulnerabilities, id) is not { } vulnerability || Text(vulnerability, "name") is not { Length: > 0 } word || name.Length == 0 || !seen.Add((word, name, version))) continue;
                if (seen.Count > MaxFindings) return false;
                WriteFinding(json, vulnerability, word, name, version, scores.TryGetValue(id, out var score) ? score : null);
            }
        }
        json.WriteEndArray();
        return true;
    }

    private static void WriteFinding(Utf8JsonWriter json, JsonElement vulnerability, string word, string package, string version, (double Score, string Vector)? score)
    {
        json.WriteStartObject();
        json.WriteString("id", word);
        json.WriteString("package", package);
        json.WriteString("version", version);
        json.WriteString("fix_version", Text(vulnerability, "fixed_in_version"));
        json.WriteString("severity", Text(vulnerability, "normalized_severity"));
        json.WriteString("description", Text(vulnerability, "description"));
        json.WriteStartArray("links");
        foreach (var link in Text(vulnerability, "links").Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(MaxLinks)) json.WriteStringValue(link);
        json.WriteEndArray();
        if (score is { } known)
        {
            var (number, vector) = known;
            var isThree = vector.StartsWith("CVSS:", StringComparison.Ordinal);
            json.WriteStartObject("preferred_cvss");
            json.WriteNumber(isThree ? "score_v3" : "score_v2", number);
            json.WriteString(isThree ? "vector_v3" : "vector_v2", vector);
            json.WriteEndObject();
        }
        json.WriteStartObject("vendor_attributes");
        json.WriteStartObject("clair");
        json.WriteString("updater", Text(vulnerability, "updater"));
        json.WriteString("severity", Text(vulnerability, "severity"));
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // {"enrichments":{"message/vnd.clair.map.vulnerability; enricher=clair.cvss …":[{"ID":[{"baseScore":…,"vectorString":…}]}]}}
    private static Dictionary<string, (double Score, string Vector)> ScoresOf(JsonElement root)
    {
        var found = new Dictionary<string, (double, string)>(StringComparer.Ordinal);
        if (Object(root, "enrichments") is not { } enrichments) return found;
        foreach (var kind in enrichments.EnumerateObject().Where(static one => one.Name.Contains("enricher=clair.cvss", StringComparison.Ordinal) && one.Value.ValueKind == JsonValueKind.Array))
        {
            foreach (var one in kind.Value.EnumerateArray().Where(static map => map.ValueKind == JsonValueKind.Object).SelectMany(static map => map.EnumerateObject()))
            {
                if (one.Value.ValueKind != JsonValueKind.Array || one.Value.GetArrayLength() == 0) continue;
                var best = one.Value[0];
                if (best.ValueKind == JsonValueKind.Object && best.TryGetProperty("baseScore", out var score) && score.ValueKind == JsonValueKind.Number && score.TryGetDouble(out var number))
                    found.TryAdd(one.Name, (number, Text(best, "vectorString")));
            }
        }
        return found;
    }

    private static JsonElement? Object(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()!.Replace('\0', ' ') : "";
}
