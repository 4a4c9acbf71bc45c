using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;

namespace Berth.Server.Tests.Identity;

/// <summary>Harbor's operations on groups, and the members of local ones, over HTTP.</summary>
public sealed class GroupsApiTests
{
    private const string Groups = "/api/v2.0/usergroups";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Groups_of_all_kinds_are_made_found_renamed_and_removed(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var local = await app.CreateAsync(Groups, """{"group_name":"builders","group_type":0}""");
        await app.CreateAsync(Groups, """{"group_name":"ldap-builders","group_type":1,"ldap_group_dn":"CN=Builders, OU=Groups,dc=example"}""");
        await app.CreateAsync(Groups, """{"group_name":"builders","group_type":2}""");
        await app.CreateAsync(Groups, """{"group_name":"builders","group_type":3}""");
        Assert.Equal(409, (await app.CallAsync("POST", Groups, "admin", """{"group_name":"builders","group_type":3}""")).Status);
        Assert.Equal(409, (await app.CallAsync("POST", Groups, "admin", """{"group_name":"other","group_type":1,"ldap_group_dn":"cn=builders,ou=groups,dc=example"}""")).Status);

        var list = await app.CallAsync("GET", Groups + "?page_size=3");
        Assert.Equal("4", list.Header("X-Total-Count"));
        Assert.Equal(3, list.Json.AsArray().Count);
        Assert.Single((await app.GetAsync(Groups + "?group_name=LDAP")).AsArray());
        var byDn = (await app.GetAsync(Groups + "?ldap_group_dn=" + Uri.EscapeDataString("cn=builders,ou=groups,dc=example"))).AsArray();
        Assert.Equal("ldap-builders", (string?)Assert.Single(byDn)!["group_name"]);
        var one = await app.GetAsync(local);
        Assert.Equal(("builders", 0), ((string?)one["group_name"], (int)one["group_type"]!));

        Assert.Equal(200, (await app.CallAsync("PUT", local, "admin", """{"group_name":"makers"}""")).Status);
        Assert.Equal("makers", (string?)(await app.GetAsync(local))["group_name"]);
        await app.AddUserAsync("bob");
        var found = await app.CallAsync("GET", Groups + "/search?groupname=maker", "bob");
        Assert.Equal("makers", (string?)Assert.Single(found.Json.AsArray())!["group_name"]);
        Assert.Equal(200, (await app.CallAsync("DELETE", local)).Status);
        Assert.Equal(404, (await app.CallAsync("GET", local)).Status);
        // As in Harbor: what is to be gone is gone.
        Assert.Equal(200, (await app.CallAsync("DELETE", local)).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Wrong_groups_and_missing_ones_are_refused(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        foreach (var body in new[]
        {
            """{"group_name":"","group_type":0}""", """{"group_type":3}""", """{"group_name":"x","group_type":7}""", """{"group_name":"x","group_type":1}""",
            """{"group_name":"x","group_type":1,"ldap_group_dn":"nonsense"}""",
        }) Assert.Equal(400, (await app.CallAsync("POST", Groups, "admin", body)).Status);
        Assert.Equal(404, (await app.CallAsync("PUT", Groups + "/99", "admin", """{"group_name":"x"}""")).Status);
        Assert.Equal(400, (await app.CallAsync("PUT", Groups + "/1", "admin", """{"group_name":""}""")).Status);
        Assert.Equal(400, (await app.CallAsync("GET", Groups + "/0")).Status);
        Assert.Equal(422, (await app.CallAsync("GET", Groups + "/x")).Status);
        Assert.Equal(400, (await app.CallAsync("GET", Groups + "/search?groupname=")).Status);
        Assert.Equal(422, (await app.CallAsync("GET", Groups + "/search")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Groups_are_for_administrators(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddUserAsync("bob");
        var group = await app.CreateAsync(Groups, """{"group_name":"builders","group_type":0}""");
        var members = $"/api/berth/v1/groups/{group.Split('/')[^1]}/members";
        foreach (var (user, status) in new[] { ("bob", 403), ("", 401) })
        {
            Assert.Equal(status, (await app.CallAsync("GET", Groups, user)).Status);
            Assert.Equal(status, (await app.CallAsync("POST", Groups, user, """{"group_name":"x","group_type":0}""")).Status);
            Assert.Equal(status, (await app.CallAsync("GET", group, user)).Status);
            Assert.Equal(status, (await app.CallAsync("PUT", group, user, """{"group_name":"x"}""")).Status);
            Assert.Equal(status, (await app.CallAsync("DELETE", group, user)).Status);
            Assert.Equal(status, (await app.CallAsync("GET", members, user)).Status);
            Assert.Equal(status, (await app.CallAsync("POST", members, user, """{"username":"bob"}""")).Status);
            Assert.Equal(status, (await app.CallAsync("DELETE", members + "/1", user)).Status);
        }
        Assert.Equal(401, (await app.CallAsync("GET", Groups + "/search?groupname=x", "")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Members_of_a_local_group_get_its_roles_at_the_next_request(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var bob = await app.AddUserAsync("bob");
        await app.AddProjectAsync("team");
        var id = (await app.CreateAsync(Groups, """{"group_name":"builders","group_type":0}""")).Split('/')[^1];
        await app.CreateAsync("/api/v2.0/projects/team/members", $$$"""{"role_id":3,"member_group":{"id":{{{id}}}}}""");
        var members = $"/api/berth/v1/groups/{id}/members";
        Assert.Equal(403, (await app.CallAsync("GET", "/v2/team/x/tags/list", "bob")).Status);

        Assert.Equal(201, (await app.CallAsync("POST", members, "admin", """{"username":"bob"}""")).Status);
        Assert.Equal(409, (await app.CallAsync("POST", members, "admin", $$"""{"user_id":{{bob}}}""")).Status);
        Assert.Equal(404, (await app.CallAsync("GET", "/v2/team/x/tags/list", "bob")).Status);
        Assert.Equal("bob", (string?)Assert.Single((await app.GetAsync(members)).AsArray())!["username"]);
        Assert.Equal(204, (await app.CallAsync("DELETE", $"{members}/{bob}")).Status);
        Assert.Equal(403, (await app.CallAsync("GET", "/v2/team/x/tags/list", "bob")).Status);

        Assert.Equal(404, (await app.CallAsync("DELETE", $"{members}/{bob}")).Status);
        Assert.Equal(404, (await app.CallAsync("POST", members, "admin", """{"username":"nobody"}""")).Status);
        Assert.Equal(400, (await app.CallAsync("POST", members, "admin", "{}")).Status);
        Assert.Equal(404, (await app.CallAsync("GET", "/api/berth/v1/groups/99/members")).Status);
        var outside = (await app.CreateAsync(Groups, """{"group_name":"elsewhere","group_type":3}""")).Split('/')[^1];
        Assert.Equal(409, (await app.CallAsync("POST", $"/api/berth/v1/groups/{outside}/members", "admin", """{"username":"bob"}""")).Status);
    }
}
