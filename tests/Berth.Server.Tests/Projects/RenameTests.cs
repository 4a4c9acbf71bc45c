using Berth.Server.Quotas;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Projects;

public sealed class RenameOnSqliteTests(SqlitePlatform fixture) : RenameTests(fixture), IClassFixture<SqlitePlatform>;

public sealed class RenameOnPostgresTests(PostgresPlatform fixture) : RenameTests(fixture), IClassFixture<PostgresPlatform>;

public abstract class RenameTests(PlatformFixture fixture) : PlatformTests(fixture)
{
    private const string Repositories = "/api/berth/v1/repositories/rename";

    [Fact]
    public async Task A_renamed_project_is_found_by_its_old_name_until_that_is_reused()
    {
        var old = await NewProjectAsync();
        var image = TestImage.New(seed: 41);
        await App.PushAsync($"{old}/app", "v1", image);
        var name = NewName("renamed");
        var answer = await App.CallAsync("POST", $"/api/berth/v1/projects/{old}/rename", body: $$"""{"name":"{{name}}"}""");
        Assert.Equal(200, answer.Status);
        Assert.Equal(name, answer.Json["name"]!.GetValue<string>());

        Assert.Equal(name, (await App.GetAsync($"/api/v2.0/projects/{old}"))["name"]!.GetValue<string>());
        foreach (var project in new[] { old, name })
        {
            Assert.Equal(200, (await App.Registry.GetAsync($"/v2/{project}/app/manifests/v1", PlatformApp.As("admin"))).Status);
            Assert.Equal(200, (await App.Registry.GetAsync($"/v2/{project}/app/blobs/{Oci.Digest.Of(image.Blobs[0])}", PlatformApp.As("admin"))).Status);
            Assert.Equal(["v1"], (await App.Registry.GetAsync($"/v2/{project}/app/tags/list", PlatformApp.As("admin"))).Texts("tags"));
        }
        await App.PushAsync($"{old}/more", "v1", TestImage.New(seed: 42));
        Assert.Equal(200, (await App.Registry.GetAsync($"/v2/{name}/more/manifests/v1", PlatformApp.As("admin"))).Status);
        Assert.Equal(2, (await App.GetAsync($"/api/v2.0/projects/{name}"))["repo_count"]!.GetValue<int>());
        Assert.Equal(["rename project"], EventsOf(name));

        await App.AddProjectAsync(old);
        Assert.Equal(404, (await App.Registry.GetAsync($"/v2/{old}/app/manifests/v1", PlatformApp.As("admin"))).Status);
        Assert.Equal(404, (await App.Registry.GetAsync($"/v2/{old}/app/manifests/{image.Digest}", PlatformApp.As("admin"))).Status);
        Assert.Equal(200, (await App.Registry.GetAsync($"/v2/{name}/app/manifests/v1", PlatformApp.As("admin"))).Status);
    }

    [Fact]
    public async Task A_project_is_renamed_by_its_administrators_to_a_name_that_is_free()
    {
        var (project, other) = (await NewProjectAsync(), await NewProjectAsync());
        var (admin, maintainer) = (await NewMemberAsync(project, 1), await NewMemberAsync(project, 4));
        var path = $"/api/berth/v1/projects/{project}/rename";
        Assert.Equal(403, (await App.CallAsync("POST", path, maintainer, """{"name":"x"}""")).Status);
        Assert.Equal(401, (await App.CallAsync("POST", path, "", """{"name":"x"}""")).Status);
        Assert.Equal(409, (await App.CallAsync("POST", path, admin, $$"""{"name":"{{other}}"}""")).Status);
        Assert.Equal(400, (await App.CallAsync("POST", path, admin, """{"name":"Not Good"}""")).Status);
        Assert.Equal(412, (await App.CallAsync("POST", "/api/berth/v1/projects/library/rename", body: """{"name":"other-library"}""")).Status);
        Assert.Equal(404, (await App.CallAsync("POST", $"/api/berth/v1/projects/{project}-missing/rename", body: """{"name":"x"}""")).Status);
        Assert.Equal("application/problem+json", (await App.CallAsync("POST", path, maintainer, """{"name":"x"}""")).Header("Content-Type"));
        Assert.Equal(200, (await App.CallAsync("POST", path, admin, $$"""{"name":"{{NewName("by-admin")}}"}""")).Status);
    }

