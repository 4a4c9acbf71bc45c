using System.Text.Json;
using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;
using Berth.Scanner.Reports;

namespace Berth.Scanner.Sbom;

/// <summary>
/// Writes CycloneDX 1.6 JSON: the image, its distribution, every package with its place; with findings also the vulnerabilities. The same report gives the same bytes.
/// </summary>
public static class CycloneDxWriter
{
    /// <summary>Media type of the document.</summary>
    public const string MediaType = "application/vnd.cyclonedx+json";

    // The schema's limit.
    private const int MaxVersion = 1024;

    public static void Write(Stream output, ScanReport report, bool withFindings = false)
    {
        using var json = new Utf8JsonWriter(output, ReportJson.Options);
        var packages = SbomIdentity.Ordered(report).ToList();
        var references = packages.Select(p => (Package: p, Reference: Reference(report, p))).ToList();
        json.WriteStartObject();
        json.WriteString("$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json");
        json.WriteString("bomFormat", "CycloneDX");
        json.WriteString("specVersion", "1.6");
        json.WriteString("serialNumber", "urn:uuid:" + SbomIdentity.Uuid(report));
        json.WriteNumber("version", 1);
        WriteMetadata(json, report);
        json.WriteStartArray("components");
        if (report.Distribution is { } distribution)
            WriteDistribution(json, distribution);
        foreach (var (package, reference) in references)
            WriteComponent(json, report, package, reference);
        json.WriteEndArray();
        WriteDependencies(json, report, references);
        if (withFindings)
            WriteVulnerabilities(json, report);
        json.WriteEndObject();
    }

    /// <summary>The reference of a package: its URL when that is the only one of its kind here, else with its place.</summary>
    private static string Reference(ScanReport report, Package package) => $"{PackageUrls.Of(package, report.Distribution)}#{SbomIdentity.OfPackage(report, package)}";

    private static string RootReference(ScanReport report) => SbomIdentity.ImageUrl(report) is { Length: > 0 } url ? url : "artifact";

    private static string DistributionReference(Distribution distribution) => $"os-{distribution.Family}-{distribution.Version}";

