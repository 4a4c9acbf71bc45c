using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Berth.Server.Scanning.Adapters;

/// <summary>
/// The report of a scanner outside, held against its form and written again: only what the form knows is kept, severities are Berth's words, links are web addresses. It is kept and shown like a
/// report of our own.
/// </summary>
/// <param name="Json">In Harbor's form.</param>
/// <param name="Scanner">Which scanner it says it is of.</param>
/// <param name="Critical">Findings.</param>
/// <param name="High">Findings.</param>
/// <param name="Medium">Findings.</param>
/// <param name="Low">Findings, negligible ones too.</param>
/// <param name="Unknown">Findings.</param>
/// <param name="Fixable">Findings for which there is a repair.</param>
internal sealed record OutsideReport(byte[] Json, ScannerNameJson? Scanner, int Critical, int High, int Medium, int Low, int Unknown, int Fixable)
{
    private const int MaxFindings = 200_000;
    private const int MaxLinks = 50;
    private const int MaxIdChars = 256;
    private const int MaxNameChars = 1024;
    private const int MaxTextChars = 64 * 1024;

    private static readonly string[] s_words = ["Critical", "High", "Medium", "Low", "Unknown"];
    private static readonly JsonDocumentOptions s_bounded = new() { MaxDepth = 64 };

    /// <summary>Findings.</summary>
    public int Total => Critical + High + Medium + Low + Unknown;

