using System.Security.Cryptography;
using System.Text;
using Berth.Scanner.Inventory;
using Berth.Scanner.Reports;

namespace Berth.Scanner.Sbom;

/// <summary>Names inside bills of materials that are the same for the same content, so that a document can be made again byte for byte.</summary>
internal static class SbomIdentity
{
    /// <summary>A UUID (version 8, RFC 9562) of the artifact, its packages and the time.</summary>
    public static string Uuid(ScanReport report)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        Add(report.Name);
        Add(report.Digest);
        Add(ReportJson.Time(report.CreatedAt));
        foreach (var package in Ordered(report))
            Add($"{PackageUrls.Of(package, report.Distribution)} {package.Path} {package.Layer}");
        var bytes = hash.GetHashAndReset().AsSpan(0, 16);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        var hex = Convert.ToHexStringLower(bytes);
        return $"{hex[..8]}-{hex[8..12]}-{hex[12..16]}-{hex[16..20]}-{hex[20..]}";
    }

    /// <summary>Sixteen hex digits of a package in a place.</summary>
    public static string OfPackage(ScanReport report, Package package) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{PackageUrls.Of(package, report.Distribution)}\n{package.Path}\n{package.Layer}"))[..8]);

    /// <summary>Packages without exact duplicates, by type, name, version, path.</summary>
    public static IEnumerable<Package> Ordered(ScanReport report) => report.Packages
        .DistinctBy(p => OfPackage(report, p))
        .OrderBy(static p => p.Type).ThenBy(static p => p.Name, StringComparer.Ordinal).ThenBy(static p => p.Version, StringComparer.Ordinal)
        .ThenBy(static p => p.Release, StringComparer.Ordinal).ThenBy(static p => p.Path, StringComparer.Ordinal).ThenBy(static p => p.Layer, StringComparer.Ordinal);

    /// <summary>The package URL of the image; empty when it has no digest.</summary>
    public static string ImageUrl(ScanReport report)
    {
        if (report.Digest.Length == 0)
            return "";
        var name = report.Name.Split('@')[0];
        var slash = name.LastIndexOf('/');
        var tag = name.IndexOf(':', slash + 1);
        var repository = tag < 0 ? name : name[..tag];
        var last = repository[(repository.LastIndexOf('/') + 1)..].ToLowerInvariant();
        return $"pkg:oci/{Uri.EscapeDataString(last)}@{Uri.EscapeDataString(report.Digest)}?repository_url={Uri.EscapeDataString(repository)}";
    }
}
