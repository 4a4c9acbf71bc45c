using Berth.Server.Platform.Data;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Api;

/// <summary>What the API answers apart from its operations: other paths, other methods, its description, its page, read-only mode.</summary>
public sealed class ApiSurfaceTests
{
    [Fact]
    public async Task An_unknown_path_answers_404_in_the_form_of_its_interface()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);

        var harbor = await app.CallAsync("GET", "/api/v2.0/nothing/here", "");
        Assert.Equal((404, "NOT_FOUND"), (harbor.Status, harbor.Code));
        var berth = await app.CallAsync("GET", "/api/berth/v1/nothing", "");
        Assert.Equal((404, "NOT_FOUND"), (berth.Status, berth.Code));
        Assert.Equal("application/problem+json", berth.Header("Content-Type"));
    }

    [Fact]
    public async Task Another_method_answers_405_with_the_methods_that_there_are()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);

        var answer = await app.CallAsync("DELETE", "/api/v2.0/systeminfo", "");

        Assert.Equal((405, "METHOD_NOT_ALLOWED"), (answer.Status, answer.Code));
        Assert.Equal("GET,HEAD,OPTIONS", answer.Header("Allow"));
    }

    [Fact]
    public async Task OPTIONS_tells_the_methods()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);

        var answer = await app.CallAsync("OPTIONS", "/api/v2.0/configurations", "");

        Assert.Equal((204, "GET,HEAD,OPTIONS,PUT"), (answer.Status, answer.Header("Allow")));
    }

    [Fact]
    public async Task HEAD_answers_as_GET_without_a_body()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);

        var answer = await app.CallAsync("HEAD", "/api/v2.0/systeminfo", "");
        var denied = await app.CallAsync("HEAD", "/api/v2.0/configurations", "");

        Assert.Equal((200, ""), (answer.Status, answer.Body));
        Assert.Equal("application/json; charset=utf-8", answer.Header("Content-Type"));
        Assert.Equal((401, ""), (denied.Status, denied.Body));
    }

    [Theory]
    [InlineData("/api/v2.0/openapi.json", "/api/v2.0/systeminfo")]
    [InlineData("/api/berth/v1/openapi.json", "/api/berth/v1/audit/export")]
    public async Task The_description_is_for_everybody(string path, string operation)
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);

        var document = await app.GetAsync(path, "");

        Assert.Equal("3.1.0", document["openapi"]!.GetValue<string>());
        Assert.NotNull(document["paths"]![operation]!["get"]);
    }

    [Fact]
    public async Task The_explorer_loads_nothing_from_elsewhere()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);

        var page = await app.CallAsync("GET", "/devcenter-api-2.0", "");
        var script = await app.CallAsync("GET", "/devcenter-api-2.0/explorer.js", "");

        Assert.Equal((200, 200), (page.Status, script.Status));
        Assert.Contains("script-src 'self'", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.DoesNotContain("http", page.Body.Replace("http-equiv", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("innerHTML", script.Body, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Nothing_can_be_changed_in_read_only_mode_but_the_mode(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var image = TestImage.New();
        await app.PushAsync("library/app", "v1", image);
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/configurations", body: """{"read_only":true}""")).Status);

        var purge = await app.CallAsync("POST", "/api/v2.0/system/purgeaudit/schedule", body: "{}");
        var upload = await app.Registry.PostAsync("/v2/library/app/blobs/uploads/", null, PlatformApp.As("admin"));
        var delete = await app.Registry.DeleteAsync($"/v2/library/app/manifests/{image.Digest}", PlatformApp.As("admin"));
        var pull = await app.Registry.GetAsync("/v2/library/app/manifests/v1", PlatformApp.As("admin"));

        Assert.Equal((403, "DENIED"), (purge.Status, purge.Code));
        Assert.Equal((405, 405, 200), (upload.Status, delete.Status, pull.Status));
        Assert.True((await app.GetAsync("/api/v2.0/systeminfo"))["read_only"]!.GetValue<bool>());

        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/configurations", body: """{"read_only":false}""")).Status);
        Assert.Equal(202, (await app.Registry.PostAsync("/v2/library/app/blobs/uploads/", null, PlatformApp.As("admin"))).Status);
    }
}
