using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Berth.Server.Identity;
using Berth.Server.Identity.Oidc;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Identity.Issuers;
using Berth.Server.Tests.Ui;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Berth.Server.Tests.SignIn;

/// <summary>The pages of the sign-in with OpenID, with a browser, against a provider that a test plays.</summary>
public sealed class OidcPagesTests : IAsyncLifetime
{
    private ScriptedIssuer _peer = null!;
    private string _subject = "s-1";
    private string _name = "alice";
    private string[] _groups = ["dev"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _peer = await ScriptedIssuer.StartAsync();
        // The server of these tests has the clock of the machine.
        _peer.Time.Advance(TimeProvider.System.GetUtcNow() - _peer.Time.GetUtcNow());
        _peer.Paths["/token"] = async context =>
        {
            var form = await context.Request.ReadFormAsync(context.RequestAborted);
            var claims = _peer.Claims("berth");
            (claims["sub"], claims["preferred_username"], claims["email"], claims["nonce"]) = (_subject, _name, "a@example.org", form["code"].ToString());
            claims["groups"] = new System.Text.Json.Nodes.JsonArray([.. _groups.Select(g => (System.Text.Json.Nodes.JsonNode)g)]);
            await context.Response.WriteAsync(new System.Text.Json.Nodes.JsonObject { ["access_token"] = "x", ["id_token"] = _peer.Sign(claims) }.ToJsonString());
        };
    }

    public ValueTask DisposeAsync() => _peer.DisposeAsync();

    [Fact]
    public async Task A_known_claim_makes_the_user_and_the_session_and_the_next_sign_in_brings_new_groups()
    {
        await using var app = await StartAsync(autoOnboard: true);
        var browser = app.Browser();
        using var home = await SignInAsync(app, browser, "/harbor/projects?x=1");
        Assert.Equal("/harbor/projects?x=1", home.Headers.Location!.OriginalString);
        Assert.Equal("main", (await SessionsAsync(browser))[0].provider);
        var alice = (await app.Users.FindAsync("alice", Ct))!;
        Assert.Equal(("oidc:main", "a@example.org", true), (alice.Source, alice.Email, alice.IsAdminBySource || !_groups.Contains("ops")));
        (_groups, _name) = (["ops", "dev"], "renamed");
        using var again = await SignInAsync(app, app.Browser(), "/");
        Assert.Equal(["dev", "ops"], await app.GroupsOfAsync("alice", Ct));
        Assert.True((await app.Users.FindAsync("alice", Ct))!.IsAdminBySource);
        Assert.Null(await app.Users.FindAsync("renamed", Ct));
        _groups = [];
        using var last = await SignInAsync(app, app.Browser(), "/");
        Assert.Empty(await app.GroupsOfAsync("alice", Ct));
        Assert.False((await app.Users.FindAsync("alice", Ct))!.IsAdminBySource);
    }

    [Fact]
    public async Task Nobody_takes_over_the_name_of_somebody_else()
    {
        await using var app = await StartAsync(autoOnboard: true);
        _name = "admin";
        using var answer = await SignInAsync(app, app.Browser(), "/");
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        (_name, _subject) = ("alice", "s-1");
        using var first = await SignInAsync(app, app.Browser(), "/");
        _subject = "s-2";
        using var second = await SignInAsync(app, app.Browser(), "/");
        Assert.Equal((HttpStatusCode.Redirect, HttpStatusCode.Conflict), (first.StatusCode, second.StatusCode));
        _name = "bad,name";
        using var illegal = await SignInAsync(app, app.Browser(), "/");
        Assert.Equal(HttpStatusCode.BadRequest, illegal.StatusCode);
    }

