using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Berth.Scanner.Advisories;
using Berth.Scanner.Matching;
using Berth.Scanner.Reports;

namespace Berth.Server.Scanning.Findings;

/// <summary>A finding on its way into the database; texts are cut to what its columns hold.</summary>
internal sealed record FindingRow
{
    /// <summary>Longest id of a flaw in characters.</summary>
    public const int MaxIdChars = 128;

    /// <summary>Longest name and longest version of a package in characters.</summary>
    public const int MaxNameChars = 512;

    private const int MaxTextChars = 4096;

    [JsonPropertyName("v")]
    public required string Vulnerability { get; init; }

    [JsonPropertyName("a")]
    public string? Aliases { get; init; }

    [JsonPropertyName("p")]
    public required string Package { get; init; }

    [JsonPropertyName("n")]
    public required string Version { get; init; }

    [JsonPropertyName("f")]
    public string? FixedVersion { get; init; }

    [JsonPropertyName("s")]
    public short Severity { get; init; }

    [JsonPropertyName("t")]
    public short Status { get; init; }

    [JsonPropertyName("c")]
    public double? Score { get; init; }

    [JsonPropertyName("h")]
    public string? Path { get; init; }

    [JsonPropertyName("l")]
    public string? Layer { get; init; }

    [JsonPropertyName("b")]
    public bool? FromBase { get; init; }

    /// <summary>Unix milliseconds.</summary>
    [JsonPropertyName("w")]
    public long FirstSeen { get; init; }

    /// <summary>What makes it the same finding in the next report.</summary>
    [JsonIgnore]
    public (string, string, string, string?) Identity => (Vulnerability, Package, Version, Path);

    /// <summary>The findings of a report of our own; what two of them have in common stands once, with the repair that one of them knows.</summary>
    public static IReadOnlyList<FindingRow> Of(ScanReport report) => Distinct(report.Findings.Select(Of));

    /// <summary>The findings of a report in Harbor's form, as other scanners write it.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static IReadOnlyList<FindingRow> OfHarborReport(string json)
    {
        var report = JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { MaxDepth = 64 }) as JsonObject;
        return Distinct((report?["vulnerabilities"] as JsonArray ?? []).OfType<JsonObject>().Select(Of).Where(static row => row.Vulnerability.Length > 0));
    }

    private static FindingRow Of(Finding finding) => new()
    {
        Vulnerability = Cut(finding.Id, MaxIdChars),
        Aliases = TextOrNull(string.Join(' ', finding.Aliases)),
        Package = Cut(finding.Package.Name, MaxNameChars),
        Version = Cut(finding.InstalledVersion, MaxNameChars),
        FixedVersion = TextOrNull(finding.FixedVersion),
        Severity = (short)StoredReport.Rank(HarborReport.Word(finding.Severity)),
        Status = (short)finding.Status,
        Score = HarborReport.PreferredCvss(finding) is { V3Score: > 0 } cvss ? cvss.V3Score : null,
        Path = TextOrNull(finding.Package.Path),
        Layer = TextOrNull(finding.Package.Layer),
    };

    private static FindingRow Of(JsonObject found) => new()
    {
        Vulnerability = Cut(TextOf(found["id"]), MaxIdChars),
        Package = Cut(TextOf(found["package"]), MaxNameChars),
        Version = Cut(TextOf(found["version"]), MaxNameChars),
        FixedVersion = TextOrNull(TextOf(found["fix_version"])),
        Severity = (short)Math.Max(1, StoredReport.Rank(TextOf(found["severity"]))),
        Status = (short)FixStatuses.Parse(TextOf(found["status"])),
        Score = found["preferred_cvss"] is JsonObject cvss && cvss["score_v3"] is JsonValue value && value.TryGetValue(out double score) && score is > 0 and <= 10 ? score : null,
        Layer = TextOrNull(found["layer"] is JsonObject layer ? TextOf(layer["diff_id"]) : ""),
    };

    private static List<FindingRow> Distinct(IEnumerable<FindingRow> rows)
    {
        var found = new Dictionary<(string, string, string, string?), FindingRow>();
        foreach (var row in rows)
        {
            if (!found.TryGetValue(row.Identity, out var other) || (other.FixedVersion is null && row.FixedVersion is not null)) found[row.Identity] = row;
        }
        return [.. found.Values];
    }

    private static string TextOf(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : "";

    // PostgreSQL has no texts with a zero.
    private static string Cut(string text, int chars) => (text.Length <= chars ? text : text[..chars]).Replace('\0', ' ');

    private static string? TextOrNull(string text) => text.Length == 0 ? null : Cut(text, MaxTextChars);
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(List<FindingRow>))]
[JsonSerializable(typeof(List<long>))]
[JsonSerializable(typeof(IReadOnlyList<long>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class FindingRowJson : JsonSerializerContext;