    [Fact]
    public async Task Names_may_go_round_and_come_back()
    {
        var (first, second) = (NewName("round"), NewName("round"));
        await App.AddProjectAsync(first);
        await App.PushAsync($"{first}/app", "v1", TestImage.New(seed: 43));
        foreach (var (from, to) in new[] { (first, second), (second, first), (first, second) })
            Assert.Equal(200, (await App.CallAsync("POST", $"/api/berth/v1/projects/{from}/rename", body: $$"""{"name":"{{to}}"}""")).Status);
        Assert.Equal(200, (await App.Registry.GetAsync($"/v2/{first}/app/manifests/v1", PlatformApp.As("admin"))).Status);
        Assert.Equal(200, (await App.Registry.GetAsync($"/v2/{second}/app/manifests/v1", PlatformApp.As("admin"))).Status);
    }

    [Fact]
    public async Task An_upload_that_was_begun_under_the_old_name_goes_on()
    {
        var old = await NewProjectAsync();
        var start = await App.Registry.PostAsync($"/v2/{old}/app/blobs/uploads/", null, PlatformApp.As("admin"));
        Assert.Equal(200, (await App.CallAsync("POST", $"/api/berth/v1/projects/{old}/rename", body: $$"""{"name":"{{NewName("moved")}}"}""")).Status);
        var bytes = RegistryTests.Bytes(3000, 44);
        Assert.Equal(201, (await App.Registry.PutAsync($"{start.Location}?digest={Oci.Digest.Of(bytes)}", bytes, PlatformApp.As("admin"))).Status);
    }

    [Fact]
    public async Task A_repository_moves_with_what_it_uses_and_its_old_name_leads_on()
    {
        var (from, to) = (await NewProjectAsync(), await NewProjectAsync());
        var (shared, own) = (TestImage.New(seed: 45), TestImage.New(seed: 46));
        await App.PushAsync($"{from}/stays", "v1", shared);
        await App.PushAsync($"{from}/goes", "v1", shared);
        await App.PushAsync($"{from}/goes", "v2", own);
        await App.PushAsync($"{to}/there", "v1", own);
        var answer = await App.CallAsync("POST", Repositories, body: $$"""{"from":"{{from}}/goes","to":"{{to}}/arrived/here"}""");
        Assert.Equal(200, answer.Status);

        foreach (var name in new[] { $"{from}/goes", $"{to}/arrived/here" })
        {
            Assert.Equal(["v1", "v2"], (await App.Registry.GetAsync($"/v2/{name}/tags/list", PlatformApp.As("admin"))).Texts("tags"));
            Assert.Equal(200, (await App.Registry.GetAsync($"/v2/{name}/manifests/v2", PlatformApp.As("admin"))).Status);
        }
        await App.PushAsync($"{from}/goes", "v3", TestImage.New(seed: 47));
        Assert.Equal(200, (await App.Registry.GetAsync($"/v2/{to}/arrived/here/manifests/v3", PlatformApp.As("admin"))).Status);
        Assert.Equal(["rename repository"], EventsOf($"{to}/arrived/here"));
        foreach (var project in new[] { from, to })
        {
            var facts = await App.GetAsync($"/api/v2.0/projects/{project}");
            Assert.Equal(project == from ? 1 : 2, facts["repo_count"]!.GetValue<int>());
            var id = facts["project_id"]!.GetValue<long>();
            var truth = await App.Database.ReadAsync(id, static (s, i, ct) => ProjectUsage.TrueBytesAsync(s, i, ct), CancellationToken.None);
            Assert.Equal(truth, (await App.GetAsync($"/api/v2.0/projects/{project}/summary"))["quota"]!["used"]!["storage"]!.GetValue<long>());
        }
        var recount = await App.CallAsync("POST", $"/api/berth/v1/quotas/recount?project={to}");
        Assert.Equal(0, recount.Json[0]!["difference"]!.GetValue<long>());
    }

    [Fact]
    public async Task The_token_service_follows_a_former_name_with_the_rights_of_the_present_one()
    {
        var (from, to) = (await NewProjectAsync(), await NewProjectAsync());
        var guest = await NewMemberAsync(from, 3);
        await App.PushAsync($"{from}/app", "v1", TestImage.New(seed: 48));
        Assert.Equal(200, (await App.CallAsync("POST", Repositories, body: $$"""{"from":"{{from}}/app","to":"{{to}}/app"}""")).Status);
        var path = $"/service/token?service=harbor-registry&scope=repository:{from}/app:pull";
        var admin = (await App.GetAsync(path))["token"]!.GetValue<string>();
        Assert.Equal(200, (await App.Registry.GetAsync($"/v2/{from}/app/manifests/v1", ("Authorization", "Bearer " + admin))).Status);
        var less = (await App.GetAsync(path, guest))["token"]!.GetValue<string>();
        Assert.Equal(401, (await App.Registry.GetAsync($"/v2/{from}/app/manifests/v1", ("Authorization", "Bearer " + less))).Status);
        Assert.Equal(403, (await App.Registry.GetAsync($"/v2/{from}/app/manifests/v1", PlatformApp.As(guest))).Status);
    }

