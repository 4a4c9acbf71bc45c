using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;

namespace Berth.Server.Tests.Platform.Settings;

public sealed class RuntimeSettingsTests
{
    private static readonly SettingCipher Reversed = new(
        text => new string([.. text.Reverse()]), text => new string([.. text.Reverse()]));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_change_is_seen_at_the_next_read(DatabaseKind kind)
    {
        await using var site = await TestDatabase.NewAsync(kind);
        var settings = new RuntimeSettings(site.Current, Reversed, new Dictionary<string, string>());
        Assert.False(await settings.ReadAsync(RuntimeSettingTable.SelfRegistration, Ct));

        await SetAsync(site.Current, settings, RuntimeSettingTable.SelfRegistration, "true");

        Assert.True(await settings.ReadAsync(RuntimeSettingTable.SelfRegistration, Ct));
    }

    [Fact]
    public async Task Another_replica_sees_a_change()
    {
        await using var site = await TestDatabase.NewAsync(DatabaseKind.Postgres);
        var here = site.Current;
        var there = site.Open();
        var mine = new RuntimeSettings(here, Reversed, new Dictionary<string, string>());
        var theirs = new RuntimeSettings(there, Reversed, new Dictionary<string, string>());
        Assert.Equal(30, await theirs.ReadAsync(RuntimeSettingTable.TokenExpiration, Ct));

        await SetAsync(here, mine, RuntimeSettingTable.TokenExpiration, "7");

        await Eventually.TrueAsync(() => theirs.ReadAsync(RuntimeSettingTable.TokenExpiration, Ct).AsTask().GetAwaiter().GetResult() == 7, "the other replica has heard it");
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_secret_lies_encrypted_in_the_database(DatabaseKind kind)
    {
        await using var site = await TestDatabase.NewAsync(kind);
        var settings = new RuntimeSettings(site.Current, Reversed, new Dictionary<string, string>());

        await SetAsync(site.Current, settings, RuntimeSettingTable.LdapSearchPassword, "abc");

        Assert.Equal("abc", await settings.ReadAsync(RuntimeSettingTable.LdapSearchPassword, Ct));
        var stored = await site.Current.ReadAsync(0, static async (s, _, t) =>
            (string?)await s.Command(SelectPassword).ExecuteScalarAsync(t), Ct);
        Assert.Equal("cba", stored);
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task What_the_file_fixes_wins_and_cannot_be_set(DatabaseKind kind)
    {
        await using var site = await TestDatabase.NewAsync(kind);
        var free = new RuntimeSettings(site.Current, Reversed, new Dictionary<string, string>());
        await SetAsync(site.Current, free, RuntimeSettingTable.ReadOnly, "true");
        var bound = new RuntimeSettings(site.Current, Reversed, new Dictionary<string, string> { ["read_only"] = "false" });

        Assert.False(await bound.ReadAsync(RuntimeSettingTable.ReadOnly, Ct));
        Assert.True((await bound.ReadAsync(Ct)).IsFixed(RuntimeSettingTable.ReadOnly));
        await Assert.ThrowsAsync<ArgumentException>(() => SetAsync(site.Current, bound, RuntimeSettingTable.ReadOnly, "true"));
    }

    [Fact]
    public async Task Settings_without_a_database_keep_what_the_file_fixes()
    {
        var settings = RuntimeSettings.Constant(new Dictionary<string, string> { ["read_only"] = "true" });

        Assert.True(await settings.ReadAsync(RuntimeSettingTable.ReadOnly, Ct));
        Assert.True(await settings.ReadAsync(RuntimeSettingTable.NotificationEnable, Ct));
    }

    [Theory]
    [InlineData("token_expiration", "0", "must be positive")]
    [InlineData("token_expiration", "99999999999", "over the limit")]
    [InlineData("token_expiration", "x", "over the limit")]
    [InlineData("storage_per_project", "0", "-1 or greater")]
    [InlineData("ldap_scope", "3", "0, 1 or 2")]
    [InlineData("ldap_uid", " ", "must not be empty")]
    [InlineData("auth_mode", "none", "should be one of db_auth")]
    [InlineData("oidc_extra_redirect_parms", "[1]", "JSON object")]
    [InlineData("oidc_extra_redirect_parms", "{\"a\":1}", "JSON object")]
    [InlineData("read_only", "maybe", "true or false")]
    [InlineData("ldap_timeout", "1.5", "whole number")]
    public void A_text_that_is_no_value_is_refused(string name, string text, string problem) =>
        Assert.Contains(problem, RuntimeSettingTable.Find(name)!.Check(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("token_expiration", "1e2", 100L)]
    [InlineData("storage_per_project", "-1", -1L)]
    [InlineData("read_only", "1", true)]
    [InlineData("oidc_extra_redirect_parms", "{\"prompt\":\"login\"}", "{\"prompt\":\"login\"}")]
    public void A_text_is_read_as_Harbor_reads_it(string name, string text, object value) =>
        Assert.Equal(value, RuntimeSettingTable.Find(name)!.TryParse(text));

    [Fact]
    public void Names_differ() =>
        Assert.Equal(RuntimeSettingTable.All.Count, RuntimeSettingTable.All.Select(s => s.Name).Distinct().Count());

    private static Task<bool> SetAsync(Database database, RuntimeSettings settings, RuntimeSetting setting, string text) =>
        database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            await settings.SetAsync(session, new Dictionary<RuntimeSetting, string> { [setting] = text }, 1, ct);
            return true;
        }, Ct);

    private static readonly Statement SelectPassword = new("SELECT value FROM settings WHERE name = 'ldap_search_password'");
}
