using Berth.Server.Projects;
using Berth.Server.Tests.Api;

namespace Berth.Server.Tests.Projects;

public sealed class ProjectMetadataApiOnSqliteTests(SqlitePlatform fixture) : ProjectMetadataApiTests(fixture), IClassFixture<SqlitePlatform>;

public sealed class ProjectMetadataApiOnPostgresTests(PostgresPlatform fixture) : ProjectMetadataApiTests(fixture), IClassFixture<PostgresPlatform>;

public abstract class ProjectMetadataApiTests(PlatformFixture fixture) : PlatformTests(fixture)
{
    [Fact]
    public async Task A_setting_is_added_read_changed_and_taken_away()
    {
        var path = $"/api/v2.0/projects/{await NewProjectAsync()}/metadatas";
        Assert.Equal(200, (await App.CallAsync("POST", path + "/", body: """{"auto_scan":"1"}""")).Status);
        Assert.Equal(409, (await App.CallAsync("POST", path, body: """{"auto_scan":"true"}""")).Status);
        Assert.Equal(409, (await App.CallAsync("POST", path, body: """{"public":"true"}""")).Status);
        Assert.Equal("""{"auto_scan":"true"}""", (await App.GetAsync($"{path}/auto_scan")).ToJsonString());
        Assert.Equal(200, (await App.CallAsync("PUT", $"{path}/severity", body: """{"severity":"Negligible"}""")).Status);
        Assert.Equal(200, (await App.CallAsync("PUT", $"{path}/public", body: """{"public":"T"}""")).Status);
        Assert.Equal("""{"auto_scan":"true","severity":"none","public":"true"}""", (await App.GetAsync(path)).ToJsonString());
        Assert.Equal(200, (await App.CallAsync("DELETE", $"{path}/auto_scan")).Status);
        Assert.Equal(200, (await App.CallAsync("DELETE", $"{path}/public")).Status);
        Assert.Equal("{}", (await App.GetAsync($"{path}/auto_scan")).ToJsonString());
        Assert.Equal("""{"public":"false"}""", (await App.GetAsync($"{path}/public")).ToJsonString());
    }

    [Theory]
    [InlineData("POST", "", """{"auto_scan":"true","prevent_vul":"true"}""", "only allow one key/value pair")]
    [InlineData("POST", "", "{}", "only allow one key/value pair")]
    [InlineData("POST", "", """{"colour":"red"}""", "invalid key: colour")]
    [InlineData("POST", "", """{"retention_id":"1"}""", "invalid key: retention_id")]
    [InlineData("POST", "", """{"auto_scan":"yes"}""", "invalid value: yes")]
    [InlineData("PUT", "/severity", """{"severity":"dreadful"}""", "invalid value: dreadful")]
    [InlineData("PUT", "/severity", "{}", "invalid value: ")]
    [InlineData("PUT", "/proxy_speed_kb", """{"proxy_speed_kb":"fast"}""", "invalid value: fast")]
    [InlineData("PUT", "/max_upstream_conn", """{"max_upstream_conn":"0"}""", "invalid value: 0")]
    [InlineData("PUT", "/pull_limit_per_minute", """{"pull_limit_per_minute":"-1"}""", "invalid value: -1")]
    [InlineData("PUT", "/proxy_cache_filter_kind", """{"proxy_cache_filter_kind":"regex"}""", "can not update the normal project with proxy cache filter metadata")]
    [InlineData("DELETE", "/retention_id", null, "invalid key: retention_id")]
    public async Task What_is_no_setting_is_refused(string method, string below, string? body, string message)
    {
        var answer = await App.CallAsync(method, $"/api/v2.0/projects/library/metadatas{below}", body: body);
        Assert.Equal((400, message), (answer.Status, answer.Message));
    }

    [Fact]
    public async Task Settings_are_for_those_whose_role_allows_them()
    {
        var project = await NewProjectAsync();
        var (maintainer, admin, user) = (await NewMemberAsync(project, 4), await NewMemberAsync(project, 1), await NewUserAsync());
        var path = $"/api/v2.0/projects/{project}/metadatas";
        Assert.Equal(200, (await App.CallAsync("GET", $"{path}/public", maintainer)).Status);
        Assert.Equal(403, (await App.CallAsync("PUT", $"{path}/public", maintainer, """{"public":"true"}""")).Status);
        Assert.Equal(403, (await App.CallAsync("POST", path, maintainer, """{"auto_scan":"true"}""")).Status);
        Assert.Equal(403, (await App.CallAsync("DELETE", $"{path}/public", maintainer)).Status);
        Assert.Equal(403, (await App.CallAsync("GET", path, admin)).Status);
        Assert.Equal(200, (await App.CallAsync("PUT", $"{path}/public", admin, """{"public":"true"}""")).Status);
        foreach (var (method, below) in new[] { ("GET", ""), ("GET", "/public"), ("POST", ""), ("PUT", "/public"), ("DELETE", "/public") })
        {
            Assert.Equal(403, (await App.CallAsync(method, path + below, user, "{}")).Status);
            Assert.Equal(401, (await App.CallAsync(method, path + below, "", "{}")).Status);
            Assert.Equal(404, (await App.CallAsync(method, $"/api/v2.0/projects/{project}-missing/metadatas{below}", body: "{}")).Status);
        }
    }

    [Fact]
    public void Only_known_keys_are_settings()
    {
        Assert.True(ProjectSettings.IsKnown("proxy_referrer_api"));
        Assert.False(ProjectSettings.IsKnown(ProjectSettings.RetentionId));
        Assert.False(ProjectSettings.TryNormalize(ProjectSettings.AllowList, "{}", out _, out _));
    }
}
