using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Access.Rules;

public sealed class RulesApiOnSqliteTests(SqlitePlatform fixture) : RulesApiTests(fixture), IClassFixture<SqlitePlatform>;

public sealed class RulesApiOnPostgresTests(PostgresPlatform fixture) : RulesApiTests(fixture), IClassFixture<PostgresPlatform>;

public abstract class RulesApiTests(PlatformFixture fixture) : PlatformTests(fixture)
{
    private static string Rules(string project) => $"/api/berth/v1/projects/{project}/access-rules";

    [Fact]
    public async Task A_rule_is_made_read_changed_and_deleted()
    {
        var (project, user) = (await NewProjectAsync(), await NewUserAsync());
        var location = await App.CreateAsync(Rules(project), $$$"""{"subject":{"kind":"user","name":"{{{user}}}"},"repository":"team/**","tag":"v*","actions":["push","pull"],"effect":"allow","description":"release team"}""");
        var rule = await App.GetAsync(location);
        Assert.Equal(("user", user, "team/**", "v*", "allow", "release team"), (rule["subject"]!["kind"]!.GetValue<string>(), rule["subject"]!["name"]!.GetValue<string>(),
            rule["repository"]!.GetValue<string>(), rule["tag"]!.GetValue<string>(), rule["effect"]!.GetValue<string>(), rule["description"]!.GetValue<string>()));
        Assert.Equal(["pull", "push"], rule["actions"]!.AsArray().Select(a => a!.GetValue<string>()));
        Assert.Equal(200, (await App.CallAsync("PUT", location, body: """{"subject":{"kind":"role","name":"developer"},"actions":["delete"],"effect":"deny"}""")).Status);
        var changed = await App.GetAsync(Rules(project));
        Assert.Equal(("role", "developer", "**", "deny"), (changed[0]!["subject"]!["kind"]!.GetValue<string>(), changed[0]!["subject"]!["name"]!.GetValue<string>(),
            changed[0]!["repository"]!.GetValue<string>(), changed[0]!["effect"]!.GetValue<string>()));
        Assert.Equal(204, (await App.CallAsync("DELETE", location)).Status);
        Assert.Equal(404, (await App.CallAsync("GET", location)).Status);
        Assert.Equal(404, (await App.CallAsync("DELETE", location)).Status);
        Assert.Equal(404, (await App.CallAsync("PUT", location, body: """{"subject":{"kind":"anybody"},"actions":["pull"],"effect":"deny"}""")).Status);
    }

    [Fact]
    public async Task Rules_decide_over_v2_at_the_next_request()
    {
        var project = await NewProjectAsync();
        var (guest, developer) = (await NewMemberAsync(project, 3), await NewMemberAsync(project, 2));
        foreach (var repository in new[] { "open", "secret" }) await App.PushAsync($"{project}/{repository}", "v1", TestImage.New(seed: 71));
        await App.CreateAsync(Rules(project), """{"subject":{"kind":"anybody"},"repository":"secret","actions":["pull"],"effect":"deny"}""");
        Assert.Equal(403, (await App.CallAsync("GET", $"/v2/{project}/secret/manifests/v1", guest)).Status);
        Assert.Equal(200, (await App.CallAsync("GET", $"/v2/{project}/open/manifests/v1", guest)).Status);

        await App.CreateAsync(Rules(project), $$$"""{"subject":{"kind":"user","name":"{{{guest}}}"},"repository":"open","tag":"pr-*","actions":["create"],"effect":"allow"}""");
        await App.PushAsync($"{project}/open", "pr-1", TestImage.New(seed: 72), guest);
        Assert.Equal(403, await PushAsync(project, "open", "pr-1", 73, guest));
        Assert.Equal(403, await PushAsync(project, "open", "other", 73, guest));

        await App.CreateAsync(Rules(project), """{"subject":{"kind":"role","name":"developer"},"tag":"v*","actions":["retag"],"effect":"deny"}""");
        Assert.Equal(403, await PushAsync(project, "open", "v1", 74, developer));
        Assert.Equal(201, await PushAsync(project, "open", "v2", 74, developer));
        Assert.Equal(201, await PushAsync(project, "open", "latest", 74, developer));
        Assert.Equal(201, await PushAsync(project, "open", "latest", 75, developer));
    }

