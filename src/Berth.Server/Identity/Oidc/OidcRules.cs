using System.Buffers;
using System.Net;
using System.Text.RegularExpressions;

namespace Berth.Server.Identity.Oidc;

/// <summary>What must hold for the settings of providers.</summary>
internal static class OidcRules
{
    private const int MaxNameLength = 64;
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_");

    // What the flow itself says; a setting must not say otherwise.
    private static readonly HashSet<string> OwnParameters = new(StringComparer.OrdinalIgnoreCase)
    {
        "client_id", "response_type", "response_mode", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
    };

    /// <summary>Everything that is wrong: key within <c>identity.oidc</c> and what to do about it.</summary>
    public static IEnumerable<(string Key, string Message)> Check(IReadOnlyList<OidcOptions> providers)
    {
        for (var i = 0; i < providers.Count; i++)
        {
            var options = providers[i];
            if (options.Name.Length is 0 or > MaxNameLength || options.Name.AsSpan().ContainsAnyExcept(NameCharacters))
                yield return ($"[{i}].name", "must be a short name of small letters, digits, - and _");
            else if (providers.Take(i).Any(p => p.Name == options.Name))
                yield return ($"[{i}].name", $"\"{options.Name}\" is the name of another provider already");
            if (IssuerProblem(options.Issuer, options.VerifyCertificate) is { } problem) yield return ($"[{i}].issuer", problem);
            if (options.ClientId.Length == 0) yield return ($"[{i}].clientId", "is needed: the id under which the provider knows Berth");
            if (options.AdminGroup.Length > 0 && options.GroupsClaim.Length == 0) yield return ($"[{i}].adminGroup", "needs groupsClaim");
            if (options.GroupFilter.Length > 0 && TryPattern(options.GroupFilter) is null) yield return ($"[{i}].groupFilter", "is no regular expression without look-around and back references");
            foreach (var name in options.ExtraRedirectParameters.Keys.Where(OwnParameters.Contains))
                yield return ($"[{i}].extraRedirectParameters.{name}", "is set by Berth itself");
        }
    }

    /// <summary>The pattern of a group filter; it takes linear time. Null when it is malformed.</summary>
    public static Regex? TryPattern(string text)
    {
        try
        {
            return new Regex(text, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>What is wrong with the address of an issuer; null when nothing is. Without TLS it must be on this machine.</summary>
    public static string? IssuerProblem(string issuer, bool verifyCertificate)
    {
        if (!Uri.TryCreate(issuer, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0)
            return $"\"{issuer}\" must be the address of the provider, such as https://login.example.com/realms/main";
        var isLocal = uri.IsLoopback || (IPAddress.TryParse(uri.Host, out var address) && IPAddress.IsLoopback(address));
        return uri.Scheme == "http" && verifyCertificate && !isLocal ? "must be https; http is allowed on this machine only, or with verifyCertificate: false" : null;
    }
}
