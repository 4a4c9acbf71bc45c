using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Berth.Server.Tests.Api;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Tests.Registry;

public sealed class ManifestRateLimitTests
{
    [Theory]
    [InlineData(DatabaseKind.Sqlite)]
    [InlineData(DatabaseKind.Postgres)]
    public async Task A_project_limits_pulls_and_pushes_by_its_own_settings(DatabaseKind kind)
    {
        RegistryApp.SkipWithout(kind);
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("busy", isPublic: true);
        await app.AddProjectAsync("quiet", isPublic: true);
        var (image, admin) = (TestImage.New(seed: 121), PlatformApp.As("admin"));
        await app.PushAsync("busy/app", "v1", image);
        await app.PushAsync("quiet/app", "v1", image);
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/projects/busy", body: """{"metadata":{"pull_limit_per_minute":"3","push_limit_per_minute":"2"}}""")).Status);
        Assert.Equal("3", (await app.GetAsync("/api/v2.0/projects/busy"))["metadata"]!["pull_limit_per_minute"]!.GetValue<string>());

        for (var i = 0; i < 3; i++) (await app.Registry.GetAsync("/v2/busy/app/manifests/v1", admin)).MustBe(200);
        var refused = (await app.Registry.GetAsync("/v2/busy/app/manifests/v1", admin)).MustBe(429, "TOOMANYREQUESTS");
        Assert.InRange(int.Parse(refused.Header("Retry-After")!), 1, 60);
        Assert.Equal("3 pulls a minute in project busy", refused.Details[0]);
        (await app.Registry.HeadAsync("/v2/busy/app/manifests/v1", admin)).MustBe(200);
        (await app.Registry.GetAsync($"/v2/busy/app/blobs/{Oci.Digest.Of(image.Blobs[0])}", admin)).MustBe(200);
        for (var i = 0; i < 5; i++) (await app.Registry.GetAsync("/v2/quiet/app/manifests/v1", admin)).MustBe(200);

        for (var i = 0; i < 2; i++) (await app.Registry.PutManifestAsync("busy/app", $"t{i}", image.Manifest, image.MediaType, admin)).MustBe(201);
        (await app.Registry.PutManifestAsync("busy/app", "t2", image.Manifest, image.MediaType, admin)).MustBe(429, "TOOMANYREQUESTS");
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/projects/busy/metadatas/push_limit_per_minute", body: """{"push_limit_per_minute":"0"}""")).Status);
        (await app.Registry.PutManifestAsync("busy/app", "t2", image.Manifest, image.MediaType, admin)).MustBe(201);
    }

    [Fact]
    public async Task The_registry_limits_each_caller_and_all_together()
    {
        await using var app = await RegistryApp.StartAsync(DatabaseKind.Sqlite, new RegistryOptions { PullsPerMinutePerCaller = 2, PullsPerMinute = 3, PushesPerMinute = 1 },
            services: NamedCallers.Allow((_, _, _) => true));
        var (one, other, third) = (NamedCallers.As("one"), NamedCallers.As("other"), NamedCallers.As("third"));
        var blob = RegistryTests.Bytes(10, 1);
        (await app.PostAsync($"/v2/library/a/blobs/uploads/?digest={Oci.Digest.Of(blob)}", blob, one)).MustBe(201);
        (await app.PutManifestAsync("library/a", "x", "{}"u8.ToArray(), "application/vnd.oci.image.manifest.v1+json", one)).MustBe(400);
        Assert.Equal("1 pushes a minute in this registry", (await app.PutManifestAsync("library/a", "x", "{}"u8.ToArray(), "application/vnd.oci.image.manifest.v1+json", other)).MustBe(429, "TOOMANYREQUESTS").Details[0]);
        for (var i = 0; i < 2; i++) (await app.GetAsync("/v2/library/a/manifests/x", one)).MustBe(404);
        Assert.Equal("2 pulls a minute for each caller", (await app.GetAsync("/v2/library/a/manifests/x", one)).MustBe(429, "TOOMANYREQUESTS").Details[0]);
        (await app.GetAsync("/v2/library/a/manifests/x", other)).MustBe(404);
        Assert.Equal("3 pulls a minute in this registry", (await app.GetAsync("/v2/library/a/manifests/x", third)).MustBe(429, "TOOMANYREQUESTS").Details[0]);
    }

    [Fact]
    public async Task What_is_allowed_in_a_minute_may_come_at_once_and_comes_back_with_time()
    {
        var time = new ManualTime();
        var limit = new RateLimit(new RegistryOptions { PullsPerMinutePerCaller = 6 }, new LocalRates(time));
        var context = new DefaultHttpContext();
        var caller = new Caller("user:1", "a", false, null);
        for (var i = 0; i < 6; i++) Assert.Null(await limit.CheckManifestAsync(caller, context, null, RepositoryAction.Pull));
        var refused = await limit.CheckManifestAsync(caller, context, null, RepositoryAction.Pull);
        Assert.InRange(refused!.Value.Wait.TotalSeconds, 9, 10.1);
        Assert.Null(await limit.CheckManifestAsync(caller, context, null, RepositoryAction.Push));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(await limit.CheckManifestAsync(caller, context, null, RepositoryAction.Pull));
        Assert.NotNull(await limit.CheckManifestAsync(caller, context, null, RepositoryAction.Pull));
    }
}
