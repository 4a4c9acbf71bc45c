using Microsoft.AspNetCore.Http;

namespace Berth.Server.SignIn;

/// <summary>Tells requests that a page of another site makes a browser send. Programs send none of these headers, and are none of these.</summary>
internal static class CrossSite
{
    /// <summary>Whether the browser says that another site has made the request.</summary>
    public static bool IsFromElsewhere(HttpRequest request)
    {
        // https://www.w3.org/TR/fetch-metadata: every browser of today sends it.
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site) return site is not ("same-origin" or "none");
        if (request.Headers.Origin.ToString() is not { Length: > 0 } origin) return false;
        return !Uri.TryCreate(origin, UriKind.Absolute, out var uri) || !string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }
}
