using System.Text.Json;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;
using Berth.Scanner.Reports;

namespace Berth.Scanner.Sbom;

/// <summary>Writes SPDX 2.3 JSON: the image, its distribution and every package, with who contains whom. The same report gives the same bytes.</summary>
public static class SpdxWriter
{
    /// <summary>Media type of the document.</summary>
    public const string MediaType = "application/spdx+json";

    private const string NoAssertion = "NOASSERTION";
    private const string RootId = "SPDXRef-Artifact";
    private const string DistributionId = "SPDXRef-OperatingSystem";

    public static void Write(Stream output, ScanReport report)
    {
        var packages = SbomIdentity.Ordered(report).Select(p => (Package: p, Id: "SPDXRef-Package-" + SbomIdentity.OfPackage(report, p))).ToList();
        using var json = new Utf8JsonWriter(output, ReportJson.Options);
        json.WriteStartObject();
        json.WriteString("spdxVersion", "SPDX-2.3");
        json.WriteString("dataLicense", "CC0-1.0");
        json.WriteString("SPDXID", "SPDXRef-DOCUMENT");
        json.WriteString("name", report.Name);
        json.WriteString("documentNamespace", "https://spdx.org/spdxdocs/berth-" + SbomIdentity.Uuid(report));
        json.WriteStartObject("creationInfo");
        json.WriteString("created", ReportJson.Time(report.CreatedAt));
        json.Texts("creators", ["Tool: berth-" + report.ToolVersion]);
        json.WriteEndObject();
        json.WriteStartArray("packages");
        WriteRoot(json, report);
        if (report.Distribution is { } distribution)
            WriteDistribution(json, distribution);
        foreach (var (package, id) in packages)
            WritePackage(json, report, package, id);
        json.WriteEndArray();
        WriteExtractedLicences(json, packages.Select(static p => p.Package));
        WriteRelationships(json, report, packages);
        json.WriteEndObject();
    }

    private static void WriteRoot(Utf8JsonWriter json, ScanReport report)
    {
        json.WriteStartObject();
        WriteHead(json, RootId, report.Name, report.Digest, report.ArtifactType == "container_image" ? "CONTAINER" : "SOURCE");
        if (SbomIdentity.ImageUrl(report) is { Length: > 0 } url)
            WriteUrl(json, url);
        var facts = report.Layers.Select(static l => $"DiffID: {l.DiffId}").Concat(report.RepoTags.Select(static t => $"RepoTag: {t}")).Concat(report.RepoDigests.Select(static d => $"RepoDigest: {d}"))
            .Concat(report.ImageId.Length > 0 ? [$"ImageID: {report.ImageId}"] : []);
        WriteAnnotations(json, report, facts);
        json.WriteEndObject();
    }

    private static void WriteDistribution(Utf8JsonWriter json, Distribution distribution)
    {
        json.WriteStartObject();
        WriteHead(json, DistributionId, distribution.Family, distribution.Version, "OPERATING_SYSTEM");
        json.WriteEndObject();
    }

    private static void WritePackage(Utf8JsonWriter json, ScanReport report, Package package, string id)
    {
        json.WriteStartObject();
        WriteHead(json, id, package.Name, PackageVersions.Full(package), "LIBRARY", Licences(package));
        if (package.Type is PackageType.Dpkg or PackageType.Apk or PackageType.Rpm && package.SourceName.Length > 0)
            json.WriteString("sourceInfo", $"built package from: {package.SourceName} {PackageVersions.Source(package)}");
        WriteUrl(json, PackageUrls.Of(package, report.Distribution));
        IEnumerable<string> facts = [package.Path.Length > 0 ? $"FilePath: {package.Path}" : "", package.Layer.Length > 0 ? $"LayerDiffID: {package.Layer}" : ""];
        WriteAnnotations(json, report, facts.Where(static f => f.Length > 0));
        json.WriteEndObject();
    }

