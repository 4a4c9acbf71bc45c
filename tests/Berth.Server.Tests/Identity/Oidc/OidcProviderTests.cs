using System.Text;
using System.Text.Json.Nodes;
using Berth.Server.Identity.Oidc;
using Berth.Server.Platform.Secrets;
using Berth.Server.Tests.Identity.Issuers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Identity.Oidc;

/// <summary>Against a scripted provider, which answers what a real one never would.</summary>
public sealed class OidcProviderTests : IAsyncLifetime
{
    private readonly InstallationSecret _secret = new(Convert.ToBase64String(new byte[32]), null, "", NullLogger<InstallationSecret>.Instance);
    private ScriptedIssuer _peer = null!;
    private string? _authorization;
    private IFormCollection? _form;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _peer = await ScriptedIssuer.StartAsync();

    public ValueTask DisposeAsync() => _peer.DisposeAsync();

    [Fact]
    public async Task The_browser_is_sent_with_state_nonce_and_challenge_and_the_settings_extras()
    {
        using var provider = Open(Options() with { ExtraRedirectParameters = new Dictionary<string, string> { ["prompt"] = "login & more" } });
        var redirect = await provider.BeginAsync("https://r.example/c/oidc/callback", "/x", Ct);
        var query = QueryHelpers.ParseQuery(redirect.Location.Query);
        Assert.Equal(_peer.Address + "/authorize", redirect.Location.GetLeftPart(UriPartial.Path));
        Assert.Equal(("code", "berth client", "https://r.example/c/oidc/callback", "openid profile email", "S256", "login & more"),
            (query["response_type"].ToString(), query["client_id"].ToString(), query["redirect_uri"].ToString(), query["scope"].ToString(), query["code_challenge_method"].ToString(), query["prompt"].ToString()));
        var state = OidcSignInState.Open(redirect.CookieValue, query["state"]!, _secret, _peer.Time)!;
        Assert.Equal(state.Nonce, query["nonce"]);
        Assert.Equal(state.Challenge(), query["code_challenge"]);
        Assert.DoesNotContain(state.Verifier, redirect.Location.ToString(), StringComparison.Ordinal);
        Assert.NotEqual(state.Challenge(), state.Verifier);
    }

    [Fact]
    public async Task The_cookie_is_bound_to_its_state_and_to_ten_minutes_and_no_bit_of_it_may_change()
    {
        using var provider = Open(Options());
        var redirect = await provider.BeginAsync("https://r.example/cb", "/", Ct);
        var state = QueryHelpers.ParseQuery(redirect.Location.Query)["state"].ToString();
        Assert.Null(OidcSignInState.Open(redirect.CookieValue, state + "x", _secret, _peer.Time));
        Assert.Null(OidcSignInState.Open("", state, _secret, _peer.Time));
        for (var i = 0; i < redirect.CookieValue.Length; i += 7)
        {
            var changed = redirect.CookieValue.ToCharArray();
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            Assert.Null(OidcSignInState.Open(new string(changed), state, _secret, _peer.Time));
        }
        _peer.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.Null(OidcSignInState.Open(redirect.CookieValue, state, _secret, _peer.Time));
    }

    [Fact]
    public async Task The_client_proves_itself_as_the_provider_wants_it()
    {
        using var provider = Open(Options());
        Assert.IsType<OidcSignIn.Accepted>(await CompleteAsync(provider, Person()));
        Assert.Equal("berth+client:s%3A%2B+x", Encoding.UTF8.GetString(Convert.FromBase64String(_authorization!["Basic ".Length..])));
        _peer.Document["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_post");
        using var posting = Open(Options());
        Assert.IsType<OidcSignIn.Accepted>(await CompleteAsync(posting, Person()));
        Assert.Equal(("", "berth client", "s:+ x"), (_authorization, _form!["client_id"].ToString(), _form["client_secret"].ToString()));
        using var open = Open(Options() with { ClientSecret = null });
        Assert.IsType<OidcSignIn.Accepted>(await CompleteAsync(open, Person()));
        Assert.False(_form!.ContainsKey("client_secret"));
        Assert.Equal("authorization_code", _form["grant_type"]);
    }

    [Fact]
    public async Task What_the_id_token_does_not_tell_is_asked_of_userinfo_about_the_same_person()
    {
        using var provider = Open(Options() with { GroupsClaim = "realm_access.roles", AdminGroup = "ops" });
        var answer = new JsonObject { ["sub"] = "somebody", ["preferred_username"] = "al ice", ["email"] = "a@x.org", ["email_verified"] = false, ["realm_access"] = new JsonObject { ["roles"] = "ops" } };
        _peer.Paths["/userinfo"] = c => c.Response.WriteAsync(c.Request.Headers.Authorization == "Bearer opaque" ? answer.ToJsonString() : "{}");
        var person = Assert.IsType<OidcSignIn.Accepted>(await CompleteAsync(provider, [])).Person;
        Assert.Equal(("al_ice", null, true), (person.Name, person.Email, person.IsAdmin));
        Assert.Equal(["ops"], person.Groups);
        answer["sub"] = "somebody else";
        Assert.IsType<OidcSignIn.Refused>(await CompleteAsync(provider, []));
        Assert.IsType<OidcSignIn.Accepted>(await CompleteAsync(provider, new JsonObject { ["name"] = "n", ["email"] = "e@x.org", ["realm_access.roles"] = new JsonArray() }));
    }

