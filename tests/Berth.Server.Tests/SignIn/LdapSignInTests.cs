using System.Net;
using System.Net.Http.Json;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;
using Berth.Server.SignIn;
using Berth.Server.Tests.Identity.Ldap;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.SignIn;

/// <summary>The server with a real OpenLDAP behind it.</summary>
public sealed class LdapSignInTests(SlapdFixture slapd) : IClassFixture<SlapdFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task People_of_the_directory_sign_in_everywhere_with_their_groups_and_local_users_still_do()
    {
        await using var app = await StartAsync();
        Assert.Equal(HttpStatusCode.OK, await app.TryAsync("alice", "alice-pw", Ct));
        Assert.Equal(HttpStatusCode.Unauthorized, await app.TryAsync("alice", "wrong", Ct));
        Assert.Equal(HttpStatusCode.Unauthorized, await app.TryAsync("nobody", "wrong", Ct));
        Assert.Equal(HttpStatusCode.OK, await app.TryAsync("local", "Local12345", Ct));
        Assert.Equal(HttpStatusCode.OK, await app.TryAsync("admin", "Harbor12345", Ct));
        var alice = (await app.Users.FindAsync("alice", Ct))!;
        Assert.Equal(("ldap", "alice@example.org", "Alice Adams", true, false), (alice.Source, alice.Email, alice.RealName, alice.IsAdminBySource, alice.IsAdmin));
        Assert.Equal(["admins", "developers"], await app.GroupsOfAsync("alice", Ct));
        var browser = app.Browser();
        using var login = await SignInApp.LoginAsync(browser, "bob", "bob-pw", Ct);
        Assert.Equal(HttpStatusCode.OK, login.StatusCode);
        Assert.Equal(["developers"], await app.GroupsOfAsync("bob", Ct));
        using var token = await app.Program("carol", "carol-pw").GetAsync(new Uri("/service/token?service=harbor-registry&scope=repository:library/x:pull", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.OK, token.StatusCode);
    }

    [Fact]
    public async Task A_local_name_is_never_looked_for_in_the_directory()
    {
        await using var app = await StartAsync();
        await app.Users.AddAsync("alice", "Local12345", isAdmin: false, Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, await app.TryAsync("alice", "alice-pw", Ct));
        Assert.Equal(HttpStatusCode.OK, await app.TryAsync("alice", "Local12345", Ct));
        await app.RunAsync(MakeOidc, ["bob"], Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, await app.TryAsync("bob", "bob-pw", Ct));
    }

    [Fact]
    public async Task A_directory_that_is_down_is_503_and_local_users_do_not_notice()
    {
        await using var app = await SignInApp.StartAsync(new IdentityOptions { Ldap = slapd.Options() with { Url = "ldap://127.0.0.1:1" } });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await app.TryAsync("alice", "alice-pw", Ct));
        using var token = await app.Program("alice", "alice-pw").GetAsync(new Uri("/service/token?scope=repository:library/x:pull", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, token.StatusCode);
        using var login = await SignInApp.LoginAsync(app.Browser(), "alice", "alice-pw", Ct);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, login.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await app.TryAsync("local", "Local12345", Ct));
        Assert.Equal(HttpStatusCode.Unauthorized, await app.TryAsync("local", "wrong", Ct));
    }

    [Fact]
    public async Task The_sync_brings_groups_up_to_date_and_ends_what_people_who_left_had()
    {
        await using var app = await StartAsync();
        foreach (var name in new[] { "alice", "bob" }) Assert.Equal(HttpStatusCode.OK, await app.TryAsync(name, name + "-pw", Ct));
        await app.RunAsync(LeaveAll, [], Ct);
        await app.RunAsync(Rename, ["gone", "bob"], Ct);
        var browser = app.Browser();
        Assert.Equal((2, 1), await app.Services.GetRequiredService<LdapUsers>().SyncAsync(Ct));
        Assert.Equal(["admins", "developers"], await app.GroupsOfAsync("alice", Ct));
        Assert.Empty(await app.GroupsOfAsync("gone", Ct));
        Assert.Null((await app.Users.FindAsync("gone", Ct))!.ExternalId);
        Assert.Equal((1, 0), await app.Services.GetRequiredService<LdapUsers>().SyncAsync(Ct));
    }

    [Fact]
    public async Task Harbors_operations_answer_with_its_json()
    {
        await using var app = await StartAsync();
        var admin = app.Program("admin", "Harbor12345");
        Assert.Equal("""{"success":true}""", await PingAsync(admin, null));
        Assert.Equal("""{"success":true}""", await PingAsync(admin, new { ldap_url = slapd.Server["LDAP_URL"], ldap_search_dn = slapd.Server["LDAP_BIND_DN"], ldap_search_password = "reader" }));
        Assert.Contains("wrong name or password", await PingAsync(admin, new { ldap_search_password = "wrong" }), StringComparison.Ordinal);
        Assert.StartsWith("""{"success":false,"message":"error: """, await PingAsync(admin, new { ldap_url = "ldap://127.0.0.1:1" }), StringComparison.Ordinal);

        Assert.Equal("""[{"username":"bob","realname":"Bob (B*) Brown","email":"bob@example.org"}]""", await GetAsync(admin, "/ldap/users/search?username=bob", HttpStatusCode.OK));
        Assert.Equal("[]", await GetAsync(admin, "/ldap/users/search?username=nobody", HttpStatusCode.OK));
        Assert.Equal("""[{"group_name":"admins","ldap_group_dn":"cn=admins,ou=groups,dc=example,dc=org"}]""", await GetAsync(admin, "/ldap/groups/search?groupname=admins", HttpStatusCode.OK));
        Assert.Contains("developers", await GetAsync(admin, "/ldap/groups/search?groupdn=cn=developers,ou=groups,dc=example,dc=org", HttpStatusCode.OK), StringComparison.Ordinal);
        await GetAsync(admin, "/ldap/groups/search?groupname=none", HttpStatusCode.NotFound);
        await GetAsync(admin, "/ldap/groups/search?groupdn=none", HttpStatusCode.BadRequest);
        await GetAsync(admin, "/ldap/groups/search", HttpStatusCode.NotFound);

        using var import = await admin.PostAsJsonAsync("/api/v2.0/ldap/users/import", new { ldap_uid_list = new[] { "carol", "", "nobody" } }, Ct);
        Assert.Equal(HttpStatusCode.NotFound, import.StatusCode);
        Assert.Equal("""[{"uid":"","error":"empty_uid"},{"uid":"nobody","error":"unknown_user"}]""", await import.Content.ReadAsStringAsync(Ct));
        Assert.Equal("ldap", (await app.Users.FindAsync("carol", Ct))!.Source);

        foreach (var caller in new[] { app.Program("local", "Local12345"), app.Program() })
        {
            var status = caller.DefaultRequestHeaders.Authorization is null ? HttpStatusCode.Unauthorized : HttpStatusCode.Forbidden;
            await GetAsync(caller, "/ldap/users/search", status);
            await GetAsync(caller, "/ldap/groups/search?groupname=admins", status);
            using var ping = await caller.PostAsync(new Uri("/api/v2.0/ldap/ping", UriKind.Relative), null, Ct);
            Assert.Equal(status, ping.StatusCode);
        }
    }

    [Fact]
    public async Task People_and_groups_of_the_directory_become_members_before_they_have_come()
    {
        await using var app = await StartAsync();
        var admin = app.Program("admin", "Harbor12345");
        var groups = "ou=groups,dc=example,dc=org";
        foreach (var (body, status) in new (object, HttpStatusCode)[]
        {
            (new { role_id = 3, member_user = new { username = "carol" } }, HttpStatusCode.Created),
            (new { role_id = 2, member_group = new { ldap_group_dn = $"CN=developers, {groups}", group_name = "makers", group_type = 1 } }, HttpStatusCode.Created),
            (new { role_id = 2, member_group = new { ldap_group_dn = $"cn=developers,{groups}" } }, HttpStatusCode.Conflict),
            (new { role_id = 4, member_group = new { ldap_group_dn = $"cn=admins,{groups}" } }, HttpStatusCode.Created),
            (new { role_id = 2, member_user = new { username = "nobody" } }, HttpStatusCode.NotFound),
            (new { role_id = 2, member_group = new { ldap_group_dn = $"cn=nobodies,{groups}" } }, HttpStatusCode.NotFound),
            (new { role_id = 2, member_group = new { ldap_group_dn = "no name at all" } }, HttpStatusCode.NotFound),
            // Nobody here decides over groups of a provider that there is not, nor makes local groups in passing.
            (new { role_id = 2, member_group = new { group_name = "developers", group_type = 3 } }, HttpStatusCode.NotFound),
            (new { role_id = 2, member_group = new { group_name = "developers", group_type = 0 } }, HttpStatusCode.NotFound),
        })
        {
            using var answer = await admin.PostAsJsonAsync("/api/v2.0/projects/library/members", body, Ct);
            Assert.True(status == answer.StatusCode, $"{body}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync(Ct)}");
        }
        var carol = (await app.Users.FindAsync("carol", Ct))!;
        Assert.Equal(("ldap", "Carol"), (carol.Source, carol.RealName![..5]));
        using var push = await app.Program("bob", "bob-pw").PostAsync(new Uri("/v2/library/app/blobs/uploads/", UriKind.Relative), null, Ct);
        Assert.Equal(HttpStatusCode.Accepted, push.StatusCode);
        Assert.Equal(["makers"], await app.GroupsOfAsync("bob", Ct));
        using var denied = await app.Program("carol", "carol-pw").PostAsync(new Uri("/v2/library/app/blobs/uploads/", UriKind.Relative), null, Ct);
        Assert.Equal(HttpStatusCode.Forbidden, denied.StatusCode);
        // Only who may add members makes anybody come.
        using var stranger = await app.Program("local", "Local12345").PostAsJsonAsync("/api/v2.0/projects/library/members", new { role_id = 3, member_user = new { username = "alice" } }, Ct);
        Assert.Equal(HttpStatusCode.Forbidden, stranger.StatusCode);
        Assert.Null(await app.Users.FindAsync("alice", Ct));
    }

    [Fact]
    public async Task A_directory_that_is_down_cannot_say_who_may_be_a_member()
    {
        await using var app = await SignInApp.StartAsync(new IdentityOptions { Ldap = slapd.Options() with { Url = "ldap://127.0.0.1:1" } });
        var admin = app.Program("admin", "Harbor12345");
        using var unknown = await admin.PostAsJsonAsync("/api/v2.0/projects/library/members", new { role_id = 3, member_user = new { username = "carol" } }, Ct);
        using var known = await admin.PostAsJsonAsync("/api/v2.0/projects/library/members", new { role_id = 3, member_user = new { username = "local" } }, Ct);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.Created), (unknown.StatusCode, known.StatusCode));
    }

    [Fact]
    public async Task A_name_and_a_password_that_are_wrong_take_the_same_time()
    {
        await using var app = await StartAsync();
        var times = new Dictionary<string, List<double>>();
        for (var i = 0; i < 8; i++)
        {
            foreach (var name in new[] { "alice", "nobody" })
            {
                var begun = TimeProvider.System.GetTimestamp();
                Assert.Equal(HttpStatusCode.Unauthorized, await app.TryAsync(name, "wrong" + i, Ct));
                (times.TryGetValue(name, out var list) ? list : times[name] = []).Add(TimeProvider.System.GetElapsedTime(begun).TotalMilliseconds);
            }
        }
        Assert.All(times.Values, list => Assert.True(list.Min() >= 250, $"answered after {list.Min()} ms"));
    }

    [Fact]
    public async Task A_directory_that_an_administrator_sets_is_in_force_at_the_next_sign_in()
    {
        await using var app = await SignInApp.StartAsync(new IdentityOptions());
        Assert.Equal(HttpStatusCode.Unauthorized, await app.TryAsync("bob", "bob-pw", Ct));
        var options = slapd.Options();
        var settings = app.Services.GetRequiredService<RuntimeSettings>();
        async Task SetAsync(params (RuntimeSetting Setting, string Text)[] values) => await app.Database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await settings.SetAsync(session, values.ToDictionary(v => v.Setting, v => v.Text), 0, token);
            return true;
        }, Ct);

        await SetAsync(
            (RuntimeSettingTable.AuthMode, "ldap_auth"), (RuntimeSettingTable.LdapUrl, options.Url), (RuntimeSettingTable.LdapBaseDn, options.BaseDn), (RuntimeSettingTable.LdapUid, "uid"),
            (RuntimeSettingTable.LdapSearchDn, options.SearchDn), (RuntimeSettingTable.LdapSearchPassword, options.SearchPassword!),
            (RuntimeSettingTable.LdapGroupBaseDn, options.GroupBaseDn), (RuntimeSettingTable.LdapGroupSearchFilter, options.GroupSearchFilter));
        Assert.Equal(HttpStatusCode.OK, await app.TryAsync("bob", "bob-pw", Ct));
        Assert.Equal(["developers"], await app.GroupsOfAsync("bob", Ct));
        await SetAsync((RuntimeSettingTable.LdapFilter, "(("));
        Assert.Equal(HttpStatusCode.OK, await app.TryAsync("alice", "alice-pw", Ct));
        await SetAsync((RuntimeSettingTable.AuthMode, "db_auth"));
        Assert.Equal(HttpStatusCode.Unauthorized, await app.TryAsync("carol", "carol-pw", Ct));
    }

    private Task<SignInApp> StartAsync() => SignInApp.StartAsync(new IdentityOptions { Ldap = slapd.Options() });

    private static async Task<string> PingAsync(HttpClient client, object? body)
    {
        using var answer = body is null ? await client.PostAsync(new Uri("/api/v2.0/ldap/ping", UriKind.Relative), null, Ct) : await client.PostAsJsonAsync("/api/v2.0/ldap/ping", body, Ct);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Ct);
    }

    private static async Task<string> GetAsync(HttpClient client, string path, HttpStatusCode status)
    {
        using var answer = await client.GetAsync(new Uri("/api/v2.0" + path, UriKind.Relative), Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(status == answer.StatusCode, $"{answer.StatusCode} {text}");
        return text;
    }

    private static readonly Statement LeaveAll = new("DELETE FROM user_group_members RETURNING group_id");
    private static readonly Statement Rename = new("UPDATE users SET name = @0 WHERE name = @1 RETURNING id");
    private static readonly Statement MakeOidc = new("INSERT INTO users (name, password_hash, is_admin, source, external_id, created_at) VALUES (@0, '', FALSE, 'oidc:main', 'x', 0) RETURNING id");
}
