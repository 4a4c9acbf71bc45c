using System.Net;
using System.Text;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Ui;

/// <summary>What there is of pages, who may see which, and what every page must keep to.</summary>
public sealed class PagesTests
{
    private const int MaxPageBytes = 200_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pages_with_their_needs_and_forms_are_approved()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        var pages = app.Services.GetServices<UiPages>().SelectMany(p => p.All).OrderBy(p => p.Route, StringComparer.Ordinal).ToList();
        var text = new StringBuilder();
        foreach (var page in pages)
        {
            text.Append($"GET    {page.Route}  {page.Need}  {page.Component.Name}\n");
            if (page.Actions.Count > 0) text.Append($"POST   {page.Route}  {page.Need}  {string.Join(", ", page.Actions.Select(a => a.Name))}\n");
        }
        Approval.Verify(text.ToString(), "ui-routes.txt");
        Assert.All(pages, p => Assert.True(Berth.Server.Ui.Ui.Owns(p.Route), p.Route));
    }

    [Fact]
    public async Task Every_page_is_there_in_both_languages_for_an_administrator_and_keeps_to_the_rules()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        foreach (var path in PathsOf(app))
        {
            foreach (var (language, tag) in new[] { ("en", "lang=\"en\""), ("zh-CN", "lang=\"zh-Hans\"") })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                request.Headers.AcceptLanguage.ParseAdd(language);
                using var answer = await admin.SendAsync(request, Ct);
                var html = await answer.Content.ReadAsStringAsync(Ct);
                Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {answer.StatusCode} {UiApp.Text(html)}");
                Assert.True(html.Contains(tag, StringComparison.Ordinal) && html.Contains("<h1", StringComparison.Ordinal) && html.Contains("<main", StringComparison.Ordinal), path);
                // The policy forbids everything inline: what slipped in would not work.
                Assert.DoesNotContain(" style=", html, StringComparison.Ordinal);
                Assert.DoesNotContain(" onclick=", html, StringComparison.Ordinal);
                Assert.DoesNotContain("<script>", html, StringComparison.Ordinal);
                Assert.DoesNotContain("unsafe", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
                Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
                Assert.InRange(html.Length, 500, MaxPageBytes);
            }
        }
    }

    [Fact]
    public async Task Who_is_not_signed_in_is_sent_to_sign_in_and_comes_back()
    {
        await using var app = await UiApp.StartAsync();
        using var browser = app.Server.Browser();
        foreach (var path in new[] { "/account", "/account/tokens", "/administration", "/administration/users", "/projects/nowhere/robots" })
        {
            using var answer = await browser.GetAsync(new Uri(path, UriKind.Relative), Ct);
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
            Assert.Equal($"/account/sign-in?to={Uri.EscapeDataString(path)}", answer.Headers.Location!.OriginalString);
        }
        using var signedIn = await UiApp.SendAsync(browser, "/account/sign-in?to=%2Faccount%2Ftokens", "sign-in", Ct, ("principal", "local"), ("password", "Local12345"));
        Assert.Equal("/account/tokens", signedIn.Headers.Location!.OriginalString);
        using var elsewhere = await UiApp.SendAsync(app.Server.Browser(), "/account/sign-in?to=%2F%2Fevil.example", "sign-in", Ct, ("principal", "local"), ("password", "Local12345"));
        Assert.Equal("/projects", elsewhere.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task Who_may_not_see_a_page_is_told_so_and_has_no_link_to_it()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        using var user = await app.SignInAsync("local", "Local12345", Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        foreach (var path in new[] { "/administration", "/administration/users", "/administration/garbage", "/projects/team", "/projects/team/robots", "/projects/team/settings" })
            Assert.Equal(HttpStatusCode.Forbidden, (await UiApp.ReadAsync(user, path, Ct)).Status);

        // A guest reads, and is offered nothing else.
        await UiApp.DoAsync(admin, "/projects/team/members", "add", Ct, ("kind", "user"), ("name", "local"), ("role", "3"));
        var (status, html) = await UiApp.ReadAsync(user, "/projects/team/members", Ct);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.DoesNotContain("id=\"add-member\"", html, StringComparison.Ordinal);
        Assert.DoesNotContain("href=\"/administration\"", html, StringComparison.Ordinal);
        using var refused = await UiApp.SendAsync(user, "/projects/team/members", "add", Ct, ("kind", "user"), ("name", "local"), ("role", "1"));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await UiApp.ReadAsync(user, "/projects/team/audit", Ct)).Status);
        Assert.DoesNotContain("id=\"new-robot\"", (await UiApp.ReadAsync(user, "/projects/team/robots", Ct)).Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_that_is_not_ours_is_refused()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        using var form = new FormUrlEncodedContent([new("do", "create"), new("name", "stolen")]);
        using var withoutProof = await admin.PostAsync(new Uri("/projects", UriKind.Relative), form, Ct);
        Assert.Equal(HttpStatusCode.BadRequest, withoutProof.StatusCode);

        using var request = new HttpRequestMessage(HttpMethod.Post, "/account/sign-in") { Content = new FormUrlEncodedContent([new("do", "sign-in"), new("principal", "local"), new("password", "Local12345")]) };
        request.Headers.Add("Sec-Fetch-Site", "cross-site");
        using var fromElsewhere = await app.Server.Browser().SendAsync(request, Ct);
        Assert.Equal(HttpStatusCode.BadRequest, fromElsewhere.StatusCode);
        Assert.False(fromElsewhere.Headers.Contains("Set-Cookie"));
        Assert.Equal(HttpStatusCode.NotFound, (await UiApp.ReadAsync(admin, "/projects/stolen", Ct)).Status);
    }

    [Fact]
    public async Task What_pages_load_is_kept_for_good_and_comes_compressed()
    {
        await using var app = await UiApp.StartAsync();
        using var browser = app.Server.Browser();
        var (_, html) = await UiApp.ReadAsync(browser, "/account/sign-in", Ct);
        var total = html.Length;
        foreach (var kind in new[] { "berth.*?css", "berth.*?js", "berth.*?svg" })
        {
            var path = System.Text.RegularExpressions.Regex.Match(html, $"/ui/assets/{kind}").Value;
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.AcceptEncoding.ParseAdd("gzip, br");
            using var answer = await browser.SendAsync(request, Ct);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Contains("immutable", answer.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
            Assert.Equal("br", answer.Content.Headers.ContentEncoding.Single());
            total += (await answer.Content.ReadAsByteArrayAsync(Ct)).Length;
        }
        Assert.InRange(total, 1, 60_000);
        Assert.Equal(HttpStatusCode.NotFound, (await UiApp.ReadAsync(browser, "/ui/assets/berth.000000000000.css", Ct)).Status);
    }

    [Fact]
    public async Task A_path_that_is_nothing_is_a_page_for_people_and_none_for_programs()
    {
        await using var app = await UiApp.StartAsync();
        using var browser = app.Server.Browser();
        var (status, html) = await UiApp.ReadAsync(browser, "/no/such/page", Ct);
        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Contains("There is no such page", html, StringComparison.Ordinal);
        using var program = await browser.GetAsync(new Uri("/no/such/page", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.NotFound, program.StatusCode);
        Assert.Empty(await program.Content.ReadAsByteArrayAsync(Ct));
    }

    [Fact]
    public async Task Language_and_appearance_are_remembered_without_signing_in()
    {
        await using var app = await UiApp.StartAsync();
        using var browser = app.Server.Browser();
        await UiApp.DoAsync(browser, "/ui/preferences", "set", Ct, ("lang", "zh"), ("to", "/account/sign-in"));
        await UiApp.DoAsync(browser, "/ui/preferences", "set", Ct, ("theme", "dark"));
        var (_, html) = await UiApp.ReadAsync(browser, "/account/sign-in", Ct, "en");
        Assert.Contains("lang=\"zh-Hans\" data-theme=\"dark\"", html, StringComparison.Ordinal);
        Assert.Contains("登录", UiApp.Text(html), StringComparison.Ordinal);
    }

    // Pages of one repository or artifact are read where there is one.
    private static List<string> PathsOf(UiApp app) =>
    [
        .. app.Server.Services.GetServices<UiPages>().SelectMany(p => p.All).Select(p => p.Route.Replace("{project_name}", "team", StringComparison.Ordinal))
            .Where(r => r is not ("/" or "/account/sign-in") && !r.Contains('{', StringComparison.Ordinal)),
    ];
}
