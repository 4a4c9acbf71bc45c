using System.Net;

namespace Berth.Server.Tests.Ui;

/// <summary>What administrators do on pages: groups, roles, rules, robots, sources of accounts, webhooks and settings of the installation.</summary>
public sealed class AdministrationPagesTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_group_is_made_filled_and_deleted_by_its_name()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        const string Page = "/administration/groups";
        await UiApp.DoAsync(admin, Page, "create", Ct, ("name", "builders"), ("kind", "0"));
        var id = IdIn((await UiApp.ReadAsync(admin, Page, Ct)).Html, "group=");
        await UiApp.DoAsync(admin, Page, "add", Ct, ("id", id), ("user", "local"));
        Assert.Contains("Take local out of the group", WebUtility.HtmlDecode((await UiApp.ReadAsync(admin, $"{Page}?group={id}", Ct)).Html), StringComparison.Ordinal);
        using var unknown = await UiApp.SendAsync(admin, $"{Page}?group={id}", "add", Ct, ("id", id), ("user", "nobody"));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        using var wrongName = await UiApp.SendAsync(admin, $"{Page}?group={id}", "delete", Ct, ("id", id), ("name", "builders"), ("confirm", "other"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrongName.StatusCode);
        await UiApp.DoAsync(admin, $"{Page}?group={id}", "delete", Ct, ("id", id), ("name", "builders"), ("confirm", "builders"));
        Assert.Contains("No groups yet", UiApp.Text((await UiApp.ReadAsync(admin, Page, Ct)).Html), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_is_made_of_single_rights_and_given_away()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        const string Page = "/administration/roles";
        await UiApp.DoAsync(admin, Page, "save", Ct, ("name", "puller"), ("permission", "repository:pull"), ("permission", "repository:list"));
        var (_, html) = await UiApp.ReadAsync(admin, Page, Ct);
        var id = IdIn(html, "role=1");
        await UiApp.DoAsync(admin, Page, "save", Ct, ("id", "1" + id), ("name", "reader"), ("permission", "repository:pull"));
        Assert.Contains("reader", UiApp.Text((await UiApp.ReadAsync(admin, Page, Ct)).Html), StringComparison.Ordinal);
        using var nothing = await UiApp.SendAsync(admin, Page, "save", Ct, ("name", "empty"));
        Assert.Equal(HttpStatusCode.BadRequest, nothing.StatusCode);
        await UiApp.DoAsync(admin, Page, "delete", Ct, ("id", "1" + id));
        Assert.DoesNotContain("reader", UiApp.Text((await UiApp.ReadAsync(admin, Page, Ct)).Html), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_access_rule_takes_away_and_is_shown_to_members()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        using var user = await app.SignInAsync("local", "Local12345", Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        await UiApp.DoAsync(admin, "/projects/team/members", "add", Ct, ("kind", "user"), ("name", "local"), ("role", "2"));
        await UiApp.DoAsync(admin, "/projects/team/rules", "create", Ct, ("kind", "user"), ("name", "local"), ("repository", "release/**"), ("action", "push"), ("action", "delete"), ("effect", "deny"));
        var (status, html) = await UiApp.ReadAsync(user, "/projects/team/rules", Ct);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("release/**", UiApp.Text(html), StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"new-rule\"", html, StringComparison.Ordinal);
        using var refused = await UiApp.SendAsync(user, "/projects/team/rules", "create", Ct, ("kind", "anybody"), ("action", "pull"));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task A_robot_of_the_installation_gets_the_projects_that_are_named()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "one"));
        using var made = await UiApp.SendAsync(admin, "/administration/robots", "create", Ct, ("name", "cluster"), ("days", "-1"), ("projects", "one, library"), ("pull", "on"));
        var text = UiApp.Text(await made.Content.ReadAsStringAsync(Ct));
        Assert.Equal(HttpStatusCode.OK, made.StatusCode);
        Assert.Contains("docker login", text, StringComparison.Ordinal);
        Assert.Contains("/one/my-image:latest", text, StringComparison.Ordinal);
        Assert.Contains("one, library", UiApp.Text((await UiApp.ReadAsync(admin, "/administration/robots", Ct)).Html), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_of_accounts_is_tried_before_it_is_saved_and_its_secret_is_never_shown()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        const string Page = "/administration/identity";
        // Nobody listens on port 1: the try fails, and what was typed is still there.
        using var tried = await UiApp.SendAsync(admin, Page, "test-ldap", Ct, ("ldap_url", "ldap://127.0.0.1:1"), ("ldap_base_dn", "dc=example"), ("ldap_search_password", "secret-of-ldap"), ("ldap_scope", "2"));
        var html = await tried.Content.ReadAsStringAsync(Ct);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, tried.StatusCode);
        Assert.Contains("ldap://127.0.0.1:1", html, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-of-ldap", html, StringComparison.Ordinal);
        using var provider = await UiApp.SendAsync(admin, Page, "test-oidc", Ct, ("oidc_endpoint", "http://127.0.0.1:1"));
        Assert.Equal(HttpStatusCode.BadRequest, provider.StatusCode);

        await UiApp.DoAsync(admin, Page, "save-ldap", Ct, ("ldap_url", "ldap://127.0.0.1:1"), ("ldap_base_dn", "dc=example"), ("ldap_uid", "uid"), ("ldap_search_password", "secret-of-ldap"), ("ldap_scope", "1"), ("ldap_group_search_scope", "2"), ("ldap_timeout", "3"));
        html = (await UiApp.ReadAsync(admin, Page, Ct)).Html;
        Assert.Contains("ldap://127.0.0.1:1", html, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-of-ldap", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_webhook_of_the_installation_is_made_and_deleted()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        const string Page = "/administration/webhooks";
        await UiApp.DoAsync(admin, Page, "create", Ct, ("name", "watch"), ("address", "https://93.184.216.34/hook"), ("type", "http"), ("event", "PUSH_ARTIFACT"));
        var (_, html) = await UiApp.ReadAsync(admin, Page, Ct);
        Assert.Contains("https://93.184.216.34/hook", UiApp.Text(html), StringComparison.Ordinal);
        await UiApp.DoAsync(admin, Page, "delete", Ct, ("id", IdIn(html, "hook=")));
        Assert.Contains("No webhooks yet", UiApp.Text((await UiApp.ReadAsync(admin, Page, Ct)).Html), StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_settings_of_the_configuration_page_are_saved_together()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/administration/configuration", "save", Ct, ("banner_message", "Back at noon"), ("auth_mode", "db_auth"), ("quota_per_project_enable", "on"), ("notification_enable", "on"),
            ("project_creation_restriction", "adminonly"), ("storage_per_project", "10 GiB"), ("token_expiration", "20"), ("session_timeout", "90"), ("robot_token_duration", "10"), ("robot_name_prefix", "robot$"),
            ("pull_audit_log_disable", "on"));
        var (_, html) = await UiApp.ReadAsync(admin, "/administration/configuration", Ct);
        Assert.Contains("class=\"banner\"", html, StringComparison.Ordinal);
        Assert.Contains("value=\"10 GiB\"", html, StringComparison.Ordinal);
        Assert.Matches("name=\"pull_audit_log_disable\"[^>]*checked", html);
        using var wrong = await UiApp.SendAsync(admin, "/administration/configuration", "save", Ct, ("storage_per_project", "much"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
    }

    [Fact]
    public async Task Storage_is_told_by_project_and_repository()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        var (status, html) = await UiApp.ReadAsync(admin, "/administration/storage?project=library", Ct);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("library: 0 B unique, 0 B shared", WebUtility.HtmlDecode(html), StringComparison.Ordinal);
    }

    // The digits after a mark of a page.
    private static string IdIn(string html, string mark)
    {
        var at = html.IndexOf(mark, StringComparison.Ordinal) + mark.Length;
        Assert.True(at >= mark.Length, $"no {mark} in the page");
        return new string([.. html[at..].TakeWhile(char.IsAsciiDigit)]);
    }
}
