using System.Reflection;
using Berth.Scanner.Inventory;
using Berth.Scanner.Reports;
using Berth.Scanner.Scan;
using Berth.Server.Scanning.Adapters;

namespace Berth.Server.Scanning;

/// <summary>The scanner that is part of this program.</summary>
internal static class BuiltInScanner
{
    public const string Name = "Berth";
    public const string Vendor = "Berth";

    /// <summary>Id of its registration; always there.</summary>
    public const string Uuid = "00000000-0000-4000-8000-000000000001";

    /// <summary>Harbor's older name of the report, with the same content.</summary>
    public const string OlderMediaType = "application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0";

    /// <summary>Which files of an image count.</summary>
    public const PackageSources Sources = PackageSources.WithoutLocks;

    /// <summary>What reports have: everything, as exceptions are applied when they are shown.</summary>
    public static ScanSettings Settings { get; } = new();

    public static string Version { get; } = (typeof(BuiltInScanner).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];

    /// <summary>What it reads and writes.</summary>
    public static ScannerMetadataJson Metadata { get; } = new()
    {
        Scanner = new ScannerNameJson(Name, Vendor, Version),
        Capabilities =
        [
            new ScannerCapabilityJson(AdapterMedia.Vulnerability, [AdapterMedia.OciManifest, AdapterMedia.DockerManifest], [HarborReport.MediaType, OlderMediaType]),
            new ScannerCapabilityJson(AdapterMedia.Sbom, [AdapterMedia.OciManifest, AdapterMedia.DockerManifest], [AdapterMedia.SbomReport])
            {
                AdditionalAttributes = new Dictionary<string, IReadOnlyList<string>> { ["sbom_media_types"] = [AdapterMedia.Spdx, AdapterMedia.CycloneDx] },
            },
        ],
    };

    /// <summary>The media type of reports that a caller wants (<c>X-Accept-Vulnerabilities</c>), by the first that is known.</summary>
    public static string MediaTypeOf(string accepted)
    {
        foreach (var one in accepted.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            if (one is HarborReport.MediaType or OlderMediaType) return one;
        return HarborReport.MediaType;
    }
}
