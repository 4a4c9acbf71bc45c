using Berth.Server.Platform.Http;

namespace Berth.Server.Scanning.Scanners;

/// <summary>Whether what somebody enters is a scanner. No I/O.</summary>
internal static class ScannerRules
{
    public const int MaxNameLength = 128;
    public const int MaxDescriptionLength = 1024;
    public const int MaxUrlLength = 512;
    public const int MaxCredentialLength = 8 * 1024;

    /// <summary>Most scanners that can be entered.</summary>
    public const int MaxScanners = 100;

    /// <summary>Scanners with Harbor's pluggable API.</summary>
    public const string HarborKind = "harbor";

    /// <summary>Clair v4 by its own API.</summary>
    public const string ClairKind = "clair";

    /// <summary>What is wrong with a scanner; null when it can be saved.</summary>
    /// <param name="json">What was sent.</param>
    /// <param name="credential">The credential that it would have: the one that was sent, or the one that is kept.</param>
    /// <param name="guard">Which addresses may be asked.</param>
    public static string? ProblemOf(ScannerRegistrationJson json, string credential, OutgoingGuard guard)
    {
        if (json.Name is not { Length: > 0 and <= MaxNameLength } name || name.Any(char.IsControl)) return $"a scanner needs a name of at most {MaxNameLength} characters";
        if (json.Description?.Length > MaxDescriptionLength) return $"a description has at most {MaxDescriptionLength} characters";
        if (string.Equals(name, BuiltInScanner.Name, StringComparison.OrdinalIgnoreCase)) return $"the name {name} is that of the built-in scanner";
        return ProblemOfAddress(json, credential, guard);
    }

    /// <summary>What is wrong with where a scanner is and how it is asked; null when it may be tried.</summary>
    public static string? ProblemOfAddress(ScannerRegistrationJson json, string credential, OutgoingGuard guard)
    {
        if (KindOf(json) is not { } kind) return $"kind {json.Kind} is not known: {HarborKind} or {ClairKind}";
        if (json.Url is not { Length: > 0 and <= MaxUrlLength } || AddressOf(json.Url) is not { } address) return $"url must be an http or https address of at most {MaxUrlLength} characters";
        if (address.Query.Length > 0 || address.Fragment.Length > 0) return "url must be the base address of the scanner, without a query";
        if (ScannerAuth.WordOf(json.Auth) is not { } auth) return $"auth {json.Auth} is not known: {ScannerAuth.Basic}, {ScannerAuth.Bearer}, {ScannerAuth.ApiKey}, {ScannerAuth.PreSharedKey} or none";
        if (auth == ScannerAuth.PreSharedKey && kind != ClairKind) return "PSK is an authentication of Clair: set kind to clair";
        return ScannerAuth.ProblemOf(auth, credential) ?? guard.ProblemOf(address);
    }

    /// <summary>The kind that is meant; null when it is none.</summary>
    public static string? KindOf(ScannerRegistrationJson json) => json.Kind switch
    {
        null or "" or HarborKind => HarborKind,
        ClairKind => ClairKind,
        _ => null,
    };

    /// <summary>The base address; null when it is none.</summary>
    public static Uri? AddressOf(string url) =>
        Uri.TryCreate(url.Trim().TrimEnd('/'), UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.Host.Length > 0 ? address : null;
}
