using System.Text.Json;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;

namespace Berth.Server.Scanning.Exceptions;

/// <summary>A finding of a report that is kept.</summary>
/// <param name="Finding">As far as exceptions look at it: ids, and the package with its package URL and path.</param>
/// <param name="Severity">Harbor's word.</param>
/// <param name="FixedVersion">Version with the repair; empty when there is none.</param>
internal sealed record ReportedFinding(Finding Finding, string Severity, string FixedVersion)
{
    /// <summary>Name of the package as the report has it.</summary>
    public required string PackageName { get; init; }

    /// <summary>Package URL; empty in reports of scanners that tell none.</summary>
    public required string Purl { get; init; }

    /// <summary>See <see cref="StoredReport.Rank"/>.</summary>
    public int Rank { get; } = StoredReport.Rank(Severity);
}

/// <summary>The findings of reports in Harbor's form; those of other scanners say less of the package, so that only what names the vulnerability holds for them.</summary>
internal static class ReportedFindings
{
    /// <summary>Reads a report.</summary>
    public static List<ReportedFinding> Read(string report)
    {
        using var document = JsonDocument.Parse(report, new JsonDocumentOptions { MaxDepth = 64 });
        var found = new List<ReportedFinding>();
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("vulnerabilities", out var flaws) || flaws.ValueKind != JsonValueKind.Array) return found;
        foreach (var flaw in flaws.EnumerateArray())
            if (flaw.ValueKind == JsonValueKind.Object) found.Add(ReadOne(flaw));
        return found;
    }

    /// <summary>The distribution that the package URLs of system packages name; null when there are none.</summary>
    public static Distribution? DistributionOf(IEnumerable<ReportedFinding> findings)
    {
        foreach (var finding in findings)
        {
            if (finding.Finding.Package.Type is not (PackageType.Dpkg or PackageType.Apk or PackageType.Rpm)) continue;
            if (PackageUrls.Parse(finding.Purl) is not { } url || !url.Qualifiers.TryGetValue("distro", out var distro)) continue;
            if (finding.Finding.Package.Type == PackageType.Apk) return new Distribution(url.Namespace, distro);
            var dash = distro.LastIndexOf('-');
            return dash < 0 ? new Distribution(distro, "") : new Distribution(distro[..dash], distro[(dash + 1)..]);
        }
        return null;
    }

    private static ReportedFinding ReadOne(JsonElement flaw)
    {
        var (name, version, repair) = (TextOf(flaw, "package"), TextOf(flaw, "version"), TextOf(flaw, "fix_version"));
        var own = flaw.TryGetProperty("vendor_attributes", out var attributes) && attributes.ValueKind == JsonValueKind.Object && attributes.TryGetProperty("berth", out var found)
            && found.ValueKind == JsonValueKind.Object ? found : default;
        var purl = own.ValueKind == JsonValueKind.Object ? TextOf(own, "purl") : "";
        var package = PackageUrls.Parse(purl) is { } url ? PackageUrls.ToPackage(url) : new Package(PackageType.Other, name, version);
        return new ReportedFinding(
            new Finding(TextOf(flaw, "id"), own.ValueKind == JsonValueKind.Object ? package with { Path = TextOf(own, "path") } : package)
            {
                InstalledVersion = version,
                Aliases = own.ValueKind == JsonValueKind.Object && own.TryGetProperty("aliases", out var aliases) && aliases.ValueKind == JsonValueKind.Array
                    ? [.. aliases.EnumerateArray().Where(static alias => alias.ValueKind == JsonValueKind.String).Select(static alias => alias.GetString()!)]
                    : [],
            }, TextOf(flaw, "severity"), repair)
        {
            PackageName = name,
            Purl = purl,
        };
    }

    private static string TextOf(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
