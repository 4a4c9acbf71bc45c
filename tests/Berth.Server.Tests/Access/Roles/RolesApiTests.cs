using Berth.Server.Access;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Access.Roles;

public sealed class RolesApiOnSqliteTests(SqlitePlatform fixture) : RolesApiTests(fixture), IClassFixture<SqlitePlatform>;

public sealed class RolesApiOnPostgresTests(PostgresPlatform fixture) : RolesApiTests(fixture), IClassFixture<PostgresPlatform>;

public abstract class RolesApiTests(PlatformFixture fixture) : PlatformTests(fixture)
{
    private const string Roles = "/api/berth/v1/roles";

    [Fact]
    public async Task A_role_is_made_of_permissions_and_allows_exactly_those()
    {
        var (project, name) = (await NewProjectAsync(), NewName("pusher"));
        await App.PushAsync($"{project}/app", "v1", TestImage.New(seed: 61));
        var answer = await App.CallAsync("POST", Roles, body: $$"""{"name":"{{name}}","description":"builds","permissions":["repository:push","project:read","repository:push"]}""");
        Assert.Equal(201, answer.Status);
        var id = answer.Json["id"]!.GetValue<int>();
        Assert.True(id >= BuiltInRoles.FirstCustomId);
        Assert.Equal($"{Roles}/{id}", answer.Header("Location"));
        var user = await NewMemberAsync(project, id);
        Assert.Equal(202, (await App.CallAsync("POST", $"/v2/{project}/app/blobs/uploads/", user)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", $"/v2/{project}/app/manifests/v1", user)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", $"/api/v2.0/projects/{project}/members", user)).Status);

        // At the next request.
        Assert.Equal(200, (await App.CallAsync("PUT", $"{Roles}/{id}", body: $$"""{"name":"{{name}}","permissions":["repository:pull","member:list"]}""")).Status);
        Assert.Equal(403, (await App.CallAsync("POST", $"/v2/{project}/app/blobs/uploads/", user)).Status);
        Assert.Equal(200, (await App.CallAsync("GET", $"/v2/{project}/app/manifests/v1", user)).Status);
        var members = await App.GetAsync($"/api/v2.0/projects/{project}/members?entityname={user}", user);
        Assert.Equal((name, id), (members[0]!["role_name"]!.GetValue<string>(), members[0]!["role_id"]!.GetValue<int>()));

        Assert.Equal(412, (await App.CallAsync("DELETE", $"{Roles}/{id}")).Status);
        Assert.Equal(200, (await App.CallAsync("DELETE", $"/api/v2.0/projects/{project}/members/{members[0]!["id"]}")).Status);
        Assert.Equal(204, (await App.CallAsync("DELETE", $"{Roles}/{id}")).Status);
        Assert.Equal(404, (await App.CallAsync("GET", $"{Roles}/{id}")).Status);
        Assert.Equal(["create role", "update role", "delete role"], EventsOf(name));
    }

    [Fact]
    public async Task The_list_holds_the_five_roles_of_Harbor_and_all_others()
    {
        var name = NewName("extra");
        await App.CreateAsync(Roles, $$"""{"name":"{{name}}","permissions":["repository:pull"]}""");
        var user = await NewUserAsync();
        var roles = (await App.GetAsync(Roles, user)).AsArray();
        Assert.Equal(["projectAdmin", "developer", "guest", "maintainer", "limitedGuest"], roles.Take(5).Select(r => r!["name"]!.GetValue<string>()));
        Assert.Contains(roles, r => r!["name"]!.GetValue<string>() == name && !r["is_built_in"]!.GetValue<bool>());
        Assert.Equal(ProjectPermissions.All.Count, (await App.GetAsync($"{Roles}/permissions", user)).AsArray().Count);
        Assert.Equal("guest", (await App.GetAsync($"{Roles}/3", user))["name"]!.GetValue<string>());
        Assert.Equal(401, (await App.CallAsync("GET", Roles, "")).Status);
    }

    [Theory]
    [InlineData("""{"permissions":["repository:pull"]}""")]
    [InlineData("""{"name":"guest","permissions":["repository:pull"]}""")]
    [InlineData("""{"name":"17","permissions":["repository:pull"]}""")]
    [InlineData("""{"name":"x","permissions":[]}""")]
    [InlineData("""{"name":"x","permissions":["repository:fly"]}""")]
    [InlineData("""{"name":"x","permissions":["*:*"]}""")]
    [InlineData("""{"name":"x","permissions":[null]}""")]
    public async Task What_is_no_role_is_refused(string body) => Assert.Equal(400, (await App.CallAsync("POST", Roles, body: body)).Status);

    [Fact]
    public async Task Roles_are_made_by_administrators_once_each_and_Harbor_s_stay_as_they_are()
    {
        var (user, name) = (await NewUserAsync(), NewName("twice"));
        var body = $$"""{"name":"{{name}}","permissions":["repository:pull"]}""";
        Assert.Equal(403, (await App.CallAsync("POST", Roles, user, body)).Status);
        var location = await App.CreateAsync(Roles, body);
        Assert.Equal(409, (await App.CallAsync("POST", Roles, body: body)).Status);
        Assert.Equal(403, (await App.CallAsync("PUT", location, user, body)).Status);
        Assert.Equal(403, (await App.CallAsync("DELETE", location, user)).Status);
        Assert.Equal(403, (await App.CallAsync("PUT", $"{Roles}/3", body: body)).Status);
        Assert.Equal(403, (await App.CallAsync("DELETE", $"{Roles}/3")).Status);
        Assert.Equal(404, (await App.CallAsync("PUT", $"{Roles}/99999", body: """{"name":"nowhere","permissions":["repository:pull"]}""")).Status);
        Assert.Equal(404, (await App.CallAsync("DELETE", $"{Roles}/99999")).Status);
    }
}