    /// <summary>Reads a report (schema <c>HarborVulnerabilityReport</c>); false with what is wrong with it.</summary>
    /// <param name="body">What the scanner sent.</param>
    /// <param name="now">Stands for the time of the report when it has none.</param>
    /// <param name="report">The report.</param>
    /// <param name="problem">What is wrong.</param>
    public static bool TryRead(ReadOnlyMemory<byte> body, DateTimeOffset now, [NotNullWhen(true)] out OutsideReport? report, out string problem)
    {
        (report, problem) = (null, "");
        try
        {
            using var document = JsonDocument.Parse(body, s_bounded);
            var root = document.RootElement;
            // One without the list would pass for an image without flaws.
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("vulnerabilities", out var list) || list.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null)) problem = "it has no list of vulnerabilities";
            else if (list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > MaxFindings) problem = $"it has more than {MaxFindings} findings";
            else report = Write(root, list, now, ref problem);
        }
        // A text with half a character is JSON, and no text.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            problem = "it is no JSON";
        }
        return report is not null;
    }

    /// <summary>Berth's word for a severity; what is negligible counts as low, what is no word of the form as unknown.</summary>
    public static string SeverityOf(string? word) => word switch
    {
        "Critical" or "High" or "Medium" or "Low" => word,
        "Negligible" => "Low",
        _ => "Unknown",
    };

    private static OutsideReport? Write(JsonElement root, JsonElement list, DateTimeOffset now, ref string problem)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var fixable = 0;
        var found = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(found, AdapterMedia.Writing))
        {
            json.WriteStartArray();
            foreach (var one in list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : default)
            {
                if (Text(one, "id", MaxIdChars) is not { Length: > 0 } id || Text(one, "package", MaxNameChars) is not { Length: > 0 } package)
                {
                    problem = "it has a finding without id or package";
                    return null;
                }
                var severity = SeverityOf(Text(one, "severity", MaxIdChars));
                counts[severity] = counts.GetValueOrDefault(severity) + 1;
                if (WriteFinding(json, one, id, package, severity)) fixable++;
            }
            json.WriteEndArray();
        }
        var scanner = root.TryGetProperty("scanner", out var name) && name.ValueKind == JsonValueKind.Object
            ? new ScannerNameJson(Text(name, "name", MaxIdChars) ?? "", Text(name, "vendor", MaxIdChars) ?? "", Text(name, "version", MaxIdChars) ?? "")
            : null;
        int Count(string word) => counts.GetValueOrDefault(word);
        var whole = Whole(root, scanner, s_words.FirstOrDefault(counts.ContainsKey) ?? "None", found.WrittenMemory, now);
        return new OutsideReport(whole, scanner, Count("Critical"), Count("High"), Count("Medium"), Count("Low"), Count("Unknown"), fixable);
    }

    private static byte[] Whole(JsonElement root, ScannerNameJson? scanner, string severity, ReadOnlyMemory<byte> findings, DateTimeOffset now)
    {
        var buffer = new ArrayBufferWriter<byte>(findings.Length + 1024);
        using (var json = new Utf8JsonWriter(buffer, AdapterMedia.Writing))
        {
            json.WriteStartObject();
            var at = root.TryGetProperty("generated_at", out var time) && time.ValueKind == JsonValueKind.String && time.TryGetDateTimeOffset(out var known) ? known : now;
            json.WriteString("generated_at", at.UtcDateTime);
            if (root.TryGetProperty("artifact", out var artifact) && artifact.ValueKind == JsonValueKind.Object) WriteTexts(json, "artifact", artifact, "repository", "digest", "tag", "mime_type");
            if (scanner is not null)
            {
                json.WriteStartObject("scanner");
                json.WriteString("name", scanner.Name);
                json.WriteString("vendor", scanner.Vendor);
                json.WriteString("version", scanner.Version);
                json.WriteEndObject();
            }
            json.WriteString("severity", severity);
            json.WritePropertyName("vulnerabilities");
            json.WriteRawValue(findings.Span, skipInputValidation: true);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <returns>Whether there is a repair.</returns>
    private static bool WriteFinding(Utf8JsonWriter json, JsonElement one, string id, string package, string severity)
    {
        var repair = Text(one, "fix_version", MaxNameChars) ?? "";
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("package", package);
        json.WriteString("version", Text(one, "version", MaxNameChars) ?? "");
        json.WriteString("fix_version", repair);
        json.WriteString("severity", severity);
        if (Text(one, "status", MaxIdChars) is { } status) json.WriteString("status", status);
        json.WriteString("description", Text(one, "description", MaxTextChars) ?? "");
        WriteList(json, "links", one, static text => Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https");
        if (one.TryGetProperty("layer", out var layer) && layer.ValueKind == JsonValueKind.Object) WriteTexts(json, "layer", layer, "digest", "diff_id");
        if (one.TryGetProperty("preferred_cvss", out var cvss) && cvss.ValueKind == JsonValueKind.Object) WriteCvss(json, cvss);
        WriteList(json, "cwe_ids", one, static _ => true);
        if (one.TryGetProperty("vendor_attributes", out var vendor) && vendor.ValueKind == JsonValueKind.Object && vendor.GetRawText() is { Length: <= MaxTextChars } raw && !raw.Contains("\\u0000", StringComparison.Ordinal))
        {
            json.WritePropertyName("vendor_attributes");
            json.WriteRawValue(raw);
        }
        json.WriteEndObject();
        return repair.Length > 0;
    }

    private static void WriteCvss(Utf8JsonWriter json, JsonElement cvss)
    {
        json.WriteStartObject("preferred_cvss");
        foreach (var name in (string[])["score_v3", "score_v2"])
            if (cvss.TryGetProperty(name, out var score) && score.ValueKind == JsonValueKind.Number && score.TryGetDouble(out var number) && number is >= 0 and <= 10) json.WriteNumber(name, number);
        foreach (var name in (string[])["vector_v3", "vector_v2"])
            if (Text(cvss, name, MaxNameChars) is { } vector) json.WriteString(name, vector);
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, JsonElement element, params ReadOnlySpan<string> names)
    {
        json.WriteStartObject(name);
        foreach (var one in names)
            if (Text(element, one, MaxNameChars) is { } text) json.WriteString(one, text);
        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, string name, JsonElement one, Func<string, bool> isWanted)
    {
        json.WriteStartArray(name);
        if (one.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (var text in list.EnumerateArray().Where(static item => item.ValueKind == JsonValueKind.String).Take(MaxLinks).Select(static item => Plain(item.GetString()!, MaxNameChars)))
                if (isWanted(text)) json.WriteStringValue(text);
        }
        json.WriteEndArray();
    }

    private static string? Text(JsonElement element, string name, int longest) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? Plain(value.GetString()!, longest) : null;

    // PostgreSQL has no texts with a zero.
    private static string Plain(string text, int longest)
    {
        var plain = text.Replace('\0', ' ');
        if (plain.Length <= longest) return plain;
        return plain[..(char.IsHighSurrogate(plain[longest - 1]) ? longest - 1 : longest)];
    }
}
