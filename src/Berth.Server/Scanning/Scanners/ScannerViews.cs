using System.Security.Cryptography;
using Berth.Server.Api;
using Berth.Server.Scanning.Adapters;

namespace Berth.Server.Scanning.Scanners;

/// <summary>Scanners as Harbor's API shows them.</summary>
internal static class ScannerViews
{
    /// <summary>The built-in scanner.</summary>
    public static ScannerJson BuiltIn(bool isDefault) => new()
    {
        Uuid = BuiltInScanner.Uuid,
        Name = BuiltInScanner.Name,
        Description = "The scanner that is part of Berth",
        IsDefault = isDefault,
        Health = "healthy",
        Adapter = BuiltInScanner.Name,
        Vendor = BuiltInScanner.Vendor,
        Version = BuiltInScanner.Version,
        Capabilities = CapabilitiesOf(BuiltInScanner.Metadata),
    };

    /// <summary>A scanner that was entered.</summary>
    /// <param name="one">The scanner.</param>
    /// <param name="description">What it says of itself; null when it was not asked.</param>
    public static ScannerJson Of(ScannerRegistration one, ScannerDescription? description) => new()
    {
        Uuid = one.Id,
        Name = one.Name,
        Description = one.Description,
        Url = one.Url,
        Kind = one.Kind,
        Disabled = one.IsDisabled,
        IsDefault = one.IsDefault,
        Auth = one.Auth,
        SkipCertVerify = one.SkipCertVerify,
        UseInternalAddr = one.UseInternalAddress,
        Health = description is null ? "" : description.Metadata is null ? "unhealthy" : "healthy",
        Adapter = description?.Metadata?.Scanner.Name ?? "",
        Vendor = description?.Metadata?.Scanner.Vendor ?? "",
        Version = description?.Metadata?.Scanner.Version ?? "",
        Capabilities = description?.Metadata is { } metadata ? CapabilitiesOf(metadata) : [],
        CreateTime = ApiTime.Text(one.CreatedAt),
        UpdateTime = ApiTime.Text(one.UpdatedAt),
    };

    /// <summary>Whether a scanner (null: the built-in one) is one that a list asks for; Harbor's keys.</summary>
    public static bool IsMeant(ScannerRegistration? one, IReadOnlyList<ApiFilter> filters)
    {
        var (name, url, description) = one is null ? (BuiltInScanner.Name, "", "") : (one.Name, one.Url, one.Description);
        return filters.All(filter => filter.Key.ToLowerInvariant() switch
        {
            "name" => Matches(filter, name),
            "url" => Matches(filter, url),
            "description" => Matches(filter, description),
            // "Another one with this name or address", which forms ask for.
            "ex_name" => string.Equals(filter.Value, name, StringComparison.OrdinalIgnoreCase),
            "ex_url" => string.Equals(filter.Value.TrimEnd('/'), url, StringComparison.OrdinalIgnoreCase),
            _ => true,
        });
    }

    /// <summary>A random UUID (RFC 9562, version 4).</summary>
    public static string NewId()
    {
        var bytes = RandomNumberGenerator.GetBytes(16);
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true).ToString();
    }

    private static bool Matches(ApiFilter filter, string text) => filter.Kind == FilterKind.Fuzzy
        ? text.Contains(filter.Value, StringComparison.OrdinalIgnoreCase)
        : filter.Values.Any(value => string.Equals(value, text, StringComparison.Ordinal));

    private static Dictionary<string, bool> CapabilitiesOf(ScannerMetadataJson metadata) => new(StringComparer.Ordinal)
    {
        ["support_vulnerability"] = metadata.Capabilities.Any(static one => one.Type is null or AdapterMedia.Vulnerability),
        ["support_sbom"] = metadata.Capabilities.Any(static one => one.Type == AdapterMedia.Sbom),
    };
}
