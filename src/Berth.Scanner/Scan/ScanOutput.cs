using System.Text;
using Berth.Scanner.Reports;
using Berth.Scanner.Sbom;

namespace Berth.Scanner.Scan;

/// <summary>Form of a report.</summary>
public enum ScanFormat
{
    /// <summary>Tables for people.</summary>
    Table,

    /// <summary>Trivy's JSON.</summary>
    Json,

    /// <summary>SARIF 2.1.0.</summary>
    Sarif,

    /// <summary>CycloneDX 1.6.</summary>
    CycloneDx,

    /// <summary>SPDX 2.3.</summary>
    SpdxJson,

    /// <summary>The report of Harbor's pluggable scanners.</summary>
    Harbor,

    /// <summary>SPDX 2.3 as lines of tag and value.</summary>
    Spdx,

    /// <summary>The predicate of cosign's attestations of scans.</summary>
    CosignVulnerabilities,

    /// <summary>The snapshot that GitHub's dependency graph takes.</summary>
    GitHub,
}

/// <summary>Writes a report in any form.</summary>
public static class ScanOutput
{
    /// <summary>The words of the forms.</summary>
    public static IReadOnlyDictionary<string, ScanFormat> Words { get; } = new Dictionary<string, ScanFormat>(StringComparer.Ordinal)
    {
        ["table"] = ScanFormat.Table,
        ["json"] = ScanFormat.Json,
        ["sarif"] = ScanFormat.Sarif,
        ["cyclonedx"] = ScanFormat.CycloneDx,
        ["spdx-json"] = ScanFormat.SpdxJson,
        ["harbor"] = ScanFormat.Harbor,
        ["spdx"] = ScanFormat.Spdx,
        ["cosign-vuln"] = ScanFormat.CosignVulnerabilities,
        ["github"] = ScanFormat.GitHub,
    };

    /// <summary>Writes the report.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="report">The report.</param>
    /// <param name="format">In which form.</param>
    /// <param name="listPackages">All packages, in Trivy's JSON.</param>
    /// <param name="showSuppressed">Findings that exceptions take out, in tables and Trivy's JSON.</param>
    /// <param name="withFindings">Vulnerabilities in a CycloneDX document.</param>
    /// <param name="variables">Variables of the process, in which GitHub's pipelines say what they are; null for none.</param>
    public static void Write(Stream output, ScanReport report, ScanFormat format, bool listPackages = false, bool showSuppressed = false, bool withFindings = true, IReadOnlyDictionary<string, string>? variables = null)
    {
        switch (format)
        {
            case ScanFormat.Json:
                TrivyReport.Write(output, report, listPackages, showSuppressed);
                break;
            case ScanFormat.Sarif:
                SarifReport.Write(output, report);
                break;
            case ScanFormat.CycloneDx:
                CycloneDxWriter.Write(output, report, withFindings);
                break;
            case ScanFormat.SpdxJson:
                SpdxWriter.Write(output, report);
                break;
            case ScanFormat.Harbor:
                HarborReport.Write(output, report);
                break;
            case ScanFormat.Spdx:
                SpdxTagValueWriter.Write(output, report);
                break;
            case ScanFormat.CosignVulnerabilities:
                VulnerabilityPredicate.Write(output, report, listPackages, showSuppressed);
                break;
            case ScanFormat.GitHub:
                GitHubSnapshot.Write(output, report, variables ?? new Dictionary<string, string>());
                break;
            default:
                output.Write(Encoding.UTF8.GetBytes(TableReport.Write(report, showSuppressed)));
                break;
        }
        if (format is not (ScanFormat.Table or ScanFormat.Spdx)) output.WriteByte((byte)'\n');
    }
}
