using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;

namespace Berth.Server.Tests.Access.Members;

public sealed class MembersApiOnSqliteTests(SqlitePlatform fixture) : MembersApiTests(fixture), IClassFixture<SqlitePlatform>;

public sealed class MembersApiOnPostgresTests(PostgresPlatform fixture) : MembersApiTests(fixture), IClassFixture<PostgresPlatform>;

public abstract class MembersApiTests(PlatformFixture fixture) : PlatformTests(fixture)
{
    [Fact]
    public async Task A_member_is_added_by_name_or_number_read_changed_and_removed()
    {
        var project = await NewProjectAsync();
        var (alice, bob) = (await NewUserAsync(), NewName("bob"));
        var bobId = await App.AddUserAsync(bob);
        var path = $"/api/v2.0/projects/{project}/members";
        var location = await App.CreateAsync(path, $$$"""{"role_id":3,"member_user":{"username":"{{{alice}}}"}}""");
        Assert.Matches($"^/api/v2.0/projects/{project}/members/[0-9]+$", location);
        await App.CreateAsync(path, $$$"""{"role_id":4,"member_user":{"user_id":{{{bobId}}}}}""");

        var member = await App.GetAsync(location);
        Assert.Equal((alice, "u", 3, "guest"), (member["entity_name"]!.GetValue<string>(), member["entity_type"]!.GetValue<string>(), member["role_id"]!.GetValue<int>(), member["role_name"]!.GetValue<string>()));
        Assert.Equal(await IdOfAsync(project), member["project_id"]!.GetValue<long>());
        Assert.Equal(200, (await App.CallAsync("GET", $"/api/v2.0/projects/{project}", alice)).Status);
        Assert.Equal(403, (await App.CallAsync("POST", $"/v2/{project}/app/blobs/uploads/", alice)).Status);
        Assert.Equal(200, (await App.CallAsync("PUT", location, body: """{"role_id":2}""")).Status);
        // At the next request.
        Assert.Equal(202, (await App.CallAsync("POST", $"/v2/{project}/app/blobs/uploads/", alice)).Status);

        var list = await App.CallAsync("GET", path);
        Assert.Equal("3", list.Header("X-Total-Count"));
        Assert.Equal(["admin", bob, alice], list.Json.AsArray().Select(m => m!["entity_name"]!.GetValue<string>()).OrderBy(n => n.StartsWith("user", StringComparison.Ordinal)));
        Assert.Equal([alice], (await App.GetAsync($"{path}?entityname={alice}")).AsArray().Select(m => m!["entity_name"]!.GetValue<string>()));
        Assert.Equal(200, (await App.CallAsync("DELETE", location)).Status);
        Assert.Equal(404, (await App.CallAsync("GET", location)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", $"/api/v2.0/projects/{project}", alice)).Status);
        Assert.Equal(["create member", "update member", "delete member"], EventsOf(alice));
    }

    [Fact]
    public async Task A_group_gives_its_role_to_those_who_are_in_it()
    {
        var (project, user, group) = (await NewProjectAsync(), await NewUserAsync(), NewName("group"));
        var id = await AddGroupAsync(group, user, kind: 3, dn: null);
        var path = $"/api/v2.0/projects/{project}/members";
        var location = await App.CreateAsync(path, $$$"""{"role_id":2,"member_group":{"group_name":"{{{group}}}","group_type":3}}""");
        Assert.Equal(202, (await App.CallAsync("POST", $"/v2/{project}/app/blobs/uploads/", user)).Status);
        Assert.Equal(("g", id), ((await App.GetAsync(location))["entity_type"]!.GetValue<string>(), (await App.GetAsync(location))["entity_id"]!.GetValue<long>()));
        Assert.Equal([2L], (await App.GetAsync($"/api/v2.0/projects/{project}", user))["current_user_role_ids"]!.AsArray().Select(r => r!.GetValue<long>()));
        Assert.Equal(200, (await App.CallAsync("DELETE", location)).Status);
        Assert.Equal(403, (await App.CallAsync("POST", $"/v2/{project}/app/blobs/uploads/", user)).Status);

        await App.CreateAsync(path, $$$"""{"role_id":3,"member_group":{"id":{{{id}}}}}""");
        var dn = $"cn={group}-ldap,ou=groups,dc=example";
        await AddGroupAsync(group + "-ldap", user, kind: 1, dn);
        await App.CreateAsync(path, $$$"""{"role_id":4,"member_group":{"ldap_group_dn":"{{{dn.ToUpperInvariant()}}}"}}""");
        Assert.Equal(4, (await App.GetAsync($"/api/v2.0/projects/{project}", user))["current_user_role_id"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("""{"role_id":2}""", 400, "at least one of member_user or member_group must be provided")]
    [InlineData("""{"role_id":2,"member_user":{}}""", 400, "at least one of member_user or member_group must be provided")]
    [InlineData("""{"role_id":2,"member_user":{"username":"nobody-here"}}""", 404, "user nobody-here is not found")]
    [InlineData("""{"role_id":2,"member_user":{"user_id":987654}}""", 400, "User 987654 not found")]
    [InlineData("""{"role_id":2,"member_group":{"id":987654}}""", 400, "Group 987654 not found")]
    [InlineData("""{"role_id":2,"member_group":{"group_name":"nobodies"}}""", 404, null)]
    [InlineData("""{"role_id":2,"member_group":{"ldap_group_dn":"cn=x"}}""", 404, null)]
    [InlineData("""{"role_id":99,"member_user":{"username":"admin"}}""", 400, "Failed to update project member, role is not in 1,2,3")]
    [InlineData("""{"member_user":{"username":"admin"}}""", 400, "Failed to update project member, role is not in 1,2,3")]
    public async Task What_makes_no_member_is_refused(string body, int status, string? message)
    {
        var answer = await App.CallAsync("POST", "/api/v2.0/projects/library/members", body: body);
        Assert.Equal(status, answer.Status);
        if (message is not null) Assert.Equal(message, answer.Message);
    }

    [Fact]
    public async Task Somebody_is_a_member_once_and_members_are_the_project_s_own()
    {
        var (project, other) = (await NewProjectAsync(), await NewProjectAsync());
        var answer = await App.CallAsync("POST", $"/api/v2.0/projects/{project}/members", body: """{"role_id":2,"member_user":{"username":"admin"}}""");
        Assert.Equal((409, "The project member specified already exist"), (answer.Status, answer.Message));
        var id = (await App.GetAsync($"/api/v2.0/projects/{project}/members"))[0]!["id"]!.GetValue<long>();
        foreach (var method in new[] { "GET", "PUT", "DELETE" })
        {
            Assert.Equal(404, (await App.CallAsync(method, $"/api/v2.0/projects/{other}/members/{id}", body: """{"role_id":3}""")).Status);
            Assert.Equal(400, (await App.CallAsync(method, $"/api/v2.0/projects/{other}/members/0", body: """{"role_id":3}""")).Status);
        }
        Assert.Equal(400, (await App.CallAsync("PUT", $"/api/v2.0/projects/{project}/members/{id}", body: "{}")).Status);
        Assert.Equal(400, (await App.CallAsync("PUT", $"/api/v2.0/projects/{project}/members/{id}", body: """{"role_id":77}""")).Status);
    }

    [Fact]
    public async Task Members_are_managed_by_project_administrators_only()
    {
        var project = await NewProjectAsync();
        var path = $"/api/v2.0/projects/{project}/members";
        foreach (var (role, mayList) in new[] { (4, true), (2, true), (3, true), (5, false) })
        {
            var member = await NewMemberAsync(project, role);
            Assert.Equal(mayList ? 200 : 403, (await App.CallAsync("GET", path, member)).Status);
            Assert.Equal(403, (await App.CallAsync("POST", path, member, """{"role_id":5,"member_user":{"username":"admin"}}""")).Status);
            Assert.Equal(403, (await App.CallAsync("PUT", $"{path}/1", member, """{"role_id":5}""")).Status);
            Assert.Equal(403, (await App.CallAsync("DELETE", $"{path}/1", member)).Status);
        }
        Assert.Equal(401, (await App.CallAsync("GET", path, "")).Status);
        Assert.Equal(403, (await App.CallAsync("GET", path, await NewUserAsync())).Status);
        Assert.Equal(404, (await App.CallAsync("GET", $"/api/v2.0/projects/{project}-missing/members")).Status);
    }

    [Fact]
    public async Task Nobody_gives_more_than_they_have_or_takes_it_from_those_who_have_more()
    {
        var project = await NewProjectAsync();
        var role = await App.CreateAsync("/api/berth/v1/roles", $$"""{"name":"{{NewName("keeper")}}","permissions":["project:read","member:create","member:read","member:update","member:delete","member:list","repository:pull"]}""");
        var id = int.Parse(role[(role.LastIndexOf('/') + 1)..]);
        var (keeper, user) = (await NewMemberAsync(project, id), await NewUserAsync());
        var path = $"/api/v2.0/projects/{project}/members";
        Assert.Equal(403, (await App.CallAsync("POST", path, keeper, $$$"""{"role_id":1,"member_user":{"username":"{{{user}}}"}}""")).Status);
        Assert.Equal(403, (await App.CallAsync("POST", path, keeper, $$$"""{"role_id":2,"member_user":{"username":"{{{user}}}"}}""")).Status);
        var location = await App.CreateAsync(path, $$$"""{"role_id":{{{id}}},"member_user":{"username":"{{{user}}}"}}""", keeper);
        Assert.Equal(403, (await App.CallAsync("PUT", location, keeper, """{"role_id":1}""")).Status);
        var owner = (await App.GetAsync($"{path}?entityname=admin"))[0]!["id"]!.GetValue<long>();
        Assert.Equal(403, (await App.CallAsync("PUT", $"{path}/{owner}", keeper, $$"""{"role_id":{{id}}}""")).Status);
        Assert.Equal(403, (await App.CallAsync("DELETE", $"{path}/{owner}", keeper)).Status);
        Assert.Equal(200, (await App.CallAsync("DELETE", location, keeper)).Status);
    }

    [Fact]
    public async Task Robots_are_members_in_our_own_words_and_none_in_Harbor_s()
    {
        var project = await NewProjectAsync();
        var robot = NewName("ci");
        await App.Database.WriteAsync(Durability.Full, async (session, ct) => await session.ExecuteAsync(InsertRobot, [robot], ct), CancellationToken.None);
        var path = $"/api/berth/v1/projects/{project}/members";
        var location = await App.CreateAsync(path, $$"""{"kind":"robot","name":"robot${{robot}}","role":"developer"}""");
        var list = await App.GetAsync(path);
        Assert.Contains(list.AsArray(), m => m!["kind"]!.GetValue<string>() == "robot" && m["name"]!.GetValue<string>() == robot && m["role"]!.GetValue<string>() == "developer");
        Assert.Equal("1", (await App.CallAsync("GET", $"/api/v2.0/projects/{project}/members")).Header("X-Total-Count"));
        Assert.Equal(200, (await App.CallAsync("PUT", location, body: """{"role":"4"}""")).Status);
        Assert.Equal(204, (await App.CallAsync("DELETE", location)).Status);
        Assert.Equal(404, (await App.CallAsync("DELETE", location)).Status);
        Assert.Equal(400, (await App.CallAsync("POST", path, body: """{"kind":"role","name":"x","role":"guest"}""")).Status);
        Assert.Equal(400, (await App.CallAsync("POST", path, body: """{"kind":"user","role":"guest"}""")).Status);
        Assert.Equal(404, (await App.CallAsync("POST", path, body: """{"kind":"robot","name":"no-robot","role":"guest"}""")).Status);
        Assert.Equal(403, (await App.CallAsync("POST", path, await NewMemberAsync(project, 4), """{"kind":"user","name":"admin","role":"guest"}""")).Status);
    }

    private Task<long> AddGroupAsync(string name, string user, int kind, string? dn) => App.Database.WriteAsync(Durability.Full, async (session, ct) =>
    {
        var id = await session.ScalarAsync(InsertGroup, [name, kind, dn], ct);
        await session.ExecuteAsync(InsertGroupMember, [id, user], ct);
        await session.AnnounceAsync(Topics.Access, "", ct);
        return id!.Value;
    }, CancellationToken.None);

    private static readonly Statement InsertGroup = new("INSERT INTO user_groups (name, kind, ldap_dn, created_at) VALUES (@0, @1, @2, 0) RETURNING id");
    private static readonly Statement InsertGroupMember = new("INSERT INTO user_group_members (group_id, user_id) SELECT @0, id FROM users WHERE name = @1");

    private static readonly Statement InsertRobot = new("""
        INSERT INTO robots (name, description, is_disabled, duration_days, creator_kind, creator_id, created_at, updated_at) VALUES (@0, '', false, -1, 'user', 1, 0, 0)
        """);
}
