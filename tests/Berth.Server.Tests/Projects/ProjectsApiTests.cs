using Berth.Server.Projects;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Projects;

public sealed class ProjectsApiOnSqliteTests(SqlitePlatform fixture) : ProjectsApiTests(fixture), IClassFixture<SqlitePlatform>;

public sealed class ProjectsApiOnPostgresTests(PostgresPlatform fixture) : ProjectsApiTests(fixture), IClassFixture<PostgresPlatform>;

public abstract class ProjectsApiTests(PlatformFixture fixture) : PlatformTests(fixture)
{
    private const string Projects = "/api/v2.0/projects";

    [Fact]
    public async Task A_project_is_made_read_changed_and_deleted()
    {
        var user = await NewUserAsync();
        var name = NewName("own");
        var location = await App.CreateAsync(Projects, $$$"""{"project_name":"{{{name}}}","metadata":{"public":"false","auto_scan":"true","severity":"High"}}""", user);
        Assert.Matches("^/api/v2.0/projects/[0-9]+$", location);

        var project = await App.GetAsync(location, user);
        Assert.Equal(name, project["name"]!.GetValue<string>());
        Assert.Equal(user, project["owner_name"]!.GetValue<string>());
        Assert.Equal(1, project["current_user_role_id"]!.GetValue<int>());
        Assert.Equal(1, project["current_user_role_ids"]![0]!.GetValue<int>());
        Assert.Equal(0, project["repo_count"]!.GetValue<int>());
        Assert.Equal("false", project["metadata"]!["public"]!.GetValue<string>());
        Assert.Equal("high", project["metadata"]!["severity"]!.GetValue<string>());
        Assert.Empty(project["cve_allowlist"]!["items"]!.AsArray());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", project["creation_time"]!.GetValue<string>());

        var change = await App.CallAsync("PUT", $"{Projects}/{name}", user, """{"metadata":{"public":"true","auto_scan":"false"},"cve_allowlist":{"items":[{"cve_id":"CVE-2024-1"}],"expires_at":1900000000}}""");
        Assert.Equal(200, change.Status);
        var changed = await App.GetAsync($"{Projects}/{name}", user);
        Assert.Equal("true", changed["metadata"]!["public"]!.GetValue<string>());
        Assert.Equal("false", changed["metadata"]!["auto_scan"]!.GetValue<string>());
        Assert.Equal("high", changed["metadata"]!["severity"]!.GetValue<string>());
        Assert.Equal("CVE-2024-1", changed["cve_allowlist"]!["items"]![0]!["cve_id"]!.GetValue<string>());
        Assert.Null(changed["metadata"]!["cve_allowlist"]);

        Assert.Equal(200, (await App.CallAsync("DELETE", $"{Projects}/{name}", user)).Status);
        Assert.Equal(404, (await App.CallAsync("GET", $"{Projects}/{name}")).Status);
        Assert.Equal(["create project", "update project", "delete project"], EventsOf(name));
    }

    [Theory]
    [InlineData("""{"project_name":"Upper"}""", 400, "project name is not in lower case or contains illegal characters")]
    [InlineData("""{"project_name":"two/parts"}""", 400, "project name is not in lower case or contains illegal characters")]
    [InlineData("""{"project_name":""}""", 400, "Project name  is illegal in length. (greater than 255 or less than 1)")]
    [InlineData("""{"project_name":"p","metadata":{"public":"maybe"}}""", 400, "metadata.public should only be 'true' or 'false', but got: 'maybe'")]
    [InlineData("""{"project_name":"p","metadata":{"retention_id":"4"}}""", 400, null)]
    [InlineData("""{"project_name":"p","storage_limit":-2}""", 400, "invalid non-positive value for quota limit, value=-2")]
    [InlineData("""{"project_name":"p","storage_limit":1125899906842625}""", 400, "exceeded 1024TB, which is 1125899906842624 Bytes, value=1125899906842625")]
    [InlineData("""{"project_name":"p","registry_id":0}""", 400, null)]
    [InlineData("""{"project_name":"p","registry_id":3}""", 501, null)]
    [InlineData("""{"project_name":"library"}""", 409, "The project named library already exists")]
    [InlineData("""{"project_name":7}""", 422, null)]
    [InlineData("nonsense", 422, null)]
    public async Task What_cannot_be_a_project_is_refused(string body, int status, string? message)
    {
        var answer = await App.CallAsync("POST", Projects, body: body);
        Assert.Equal(status, answer.Status);
        if (message is not null) Assert.Equal(message, answer.Message);
    }