    private static void WriteHead(Utf8JsonWriter json, string id, string name, string version, string purpose, string licence = NoAssertion)
    {
        json.WriteString("SPDXID", id);
        json.WriteString("name", name);
        json.Text("versionInfo", version);
        json.WriteString("supplier", NoAssertion);
        json.WriteString("downloadLocation", "NONE");
        json.WriteBoolean("filesAnalyzed", false);
        json.WriteString("licenseConcluded", licence);
        json.WriteString("licenseDeclared", licence);
        json.WriteString("copyrightText", NoAssertion);
        json.WriteString("primaryPackagePurpose", purpose);
    }

    /// <summary>All licences joined by AND, which claims the least.</summary>
    private static string Licences(Package package)
    {
        var all = package.Licenses.Where(static l => !string.IsNullOrWhiteSpace(l)).Select(static l => SpdxLicense.Expression(l) ?? SpdxLicense.Reference(l)).Distinct(StringComparer.Ordinal).ToList();
        return all.Count == 0 ? NoAssertion : all.Count == 1 ? all[0] : string.Join(" AND ", all.Select(static l => l.Contains(' ') ? $"({l})" : l));
    }

    private static void WriteUrl(Utf8JsonWriter json, string url)
    {
        json.WriteStartArray("externalRefs");
        json.WriteStartObject();
        json.WriteString("referenceCategory", "PACKAGE-MANAGER");
        json.WriteString("referenceType", "purl");
        json.WriteString("referenceLocator", url);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteAnnotations(Utf8JsonWriter json, ScanReport report, IEnumerable<string> facts)
    {
        var list = facts.ToList();
        if (list.Count == 0)
            return;
        json.WriteStartArray("annotations");
        foreach (var fact in list)
        {
            json.WriteStartObject();
            json.WriteString("annotator", "Tool: berth-" + report.ToolVersion);
            json.WriteString("annotationDate", ReportJson.Time(report.CreatedAt));
            json.WriteString("annotationType", "OTHER");
            json.WriteString("comment", fact);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteExtractedLicences(Utf8JsonWriter json, IEnumerable<Package> packages)
    {
        var unknown = packages.SelectMany(static p => p.Licenses).Where(static l => !string.IsNullOrWhiteSpace(l) && SpdxLicense.Expression(l) is null)
            .GroupBy(SpdxLicense.Reference, StringComparer.Ordinal).OrderBy(static g => g.Key, StringComparer.Ordinal).ToList();
        if (unknown.Count == 0)
            return;
        json.WriteStartArray("hasExtractedLicensingInfos");
        foreach (var group in unknown)
        {
            json.WriteStartObject();
            json.WriteString("licenseId", group.Key);
            json.WriteString("name", SpdxLicense.Name(group.First()));
            json.WriteString("extractedText", $"This component declares the licence \"{SpdxLicense.Name(group.First())}\".");
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteRelationships(Utf8JsonWriter json, ScanReport report, List<(Package Package, string Id)> packages)
    {
        json.WriteStartArray("relationships");
        WriteRelationship(json, "SPDXRef-DOCUMENT", "DESCRIBES", RootId);
        if (report.Distribution is not null)
            WriteRelationship(json, RootId, "CONTAINS", DistributionId);
        foreach (var (package, id) in packages)
        {
            var isOfDistribution = package.Type is PackageType.Dpkg or PackageType.Apk or PackageType.Rpm;
            WriteRelationship(json, isOfDistribution && report.Distribution is not null ? DistributionId : RootId, "CONTAINS", id);
        }
        var byId = packages.ToLookup(static p => (p.Package.Path, $"{p.Package.Name}@{p.Package.Version}"), static p => p.Id);
        foreach (var (package, id) in packages)
        {
            foreach (var needed in package.DependsOn.SelectMany(d => byId[(package.Path, d)]).Where(n => n != id).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
                WriteRelationship(json, id, "DEPENDS_ON", needed);
        }
        json.WriteEndArray();
    }

    private static void WriteRelationship(Utf8JsonWriter json, string from, string kind, string to)
    {
        json.WriteStartObject();
        json.WriteString("spdxElementId", from);
        json.WriteString("relationshipType", kind);
        json.WriteString("relatedSpdxElement", to);
        json.WriteEndObject();
    }
}
