using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Immutability;

public sealed class ImmutableRulesApiOnSqliteTests(SqlitePlatform fixture) : ImmutableRulesApiTests(fixture), IClassFixture<SqlitePlatform>;

public sealed class ImmutableRulesApiOnPostgresTests(PostgresPlatform fixture) : ImmutableRulesApiTests(fixture), IClassFixture<PostgresPlatform>;

public abstract class ImmutableRulesApiTests(PlatformFixture fixture) : PlatformTests(fixture)
{
    [Fact]
    public async Task A_rule_is_made_listed_changed_and_deleted_in_Harbor_s_form()
    {
        var project = await NewProjectAsync();
        var path = $"/api/v2.0/projects/{project}/immutabletagrules";
        var location = await App.CreateAsync(path, Rule("repoMatches", "**", "excludes", "{dev,test}-*"));
        Assert.Matches($"^{path}/[0-9]+$", location);
        var id = long.Parse(location[(location.LastIndexOf('/') + 1)..]);
        var list = await App.CallAsync("GET", path);
        Assert.Equal("1", list.Header("X-Total-Count"));
        Assert.Equal(
            $$$"""{"id":{{{id}}},"priority":0,"disabled":false,"action":"immutable","template":"immutable_template","tag_selectors":[{"kind":"doublestar","decoration":"excludes","pattern":"{dev,test}-*"}],"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"**"}]}}""",
            list.Json[0]!.ToJsonString());
        Assert.Equal(409, (await App.CallAsync("POST", path, body: Rule("repoMatches", "**", "excludes", "{dev,test}-*"))).Status);
        Assert.Equal(400, (await App.CallAsync("PUT", location, body: Rule("repoMatches", "**", "matches", "v*", id: id + 1))).Status);
        Assert.Equal(200, (await App.CallAsync("PUT", location, body: Rule("repoExcludes", "tmp/**", "matches", "v*", id: id, isDisabled: true))).Status);
        var changed = (await App.GetAsync(path))[0]!;
        Assert.True(changed["disabled"]!.GetValue<bool>());
        Assert.Equal("tmp/**", changed["scope_selectors"]!["repository"]![0]!["pattern"]!.GetValue<string>());
        Assert.Equal(200, (await App.CallAsync("DELETE", location)).Status);
        Assert.Equal(404, (await App.CallAsync("DELETE", location)).Status);
        Assert.Equal(404, (await App.CallAsync("PUT", location, body: Rule("repoMatches", "**", "matches", "v*", id: id))).Status);
        Assert.Equal(["create immutable-rule", "update immutable-rule", "delete immutable-rule"], EventsOf($"{id}"));
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"scope_selectors":{"repository":[]},"tag_selectors":[]}""")]
    [InlineData("""{"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"**"}]},"tag_selectors":[]}""")]
    [InlineData("""{"scope_selectors":{"repository":[{"kind":"regex","decoration":"repoMatches","pattern":"**"}]},"tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"**"}]}""")]
    [InlineData("""{"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"matches","pattern":"**"}]},"tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"**"}]}""")]
    [InlineData("""{"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"{a"}]},"tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"**"}]}""")]
    [InlineData("""{"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"**"}]},"tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":""}]}""")]
    public async Task What_is_no_rule_is_refused(string body) => Assert.Equal(400, (await App.CallAsync("POST", "/api/v2.0/projects/library/immutabletagrules", body: body)).Status);

    [Fact]
    public async Task Rules_are_for_maintainers_and_administrators_and_for_their_own_project()
    {
        var (project, other) = (await NewProjectAsync(), await NewProjectAsync());
        var (developer, maintainer) = (await NewMemberAsync(project, 2), await NewMemberAsync(project, 4));
        var path = $"/api/v2.0/projects/{project}/immutabletagrules";
        var location = await App.CreateAsync(path, Rule("repoMatches", "**", "matches", "v*"), maintainer);
        var id = long.Parse(location[(location.LastIndexOf('/') + 1)..]);
        Assert.Equal(403, (await App.CallAsync("GET", path, developer)).Status);
        Assert.Equal(403, (await App.CallAsync("POST", path, developer, Rule("repoMatches", "**", "matches", "x"))).Status);
        Assert.Equal(403, (await App.CallAsync("PUT", location, developer, Rule("repoMatches", "**", "matches", "x", id: id))).Status);
        Assert.Equal(403, (await App.CallAsync("DELETE", location, developer)).Status);
        Assert.Equal(401, (await App.CallAsync("GET", path, "")).Status);
        Assert.Equal(404, (await App.CallAsync("DELETE", location.Replace(project, other, StringComparison.Ordinal))).Status);
        Assert.Equal(404, (await App.CallAsync("GET", $"/api/v2.0/projects/{project}-missing/immutabletagrules")).Status);
        Assert.Equal(200, (await App.CallAsync("DELETE", location, maintainer)).Status);
    }

    [Fact]
    public async Task An_immutable_tag_is_neither_moved_nor_deleted_and_may_still_be_signed()
    {
        var project = await NewProjectAsync();
        var repository = $"{project}/app";
        var (image, other) = (TestImage.New(seed: 91), TestImage.New(seed: 92));
        await App.PushAsync(repository, "v1", image);
        await App.PushAsync(repository, "dev", image);
        await App.PushAsync($"{project}/tmp/app", "v1", image);
        await App.CreateAsync($"/api/v2.0/projects/{project}/immutabletagrules", Rule("repoExcludes", "tmp/**", "matches", "v*"));
        var admin = PlatformApp.As("admin");
        foreach (var blob in other.Blobs) (await App.Registry.PostAsync($"/v2/{repository}/blobs/uploads/?digest={Oci.Digest.Of(blob)}", blob, admin)).MustBe(201);

        var moved = await App.Registry.PutManifestAsync(repository, "v1", other.Manifest, other.MediaType, admin);
        Assert.Equal($"Failed to process request due to '{repository}:v1' configured as immutable.", moved.MustBe(412, "PRECONDITION").Details[0]);
        (await App.Registry.DeleteAsync($"/v2/{repository}/manifests/v1", admin)).MustBe(412, "PRECONDITION");
        (await App.Registry.DeleteAsync($"/v2/{repository}/manifests/{image.Digest}", admin)).MustBe(412, "PRECONDITION");
        (await App.Registry.PutManifestAsync(repository, "v1", image.Manifest, image.MediaType, admin)).MustBe(201);
        await App.PushAsync(repository, "v2", other);
        await App.PushAsync(repository, "dev", other);
        await App.PushAsync($"{project}/tmp/app", "v1", other);

        // Signatures: by referrer, and by cosign's tag, which no rule concerns.
        var referrer = TestImage.Artifact(image.Descriptor, "application/vnd.example.signature", seed: 93);
        await App.PushAsync(repository, referrer.Digest.Value, referrer);
        var signature = $"sha256-{image.Digest.Value["sha256:".Length..]}.sig";
        await App.PushAsync(repository, signature, TestImage.New(seed: 94));
        await App.PushAsync(repository, signature, TestImage.New(seed: 95));
        (await App.Registry.DeleteAsync($"/v2/{repository}/manifests/{signature}", admin)).MustBe(202);
        Assert.Equal([referrer.Digest.Value], (await App.Registry.GetAsync($"/v2/{repository}/referrers/{image.Digest}", admin)).ManifestDigests);
    }

    private static string Rule(string repositoryDecoration, string repositories, string tagDecoration, string tags, long? id = null, bool isDisabled = false) => $$"""
        {"id":{{id ?? 0}},"disabled":{{(isDisabled ? "true" : "false")}},"action":"immutable","template":"immutable_template","priority":0,
        "scope_selectors":{"repository":[{"kind":"doublestar","decoration":"{{repositoryDecoration}}","pattern":"{{repositories}}"}]},
        "tag_selectors":[{"kind":"doublestar","decoration":"{{tagDecoration}}","pattern":"{{tags}}"}]}
        """;
}