    [Fact]
    public async Task Only_administrators_choose_the_quota_and_everybody_needs_an_account()
    {
        var (user, name, other) = (await NewUserAsync(), NewName("quota"), NewName("quota"));
        Assert.Equal(401, (await App.CallAsync("POST", Projects, "", $$"""{"project_name":"{{name}}"}""")).Status);
        await App.CreateAsync(Projects, $$"""{"project_name":"{{name}}","storage_limit":1000}""", user);
        await App.CreateAsync(Projects, $$"""{"project_name":"{{other}}","storage_limit":1000}""");
        Assert.Equal(-1, (await App.GetAsync($"{Projects}/{name}/summary"))["quota"]!["hard"]!["storage"]!.GetValue<long>());
        Assert.Equal(1000, (await App.GetAsync($"{Projects}/{other}/summary"))["quota"]!["hard"]!["storage"]!.GetValue<long>());
    }

    [Fact]
    public async Task The_location_names_the_project_if_asked_to()
    {
        var name = NewName("located");
        var answer = await App.CallAsync("POST", Projects, body: $$"""{"project_name":"{{name}}"}""", headers: ("X-Resource-Name-In-Location", "true"));
        Assert.Equal(201, answer.Status);
        Assert.Equal($"/api/v2.0/projects/{name}", answer.Header("Location"));
    }

