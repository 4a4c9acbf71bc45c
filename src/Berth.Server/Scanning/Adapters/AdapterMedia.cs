using System.Text.Encodings.Web;
using System.Text.Json;

namespace Berth.Server.Scanning.Adapters;

/// <summary>Media types and words of Harbor's pluggable scanner API 1.2.</summary>
internal static class AdapterMedia
{
    /// <summary>How documents are written: the plus of a media type stands as it is, as others write it.</summary>
    public static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public const string Metadata = "application/vnd.scanner.adapter.metadata+json; version=1.1";
    public const string MetadataOlder = "application/vnd.scanner.adapter.metadata+json; version=1.0";
    public const string Request = "application/vnd.scanner.adapter.scan.request+json; version=1.1";
    public const string RequestOlder = "application/vnd.scanner.adapter.scan.request+json; version=1.0";
    public const string Response = "application/vnd.scanner.adapter.scan.response+json; version=1.0";
    public const string Error = "application/vnd.scanner.adapter.error+json; version=1.0";
    public const string SbomReport = "application/vnd.security.sbom.report+json; version=1.0";
    public const string RawReport = "application/vnd.scanner.adapter.vuln.report.raw";

    public const string Spdx = "application/spdx+json";
    public const string CycloneDx = "application/vnd.cyclonedx+json";

    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>Type of the capability to find vulnerabilities.</summary>
    public const string Vulnerability = "vulnerability";

    /// <summary>Type of the capability to list what is in an image.</summary>
    public const string Sbom = "sbom";

    /// <summary>Whether two media types are the same, however blanks, quotes and case are.</summary>
    public static bool IsSame(string one, string other) => string.Equals(Plain(one), Plain(other), StringComparison.Ordinal);

    private static string Plain(string type) => type.Replace(" ", "", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal).ToLowerInvariant();
}