    [Fact]
    public async Task Without_automatic_onboarding_people_choose_their_name_once()
    {
        await using var app = await StartAsync(autoOnboard: false);
        var browser = app.Browser();
        using var page = await SignInAsync(app, browser, "/x");
        Assert.Equal("/oidc-onboard?username=alice&redirect_url=%2Fx", page.Headers.Location!.OriginalString);
        Assert.Equal(HttpStatusCode.BadRequest, await OnboardAsync(app.Browser(), "ali"));
        Assert.Equal(HttpStatusCode.BadRequest, await OnboardAsync(browser, "a#b"));
        Assert.Equal(HttpStatusCode.Conflict, await OnboardAsync(browser, "local"));
        Assert.Equal(HttpStatusCode.OK, await OnboardAsync(browser, "ali"));
        Assert.Equal(["dev"], await app.GroupsOfAsync("ali", Ct));
        Assert.Single(await SessionsAsync(browser));
        using var next = await SignInAsync(app, app.Browser(), "/x");
        Assert.Equal("/x", next.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task The_page_that_asks_for_a_name_has_what_it_needs()
    {
        await using var app = await StartAsync(autoOnboard: false);
        var browser = app.Browser();
        using var page = await SignInAsync(app, browser, "/x");
        using var answer = await UiApp.SendAsync(browser, page.Headers.Location!.OriginalString, "onboard", Ct, ("username", "ali"));
        Assert.Equal((HttpStatusCode.SeeOther, "/x"), (answer.StatusCode, answer.Headers.Location?.OriginalString));
        Assert.Single(await SessionsAsync(browser));
    }

    [Fact]
    public async Task An_answer_that_this_browser_has_not_asked_for_is_refused()
    {
        await using var app = await StartAsync(autoOnboard: true);
        var victim = app.Browser();
        using var begun = await app.Browser().GetAsync(Local("/c/oidc/login"), Ct);
        var query = QueryHelpers.ParseQuery(begun.Headers.Location!.Query);
        foreach (var path in new[] { $"/c/oidc/callback?code={query["nonce"]}&state={query["state"]}", "/c/oidc/callback?code=x", "/c/oidc/callback" })
        {
            using var answer = await victim.GetAsync(Local(path), Ct);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.False(answer.Headers.Contains("Set-Cookie"));
        }
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("https://evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("evil")]
    public async Task The_browser_is_sent_to_paths_of_this_server_only(string target)
    {
        await using var app = await StartAsync(autoOnboard: true);
        using var answer = await app.Browser().GetAsync(Local("/c/oidc/login?redirect_url=" + Uri.EscapeDataString(target)), Ct);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Several_providers_are_told_apart_and_signing_out_leads_to_the_right_one()
    {
        await using var app = await StartAsync(autoOnboard: true);
        using var names = await app.Browser().GetAsync(Local("/api/berth/v1/sign-in/providers"), Ct);
        Assert.Equal("""["main","other"]""", await names.Content.ReadAsStringAsync(Ct));
        using var unknown = await app.Browser().GetAsync(Local("/c/oidc/login?provider=none"), Ct);
        Assert.Equal(HttpStatusCode.PreconditionFailed, unknown.StatusCode);
        var browser = app.Browser();
        using var signedIn = await SignInAsync(app, browser, "/", "other");
        Assert.Equal("oidc:other", (await app.Users.FindAsync("alice", Ct))!.Source);
        using var ask = await browser.GetAsync(Local("/c/log_out"), Ct);
        Assert.Equal(HttpStatusCode.Forbidden, ask.StatusCode);
        Assert.Equal(app.Address + "/c/oidc/logout", (await SignInApp.JsonOf(ask, Ct)).GetProperty("redirect_location").GetString());
        using var leave = await browser.GetAsync(Local("/c/oidc/logout"), Ct);
        Assert.StartsWith(_peer.Address + "/logout?x=1&id_token_hint=ey", leave.Headers.Location!.AbsoluteUri, StringComparison.Ordinal);
        using var after = await browser.GetAsync(Local("/api/berth/v1/sessions"), Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
        using var again = await browser.GetAsync(Local("/c/oidc/logout"), Ct);
        Assert.Equal("/account/sign-in", again.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task Signing_out_on_the_page_leads_on_to_the_provider()
    {
        await using var app = await StartAsync(autoOnboard: true);
        var browser = app.Browser();
        using var signedIn = await SignInAsync(app, browser, "/", "other");
        var page = await browser.GetStringAsync(Local("/account/tokens"), Ct);
        Assert.Contains("data-plain", page, StringComparison.Ordinal);
        var proof = Regex.Match(page, "name=\"_proof\" value=\"([^\"]+)\"").Groups[1].Value;
        using var form = new FormUrlEncodedContent([new("_proof", proof), new("do", "sign-out")]);
        using var answer = await browser.PostAsync(Local("/account/sign-in"), form, Ct);
        // A redirect out of a form would be stopped by the policy of the page.
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("0; url=/c/oidc/logout", answer.Headers.GetValues("Refresh").Single());
        using var leave = await browser.GetAsync(Local("/c/oidc/logout"), Ct);
        Assert.StartsWith(_peer.Address + "/logout?x=1&id_token_hint=ey", leave.Headers.Location!.AbsoluteUri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cli_secret_stands_for_the_password_in_programs_and_opens_no_session()
    {
        await using var app = await StartAsync(autoOnboard: true);
        using var signedIn = await SignInAsync(app, app.Browser(), "/");
        Assert.Equal(HttpStatusCode.Unauthorized, await app.TryAsync("alice", "", Ct));
        Assert.Equal(HttpStatusCode.Unauthorized, await app.TryAsync("alice", "Secret12345", Ct));
        await app.RunAsync(SetCliSecret, [Passwords.Hash("Secret12345"), "alice"], Ct);
        Assert.Equal(HttpStatusCode.OK, await app.TryAsync("alice", "Secret12345", Ct));
        Assert.Equal(HttpStatusCode.Unauthorized, await app.TryAsync("alice", "wrong", Ct));
        using var login = await SignInApp.LoginAsync(app.Browser(), "alice", "Secret12345", Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, login.StatusCode);
    }

    [Fact]
    public async Task A_group_of_a_provider_is_a_member_before_anybody_of_it_has_come()
    {
        await using var app = await StartAsync(autoOnboard: true);
        var admin = app.Program("admin", "Harbor12345");
        var body = new { role_id = 2, member_group = new { group_name = "dev", group_type = 3 } };
        using var made = await admin.PostAsJsonAsync("/api/v2.0/projects/library/members", body, Ct);
        using var again = await admin.PostAsJsonAsync("/api/v2.0/projects/library/members", body, Ct);
        using var nobody = await admin.PostAsJsonAsync("/api/v2.0/projects/library/members", new { role_id = 2, member_user = new { username = "alice" } }, Ct);
        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Conflict, HttpStatusCode.NotFound), (made.StatusCode, again.StatusCode, nobody.StatusCode));
        var browser = app.Browser();
        using var signedIn = await SignInAsync(app, browser, "/");
        Assert.Equal(["dev"], await app.GroupsOfAsync("alice", Ct));
        using var project = await browser.GetAsync(Local("/api/v2.0/projects/library"), Ct);
        Assert.Equal(2, (await SignInApp.JsonOf(project, Ct)).GetProperty("current_user_role_id").GetInt32());
    }

    [Fact]
    public async Task The_ping_of_harbor_tells_a_provider_from_anything_else()
    {
        await using var app = await StartAsync(autoOnboard: true);
        var admin = app.Program("admin", "Harbor12345");
        using var good = await admin.PostAsJsonAsync("/api/v2.0/system/oidc/ping", new { url = _peer.Address, verify_cert = true }, Ct);
        using var bad = await admin.PostAsJsonAsync("/api/v2.0/system/oidc/ping", new { url = "http://127.0.0.1:1", verify_cert = false }, Ct);
        using var no = await app.Program("local", "Local12345").PostAsJsonAsync("/api/v2.0/system/oidc/ping", new { url = _peer.Address, verify_cert = true }, Ct);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.Forbidden), (good.StatusCode, bad.StatusCode, no.StatusCode));
    }

    [Fact]
    public async Task The_ping_of_harbor_reaches_what_the_operator_allows()
    {
        foreach (var (allowed, status) in new[] { ("192.0.2.1", HttpStatusCode.BadRequest), ("127.0.0.0/8", HttpStatusCode.OK) })
        {
            await using var app = await SignInApp.StartAsync(new IdentityOptions(), o => o with { Outgoing = new() { Allow = [allowed] } });
            using var answer = await app.Program("admin", "Harbor12345").PostAsJsonAsync("/api/v2.0/system/oidc/ping", new { url = _peer.Address, verify_cert = true }, Ct);
            Assert.Equal(status, answer.StatusCode);
        }
    }

    private Task<SignInApp> StartAsync(bool autoOnboard)
    {
        var main = new OidcOptions { Name = "main", Issuer = _peer.Address, ClientId = "berth", ClientSecret = "x", GroupsClaim = "groups", AdminGroup = "ops", AutoOnboard = autoOnboard, Logout = true };
        return SignInApp.StartAsync(new IdentityOptions { Oidc = [main, main with { Name = "other" }] });
    }

    // What the browser and the provider do between them: the provider sends the nonce back as the code.
    private static async Task<HttpResponseMessage> SignInAsync(SignInApp app, HttpClient browser, string target, string provider = "")
    {
        using var begun = await browser.GetAsync(Local($"/c/oidc/login?provider={provider}&redirect_url={Uri.EscapeDataString(target)}"), Ct);
        Assert.Equal(HttpStatusCode.Redirect, begun.StatusCode);
        var query = QueryHelpers.ParseQuery(begun.Headers.Location!.Query);
        Assert.Equal(app.Address + "/c/oidc/callback", query["redirect_uri"]);
        return await browser.GetAsync(Local($"/c/oidc/callback?code={query["nonce"]}&state={query["state"]}"), Ct);
    }

    private static async Task<HttpStatusCode> OnboardAsync(HttpClient browser, string name)
    {
        using var answer = await browser.PostAsJsonAsync("/c/oidc/onboard", new { username = name }, Ct);
        return answer.StatusCode;
    }

    private static async Task<List<SessionRow>> SessionsAsync(HttpClient browser) => (await browser.GetFromJsonAsync<List<SessionRow>>("/api/berth/v1/sessions", Ct))!;

    private static Uri Local(string path) => new(path, UriKind.Relative);

    private static readonly Statement SetCliSecret = new("UPDATE users SET cli_secret_hash = @0 WHERE name = @1 RETURNING id");

#pragma warning disable SA1300, IDE1006 // The names of the JSON.
    private sealed record SessionRow(long id, string? provider);
#pragma warning restore SA1300, IDE1006
}