    [Fact]
    public async Task A_number_is_an_id_unless_the_client_says_that_it_is_a_name()
    {
        var name = $"{90_000_000 + Random.Shared.Next(1_000_000)}";
        var location = await App.CreateAsync(Projects, $$"""{"project_name":"{{name}}"}""");
        Assert.Equal(404, (await App.CallAsync("GET", $"{Projects}/{name}")).Status);
        Assert.Equal(200, (await App.CallAsync("GET", $"{Projects}/{name}", headers: ("X-Is-Resource-Name", "true"))).Status);
        Assert.Equal(name, (await App.GetAsync(location))["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_list_holds_what_the_caller_may_see()
    {
        var mark = NewName("seen");
        foreach (var (name, isPublic) in new[] { ("open", true), ("closed", false), ("mine", false) }) await App.AddProjectAsync($"{mark}-{name}", isPublic);
        var user = await NewMemberAsync($"{mark}-mine", 3);
        Assert.Equal([$"{mark}-closed", $"{mark}-mine", $"{mark}-open"], await NamesAsync($"name={mark}", "admin"));
        Assert.Equal([$"{mark}-mine", $"{mark}-open"], await NamesAsync($"name={mark}", user));
        Assert.Equal([$"{mark}-mine"], await NamesAsync($"name={mark}&public=false", user));
        Assert.Equal([$"{mark}-open"], await NamesAsync($"name={mark}", ""));
        Assert.Empty(await NamesAsync($"name={mark}&public=false", ""));
        var mine = (await App.GetAsync($"{Projects}?name={mark}-mine", user)).AsArray()[0]!;
        Assert.Equal(3, mine["current_user_role_id"]!.GetValue<int>());
    }

    [Fact]
    public async Task The_list_pages_sorts_and_filters()
    {
        var mark = NewName("paged");
        for (var i = 0; i < 5; i++) await App.AddProjectAsync($"{mark}-{i}", isPublic: i % 2 == 0);
        var page = await App.CallAsync("GET", $"{Projects}?name={mark}&page=2&page_size=2&sort=-name");
        Assert.Equal("5", page.Header("X-Total-Count"));
        Assert.Equal([$"{mark}-2", $"{mark}-1"], page.Json.AsArray().Select(p => p!["name"]!.GetValue<string>()));
        Assert.Contains("rel=\"prev\"", page.Header("Link"), StringComparison.Ordinal);
        Assert.Contains("rel=\"next\"", page.Header("Link"), StringComparison.Ordinal);
        Assert.Equal([$"{mark}-1", $"{mark}-3"], await NamesAsync($"q=name=~{mark},public=false", "admin"));
        Assert.Equal([$"{mark}-4"], await NamesAsync($"q=name={mark}-4", "admin"));
        Assert.Equal(5, (await NamesAsync($"name={mark}&owner=admin", "admin")).Length);
        Assert.Empty(await NamesAsync($"name={mark}&owner=nobody", "admin"));
        var bare = (await App.GetAsync($"{Projects}?name={mark}&with_detail=false")).AsArray()[0]!;
        Assert.Null(bare["metadata"]);
        Assert.Null(bare["owner_name"]);
        Assert.Equal(400, (await App.CallAsync("GET", $"{Projects}?q=nonsense")).Status);
        Assert.Equal(400, (await App.CallAsync("GET", $"{Projects}?q=project_id=x")).Status);
        Assert.Equal(422, (await App.CallAsync("GET", $"{Projects}?page_size=101")).Status);
        Assert.Equal(422, (await App.CallAsync("GET", $"{Projects}?public=perhaps")).Status);
        Assert.Empty(await NamesAsync("name=%25", "admin"));
    }

    [Fact]
    public async Task HEAD_says_whether_a_name_is_taken()
    {
        var name = await NewProjectAsync();
        Assert.Equal(200, (await App.CallAsync("HEAD", $"{Projects}?project_name={name}")).Status);
        Assert.Equal(404, (await App.CallAsync("HEAD", $"{Projects}?project_name={name}x")).Status);
        Assert.Equal(422, (await App.CallAsync("HEAD", Projects)).Status);
        Assert.Equal(401, (await App.CallAsync("HEAD", $"{Projects}?project_name={name}", "")).Status);
    }

    [Fact]
    public async Task What_somebody_may_not_see_looks_as_if_it_were_not_there()
    {
        var (project, user) = (await NewProjectAsync(), await NewUserAsync());
        foreach (var name in new[] { project, project + "-missing" })
        {
            Assert.Equal(403, (await App.CallAsync("GET", $"{Projects}/{name}", user)).Status);
            Assert.Equal(401, (await App.CallAsync("GET", $"{Projects}/{name}", "")).Status);
            Assert.Equal(403, (await App.CallAsync("PUT", $"{Projects}/{name}", user, "{}")).Status);
            Assert.Equal(403, (await App.CallAsync("DELETE", $"{Projects}/{name}", user)).Status);
            Assert.Equal(403, (await App.CallAsync("GET", $"{Projects}/{name}/summary", user)).Status);
            Assert.Equal(403, (await App.CallAsync("GET", $"{Projects}/{name}/_deletable", user)).Status);
        }
        Assert.Equal(404, (await App.CallAsync("PUT", $"{Projects}/{project}-missing", body: "{}")).Status);
        Assert.Equal(404, (await App.CallAsync("DELETE", $"{Projects}/{project}-missing")).Status);
        Assert.Equal(404, (await App.CallAsync("GET", $"{Projects}/{project}-missing/summary")).Status);
        Assert.Equal(404, (await App.CallAsync("GET", $"{Projects}/{project}-missing/_deletable")).Status);
    }

    [Fact]
    public async Task Members_below_the_administrator_change_and_delete_nothing()
    {
        var project = await NewProjectAsync();
        foreach (var role in new[] { 2, 3, 4, 5 })
        {
            var member = await NewMemberAsync(project, role);
            Assert.Equal(200, (await App.CallAsync("GET", $"{Projects}/{project}", member)).Status);
            Assert.Equal(403, (await App.CallAsync("PUT", $"{Projects}/{project}", member, "{}")).Status);
            Assert.Equal(403, (await App.CallAsync("DELETE", $"{Projects}/{project}", member)).Status);
        }
        var admin = await NewMemberAsync(project, 1);
        Assert.Equal(400, (await App.CallAsync("PUT", $"{Projects}/{project}", admin, """{"metadata":{"severity":"terrible"}}""")).Status);
        Assert.Equal(400, (await App.CallAsync("PUT", $"{Projects}/{project}", admin, """{"metadata":{"retention_id":"9"}}""")).Status);
        Assert.Equal(400, (await App.CallAsync("PUT", $"{Projects}/{project}", admin, """{"cve_allowlist":{"project_id":999999,"items":[]}}""")).Status);
        Assert.Equal(200, (await App.CallAsync("DELETE", $"{Projects}/{project}", admin)).Status);
    }

    [Fact]
    public async Task A_project_with_repositories_is_not_deleted_unless_forced()
    {
        var project = await NewProjectAsync();
        await App.PushAsync($"{project}/app", "v1", TestImage.New(seed: 31));
        var answer = await App.CallAsync("DELETE", $"{Projects}/{project}");
        Assert.Equal(412, answer.Status);
        Assert.Equal("PRECONDITION", answer.Code);
        Assert.Equal("the project contains repositories, can not be deleted", answer.Message);
        var deletable = await App.GetAsync($"{Projects}/{project}/_deletable");
        Assert.False(deletable["deletable"]!.GetValue<bool>());
        Assert.Equal("the project contains repositories, can not be deleted", deletable["message"]!.GetValue<string>());

        Assert.Equal(200, (await App.CallAsync("PUT", $"/api/berth/v1/projects/{project}/repositories/app/tags/v1/locks", body: """{"delete":true}""")).Status);
        Assert.Equal(412, (await App.CallAsync("DELETE", $"{Projects}/{project}?force=true")).Status);
        Assert.Equal(200, (await App.CallAsync("PUT", $"/api/berth/v1/projects/{project}/repositories/app/tags/v1/locks", body: """{"delete":false}""")).Status);
        Assert.Equal(200, (await App.CallAsync("DELETE", $"{Projects}/{project}?force=true")).Status);
        Assert.Equal(404, (await App.CallAsync("GET", $"{Projects}/{project}")).Status);
        Assert.Equal(404, (await App.Registry.GetAsync($"/v2/{project}/app/manifests/{TestImage.New(seed: 31).Digest}", PlatformApp.As("admin"))).Status);

        await App.AddProjectAsync(project);
        Assert.True((await App.GetAsync($"{Projects}/{project}/_deletable"))["deletable"]!.GetValue<bool>());
        Assert.Equal(0, (await App.GetAsync($"{Projects}/{project}/summary"))["quota"]!["used"]!["storage"]!.GetValue<long>());
    }

    [Fact]
    public async Task The_summary_counts_repositories_members_and_bytes()
    {
        var project = await NewProjectAsync();
        var (guest, limited) = (await NewMemberAsync(project, 3), await NewMemberAsync(project, 5));
        var image = TestImage.New(seed: 33);
        await App.PushAsync($"{project}/a", "v1", image);
        await App.PushAsync($"{project}/b", "v1", image);
        var summary = await App.GetAsync($"{Projects}/{project}/summary", guest);
        Assert.Equal(2, summary["repo_count"]!.GetValue<int>());
        Assert.Equal((1, 1, 1), (summary["project_admin_count"]!.GetValue<int>(), summary["guest_count"]!.GetValue<int>(), summary["limited_guest_count"]!.GetValue<int>()));
        Assert.Equal(image.Blobs.Sum(b => b.Length) + 2 * image.Manifest.Length, summary["quota"]!["used"]!["storage"]!.GetValue<long>());
        var less = await App.GetAsync($"{Projects}/{project}/summary", limited);
        Assert.Null(less["guest_count"]);
        Assert.NotNull(less["quota"]);
        Assert.Equal(2, (await App.GetAsync($"{Projects}/{project}"))["repo_count"]!.GetValue<int>());
    }

    [Fact]
    public async Task Who_may_make_projects_is_a_setting()
    {
        await using var closed = await PlatformApp.StartAsync(Kind, o => o with { Projects = o.Projects with { Creators = ProjectCreators.Admins, DefaultQuotaBytes = 5000 } });
        await closed.AddUserAsync("u");
        var refused = await closed.CallAsync("POST", Projects, "u", """{"project_name":"mine"}""");
        Assert.Equal((403, "Only system admin can create project"), (refused.Status, refused.Message));
        await closed.AddProjectAsync("ours");
        Assert.Equal(5000, (await closed.GetAsync($"{Projects}/ours/summary"))["quota"]!["hard"]!["storage"]!.GetValue<long>());
    }

    [Fact]
    public async Task A_first_push_makes_the_project_and_its_pusher_an_administrator_of_it()
    {
        await using var app = await PlatformApp.StartAsync(
            Kind, o => o with { Projects = o.Projects with { CreateOnPush = ProjectCreators.Everyone, PublicOnPush = true, MetadataOnPush = ["auto_scan=true"] } }, s => s.AddRecorder());
        await app.AddUserAsync("pusher");
        await app.SetAsync("""{"storage_per_project":1000000}""");
        await app.PushAsync("fresh/app", "v1", TestImage.New(seed: 35), "pusher");
        var project = await app.GetAsync($"{Projects}/fresh", "pusher");
        Assert.Equal(("pusher", 1, "true", "true"), (project["owner_name"]!.GetValue<string>(), project["current_user_role_id"]!.GetValue<int>(),
            project["metadata"]!["public"]!.GetValue<string>(), project["metadata"]!["auto_scan"]!.GetValue<string>()));
        Assert.Equal(1_000_000, (await app.GetAsync($"{Projects}/fresh/summary", "pusher"))["quota"]!["hard"]!["storage"]!.GetValue<long>());
        Assert.Equal(["create project"], app.Services.EventsOf("fresh"));
        await using var strict = await PlatformApp.StartAsync(Kind, o => o with { Projects = o.Projects with { CreateOnPush = ProjectCreators.Admins } });
        await strict.AddUserAsync("pusher");
        var blob = TestImage.New(seed: 36).Blobs[0];
        Assert.Equal(403, (await strict.Registry.PostAsync($"/v2/fresh/app/blobs/uploads/?digest={Oci.Digest.Of(blob)}", blob, PlatformApp.As("pusher"))).Status);
        Assert.Equal(404, (await strict.CallAsync("GET", $"{Projects}/fresh")).Status);
    }

    private async Task<string[]> NamesAsync(string query, string user) =>
        [.. (await App.GetAsync($"{Projects}?{query}&page_size=100", user)).AsArray().Select(p => p!["name"]!.GetValue<string>())];
}
