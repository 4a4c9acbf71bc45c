using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Audit;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Administration;

public sealed class ConfigurationApiTests
{
    private const string Path = "/api/v2.0/configurations";

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_change_is_shown_takes_effect_survives_and_is_audited(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var body = """{"self_registration":true,"token_expiration":45,"robot_name_prefix":"bot-","ldap_search_password":"s3cret","storage_per_project":-1,"unknown_key":1,"ldap_url":null}""";
        Assert.Equal(200, (await app.CallAsync("PUT", Path, body: body)).Status);

        await app.Registry.RestartAsync();

        var shown = await app.GetAsync(Path);
        Assert.Equal("""{"value":true,"editable":true}""", shown["self_registration"]!.ToJsonString());
        Assert.Equal("""{"value":45,"editable":true}""", shown["token_expiration"]!.ToJsonString());
        Assert.Equal("bot-", shown["robot_name_prefix"]!["value"]!.GetValue<string>());
        Assert.Null(shown["ldap_search_password"]);
        Assert.Null(shown["oidc_client_secret"]);
        Assert.DoesNotContain("s3cret", (await app.CallAsync("GET", "/api/v2.0/internalconfig")).Body, StringComparison.Ordinal);
        var settings = app.Services.GetRequiredService<RuntimeSettings>();
        Assert.Equal("s3cret", await settings.ReadAsync(RuntimeSettingTable.LdapSearchPassword, TestContext.Current.CancellationToken));
        Assert.True((await app.GetAsync("/api/v2.0/systeminfo", ""))["self_registration"]!.GetValue<bool>());
        var entry = Assert.Single(await AuditApiTests.EntriesAsync(app, e => e.ResourceType == "configuration"));
        Assert.Equal("ldap_search_password, robot_name_prefix, self_registration, token_expiration", entry.Resource);
        Assert.DoesNotContain("s3cret", entry.Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"token_expiration":0}""", 400, "must be positive")]
    [InlineData("""{"session_timeout":99999999999}""", 400, "over the limit")]
    [InlineData("""{"auth_mode":"none","project_creation_restriction":"nobody"}""", 400, "project_creation_restriction")]
    [InlineData("""{"ldap_scope":7}""", 400, "0, 1 or 2")]
    [InlineData("""{"audit_log_forward_endpoint":"ftp://x"}""", 400, "host:port")]
    [InlineData("""{"skip_audit_log_database":true}""", 400, "endpoint should be configured")]
    [InlineData("""{"read_only":1}""", 422, "another type")]
    [InlineData("""{"banner_message":{}}""", 422, "another type")]
    [InlineData("""[]""", 422, "JSON object")]
    [InlineData("""{""", 422, "not what this operation takes")]
    public async Task What_is_no_value_is_refused_and_changes_nothing(string body, int status, string message)
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        var before = (await app.GetAsync(Path)).ToJsonString();

        var answer = await app.CallAsync("PUT", Path, body: body);

        Assert.Equal(status, answer.Status);
        Assert.Contains(message, answer.Message, StringComparison.Ordinal);
        Assert.Equal(before, (await app.GetAsync(Path)).ToJsonString());
    }

    [Fact]
    public async Task What_the_file_fixes_is_shown_and_cannot_be_changed()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite, o => o with
        {
            Projects = o.Projects with { Creators = Berth.Server.Projects.ProjectCreators.Admins },
            Settings = new SettingsOptions { Fixed = new Dictionary<string, string> { ["banner_message"] = "hello" } },
        });

        var shown = await app.GetAsync(Path);
        Assert.Equal("""{"value":"adminonly","editable":false}""", shown["project_creation_restriction"]!.ToJsonString());
        Assert.Equal("""{"value":"hello","editable":false}""", shown["banner_message"]!.ToJsonString());
        var changed = await app.CallAsync("PUT", Path, body: """{"banner_message":"bye","self_registration":true}""");
        Assert.Equal(403, changed.Status);
        Assert.Contains("banner_message", changed.Message, StringComparison.Ordinal);
        Assert.False((await app.GetAsync(Path))["self_registration"]!["value"]!.GetValue<bool>());
        // Clients that send everything back get through.
        Assert.Equal(200, (await app.CallAsync("PUT", Path, body: """{"banner_message":"hello","self_registration":true}""")).Status);
    }

    [Fact]
    public async Task Only_administrators_see_and_change_settings()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        await app.AddUserAsync("alice");
        foreach (var (method, path) in new[] { ("GET", Path), ("PUT", Path), ("GET", "/api/v2.0/internalconfig") })
        {
            Assert.Equal(403, (await app.CallAsync(method, path, "alice", "{}")).Status);
            Assert.Equal(401, (await app.CallAsync(method, path, "", "{}")).Status);
        }
    }

    [Fact]
    public async Task All_of_Harbors_settings_are_there()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        var shown = (await app.GetAsync(Path)).AsObject().Select(p => p.Key).ToHashSet();
        // Harbor's description of the answer, without its secrets.
        string[] harbor =
        [
            "auth_mode", "primary_auth_mode", "ldap_base_dn", "ldap_filter", "ldap_group_base_dn", "ldap_group_admin_dn", "ldap_group_attribute_name",
            "ldap_group_search_filter", "ldap_group_search_scope", "ldap_group_attach_parallel", "ldap_scope", "ldap_search_dn", "ldap_timeout", "ldap_uid", "ldap_url",
            "ldap_verify_cert", "ldap_group_membership_attribute", "project_creation_restriction", "read_only", "self_registration", "token_expiration", "uaa_client_id",
            "uaa_endpoint", "uaa_verify_cert", "http_authproxy_endpoint", "http_authproxy_tokenreview_endpoint", "http_authproxy_admin_groups",
            "http_authproxy_admin_usernames", "http_authproxy_verify_cert", "http_authproxy_skip_search", "http_authproxy_server_certificate", "oidc_name", "oidc_endpoint",
            "oidc_client_id", "oidc_groups_claim", "oidc_admin_group", "oidc_group_filter", "oidc_scope", "oidc_user_claim", "oidc_verify_cert", "oidc_auto_onboard",
            "oidc_extra_redirect_parms", "oidc_logout", "robot_token_duration", "robot_name_prefix", "notification_enable", "quota_per_project_enable", "storage_per_project",
            "audit_log_forward_endpoint", "skip_audit_log_database", "session_timeout", "scanner_skip_update_pulltime", "banner_message", "disabled_audit_log_event_types",
            "pull_time_update_disable", "pull_count_update_disable", "pull_audit_log_disable",
        ];
        Assert.Empty(harbor.Except(shown));
    }
}
