using Microsoft.AspNetCore.Http;

namespace Berth.Server.Platform.Http;

/// <summary>
/// Where a request comes from, in the browser's own words, which no page can change (https://www.w3.org/TR/fetch-metadata; RFC 6454 section 7). Programs say nothing:
/// they are neither from here nor from elsewhere.
/// </summary>
internal static class CrossSite
{
    /// <summary>Whether the browser says that a page of another site has made the request.</summary>
    public static bool IsFromElsewhere(HttpRequest request) => IsSameSite(request, "none") == false;

    /// <summary>Whether the browser says that a page of this very site has made the request.</summary>
    public static bool IsFromHere(HttpRequest request) => IsSameSite(request) == true;

    // Null: no browser of today, or no browser.
    private static bool? IsSameSite(HttpRequest request, string? alsoFine = null)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site) return site == "same-origin" || site == alsoFine;
        if (request.Headers.Origin.ToString() is not { Length: > 0 } origin) return null;
        return Uri.TryCreate(origin, UriKind.Absolute, out var uri) && string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }
}
