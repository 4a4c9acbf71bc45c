using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Access.Rules;

public sealed class ExplainOnSqliteTests(SqlitePlatform fixture) : ExplainTests(fixture), IClassFixture<SqlitePlatform>;

public sealed class ExplainOnPostgresTests(PostgresPlatform fixture) : ExplainTests(fixture), IClassFixture<PostgresPlatform>;

public abstract class ExplainTests(PlatformFixture fixture) : PlatformTests(fixture)
{
    [Fact]
    public async Task It_names_what_decides()
    {
        var (project, open) = (await NewProjectAsync(), await NewProjectAsync(isPublic: true));
        var (guest, developer, stranger) = (await NewMemberAsync(project, 3), await NewMemberAsync(project, 2), await NewUserAsync());
        await App.PushAsync($"{project}/app", "v1", TestImage.New(seed: 81));

        await IsAsync($"subject=user:{guest}&action=pull&project={project}&repository=app", true, "role");
        await IsAsync($"subject=user:{guest}&action=push&project={project}&repository=app", false, "role");
        await IsAsync($"subject=user:{guest}&action=label:create&project={project}", false, "role");
        await IsAsync($"subject=user:{developer}&action=push&project={project}&repository=app&tag=v9", true, "role");
        await IsAsync($"subject=user:{stranger}&action=pull&project={project}&repository=app", false, "nothing");
        await IsAsync($"subject=user:{stranger}&action=pull&project={open}&repository=app", true, "public");
        await IsAsync($"subject=user:{stranger}&action=push&project={open}&repository=app", false, "nothing");
        await IsAsync($"subject=anonymous&action=pull&project={project}&repository=app", false, "nothing");
        await IsAsync($"subject=anonymous&action=pull&project={open}&repository=app", true, "public");
        await IsAsync($"action=delete&project={project}&repository=app", true, "administrator");
        await IsAsync("action=user:create", true, "administrator");
        await IsAsync($"subject=user:{guest}&action=user:create", false, "nothing");

        var rule = await App.CreateAsync($"/api/berth/v1/projects/{project}/access-rules", """{"subject":{"kind":"role","name":"developer"},"tag":"v*","actions":["retag"],"effect":"deny","description":"releases stay"}""");
        var denied = await IsAsync($"subject=user:{developer}&action=push&project={project}&repository={project}/app&tag=v1", false, "rule");
        Assert.Equal(long.Parse(rule[(rule.LastIndexOf('/') + 1)..]), denied["rule"]!["id"]!.GetValue<long>());
        Assert.Contains("releases stay", denied["text"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(("developer", $"user:{developer}", true), (denied["roles"]![0]!["name"]!.GetValue<string>(), denied["roles"]![0]!["via"]!.GetValue<string>(), denied["roles"]![0]!["allows"]!.GetValue<bool>()));
        await IsAsync($"subject=user:{developer}&action=push&project={project}&repository=app&tag=v2", true, "role");
    }

    [Fact]
    public async Task Locks_and_immutable_rules_decide_last_and_for_everybody()
    {
        var project = await NewProjectAsync();
        await App.PushAsync($"{project}/app", "v1", TestImage.New(seed: 82));
        Assert.Equal(200, (await App.CallAsync("PUT", $"/api/berth/v1/projects/{project}/repositories/app/tags/v1/locks", body: """{"read":true}""")).Status);
        await IsAsync($"action=pull&project={project}&repository=app&tag=v1", false, "lock");
        await IsAsync($"action=delete&project={project}&repository=app&tag=v1", true, "administrator");
        var rule = await App.CreateAsync($"/api/v2.0/projects/{project}/immutabletagrules", """
            {"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"**"}]},"tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"v*"}]}
            """);
        var kept = await IsAsync($"action=delete&project={project}&repository=app&tag=v1", false, "immutability");
        Assert.Equal(long.Parse(rule[(rule.LastIndexOf('/') + 1)..]), kept["immutable_rule_id"]!.GetValue<long>());
        await IsAsync($"action=push&project={project}&repository=app&tag=v1", false, "immutability");
        await IsAsync($"action=push&project={project}&repository=app&tag=v2", true, "administrator");
    }

    [Fact]
    public async Task What_it_says_is_what_the_registry_does()
    {
        var project = await NewProjectAsync();
        var users = new List<string> { await NewUserAsync() };
        foreach (var role in new[] { 1, 2, 3, 4, 5 }) users.Add(await NewMemberAsync(project, role));
        foreach (var repository in new[] { "app", "team/app" }) await App.PushAsync($"{project}/{repository}", "v1", TestImage.New(seed: 83));
        var rules = $"/api/berth/v1/projects/{project}/access-rules";
        await App.CreateAsync(rules, """{"subject":{"kind":"anybody"},"repository":"team/**","actions":["pull","push"],"effect":"deny"}""");
        await App.CreateAsync(rules, """{"subject":{"kind":"role","name":"maintainer"},"repository":"team/**","actions":["pull"],"effect":"allow"}""");
        await App.CreateAsync(rules, """{"subject":{"kind":"role","name":"guest"},"repository":"app","actions":["create"],"effect":"allow"}""");
        foreach (var user in users)
        {
            foreach (var repository in new[] { "app", "team/app" })
            {
                foreach (var (action, method, path) in new[] { ("pull", "GET", "manifests/v1"), ("push", "POST", "blobs/uploads/") })
                {
                    var says = (await App.GetAsync($"/api/berth/v1/access/explain?subject=user:{user}&action={action}&project={project}&repository={repository}"))["allowed"]!.GetValue<bool>();
                    var does = (await App.CallAsync(method, $"/v2/{project}/{repository}/{path}", user)).Status;
                    Assert.Equal((user, repository, action, says), (user, repository, action, does is 200 or 202));
                }
            }
        }
    }

    [Fact]
    public async Task A_refusal_on_v2_says_why_to_those_who_may_look_at_the_project()
    {
        var project = await NewProjectAsync();
        var (guest, stranger) = (await NewMemberAsync(project, 3), await NewUserAsync());
        var told = await App.Registry.PostAsync($"/v2/{project}/app/blobs/uploads/", null, PlatformApp.As(guest));
        Assert.Contains("the role guest of user:" + guest, told.MustBe(403, "DENIED").Details[0], StringComparison.Ordinal);
        var untold = await App.Registry.PostAsync($"/v2/{project}/app/blobs/uploads/", null, PlatformApp.As(stranger));
        Assert.Equal($"{stranger} lacks repository:{project}/app:pull,push", untold.MustBe(403, "DENIED").Details[0]);
    }

    [Fact]
    public async Task A_bearer_token_is_told_the_same_and_to_outsiders_private_and_missing_look_alike()
    {
        var project = await NewProjectAsync();
        var (guest, developer, stranger) = (await NewMemberAsync(project, 3), await NewMemberAsync(project, 2), await NewUserAsync());
        var told = (await UploadAsync(guest, project, "pull,push")).MustBe(401, "UNAUTHORIZED");
        Assert.Contains("the role guest of user:" + guest, told.Details[0], StringComparison.Ordinal);
        Assert.Contains("error=\"insufficient_scope\"", told.Header("WWW-Authenticate"), StringComparison.Ordinal);
        // The owner may, the token was made for less.
        Assert.Contains("ask for one with this scope", (await UploadAsync(developer, project, "pull")).MustBe(401, "UNAUTHORIZED").Details[0], StringComparison.Ordinal);
        foreach (var outsider in new[] { stranger, "" })
        {
            var (hidden, missing) = (await UploadAsync(outsider, project, "pull,push"), await UploadAsync(outsider, project + "x", "pull,push"));
            Assert.Equal(401, hidden.Status);
            Assert.Equal(missing.Text.Replace(project + "x", project, StringComparison.Ordinal), hidden.Text);
            Assert.Equal(missing.Header("WWW-Authenticate")!.Replace(project + "x", project, StringComparison.Ordinal), hidden.Header("WWW-Authenticate"));
        }
    }

    // Begins an upload with a token of a user.
    private async Task<Answer> UploadAsync(string user, string project, string actions)
    {
        var token = (string)(await App.CallAsync("GET", $"/service/token?scope=repository:{project}/app:{actions}", user)).Json["token"]!;
        return await App.Registry.PostAsync($"/v2/{project}/app/blobs/uploads/", null, ("Authorization", "Bearer " + token));
    }

    [Fact]
    public async Task About_others_it_speaks_to_those_who_manage_members_only()
    {
        var project = await NewProjectAsync();
        var (admin, maintainer, stranger) = (await NewMemberAsync(project, 1), await NewMemberAsync(project, 4), await NewUserAsync());
        var about = $"/api/berth/v1/access/explain?subject=user:{maintainer}&action=pull&project={project}";
        Assert.Equal(200, (await App.CallAsync("GET", about, admin)).Status);
        Assert.Equal(200, (await App.CallAsync("GET", about, maintainer)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", about.Replace(maintainer, admin, StringComparison.Ordinal), maintainer)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", about, stranger)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", $"/api/berth/v1/access/explain?action=pull&project={project}", stranger)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", $"/api/berth/v1/access/explain?action=pull&project={project}-missing", stranger)).Status);
        Assert.Equal(404, (await App.CallAsync("GET", $"/api/berth/v1/access/explain?action=pull&project={project}-missing")).Status);
        Assert.Equal(404, (await App.CallAsync("GET", $"/api/berth/v1/access/explain?subject=user:nobody-at-all&action=pull&project={project}", admin)).Status);
        Assert.Equal(400, (await App.CallAsync("GET", $"/api/berth/v1/access/explain?action=fly&project={project}", admin)).Status);
        Assert.Equal(400, (await App.CallAsync("GET", $"/api/berth/v1/access/explain?action=pull&project={project}&tag=v1", admin)).Status);
        Assert.Equal(401, (await App.CallAsync("GET", about, "")).Status);
    }

    private async Task<System.Text.Json.Nodes.JsonNode> IsAsync(string query, bool isAllowed, string decidedBy)
    {
        var answer = await App.GetAsync($"/api/berth/v1/access/explain?{query}");
        Assert.Equal((query, isAllowed, decidedBy), (query, answer["allowed"]!.GetValue<bool>(), answer["decided_by"]!.GetValue<string>()));
        Assert.NotEqual("", answer["text"]!.GetValue<string>());
        return answer;
    }
}