    [Fact]
    public async Task A_former_name_is_free_again_when_its_redirect_ends()
    {
        var project = await NewProjectAsync();
        var image = TestImage.New(seed: 49);
        await App.PushAsync($"{project}/old", "v1", image);
        Assert.Equal(200, (await App.CallAsync("POST", Repositories, body: $$"""{"from":"{{project}}/old","to":"{{project}}/new"}""")).Status);
        Assert.Equal(200, (await App.CallAsync("POST", Repositories, body: $$"""{"from":"{{project}}/new","to":"{{project}}/newer"}""")).Status);
        Assert.Equal(200, (await App.Registry.GetAsync($"/v2/{project}/old/manifests/{image.Digest}", PlatformApp.As("admin"))).Status);
        Assert.Equal(204, (await App.CallAsync("DELETE", $"/api/berth/v1/repositories/redirect?name={project}/old")).Status);
        Assert.Equal(404, (await App.CallAsync("DELETE", $"/api/berth/v1/repositories/redirect?name={project}/old")).Status);
        Assert.Equal(404, (await App.Registry.GetAsync($"/v2/{project}/old/manifests/{image.Digest}", PlatformApp.As("admin"))).Status);
        await App.PushAsync($"{project}/old", "other", TestImage.New(seed: 50));
        Assert.Equal(["other"], (await App.Registry.GetAsync($"/v2/{project}/old/tags/list", PlatformApp.As("admin"))).Texts("tags"));
    }

    [Fact]
    public async Task A_repository_moves_only_where_rights_quota_and_locks_allow()
    {
        var (from, to) = (await NewProjectAsync(), await NewProjectAsync());
        var maintainer = await NewMemberAsync(from, 4);
        await App.PushAsync($"{from}/app", "v1", TestImage.New(seed: 51));
        await App.PushAsync($"{to}/taken", "v1", TestImage.New(seed: 52));
        var move = $$"""{"from":"{{from}}/app","to":"{{to}}/app"}""";
        Assert.Equal(403, (await App.CallAsync("POST", Repositories, maintainer, move)).Status);
        await App.AddMemberAsync(to, maintainer, 2);
        Assert.Equal(401, (await App.CallAsync("POST", Repositories, "", move)).Status);
        Assert.Equal(400, (await App.CallAsync("POST", Repositories, body: """{"from":"A","to":"b/c"}""")).Status);
        Assert.Equal(404, (await App.CallAsync("POST", Repositories, body: $$"""{"from":"{{from}}/none","to":"{{to}}/app"}""")).Status);
        Assert.Equal(409, (await App.CallAsync("POST", Repositories, body: $$"""{"from":"{{from}}/app","to":"{{to}}/taken"}""")).Status);

        Assert.Equal(200, (await App.CallAsync("PUT", $"/api/v2.0/quotas/{await IdOfAsync(to)}", body: """{"hard":{"storage":81000}}""")).Status);
        Assert.Equal(412, (await App.CallAsync("POST", Repositories, maintainer, move)).Status);
        Assert.Equal(200, (await App.CallAsync("PUT", $"/api/v2.0/quotas/{await IdOfAsync(to)}", body: """{"hard":{"storage":-1}}""")).Status);

        var rule = await App.CreateAsync($"/api/v2.0/projects/{from}/immutabletagrules", ImmutableRule("**", "v*"));
        Assert.Equal(412, (await App.CallAsync("POST", Repositories, maintainer, move)).Status);
        Assert.Equal(200, (await App.CallAsync("DELETE", rule)).Status);
        Assert.Equal(200, (await App.CallAsync("POST", Repositories, maintainer, move)).Status);
    }

    private static string ImmutableRule(string repositories, string tags) => $$"""
        {"disabled":false,"action":"immutable","template":"immutable_template","scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"{{repositories}}"}]},
        "tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"{{tags}}"}]}
        """;
}
