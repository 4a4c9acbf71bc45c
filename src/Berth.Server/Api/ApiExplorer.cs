using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Berth.Server.Api;

/// <summary>
/// A page that lists the operations of the API and lets one try them, with the session of the browser or with a name and a password. It is two files of our own
/// inside the program and loads nothing from elsewhere.
/// </summary>
internal static class ApiExplorer
{
    /// <summary>Where Harbor has its page.</summary>
    public const string Path = "/devcenter-api-2.0";

    /// <summary>Maps the page. It needs nothing: what it shows is the public description of the API.</summary>
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(Path, (RequestDelegate)(context => SendAsync(context, "explorer.html", "text/html; charset=utf-8")));
        endpoints.MapGet(Path + "/explorer.js", (RequestDelegate)(context => SendAsync(context, "explorer.js", "text/javascript; charset=utf-8")));
    }

    private static async Task SendAsync(HttpContext context, string file, string contentType)
    {
        var response = context.Response;
        response.ContentType = contentType;
        response.Headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.CacheControl = "no-cache";
        await using var page = typeof(ApiExplorer).Assembly.GetManifestResourceStream($"Berth.Server.Api.{file}")
            ?? throw new InvalidOperationException($"{file} is not in the program");
        response.ContentLength = page.Length;
        await page.CopyToAsync(response.Body, context.RequestAborted).ConfigureAwait(false);
    }
}
