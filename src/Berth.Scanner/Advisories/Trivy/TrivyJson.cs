using System.Text.Json;

namespace Berth.Scanner.Advisories.Trivy;

/// <summary>The JSON values of Trivy's database (schema 2).</summary>
internal static class TrivyJson
{
    public static Advisory Advisory(string id, JsonElement json) => new(id)
    {
        FixedVersion = json.Text("FixedVersion"),
        AffectedVersion = json.Text("AffectedVersion"),
        Severity = ToSeverity(json.Number("Severity")),
        Status = ToStatus(json.Number("Status")),
        VendorIds = Vendors(json),
        Arches = json.Texts("Arches"),
        VulnerableVersions = json.Texts("VulnerableVersions"),
        PatchedVersions = json.Texts("PatchedVersions"),
        UnaffectedVersions = json.Texts("UnaffectedVersions"),
        Entries = [.. json.Items("Entries").Select(Entry)],
    };

    public static VulnerabilityDetail Detail(string id, JsonElement json) => new(id)
    {
        Title = json.Text("Title"),
        Description = json.Text("Description"),
        Severity = Severities.Parse(json.Text("Severity")),
        Cwes = json.Texts("CweIDs"),
        References = json.Texts("References"),
        VendorSeverities = VendorSeverities(json),
        Cvss = Cvss(json),
        Published = json.Time("PublishedDate"),
        Modified = json.Time("LastModifiedDate"),
    };

    public static AdvisoryBucket Bucket(AdvisoryBucket bucket, JsonElement json) => bucket with
    {
        SourceId = json.Text("ID"),
        SourceName = json.Text("Name"),
        SourceUrl = json.Text("URL"),
        BaseId = json.Text("BaseID"),
    };

    public static int[] Products(JsonElement json) => json.ValueKind != JsonValueKind.Array
        ? []
        : [.. json.EnumerateArray().Where(static v => v.ValueKind == JsonValueKind.Number && v.TryGetInt32(out _)).Select(static v => v.GetInt32())];

    private static AdvisoryEntry Entry(JsonElement json) => new()
    {
        FixedVersion = json.Text("FixedVersion"),
        Status = ToStatus(json.Number("Status")),
        Arches = json.Texts("Arches"),
        VendorIds = Vendors(json),
        Products = JsonText.Member(json, "Affected") is { } affected ? Products(affected) : [],
        Flaws = [.. json.Items("Cves").Select(static c => new CoveredFlaw(c.Text("ID"), ToSeverity(c.Number("Severity"))))],
    };

    /// <summary>Go reads names without case, and both spellings are about.</summary>
    private static string[] Vendors(JsonElement json) => json.Texts("VendorIDs") is { Length: > 0 } ids ? ids : json.Texts("VendorIds");

    private static Dictionary<string, Severity> VendorSeverities(JsonElement json)
    {
        var severities = new Dictionary<string, Severity>(StringComparer.Ordinal);
        foreach (var property in json.Properties("VendorSeverity"))
        {
            if (property.Value.ValueKind == JsonValueKind.Number && property.Value.TryGetInt32(out var number))
                severities[property.Name] = ToSeverity(number);
        }
        return severities;
    }

    private static Dictionary<string, CvssScores> Cvss(JsonElement json)
    {
        var cvss = new Dictionary<string, CvssScores>(StringComparer.Ordinal);
        foreach (var property in json.Properties("CVSS"))
        {
            cvss[property.Name] = new CvssScores
            {
                V2Vector = property.Value.Text("V2Vector"),
                V3Vector = property.Value.Text("V3Vector"),
                V4Vector = property.Value.Text("V40Vector"),
                V2Score = property.Value.Real("V2Score"),
                V3Score = property.Value.Real("V3Score"),
                V4Score = property.Value.Real("V40Score"),
            };
        }
        return cvss;
    }

    private static Severity ToSeverity(int number) => number is >= 0 and <= 4 ? (Severity)number : Severity.Unknown;

    private static FixStatus ToStatus(int number) => number is >= 0 and <= 7 ? (FixStatus)number : FixStatus.Unknown;
}
