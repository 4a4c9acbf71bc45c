using System.Net;
using System.Net.Http.Json;
using Berth.Server.Identity;
using Berth.Server.Identity.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Berth.Server.Tests.SignIn;

public sealed class SessionTests : IAsyncLifetime
{
    private const string Sessions = "/api/berth/v1/sessions";
    private readonly ManualTime _time = new();
    private SignInApp _app = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _app = await SignInApp.StartAsync(new IdentityOptions(), null, s => s.Replace(ServiceDescriptor.Singleton<TimeProvider>(_time)));

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task A_password_begins_a_session_in_a_cookie_that_scripts_cannot_read()
    {
        var browser = _app.Browser();
        using var answer = await SignInApp.LoginAsync(browser, "local", "Local12345", Ct);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        Assert.StartsWith("sid=", cookie, StringComparison.Ordinal);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.NotEmpty(answer.Headers.GetValues("X-Harbor-CSRF-Token"));
        using var list = await browser.GetAsync(new Uri(Sessions, UriKind.Relative), Ct);
        var mine = Assert.Single((await SignInApp.JsonOf(list, Ct)).EnumerateArray());
        Assert.True(mine.GetProperty("is_current").GetBoolean());
        Assert.Equal("127.0.0.1", mine.GetProperty("address").GetString());
    }

    [Fact]
    public async Task Wrong_name_and_wrong_password_are_answered_alike()
    {
        var browser = _app.Browser();
        var answers = new List<string>();
        foreach (var (name, password) in new[] { ("local", "wrong"), ("nobody", "wrong"), ("local", ""), ("", ""), ("lo:cal", "Local12345") })
        {
            using var answer = await SignInApp.LoginAsync(browser, name, password, Ct);
            Assert.False(answer.Headers.Contains("Set-Cookie"));
            answers.Add($"{answer.StatusCode} {await answer.Content.ReadAsStringAsync(Ct)}");
        }
        Assert.StartsWith("Unauthorized", Assert.Single(answers.Distinct()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_need_the_token_of_the_session()
    {
        var browser = _app.Browser();
        using var login = await SignInApp.LoginAsync(browser, "local", "Local12345", Ct);
        var proof = login.Headers.GetValues("X-Harbor-CSRF-Token").Single();
        foreach (var (token, status) in new[] { (null, HttpStatusCode.Forbidden), ("wrong", HttpStatusCode.Forbidden), (proof, HttpStatusCode.NoContent) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Delete, Sessions);
            if (token is not null) request.Headers.Add("X-Harbor-CSRF-Token", token);
            using var answer = await browser.SendAsync(request, Ct);
            Assert.Equal(status, answer.StatusCode);
            Assert.Equal(proof, answer.Headers.GetValues("X-Harbor-CSRF-Token").Single());
        }
        using var program = await _app.Program("local", "Local12345").DeleteAsync(new Uri(Sessions, UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.NoContent, program.StatusCode);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    public async Task Another_site_cannot_sign_a_browser_in(string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/c/login") { Content = new FormUrlEncodedContent([new("principal", "local"), new("password", "Local12345")]) };
        request.Headers.Add(header, value);
        using var answer = await _app.Browser().SendAsync(request, Ct);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task A_session_ends_when_idle_and_after_a_day_whatever_happens()
    {
        var idle = await SignedInAsync();
        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(idle));
        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(idle));
        _time.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(idle));
        var busy = await SignedInAsync();
        for (var i = 0; i < 47; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(30));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(busy));
        }
        _time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(busy));
    }

