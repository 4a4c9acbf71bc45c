using Berth.Server.Tests.Api;

namespace Berth.Server.Tests.Labels;

public sealed class LabelsApiOnSqliteTests(SqlitePlatform fixture) : LabelsApiTests(fixture), IClassFixture<SqlitePlatform>;

public sealed class LabelsApiOnPostgresTests(PostgresPlatform fixture) : LabelsApiTests(fixture), IClassFixture<PostgresPlatform>;

public abstract class LabelsApiTests(PlatformFixture fixture) : PlatformTests(fixture)
{
    private const string Labels = "/api/v2.0/labels";

    [Fact]
    public async Task A_label_of_a_project_is_made_read_changed_and_deleted()
    {
        var project = await NewProjectAsync();
        var id = await IdOfAsync(project);
        var (maintainer, name) = (await NewMemberAsync(project, 4), NewName("label"));
        var location = await App.CreateAsync(Labels, $$"""{"name":"{{name}}","description":"d","color":"#FF0000","scope":"p","project_id":{{id}}}""", maintainer);
        Assert.Matches("^/api/v2.0/labels/[0-9]+$", location);
        var label = await App.GetAsync(location, maintainer);
        Assert.Equal((name, "d", "#FF0000", "p", id), (label["name"]!.GetValue<string>(), label["description"]!.GetValue<string>(), label["color"]!.GetValue<string>(),
            label["scope"]!.GetValue<string>(), label["project_id"]!.GetValue<long>()));
        Assert.Equal(409, (await App.CallAsync("POST", Labels, maintainer, $$"""{"name":"{{name}}","scope":"p","project_id":{{id}}}""")).Status);
        await App.CreateAsync(Labels, $$"""{"name":"{{name}}-b","scope":"p","project_id":{{id}}}""", maintainer);
        Assert.Equal(409, (await App.CallAsync("PUT", location, maintainer, $$"""{"name":"{{name}}-b"}""")).Status);
        Assert.Equal(200, (await App.CallAsync("PUT", location, maintainer, $$"""{"name":"{{name}}-c","color":"#000000","scope":"g"}""")).Status);
        Assert.Equal(($"{name}-c", "p"), ((await App.GetAsync(location))["name"]!.GetValue<string>(), (await App.GetAsync(location))["scope"]!.GetValue<string>()));
        var list = await App.CallAsync("GET", $"{Labels}?scope=p&project_id={id}&name={name}&sort=-name", maintainer);
        Assert.Equal("2", list.Header("X-Total-Count"));
        Assert.Equal([$"{name}-c", $"{name}-b"], list.Json.AsArray().Select(l => l!["name"]!.GetValue<string>()));
        Assert.Equal(200, (await App.CallAsync("DELETE", location, maintainer)).Status);
        Assert.Equal(404, (await App.CallAsync("GET", location)).Status);
        Assert.Equal(404, (await App.CallAsync("DELETE", location)).Status);
        Assert.Equal(404, (await App.CallAsync("PUT", location, body: """{"name":"x"}""")).Status);
        Assert.Equal(["create label"], EventsOf(name));
        Assert.Equal(["update label", "delete label"], EventsOf($"{name}-c"));
    }

    [Fact]
    public async Task A_label_of_all_projects_is_the_administrators_and_everybody_lists_it()
    {
        var (name, user) = (NewName("global"), await NewUserAsync());
        var location = await App.CreateAsync(Labels, $$"""{"name":"{{name}}","scope":"g","project_id":7}""");
        Assert.Equal(409, (await App.CallAsync("POST", Labels, body: $$"""{"name":"{{name}}","scope":"g"}""")).Status);
        Assert.Null((await App.GetAsync(location))["project_id"]);
        Assert.Equal([name], (await App.GetAsync($"{Labels}?scope=g&q=name={name}", user)).AsArray().Select(l => l!["name"]!.GetValue<string>()));
        Assert.Equal(401, (await App.CallAsync("GET", $"{Labels}?scope=g", "")).Status);
        foreach (var method in new[] { "GET", "PUT", "DELETE" })
        {
            Assert.Equal(403, (await App.CallAsync(method, location, user, """{"name":"x"}""")).Status);
            Assert.Equal(401, (await App.CallAsync(method, location, "", """{"name":"x"}""")).Status);
        }
        Assert.Equal(403, (await App.CallAsync("POST", Labels, user, """{"name":"mine","scope":"g"}""")).Status);
        Assert.Equal(401, (await App.CallAsync("POST", Labels, "", """{"name":"mine","scope":"g"}""")).Status);
    }

    [Theory]
    [InlineData("""{"name":"x"}""", "unsupported label scope")]
    [InlineData("""{"name":"x","scope":"q"}""", "unsupported label scope")]
    [InlineData("""{"name":"","scope":"g"}""", "cannot be empty")]
    [InlineData("""{"name":"x","scope":"g","color":"a colour that is too long"}""", null)]
    public async Task What_is_no_label_is_refused(string body, string? message)
    {
        var answer = await App.CallAsync("POST", Labels, body: body);
        Assert.Equal(400, answer.Status);
        if (message is not null) Assert.Equal(message, answer.Message);
        Assert.Equal(400, (await App.CallAsync("POST", Labels, body: $$"""{"name":"{{new string('x', 129)}}","scope":"g"}""")).Status);
    }

    [Theory]
    [InlineData("", "invalid scope: ")]
    [InlineData("?scope=x", "invalid scope: x")]
    [InlineData("?scope=p", "must with project ID when to query project labels")]
    [InlineData("?scope=g&q=bad", null)]
    public async Task A_list_needs_a_scope(string query, string? message)
    {
        var answer = await App.CallAsync("GET", Labels + query);
        Assert.Equal(400, answer.Status);
        if (message is not null) Assert.Equal(message, answer.Message);
    }

    [Fact]
    public async Task Labels_of_a_project_are_for_roles_that_have_them()
    {
        var project = await NewProjectAsync();
        var id = await IdOfAsync(project);
        var (guest, limited, stranger) = (await NewMemberAsync(project, 3), await NewMemberAsync(project, 5), await NewUserAsync());
        Assert.Equal(200, (await App.CallAsync("GET", $"{Labels}?scope=p&project_id={id}", guest)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", $"{Labels}?scope=p&project_id={id}", limited)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", $"{Labels}?scope=p&project_id={id}", stranger)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", $"{Labels}?scope=p&project_id=99999999", stranger)).Status);
        Assert.Equal(404, (await App.CallAsync("GET", $"{Labels}?scope=p&project_id=99999999")).Status);
        Assert.Equal(403, (await App.CallAsync("POST", Labels, guest, $$"""{"name":"x","scope":"p","project_id":{{id}}}""")).Status);
        Assert.Equal(404, (await App.CallAsync("POST", Labels, body: """{"name":"x","scope":"p","project_id":99999999}""")).Status);
    }
}