    [Theory]
    [InlineData("nonce", "\"other\"")]
    [InlineData("nonce", "null")]
    [InlineData("aud", "\"other\"")]
    [InlineData("iss", "\"https://evil.example\"")]
    [InlineData("exp", "1")]
    public async Task An_id_token_that_is_not_for_this_sign_in_signs_nobody_in(string claim, string json)
    {
        using var provider = Open(Options());
        var person = Person();
        person[claim] = JsonNode.Parse(json);
        Assert.IsType<OidcSignIn.Refused>(await CompleteAsync(provider, person));
    }

    [Fact]
    public async Task A_token_endpoint_that_fails_is_told_apart_from_one_that_refuses()
    {
        using var provider = Open(Options());
        var state = await BeginAsync(provider);
        foreach (var (status, body, type) in new[] { (400, """{"error":"invalid_grant"}""", typeof(OidcSignIn.Refused)), (200, "{}", typeof(OidcSignIn.Refused)), (500, "oops", typeof(OidcSignIn.Unavailable)) })
        {
            _peer.Paths["/token"] = c => { c.Response.StatusCode = status; return c.Response.WriteAsync(body); };
            Assert.IsType(type, await provider.CompleteAsync(state, new OidcAnswer("code", null, null, null), Ct));
        }
        Assert.IsType<OidcSignIn.Refused>(await provider.CompleteAsync(state, new OidcAnswer(null, null, null, null), Ct));
    }

    [Fact]
    public async Task Signing_out_keeps_the_query_of_the_providers_address()
    {
        using var provider = Open(Options() with { Logout = true });
        Assert.Equal(_peer.Address + "/logout?x=1&id_token_hint=t&client_id=berth%20client&post_logout_redirect_uri=https%3A%2F%2Fr.example%2F",
            (await provider.LogoutAsync("t", "https://r.example/", Ct))!.AbsoluteUri);
        using var off = Open(Options());
        Assert.Null(await off.LogoutAsync("t", "https://r.example/", Ct));
    }

    [Fact]
    public void Every_wrong_setting_of_every_provider_is_reported()
    {
        Assert.Empty(OidcRules.Check([Options(), Options() with { Name = "b", Issuer = "https://login.example.com" }]));
        var wrong = Options() with { Name = "Main!", Issuer = "http://login.example.com", ClientId = "", AdminGroup = "a", GroupFilter = "(", ExtraRedirectParameters = new Dictionary<string, string> { ["state"] = "x" } };
        Assert.Equal(["[0].name", "[0].issuer", "[0].clientId", "[0].adminGroup", "[0].groupFilter", "[0].extraRedirectParameters.state"], OidcRules.Check([wrong]).Select(p => p.Key));
        Assert.Equal(["[1].name"], OidcRules.Check([Options(), Options()]).Select(p => p.Key));
    }

    private OidcOptions Options() => new() { Name = "main", Issuer = _peer.Address, ClientId = "berth client", ClientSecret = "s:+ x" };

    private OidcProvider Open(OidcOptions options) => new(options, _peer.Http, _secret, _peer.Time);

    private static JsonObject Person() => new() { ["preferred_username"] = "alice", ["email"] = "a@x.org" };

    private async Task<OidcSignInState> BeginAsync(OidcProvider provider)
    {
        var redirect = await provider.BeginAsync("https://r.example/cb", "/", Ct);
        return OidcSignInState.Open(redirect.CookieValue, QueryHelpers.ParseQuery(redirect.Location.Query)["state"]!, _secret, _peer.Time)!;
    }

    private async Task<OidcSignIn> CompleteAsync(OidcProvider provider, JsonObject told)
    {
        var state = await BeginAsync(provider);
        var claims = _peer.Claims("berth client");
        claims["nonce"] = state.Nonce;
        foreach (var (name, value) in told) claims[name] = value?.DeepClone();
        _peer.Paths["/token"] = async context =>
        {
            _authorization = context.Request.Headers.Authorization.ToString();
            _form = await context.Request.ReadFormAsync(context.RequestAborted);
            await context.Response.WriteAsync(new JsonObject { ["access_token"] = "opaque", ["token_type"] = "Bearer", ["id_token"] = _peer.Sign(claims) }.ToJsonString());
        };
        return await provider.CompleteAsync(state, new OidcAnswer("code", null, null, null), Ct);
    }
}
