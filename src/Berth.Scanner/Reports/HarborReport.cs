using System.Text.Json;
using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;

namespace Berth.Scanner.Reports;

/// <summary>The report of Harbor's pluggable scanners (API 1.2).</summary>
public static class HarborReport
{
    /// <summary>Media type of the report.</summary>
    public const string MediaType = "application/vnd.security.vulnerability.report; version=1.1";

    /// <summary>Writes the report; <paramref name="repository"/> and <paramref name="tag"/> name the artifact as the request did.</summary>
    public static void Write(Stream output, ScanReport report, string repository = "", string tag = "")
    {
        using var json = new Utf8JsonWriter(output, ReportJson.Options);
        json.WriteStartObject();
        json.WriteString("generated_at", report.CreatedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'"));
        json.WriteStartObject("artifact");
        json.Text("repository", repository);
        json.Text("digest", report.Digest);
        json.Text("tag", tag);
        json.Text("mime_type", report.MediaType);
        json.WriteEndObject();
        json.WriteStartObject("scanner");
        json.WriteString("name", "Berth");
        json.WriteString("vendor", "Berth");
        json.WriteString("version", report.ToolVersion);
        json.WriteEndObject();
        json.WriteString("severity", report.Findings.Count == 0 ? "None" : Word(report.Findings.Max(static f => f.Severity)));
        json.WriteStartArray("vulnerabilities");
        foreach (var finding in report.Findings)
            WriteFinding(json, report, finding);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Harbor's word: <c>Unknown</c> to <c>Critical</c>.</summary>
    public static string Word(Severity severity) => severity.ToString();

    /// <summary>The CVSS that reports show first: that of whoever gave the severity, of the source, of NVD, else any; null when there is none.</summary>
    public static CvssScores? PreferredCvss(Finding finding) => finding.Detail is not { Cvss.Count: > 0 } detail ? null
        : new[] { finding.SeveritySource, finding.Source.SourceId, "nvd" }.Select(v => detail.Cvss.GetValueOrDefault(v)).FirstOrDefault(static c => c is not null)
            ?? detail.Cvss.OrderBy(static c => c.Key, StringComparer.Ordinal).First().Value;

    private static void WriteFinding(Utf8JsonWriter json, ScanReport report, Finding finding)
    {
        json.WriteStartObject();
        json.WriteString("id", finding.Id);
        json.WriteString("package", finding.Package.Name);
        json.WriteString("version", finding.InstalledVersion);
        json.WriteString("fix_version", finding.FixedVersion);
        json.WriteString("severity", Word(finding.Severity));
        json.WriteString("status", finding.Status.Word());
        json.WriteString("description", finding.Detail?.Description is { Length: > 0 } text ? text : finding.Detail?.Title ?? "");
        json.WriteStartArray("links");
        foreach (var link in Links(finding))
            json.WriteStringValue(link);
        json.WriteEndArray();
        if (finding.Package.Layer.Length > 0)
        {
            json.WriteStartObject("layer");
            json.Text("digest", report.Layers.FirstOrDefault(l => l.DiffId == finding.Package.Layer)?.Digest ?? "");
            json.WriteString("diff_id", finding.Package.Layer);
            json.WriteEndObject();
        }
        WriteCvss(json, finding);
        json.WriteStartObject("vendor_attributes");
        WriteVendorScores(json, finding);
        WriteIdentity(json, report, finding);
        json.WriteEndObject();
        json.Texts("cwe_ids", finding.Detail?.Cwes ?? []);
        json.WriteEndObject();
    }

    private static IEnumerable<string> Links(Finding finding)
    {
        IEnumerable<string> links = finding.PrimaryUrl.Length > 0 ? [finding.PrimaryUrl] : finding.Detail?.References.Take(1) ?? [];
        return links;
    }

    private static void WriteCvss(Utf8JsonWriter json, Finding finding)
    {
        if (finding.Detail is not { } detail || PreferredCvss(finding) is not { } preferred)
            return;
        json.WriteStartObject("preferred_cvss");
        json.Number("score_v3", preferred.V3Score);
        json.Number("score_v2", preferred.V2Score);
        json.WriteString("vector_v3", preferred.V3Vector);
        json.WriteString("vector_v2", preferred.V2Vector);
        json.WriteEndObject();
    }

    // What exceptions are held against, where the report is all that is kept.
    private static void WriteIdentity(Utf8JsonWriter json, ScanReport report, Finding finding)
    {
        json.WriteStartObject("berth");
        json.WriteString("purl", PackageUrls.Of(finding.Package, report.Distribution));
        json.Text("path", finding.Package.Path);
        json.Texts("aliases", finding.Aliases);
        json.WriteEndObject();
    }

    private static void WriteVendorScores(Utf8JsonWriter json, Finding finding)
    {
        if (finding.Detail is not { Cvss.Count: > 0 } detail)
            return;
        json.WriteStartObject("CVSS");
        foreach (var (vendor, scores) in detail.Cvss.OrderBy(static c => c.Key, StringComparer.Ordinal))
        {
            json.WriteStartObject(vendor);
            json.Text("V2Vector", scores.V2Vector);
            json.Text("V3Vector", scores.V3Vector);
            json.Number("V2Score", scores.V2Score);
            json.Number("V3Score", scores.V3Score);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
