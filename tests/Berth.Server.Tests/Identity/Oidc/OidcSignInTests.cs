using Berth.Server.Identity.Issuers;
using Berth.Server.Identity.Oidc;
using Berth.Server.Platform.Secrets;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Identity.Oidc;

/// <summary>Against a real OpenID provider, with what a browser does.</summary>
public sealed class OidcSignInTests(OidcFixture oidc) : IClassFixture<OidcFixture>, IDisposable
{
    private readonly InstallationSecret _secret = new(Convert.ToBase64String(new byte[32]), null, "", NullLogger<InstallationSecret>.Instance);
    private readonly HttpClient _client = IssuerHttp.CreateClient(verifyCertificate: true, caPath: null);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task A_person_who_signs_in_at_the_provider_is_known_here()
    {
        using var provider = Open(Options());
        var person = Assert.IsType<OidcSignIn.Accepted>(await SignInAsync(provider, "alice"));
        Assert.Equal("/harbor/projects", person.ReturnPath);
        Assert.Equal(("main", oidc.Server["OIDC_ISSUER"], "alice", "alice", "alice@example.org", "Alice Adams"),
            (person.Person.Provider, person.Person.Issuer, person.Person.Subject, person.Person.Name, person.Person.Email, person.Person.RealName));
        Assert.Equal(["developers", "admins"], person.Person.Groups);
        Assert.True(person.Person.IsAdmin);
        var logout = await provider.LogoutAsync(person.Person.IdToken, "http://127.0.0.1:5000/", Ct);
        using var page = await _client.GetAsync(logout, Ct);
        Assert.True(page.IsSuccessStatusCode, await page.Content.ReadAsStringAsync(Ct));
    }

    [Fact]
    public async Task Claims_and_groups_follow_the_settings()
    {
        using var provider = Open(Options() with { UserClaim = "name", GroupFilter = "^dev", AdminGroup = "admins" });
        var bob = Assert.IsType<OidcSignIn.Accepted>(await SignInAsync(provider, "bob")).Person;
        Assert.Equal("Bob_Brown", bob.Name);
        Assert.False(bob.IsAdmin);
        var alice = Assert.IsType<OidcSignIn.Accepted>(await SignInAsync(provider, "alice")).Person;
        Assert.Equal(["developers"], alice.Groups);
        Assert.True(alice.IsAdmin);
        using var plain = Open(Options() with { GroupsClaim = "", AdminGroup = "", Scopes = ["openid"] });
        var carol = Assert.IsType<OidcSignIn.Accepted>(await SignInAsync(plain, "carol")).Person;
        Assert.Null(carol.Groups);
        Assert.Null(carol.IsAdmin);
    }

    [Fact]
    public async Task A_code_works_once_and_with_its_own_verifier_only()
    {
        using var provider = Open(Options());
        var (redirect, answer) = await GoAsync(provider, "alice");
        var state = StateOf(redirect, answer)!;
        Assert.IsType<OidcSignIn.Refused>(await provider.CompleteAsync(state with { Verifier = new string('a', 43) }, AnswerOf(answer), Ct));
        var (again, second) = await GoAsync(provider, "alice");
        Assert.IsType<OidcSignIn.Refused>(await provider.CompleteAsync(StateOf(again, second)! with { Nonce = "other" }, AnswerOf(second), Ct));
        var (third, good) = await GoAsync(provider, "alice");
        Assert.IsType<OidcSignIn.Accepted>(await provider.CompleteAsync(StateOf(third, good)!, AnswerOf(good), Ct));
        Assert.IsType<OidcSignIn.Refused>(await provider.CompleteAsync(StateOf(third, good)!, AnswerOf(good), Ct));
    }

    [Fact]
    public async Task A_wrong_client_secret_and_an_answer_of_another_issuer_are_refused()
    {
        using var wrong = Open(Options() with { ClientSecret = "wrong" });
        Assert.IsType<OidcSignIn.Refused>(await SignInAsync(wrong, "alice"));
        using var provider = Open(Options());
        var (redirect, answer) = await GoAsync(provider, "alice");
        var state = StateOf(redirect, answer)!;
        Assert.IsType<OidcSignIn.Refused>(await provider.CompleteAsync(state, AnswerOf(answer) with { Issuer = "https://evil.example" }, Ct));
        Assert.IsType<OidcSignIn.Refused>(await provider.CompleteAsync(state, AnswerOf(answer) with { Issuer = null }, Ct));
        var refused = Assert.IsType<OidcSignIn.Refused>(await provider.CompleteAsync(state, AnswerOf(answer) with { Code = null, Error = "access_denied\r\n" }, Ct));
        Assert.Equal("the provider refused the sign-in: access_denied", refused.Reason);
    }

    [Fact]
    public async Task A_provider_that_is_down_is_no_refusal()
    {
        using var provider = Open(Options() with { Issuer = "http://127.0.0.1:1" });
        await Assert.ThrowsAsync<IssuerUnavailableException>(() => provider.BeginAsync(OidcFixture.RedirectUri, "/", Ct));
        var state = OidcSignInState.Create("main", OidcFixture.RedirectUri, "/", TimeProvider.System);
        Assert.IsType<OidcSignIn.Unavailable>(await provider.CompleteAsync(state, new OidcAnswer("code", null, null, null), Ct));
        Assert.Null(await provider.LogoutAsync("token", "http://127.0.0.1:5000/", Ct));
        var http = new IssuerHttp(() => _client, TimeProvider.System);
        Assert.NotNull(await OidcProviders.PingAsync("http://127.0.0.1:1", http, Ct));
        Assert.Null(await OidcProviders.PingAsync(oidc.Server["OIDC_ISSUER"], http, Ct));
    }

    private OidcOptions Options() => new()
    {
        Name = "main",
        Issuer = oidc.Server["OIDC_ISSUER"],
        ClientId = oidc.Server["OIDC_CLIENT_ID"],
        ClientSecret = oidc.Server["OIDC_CLIENT_SECRET"],
        Scopes = ["profile", "email", "groups"],
        GroupsClaim = "groups",
        AdminGroup = "admins",
        Logout = true,
    };

    private OidcProvider Open(OidcOptions options) => new(options, new IssuerHttp(() => _client, TimeProvider.System), _secret, TimeProvider.System);

    private async Task<OidcSignIn> SignInAsync(OidcProvider provider, string user)
    {
        var (redirect, answer) = await GoAsync(provider, user);
        return await provider.CompleteAsync(StateOf(redirect, answer)!, AnswerOf(answer), Ct);
    }

    private static async Task<(OidcRedirect Redirect, Uri Answer)> GoAsync(OidcProvider provider, string user)
    {
        var redirect = await provider.BeginAsync(OidcFixture.RedirectUri, "/harbor/projects", Ct);
        return (redirect, await OidcFixture.SignInAsync(redirect.Location, user, Ct));
    }

    private OidcSignInState? StateOf(OidcRedirect redirect, Uri answer)
    {
        var state = QueryHelpers.ParseQuery(answer.Query)["state"].ToString();
        Assert.Equal(OidcSignInState.CookieOf(state), redirect.CookieName);
        return OidcSignInState.Open(redirect.CookieValue, state, _secret, TimeProvider.System);
    }

    private static OidcAnswer AnswerOf(Uri answer)
    {
        var query = QueryHelpers.ParseQuery(answer.Query);
        return new OidcAnswer(query["code"], query.TryGetValue("iss", out var issuer) ? issuer.ToString() : null, query.TryGetValue("error", out var error) ? error.ToString() : null, null);
    }
}