    [Fact]
    public async Task A_rule_opens_a_private_repository_to_somebody_without_a_role_and_nothing_else()
    {
        var (project, user) = (await NewProjectAsync(), await NewUserAsync());
        foreach (var repository in new[] { "one", "two" }) await App.PushAsync($"{project}/{repository}", "v1", TestImage.New(seed: 76));
        await App.CreateAsync(Rules(project), $$$"""{"subject":{"kind":"user","name":"{{{user}}}"},"repository":"one","actions":["pull"],"effect":"allow"}""");
        Assert.Equal(200, (await App.CallAsync("GET", $"/v2/{project}/one/manifests/v1", user)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", $"/v2/{project}/two/manifests/v1", user)).Status);
        Assert.Equal(403, (await App.CallAsync("POST", $"/v2/{project}/one/blobs/uploads/", user)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", $"/api/v2.0/projects/{project}", user)).Status);
    }

    [Theory]
    [InlineData("""{"actions":["pull"],"effect":"allow"}""")]
    [InlineData("""{"subject":{"kind":"alien","name":"x"},"actions":["pull"],"effect":"allow"}""")]
    [InlineData("""{"subject":{"kind":"user"},"actions":["pull"],"effect":"allow"}""")]
    [InlineData("""{"subject":{"kind":"user","name":"no-such-user"},"actions":["pull"],"effect":"allow"}""")]
    [InlineData("""{"subject":{"kind":"role","name":"emperor"},"actions":["pull"],"effect":"allow"}""")]
    [InlineData("""{"subject":{"kind":"anybody"},"actions":[],"effect":"allow"}""")]
    [InlineData("""{"subject":{"kind":"anybody"},"actions":["fly"],"effect":"allow"}""")]
    [InlineData("""{"subject":{"kind":"anybody"},"actions":["pull"],"effect":"perhaps"}""")]
    [InlineData("""{"subject":{"kind":"anybody"},"repository":"{a","actions":["pull"],"effect":"allow"}""")]
    [InlineData("""{"subject":{"kind":"anybody"},"tag":"[","actions":["pull"],"effect":"allow"}""")]
    public async Task What_is_no_rule_is_refused(string body) => Assert.Equal(400, (await App.CallAsync("POST", Rules("library"), body: body)).Status);

    [Fact]
    public async Task Rules_are_managed_with_members_and_allow_only_what_their_maker_may()
    {
        var project = await NewProjectAsync();
        var role = await App.CreateAsync("/api/berth/v1/roles", $$"""{"name":"{{NewName("keeper")}}","permissions":["project:read","member:create","member:update","repository:pull"]}""");
        var (maintainer, keeper, other) = (await NewMemberAsync(project, 4), await NewMemberAsync(project, int.Parse(role[(role.LastIndexOf('/') + 1)..])), await NewProjectAsync());
        const string Pull = """{"subject":{"kind":"anybody"},"actions":["pull"],"effect":"allow"}""";
        const string Push = """{"subject":{"kind":"anybody"},"actions":["create"],"effect":"allow"}""";
        Assert.Equal(403, (await App.CallAsync("POST", Rules(project), maintainer, Pull)).Status);
        Assert.Equal(200, (await App.CallAsync("GET", Rules(project), maintainer)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", Rules(project), keeper)).Status);
        var location = await App.CreateAsync(Rules(project), Pull, keeper);
        Assert.Equal(403, (await App.CallAsync("POST", Rules(project), keeper, Push)).Status);
        Assert.Equal(403, (await App.CallAsync("PUT", location, keeper, Push)).Status);
        Assert.Equal(403, (await App.CallAsync("DELETE", location, keeper)).Status);
        Assert.Equal(401, (await App.CallAsync("GET", Rules(project), "")).Status);
        Assert.Equal(404, (await App.CallAsync("GET", location.Replace(project, other, StringComparison.Ordinal))).Status);
        Assert.Equal(404, (await App.CallAsync("GET", Rules(project + "-missing"))).Status);
    }

    private async Task<int> PushAsync(string project, string repository, string tag, int seed, string user)
    {
        var image = TestImage.New(seed: seed);
        foreach (var blob in image.Blobs)
        {
            var answer = await App.Registry.PostAsync($"/v2/{project}/{repository}/blobs/uploads/?digest={Oci.Digest.Of(blob)}", blob, PlatformApp.As(user));
            if (answer.Status != 201) return answer.Status;
        }
        return (await App.Registry.PutManifestAsync($"{project}/{repository}", tag, image.Manifest, image.MediaType, PlatformApp.As(user))).Status;
    }
}
