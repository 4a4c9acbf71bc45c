using System.Net;
using Berth.Server.Identity;
using Berth.Server.Identity.Oidc;
using Berth.Server.Tests.Identity.Oidc;

namespace Berth.Server.Tests.SignIn;

/// <summary>The whole way with a real provider: our address, its sign-in page, back to us, and the session.</summary>
public sealed class OidcBrowserTests(OidcFixture oidc) : IClassFixture<OidcFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_person_signs_in_with_a_browser()
    {
        var options = new OidcOptions
        {
            Name = "main",
            Issuer = oidc.Server["OIDC_ISSUER"],
            ClientId = oidc.Server["OIDC_CLIENT_ID"],
            ClientSecret = oidc.Server["OIDC_CLIENT_SECRET"],
            Scopes = ["openid", "profile", "email", "groups"],
            GroupsClaim = "groups",
            AdminGroup = "admins",
            AutoOnboard = true,
        };
        // The provider knows one address of ours, which a proxy would have.
        await using var app = await SignInApp.StartAsync(
            new IdentityOptions { Oidc = [options] }, o => o with { Http = o.Http with { PublicUrl = new Uri(OidcFixture.RedirectUri).GetLeftPart(UriPartial.Authority) } });
        var browser = app.Browser();
        using var begun = await browser.GetAsync(new Uri("/c/oidc/login?redirect_url=/harbor", UriKind.Relative), Ct);
        var back = await OidcFixture.SignInAsync(begun.Headers.Location!, "alice", Ct);
        using var home = await browser.GetAsync(new Uri(back.PathAndQuery, UriKind.Relative), Ct);
        Assert.True(home.StatusCode == HttpStatusCode.Redirect, await home.Content.ReadAsStringAsync(Ct));
        Assert.Equal("/harbor", home.Headers.Location!.OriginalString);
        using var sessions = await browser.GetAsync(new Uri("/api/berth/v1/sessions?all=true", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.OK, sessions.StatusCode);
        Assert.Equal(["admins", "developers"], await app.GroupsOfAsync("alice", Ct));
        using var replay = await browser.GetAsync(new Uri(back.PathAndQuery, UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.BadRequest, replay.StatusCode);
    }
}
