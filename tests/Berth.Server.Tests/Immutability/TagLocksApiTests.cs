using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Immutability;

public sealed class TagLocksApiOnSqliteTests(SqlitePlatform fixture) : TagLocksApiTests(fixture), IClassFixture<SqlitePlatform>;

public sealed class TagLocksApiOnPostgresTests(PostgresPlatform fixture) : TagLocksApiTests(fixture), IClassFixture<PostgresPlatform>;

public abstract class TagLocksApiTests(PlatformFixture fixture) : PlatformTests(fixture)
{
    [Fact]
    public async Task Each_lock_forbids_one_thing_until_it_is_lifted()
    {
        var project = await NewProjectAsync();
        var repository = $"{project}/nested/app";
        var (image, other, admin) = (TestImage.New(seed: 101), TestImage.New(seed: 102), PlatformApp.As("admin"));
        await App.PushAsync(repository, "v1", image);
        await App.PushAsync(repository, "other", other);
        var path = $"/api/berth/v1/projects/{project}/repositories/nested%252Fapp/tags/v1/locks";
        Assert.Equal("""{"read":false,"write":false,"delete":false,"list":false}""", (await App.GetAsync(path)).ToJsonString());

        await LockAsync(path, """{"read":true}""");
        (await App.Registry.GetAsync($"/v2/{repository}/manifests/v1", admin)).MustBe(404, "MANIFEST_UNKNOWN");
        await LockAsync(path, """{"read":false,"write":true}""");
        (await App.Registry.GetAsync($"/v2/{repository}/manifests/v1", admin)).MustBe(200);
        (await App.Registry.PutManifestAsync(repository, "v1", other.Manifest, other.MediaType, admin)).MustBe(412, "PRECONDITION");
        await LockAsync(path, """{"write":false,"delete":true,"list":true}""");
        (await App.Registry.DeleteAsync($"/v2/{repository}/manifests/v1", admin)).MustBe(412, "PRECONDITION");
        (await App.Registry.DeleteAsync($"/v2/{repository}/manifests/{image.Digest}", admin)).MustBe(412, "PRECONDITION");
        Assert.Equal(["other"], (await App.Registry.GetAsync($"/v2/{repository}/tags/list", admin)).Texts("tags"));
        Assert.Equal("""{"read":false,"write":false,"delete":true,"list":true}""", (await App.GetAsync(path)).ToJsonString());
        await LockAsync(path, """{"delete":false,"list":false}""");
        Assert.Equal(["other", "v1"], (await App.Registry.GetAsync($"/v2/{repository}/tags/list", admin)).Texts("tags"));
        (await App.Registry.DeleteAsync($"/v2/{repository}/manifests/v1", admin)).MustBe(202);
        Assert.Equal(404, (await App.CallAsync("GET", path)).Status);
        Assert.Equal(404, (await App.CallAsync("PUT", path, body: """{"read":true}""")).Status);
        Assert.Equal(5 - 1, EventsOf($"{repository}:v1").Count);
    }

    [Fact]
    public async Task Locks_are_for_those_who_keep_immutable_rules()
    {
        var project = await NewProjectAsync();
        await App.PushAsync($"{project}/app", "v1", TestImage.New(seed: 103));
        var path = $"/api/berth/v1/projects/{project}/repositories/app/tags/v1/locks";
        Assert.Equal(200, (await App.CallAsync("PUT", path, await NewMemberAsync(project, 4), """{"write":true}""")).Status);
        var (developer, stranger) = (await NewMemberAsync(project, 2), await NewUserAsync());
        Assert.Equal(200, (await App.CallAsync("GET", path, developer)).Status);
        Assert.Equal(403, (await App.CallAsync("PUT", path, developer, """{"write":false}""")).Status);
        Assert.Equal(403, (await App.CallAsync("GET", path, stranger)).Status);
        Assert.Equal(401, (await App.CallAsync("PUT", path, "", """{"write":false}""")).Status);
        Assert.Equal(422, (await App.CallAsync("PUT", path, body: """{"write":"yes"}""")).Status);
    }

    private async Task LockAsync(string path, string body) => Assert.Equal(200, (await App.CallAsync("PUT", path, body: body)).Status);
}