    private static void WriteMetadata(Utf8JsonWriter json, ScanReport report)
    {
        json.WriteStartObject("metadata");
        json.WriteString("timestamp", ReportJson.Time(report.CreatedAt));
        json.WriteStartObject("tools");
        json.WriteStartArray("components");
        json.WriteStartObject();
        json.WriteString("type", "application");
        json.WriteString("name", "berth");
        json.WriteString("version", report.ToolVersion);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartObject("component");
        json.WriteString("bom-ref", RootReference(report));
        json.WriteString("type", report.ArtifactType == "container_image" ? "container" : "application");
        json.WriteString("name", report.Name);
        json.Text("version", report.Digest);
        json.Text("purl", SbomIdentity.ImageUrl(report));
        WriteProperties(json, ImageProperties(report));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static IEnumerable<(string, string)> ImageProperties(ScanReport report) =>
    [
        ("aquasecurity:trivy:SchemaVersion", "2"), ("aquasecurity:trivy:ImageID", report.ImageId),
        .. report.Layers.Select(static l => ("aquasecurity:trivy:DiffID", l.DiffId)), .. report.RepoTags.Select(static t => ("aquasecurity:trivy:RepoTag", t)),
        .. report.RepoDigests.Select(static d => ("aquasecurity:trivy:RepoDigest", d)),
    ];

    private static void WriteDistribution(Utf8JsonWriter json, Distribution distribution)
    {
        json.WriteStartObject();
        json.WriteString("bom-ref", DistributionReference(distribution));
        json.WriteString("type", "operating-system");
        json.WriteString("name", distribution.Family);
        json.Text("version", distribution.Version);
        WriteProperties(json, [("aquasecurity:trivy:Class", "os-pkgs"), ("aquasecurity:trivy:Type", distribution.Family)]);
        json.WriteEndObject();
    }

    private static void WriteComponent(Utf8JsonWriter json, ScanReport report, Package package, string reference)
    {
        var group = package.Type == PackageType.Maven && package.Name.IndexOf(':') is var colon && colon > 0 ? package.Name[..colon]
            : package.Type is PackageType.Npm or PackageType.Composer && package.Name.LastIndexOf('/') is var slash && slash > 0 ? package.Name[..slash] : "";
        json.WriteStartObject();
        json.WriteString("bom-ref", reference);
        json.WriteString("type", "library");
        json.Text("group", group);
        json.WriteString("name", group.Length > 0 ? package.Name[(group.Length + 1)..] : package.Name);
        json.Text("version", PackageVersions.Full(package) is { Length: > MaxVersion } version ? version[..MaxVersion] : PackageVersions.Full(package));
        if (package.IsDevelopment)
            json.WriteString("scope", "excluded");
        if (package.Licenses.Where(static l => !string.IsNullOrWhiteSpace(l)).ToList() is { Count: > 0 } licences)
            WriteLicences(json, licences);
        json.WriteString("purl", PackageUrls.Of(package, report.Distribution));
        WriteProperties(json, Properties(report, package));
        json.WriteEndObject();
    }

    private static IEnumerable<(string, string)> Properties(ScanReport report, Package package)
    {
        var isOfDistribution = package.Type is PackageType.Dpkg or PackageType.Apk or PackageType.Rpm;
        return
        [
            ("aquasecurity:trivy:FilePath", package.Path), ("aquasecurity:trivy:LayerDiffID", package.Layer),
            ("aquasecurity:trivy:LayerDigest", report.Layers.FirstOrDefault(l => l.DiffId == package.Layer)?.Digest ?? ""),
            ("aquasecurity:trivy:Modularitylabel", package.Modularity), ("aquasecurity:trivy:PkgID", $"{package.Name}@{PackageVersions.Full(package)}"),
            ("aquasecurity:trivy:SrcName", isOfDistribution ? package.SourceName : ""),
            ("aquasecurity:trivy:SrcVersion", isOfDistribution ? PackageVersions.Source(package) : ""),
        ];
    }

    private static void WriteLicences(Utf8JsonWriter json, IReadOnlyList<string> licences)
    {
        json.WriteStartArray("licenses");
        // An expression stands alone or not at all.
        if (licences.Count == 1 && SpdxLicense.Expression(licences[0]) is { } expression && expression.Contains(' '))
        {
            json.WriteStartObject();
            json.WriteString("expression", expression);
            json.WriteEndObject();
            json.WriteEndArray();
            return;
        }
        foreach (var licence in licences.Distinct(StringComparer.Ordinal))
        {
            json.WriteStartObject();
            json.WriteStartObject("license");
            // Identifiers with an exception are expressions, which the schema wants as names here.
            if (SpdxLicense.Identifier(licence) is { } id && !id.Contains(' '))
                json.WriteString("id", id);
            else
                json.WriteString("name", SpdxLicense.Name(licence));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteProperties(Utf8JsonWriter json, IEnumerable<(string Name, string Value)> properties)
    {
        var present = properties.Where(static p => p.Value.Length > 0).OrderBy(static p => p.Name, StringComparer.Ordinal).ToList();
        if (present.Count == 0)
            return;
        json.WriteStartArray("properties");
        foreach (var (name, value) in present)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("value", value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteDependencies(Utf8JsonWriter json, ScanReport report, List<(Package Package, string Reference)> packages)
    {
        json.WriteStartArray("dependencies");
        var ofDistribution = packages.Where(static p => p.Package.Type is PackageType.Dpkg or PackageType.Apk or PackageType.Rpm).Select(static p => p.Reference).ToList();
        var others = packages.Select(static p => p.Reference).Except(ofDistribution, StringComparer.Ordinal);
        if (report.Distribution is { } distribution)
        {
            WriteDependency(json, RootReference(report), others.Prepend(DistributionReference(distribution)));
            WriteDependency(json, DistributionReference(distribution), ofDistribution);
        }
        else
        {
            WriteDependency(json, RootReference(report), others.Concat(ofDistribution));
        }
        var byId = packages.ToLookup(static p => (p.Package.Path, $"{p.Package.Name}@{p.Package.Version}"), static p => p.Reference);
        foreach (var (package, reference) in packages)
            WriteDependency(json, reference, package.DependsOn.SelectMany(d => byId[(package.Path, d)]).Where(r => r != reference));
        json.WriteEndArray();
    }

    private static void WriteDependency(Utf8JsonWriter json, string reference, IEnumerable<string> needed)
    {
        json.WriteStartObject();
        json.WriteString("ref", reference);
        json.Texts("dependsOn", needed.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        json.WriteEndObject();
    }

    private static void WriteVulnerabilities(Utf8JsonWriter json, ScanReport report)
    {
        json.WriteStartArray("vulnerabilities");
        foreach (var group in report.Findings.GroupBy(static f => f.Id, StringComparer.Ordinal).OrderBy(static g => g.Key, StringComparer.Ordinal))
            WriteVulnerability(json, report, [.. group]);
        json.WriteEndArray();
    }

    private static void WriteVulnerability(Utf8JsonWriter json, ScanReport report, List<Finding> findings)
    {
        var first = findings[0];
        json.WriteStartObject();
        json.WriteString("id", first.Id);
        json.WriteStartObject("source");
        json.WriteString("name", first.Source.SourceId.Length > 0 ? first.Source.SourceId : first.Source.Name);
        if (Uri.IsWellFormedUriString(first.Source.SourceUrl, UriKind.Absolute))
            json.WriteString("url", first.Source.SourceUrl);
        json.WriteEndObject();
        json.WriteStartArray("ratings");
        json.WriteStartObject();
        json.WriteString("severity", first.Severity == Severity.Unknown ? "unknown" : first.Severity.Word().ToLowerInvariant());
        json.WriteEndObject();
        foreach (var (vendor, scores) in (first.Detail?.Cvss ?? new Dictionary<string, CvssScores>()).OrderBy(static c => c.Key, StringComparer.Ordinal))
            WriteRating(json, vendor, scores);
        json.WriteEndArray();
        var cwes = (first.Detail?.Cwes ?? []).Where(static c => c.StartsWith("CWE-", StringComparison.Ordinal) && int.TryParse(c[4..], out _)).Select(static c => int.Parse(c[4..])).Where(static c => c > 0).Distinct().ToList();
        if (cwes.Count > 0)
        {
            json.WriteStartArray("cwes");
            cwes.ForEach(json.WriteNumberValue);
            json.WriteEndArray();
        }
        json.Text("description", first.Detail?.Description ?? "");
        if (findings.Any(static f => f.FixedVersion.Length > 0))
            json.WriteString("recommendation", string.Join("; ", findings.Where(static f => f.FixedVersion.Length > 0).Select(static f => $"Upgrade {f.Package.Name} to version {f.FixedVersion}").Distinct(StringComparer.Ordinal)));
        json.Time("published", first.Detail?.Published);
        json.Time("updated", first.Detail?.Modified);
        json.WriteStartArray("affects");
        foreach (var finding in findings.DistinctBy(f => Reference(report, f.Package)))
        {
            json.WriteStartObject();
            json.WriteString("ref", Reference(report, finding.Package));
            json.WriteStartArray("versions");
            json.WriteStartObject();
            json.WriteString("version", finding.InstalledVersion);
            json.WriteString("status", "affected");
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteRating(Utf8JsonWriter json, string vendor, CvssScores scores)
    {
        foreach (var (vector, score, method) in ((string, double, string)[])[(scores.V2Vector, scores.V2Score, "CVSSv2"), (scores.V3Vector, scores.V3Score, scores.V3Vector.StartsWith("CVSS:3.1", StringComparison.Ordinal) ? "CVSSv31" : "CVSSv3"), (scores.V4Vector, scores.V4Score, "CVSSv4")])
        {
            if (vector.Length == 0 && score == 0)
                continue;
            json.WriteStartObject();
            json.WriteStartObject("source");
            json.WriteString("name", vendor);
            json.WriteEndObject();
            json.Number("score", score);
            json.WriteString("method", method);
            json.Text("vector", vector);
            json.WriteEndObject();
        }
    }
}
