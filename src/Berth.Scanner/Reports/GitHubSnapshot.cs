using System.Text.Json;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;

namespace Berth.Scanner.Reports;

/// <summary>
/// The packages of a report as GitHub's dependency submission API takes them (<c>POST /repos/OWNER/REPO/dependency-graph/snapshots</c>): which commit and job they are of stands in the variables of GitHub's
/// pipelines.
/// </summary>
public static class GitHubSnapshot
{
    public static void Write(Stream output, ScanReport report, IReadOnlyDictionary<string, string> variables)
    {
        string Variable(string name) => variables.GetValueOrDefault(name, "");
        using var json = new Utf8JsonWriter(output, ReportJson.Options);
        json.WriteStartObject();
        json.WriteNumber("version", 0);
        json.WriteStartObject("detector");
        json.WriteString("name", "berth");
        json.WriteString("version", report.ToolVersion);
        // The API wants an address: that of the pipeline's own repository tells where the detector was run.
        json.WriteString("url", $"{(Variable("GITHUB_SERVER_URL") is { Length: > 0 } server ? server : "https://github.com")}/{Variable("GITHUB_REPOSITORY")}");
        json.WriteEndObject();
        json.WriteStartObject("metadata");
        json.Text("berth:repo_tags", string.Join(", ", report.RepoTags));
        json.Text("berth:repo_digests", string.Join(", ", report.RepoDigests));
        json.WriteEndObject();
        json.Text("ref", Variable("GITHUB_REF"));
        json.Text("sha", Variable("GITHUB_SHA"));
        json.WriteStartObject("job");
        json.WriteString("correlator", $"{Variable("GITHUB_WORKFLOW")}_{Variable("GITHUB_JOB")}");
        json.WriteString("id", Variable("GITHUB_RUN_ID"));
        json.WriteEndObject();
        json.WriteString("scanned", ReportJson.Time(report.CreatedAt));
        json.WriteStartObject("manifests");
        foreach (var target in ReportTarget.Of(report).Where(static target => target.Packages.Count > 0).DistinctBy(static target => target.Target)) WriteManifest(json, report, target);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteManifest(Utf8JsonWriter json, ScanReport report, ReportTarget target)
    {
        json.WriteStartObject(target.Target);
        json.WriteString("name", target.Type.Length > 0 ? target.Type : target.Target);
        if (target.Class == "lang-pkgs")
        {
            json.WriteStartObject("file");
            json.WriteString("source_location", report.ArtifactType == "container_image" ? Image(report) : target.Target);
            json.WriteEndObject();
        }
        json.WriteStartObject("resolved");
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var package in target.Packages.OrderBy(static p => p.Name, StringComparer.Ordinal).ThenBy(PackageVersions.Full, StringComparer.Ordinal).ThenBy(static p => p.Path, StringComparer.Ordinal))
        {
            // Names are keys: another version of a package, and the same in another place, is told apart by what tells it apart.
            if (names.Add(package.Name)) WritePackage(json, report, package, package.Name);
            else if (names.Add($"{package.Name}@{PackageVersions.Full(package)}")) WritePackage(json, report, package, $"{package.Name}@{PackageVersions.Full(package)}");
            else if (names.Add($"{package.Name}@{PackageVersions.Full(package)} {package.Path}")) WritePackage(json, report, package, $"{package.Name}@{PackageVersions.Full(package)} {package.Path}");
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WritePackage(Utf8JsonWriter json, ScanReport report, Package package, string key)
    {
        json.WriteStartObject(key);
        json.Text("package_url", PackageUrls.Of(package, report.Distribution));
        json.WriteString("relationship", package.Relationship == PackageRelationship.Indirect ? "indirect" : "direct");
        json.WriteString("scope", package.IsDevelopment ? "development" : "runtime");
        json.Texts("dependencies", package.DependsOn);
        if (package.Path.Length > 0)
        {
            json.WriteStartObject("metadata");
            json.WriteString("source_location", package.Path);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static string Image(ScanReport report) => string.Join(", ", report.RepoTags) is { Length: > 0 } tags
        ? tags + (report.Digest.Length > 0 ? "@" + report.Digest : "") : report.Name;
}