    [Fact]
    public async Task The_setting_says_how_long_a_session_may_idle_and_the_file_wins_over_it()
    {
        using (var set = await _app.Program("admin", "Harbor12345").PutAsJsonAsync("/api/v2.0/configurations", new { session_timeout = 5 }, Ct)) Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        var browser = await SignedInAsync();
        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(browser));
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(browser));
        Assert.Empty((await _app.Program("local", "Local12345").GetFromJsonAsync<List<SessionRow>>(Sessions, Ct))!);

        var file = new IdentityOptions { Sessions = new SessionOptions { IdleTimeout = TimeSpan.FromMinutes(90) } };
        await using var other = await SignInApp.StartAsync(file);
        var settings = await SignInApp.JsonOf(await other.Program("admin", "Harbor12345").GetAsync(new Uri("/api/v2.0/configurations", UriKind.Relative), Ct), Ct);
        Assert.Equal((90, false), (settings.GetProperty("session_timeout").GetProperty("value").GetInt32(), settings.GetProperty("session_timeout").GetProperty("editable").GetBoolean()));
    }

    [Fact]
    public async Task Signing_out_ends_the_session_and_a_new_sign_in_ends_the_one_before()
    {
        var browser = await SignedInAsync();
        using (var first = await browser.GetAsync(new Uri("/c/log_out", UriKind.Relative), Ct)) Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(browser));
        using var again = await SignInApp.LoginAsync(browser, "local", "Local12345", Ct);
        using var oncemore = await SignInApp.LoginAsync(browser, "local", "Local12345", Ct);
        var old = again.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        var planted = _app.Program();
        planted.DefaultRequestHeaders.Add("Cookie", old);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(planted));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(browser));
    }

    [Fact]
    public async Task People_end_their_own_sessions_and_administrators_anybodys()
    {
        var (one, two) = (await SignedInAsync(), await SignedInAsync());
        var own = _app.Program("local", "Local12345");
        var list = await own.GetFromJsonAsync<List<SessionRow>>(Sessions, Ct);
        Assert.Equal(2, list!.Count);
        using (var ended = await own.DeleteAsync(new Uri($"{Sessions}/{list[0].id}", UriKind.Relative), Ct)) Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(two));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(one));

        await _app.Users.AddAsync("other", "Other12345", isAdmin: false, Ct);
        var other = _app.Program("other", "Other12345");
        using (var not = await other.DeleteAsync(new Uri($"{Sessions}/{list[1].id}", UriKind.Relative), Ct)) Assert.Equal(HttpStatusCode.NotFound, not.StatusCode);
        using (var not = await other.GetAsync(new Uri(Sessions + "?user=local", UriKind.Relative), Ct)) Assert.Equal(HttpStatusCode.Forbidden, not.StatusCode);
        using (var not = await other.GetAsync(new Uri(Sessions + "?all=true", UriKind.Relative), Ct)) Assert.Equal(HttpStatusCode.Forbidden, not.StatusCode);
        var admin = _app.Program("admin", "Harbor12345");
        Assert.Single((await admin.GetFromJsonAsync<List<SessionRow>>(Sessions + "?all=true", Ct))!);
        using (var ended = await admin.DeleteAsync(new Uri($"{Sessions}/{list[1].id}", UriKind.Relative), Ct)) Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(one));
    }

    [Fact]
    public async Task A_session_is_nothing_on_v2_and_a_made_up_cookie_nothing_anywhere()
    {
        var browser = await SignedInAsync();
        using var v2 = await browser.GetAsync(new Uri("/v2/", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, v2.StatusCode);
        foreach (var cookie in new[] { "sid=x", "sid=" + new string('A', 43), "sid=" + new string('A', 5000) })
        {
            var other = _app.Program();
            other.DefaultRequestHeaders.Add("Cookie", cookie);
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(other));
        }
    }

    [Fact]
    public async Task A_disabled_user_is_out_and_nobody_fills_the_table()
    {
        var browser = await SignedInAsync();
        var sessions = _app.Services.GetRequiredService<BrowserSessions>();
        var user = (await _app.Users.FindAsync("local", Ct))!;
        for (var i = 0; i < 120; i++) await sessions.BeginAsync(user.Id, "", "", null, Ct);
        Assert.Equal(100, (await sessions.ListAsync(user.Id, 500, Ct)).Count);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(browser));
        var next = await SignedInAsync();
        await _app.RunAsync(Disable, [true, "local"], Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(next));
    }

    private async Task<HttpClient> SignedInAsync()
    {
        var browser = _app.Browser();
        using var answer = await SignInApp.LoginAsync(browser, "local", "Local12345", Ct);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return browser;
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient browser)
    {
        using var answer = await browser.GetAsync(new Uri(Sessions, UriKind.Relative), Ct);
        return answer.StatusCode;
    }

    private static readonly Berth.Server.Platform.Data.Statement Disable = new("UPDATE users SET is_disabled = @0 WHERE name = @1 RETURNING id");

#pragma warning disable SA1300, IDE1006 // The names of the JSON.
    private sealed record SessionRow(long id);
#pragma warning restore SA1300, IDE1006
}
