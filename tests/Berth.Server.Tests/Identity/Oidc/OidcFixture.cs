using System.Net;
using System.Text.RegularExpressions;

namespace Berth.Server.Tests.Identity.Oidc;

/// <summary>A real OpenID provider with alice (developers, admins), bob (developers) and carol (none); their passwords are NAME-pw.</summary>
public sealed class OidcFixture : IAsyncLifetime
{
    /// <summary>The one address that the provider sends browsers back to; nobody needs to listen there.</summary>
    public const string RedirectUri = "http://127.0.0.1:5000/c/oidc/callback";

    public ToolServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Server = await ToolServer.StartAsync("start-oidc.sh", new Dictionary<string, string> { ["OIDC_REDIRECT_URIS"] = RedirectUri });

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>What a person does in a browser: opens the address, signs in, and is sent back. The address that the browser ends at.</summary>
    public static async Task<Uri> SignInAsync(Uri location, string user, CancellationToken ct)
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() };
        using var browser = new HttpClient(handler);
        var at = location;
        using var page = await FollowAsync(browser, await browser.GetAsync(at, ct), at, ct);
        var action = Regex.Match(await page.Content.ReadAsStringAsync(ct), "action=\"([^\"]+)\"").Groups[1].Value;
        using var form = new FormUrlEncodedContent([new("login", user), new("password", user + "-pw")]);
        using var end = await FollowAsync(browser, await browser.PostAsync(new Uri(at, action), form, ct), at, ct);
        return end.Headers.Location ?? throw new InvalidOperationException($"the provider did not send the browser back: {await end.Content.ReadAsStringAsync(ct)}");
    }

    // Follows redirects within the provider; the one that leaves it is not followed.
    private static async Task<HttpResponseMessage> FollowAsync(HttpClient browser, HttpResponseMessage response, Uri provider, CancellationToken ct)
    {
        while (response.Headers.Location is { } next && new Uri(provider, next) is var target && target.Authority == provider.Authority)
        {
            response.Dispose();
            response = await browser.GetAsync(target, ct);
        }
        return response;
    }
}
