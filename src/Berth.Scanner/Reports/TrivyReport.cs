using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Berth.Scanner.Advisories;
using Berth.Scanner.Exceptions;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;

namespace Berth.Scanner.Reports;

/// <summary>The JSON report of Trivy (schema 2), field by field where this program knows the fact.</summary>
public static class TrivyReport
{
    private const int SchemaVersion = 2;

    /// <summary>Writes the report; <paramref name="listPackages"/> adds all packages, <paramref name="showSuppressed"/> the findings that exceptions take out.</summary>
    public static void Write(Stream output, ScanReport report, bool listPackages = false, bool showSuppressed = false)
    {
        using var json = new Utf8JsonWriter(output, ReportJson.Options);
        json.WriteStartObject();
        json.WriteNumber("SchemaVersion", SchemaVersion);
        json.WriteString("CreatedAt", report.CreatedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'"));
        json.Text("ArtifactName", report.Name);
        json.Text("ArtifactType", report.ArtifactType);
        WriteMetadata(json, report);
        json.WriteStartArray("Results");
        foreach (var target in ReportTarget.Of(report))
            WriteTarget(json, report, target, listPackages, showSuppressed);
        TrivyChecks.Write(json, report);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteMetadata(Utf8JsonWriter json, ScanReport report)
    {
        json.WriteStartObject("Metadata");
        if (report.Layers.Sum(static l => l.SizeBytes) is > 0 and var size)
            json.WriteNumber("Size", size);
        if (report.Distribution is { } distribution)
        {
            json.WriteStartObject("OS");
            json.Text("Family", distribution.Family);
            json.Text("Name", distribution.Version);
            if (DistributionSupport.EndOf(distribution) <= report.CreatedAt) json.WriteBoolean("EOSL", true);
            json.WriteEndObject();
        }
        json.Text("ImageID", report.ImageId);
        json.Texts("DiffIDs", report.Layers.Select(static l => l.DiffId));
        json.Texts("RepoTags", report.RepoTags);
        json.Texts("RepoDigests", report.RepoDigests);
        if (!report.ImageConfig.IsEmpty)
        {
            json.WritePropertyName("ImageConfig");
            json.WriteRawValue(report.ImageConfig.Span);
        }
        if (report.Layers.Count > 0)
        {
            json.WriteStartArray("Layers");
            foreach (var layer in report.Layers)
            {
                json.WriteStartObject();
                json.Number("Size", layer.SizeBytes);
                json.Text("Digest", layer.Digest);
                json.Text("DiffID", layer.DiffId);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void WriteTarget(Utf8JsonWriter json, ScanReport report, ReportTarget target, bool listPackages, bool showSuppressed)
    {
        if (target.Class != "os-pkgs" && target.Findings.Count == 0 && !listPackages && !(showSuppressed && target.Suppressed.Count > 0))
            return;
        json.WriteStartObject();
        json.WriteString("Target", target.Target);
        json.WriteString("Class", target.Class);
        json.Text("Type", target.Type);
        if (listPackages && target.Packages.Count > 0)
        {
            json.WriteStartArray("Packages");
            foreach (var package in target.Packages.OrderBy(static p => p.Name, StringComparer.Ordinal).ThenBy(static p => p.Version, StringComparer.Ordinal).ThenBy(static p => p.Path, StringComparer.Ordinal))
                WritePackage(json, report, target, package);
            json.WriteEndArray();
        }
        if (target.Findings.Count > 0)
        {
            json.WriteStartArray("Vulnerabilities");
            foreach (var finding in target.Findings)
                WriteFinding(json, report, target, finding);
            json.WriteEndArray();
        }
        if (showSuppressed && target.Suppressed.Count > 0)
            WriteSuppressed(json, report, target);
        json.WriteEndObject();
    }

    private static void WriteSuppressed(Utf8JsonWriter json, ScanReport report, ReportTarget target)
    {
        json.WriteStartArray("ExperimentalModifiedFindings");
        foreach (var suppressed in target.Suppressed)
        {
            json.WriteStartObject();
            json.WriteString("Type", "vulnerability");
            json.WriteString("Status", suppressed.Suppression.Status.Word());
            json.WriteString("Statement", suppressed.Suppression.Reason);
            json.WriteString("Source", suppressed.Suppression.Source);
            json.WritePropertyName("Finding");
            WriteFinding(json, report, target, suppressed.Finding);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WritePackage(Utf8JsonWriter json, ScanReport report, ReportTarget target, Package package)
    {
        json.WriteStartObject();
        json.WriteString("ID", PackageId(package));
        json.WriteString("Name", package.Name);
        WriteIdentifier(json, report, package);
        json.Text("Version", package.Version);
        json.Text("Release", package.Release);
        json.Number("Epoch", package.Epoch);
        json.Text("Arch", package.Architecture);
        if (target.Class == "os-pkgs")
        {
            json.Text("SrcName", package.SourceName);
            json.Text("SrcVersion", package.SourceVersion.Length > 0 ? package.SourceVersion : package.Version);
        }
        json.Texts("Licenses", package.Licenses);
        json.Text("Modularitylabel", package.Modularity);
        if (package.IsDevelopment)
            json.WriteBoolean("Dev", true);
        if (package.Relationship != PackageRelationship.Unknown)
            json.WriteString("Relationship", package.Relationship.ToString().ToLowerInvariant());
        json.Texts("DependsOn", package.DependsOn);
        WriteLayer(json, report, package);
        if (target.IsAggregated)
            json.Text("FilePath", package.Path);
        json.WriteEndObject();
    }

    private static void WriteFinding(Utf8JsonWriter json, ScanReport report, ReportTarget target, Finding finding)
    {
        json.WriteStartObject();
        json.WriteString("VulnerabilityID", finding.Id);
        json.Texts("VendorIDs", finding.VendorIds.Count > 0 ? finding.VendorIds : finding.Aliases);
        json.WriteString("PkgID", PackageId(finding.Package));
        json.WriteString("PkgName", finding.Package.Name);
        if (target.IsAggregated)
            json.Text("PkgPath", finding.Package.Path);
        WriteIdentifier(json, report, finding.Package);
        json.Text("InstalledVersion", finding.InstalledVersion);
        json.Text("FixedVersion", finding.FixedVersion);
        json.WriteString("Status", finding.Status.Word());
        WriteLayer(json, report, finding.Package);
        json.Text("SeveritySource", finding.SeveritySource);
        json.Text("PrimaryURL", finding.PrimaryUrl);
        if (finding.Source.SourceName.Length > 0)
        {
            json.WriteStartObject("DataSource");
            json.Text("ID", finding.Source.SourceId);
            json.Text("BaseID", finding.Source.BaseId);
            json.Text("Name", finding.Source.SourceName);
            json.Text("URL", finding.Source.SourceUrl);
            json.WriteEndObject();
        }
        if (finding.Detail is { } detail)
        {
            json.Text("Title", detail.Title);
            json.Text("Description", detail.Description);
        }
        json.WriteString("Severity", finding.Severity.Word());
        WriteDetail(json, finding);
        json.WriteEndObject();
    }

    private static void WriteDetail(Utf8JsonWriter json, Finding finding)
    {
        if (finding.Detail is not { } detail)
            return;
        json.Texts("CweIDs", detail.Cwes);
        var severities = new SortedDictionary<string, Severity>(StringComparer.Ordinal);
        foreach (var (vendor, severity) in detail.VendorSeverities)
            severities[vendor] = severity;
        // The severity for this very package stands among those of the vendors.
        if (finding.SeveritySource.Length > 0)
            severities[finding.SeveritySource] = finding.Severity;
        if (severities.Count > 0)
        {
            json.WriteStartObject("VendorSeverity");
            foreach (var (vendor, severity) in severities)
                json.WriteNumber(vendor, (int)severity);
            json.WriteEndObject();
        }
        if (detail.Cvss.Count > 0)
        {
            json.WriteStartObject("CVSS");
            foreach (var (vendor, scores) in detail.Cvss.OrderBy(static c => c.Key, StringComparer.Ordinal))
            {
                json.WriteStartObject(vendor);
                json.Text("V2Vector", scores.V2Vector);
                json.Text("V3Vector", scores.V3Vector);
                json.Text("V40Vector", scores.V4Vector);
                json.Number("V2Score", scores.V2Score);
                json.Number("V3Score", scores.V3Score);
                json.Number("V40Score", scores.V4Score);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        json.Texts("References", detail.References);
        json.Time("PublishedDate", detail.Published);
        json.Time("LastModifiedDate", detail.Modified);
    }

    private static void WriteIdentifier(Utf8JsonWriter json, ScanReport report, Package package)
    {
        var purl = PackageUrls.Of(package, report.Distribution);
        json.WriteStartObject("PkgIdentifier");
        json.WriteString("PURL", purl);
        json.WriteString("UID", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{purl}\n{package.Path}"))[..8]));
        json.WriteEndObject();
    }

    private static void WriteLayer(Utf8JsonWriter json, ScanReport report, Package package)
    {
        if (package.Layer.Length == 0)
            return;
        json.WriteStartObject("Layer");
        json.Text("Digest", report.Layers.FirstOrDefault(l => l.DiffId == package.Layer)?.Digest ?? "");
        json.WriteString("DiffID", package.Layer);
        json.WriteEndObject();
    }

    private static string PackageId(Package package) => package.Architecture.Length > 0 && package.Type == PackageType.Rpm
        ? $"{package.Name}@{PackageVersions.Full(package)}.{package.Architecture}"
        : $"{package.Name}@{PackageVersions.Full(package)}";
}
