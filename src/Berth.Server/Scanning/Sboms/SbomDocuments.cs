using Berth.Scanner.Reports;
using Berth.Scanner.Sbom;

namespace Berth.Server.Scanning.Sboms;

/// <summary>Writes bills of materials: the same report gives the same bytes.</summary>
internal static class SbomDocuments
{
    /// <summary>Artifact type of the manifests with documents that this server makes; Harbor's.</summary>
    public const string ArtifactType = "application/vnd.goharbor.harbor.sbom.v1";

    /// <summary>The words of formats in addresses; null for others.</summary>
    public static SbomFormat? FormatOf(string word) => word switch
    {
        "" or "spdx" or "spdx-json" => SbomFormat.Spdx,
        "cyclonedx" or "cyclonedx-json" => SbomFormat.CycloneDx,
        _ => null,
    };

    /// <summary>Media type of documents.</summary>
    public static string MediaTypeOf(SbomFormat format) => format == SbomFormat.Spdx ? SpdxWriter.MediaType : CycloneDxWriter.MediaType;

    /// <summary>Usual name of a file with such a document.</summary>
    public static string FileNameOf(SbomFormat format) => format == SbomFormat.Spdx ? "sbom.spdx.json" : "sbom.cdx.json";

    /// <summary>The document.</summary>
    public static byte[] Write(ScanReport report, SbomFormat format)
    {
        using var buffer = new MemoryStream();
        if (format == SbomFormat.Spdx) SpdxWriter.Write(buffer, report);
        else CycloneDxWriter.Write(buffer, report, withFindings: false);
        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }
}
