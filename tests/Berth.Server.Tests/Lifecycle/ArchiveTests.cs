using System.Text.Json.Nodes;
using Berth.Server.GarbageCollection;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Lifecycle;

/// <summary>Versions that are kept for good.</summary>
public sealed class ArchiveTests
{
    private const string App = "/api/berth/v1/projects/p/repositories/app";
    private static readonly (string, string) s_admin = PlatformApp.As("admin");

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_is_archived_is_not_deleted_by_anybody_until_it_is_taken_out(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind, o => o with { Gc = o.Gc with { Delay = TimeSpan.FromSeconds(1), UntaggedDays = 0, Interval = TimeSpan.FromHours(1) } });
        await app.AddProjectAsync("p");
        var (image, child) = (TestImage.New(1), TestImage.New(2));
        var index = TestImage.Index([child]);
        await app.PushAsync("p/app", "v1", image);
        await app.PushAsync("p/app", child.Digest.Value, child);
        await app.PushAsync("p/app", "multi", index);
        Assert.Equal(200, (await app.CallAsync("PUT", $"{App}/tags/v1/expiry", body: """{"expires_after":"1d"}""")).Status);
        foreach (var tag in new[] { "v1", "multi" }) Assert.Equal(200, (await app.CallAsync("PUT", $"{App}/artifacts/{tag}/archive", body: "{}")).Status);
        var state = await app.GetAsync($"{App}/artifacts/v1/archive");
        Assert.Equal((true, false), (state["archived"]!.GetValue<bool>(), state["withheld"]!.GetValue<bool>()));
        Assert.NotNull(state["archived_at"]);
        Assert.Equal("archived", (await app.GetAsync("/api/v2.0/projects/p/repositories/app/artifacts/v1"))["archive"]!.GetValue<string>());

        // Its tag does not expire any more, nor is it deleted, nor itself, nor what it lists, nor the repository, nor the project.
        Assert.Null((await app.GetAsync($"{App}/tags/v1/expiry"))["expires_at"]);
        Assert.Equal(412, (await app.CallAsync("PUT", $"{App}/tags/v1/expiry", body: """{"expires_after":"1d"}""")).Status);
        foreach (var reference in new[] { "v1", image.Digest.Value, child.Digest.Value, index.Digest.Value })
        {
            var refused = await app.Registry.DeleteAsync($"/v2/p/app/manifests/{reference}", s_admin);
            Assert.Equal(403, refused.Status);
            Assert.Contains("archived", JsonNode.Parse(refused.Text)!["errors"]![0]!["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        }
        Assert.Equal(403, (await app.CallAsync("DELETE", "/api/v2.0/projects/p/repositories/app/artifacts/v1")).Status);
        Assert.Equal(412, (await app.CallAsync("DELETE", "/api/v2.0/projects/p/repositories/app")).Status);

        // Rules keep it, and garbage collection does when its last tag has moved on.
        var simulated = (await app.CallAsync("POST", "/api/berth/v1/projects/p/retention/simulate", body: """{"dialect":"quay","policy":{"method":"creation_date","value":"0s"}}""")).Json;
        Assert.Equal(0, simulated["going"]!.GetValue<long>());
        await app.PushAsync("p/app", "v1", TestImage.New(3));
        await Eventually.TrueAsync(async () =>
        {
            await app.Services.GetRequiredService<Collector>().RunAsync(tell: null, rest: 0, CancellationToken.None);
            return (await app.GetAsync("/api/berth/v1/gc"))["waiting"]!.GetValue<long>() == 0;
        }, "all reviews are looked at");
        Assert.Equal(image.Manifest, (await app.Registry.GetAsync($"/v2/p/app/manifests/{image.Digest}", s_admin)).MustBe(200).Body);

        Assert.Equal(204, (await app.CallAsync("DELETE", $"{App}/artifacts/{image.Digest}/archive")).Status);
        Assert.Equal(202, (await app.Registry.DeleteAsync($"/v2/p/app/manifests/{image.Digest}", s_admin)).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_is_withheld_is_not_pulled_until_it_is_reactivated(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("p");
        var image = TestImage.New(1);
        await app.PushAsync("p/app", "v1", image);
        await app.AddProjectAsync("q");
        string[] ways = ["v1", image.Digest.Value];
        // Read once, so that it is remembered.
        foreach (var reference in ways) Assert.Equal(200, (await app.Registry.GetAsync($"/v2/p/app/manifests/{reference}", s_admin)).Status);
        Assert.Equal(200, (await app.CallAsync("PUT", $"{App}/artifacts/v1/archive", body: """{"withheld":true}""")).Status);
        foreach (var reference in ways)
        {
            var refused = await app.Registry.GetAsync($"/v2/p/app/manifests/{reference}", s_admin);
            Assert.Equal(403, refused.Status);
            Assert.Contains("reactivate", refused.Text, StringComparison.Ordinal);
            Assert.Equal(403, (await app.Registry.HeadAsync($"/v2/p/app/manifests/{reference}", s_admin)).Status);
        }
        Assert.Equal(403, (await app.CallAsync("POST", "/api/v2.0/projects/q/repositories/app/artifacts?from=p/app:v1")).Status);
        await app.AddUserAsync("dev");
        await app.AddMemberAsync("p", "dev", 2);
        Assert.Equal(403, (await app.CallAsync("PUT", $"{App}/artifacts/v1/archive", "dev", "{}")).Status);

        Assert.Equal(200, (await app.CallAsync("PUT", $"{App}/artifacts/v1/archive", body: """{"withheld":false}""")).Status);
        foreach (var reference in ways) Assert.Equal(200, (await app.Registry.GetAsync($"/v2/p/app/manifests/{reference}", s_admin)).Status);
        Assert.Equal(403, (await app.Registry.DeleteAsync("/v2/p/app/manifests/v1", s_admin)).Status);
    }
}
