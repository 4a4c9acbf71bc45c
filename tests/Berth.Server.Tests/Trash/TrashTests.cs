using Berth.Oci;
using Berth.Server.GarbageCollection;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Berth.Server.Trash;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Trash;

public sealed class TrashTests
{
    private const string Path = "/api/berth/v1/projects/p/trash";
    private static readonly (string, string) s_admin = PlatformApp.As("admin");

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_was_deleted_comes_back_byte_for_byte_also_after_garbage_was_collected(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var (amd, arm) = (TestImage.New(1), TestImage.New(2));
        var index = TestImage.Index([amd, arm]);
        await PushByDigestAsync(app, amd);
        await PushByDigestAsync(app, arm);
        await app.PushAsync("p/app", "v1", index);
        await app.PushAsync("p/app", "latest", index);
        var referrer = TestImage.Artifact(index.Descriptor, "application/vnd.example.signature", seed: 3);
        await PushByDigestAsync(app, referrer);
        var signature = TestImage.New(4);
        var signatureTag = $"sha256-{index.Digest.Value["sha256:".Length..]}.sig";
        await app.PushAsync("p/app", signatureTag, signature);
        var quota = await UsedAsync(app);

        Assert.Equal(200, (await app.CallAsync("DELETE", "/api/v2.0/projects/p/repositories/app/artifacts/v1")).Status);
        Assert.Equal(0, await UsedAsync(app));
        Assert.Equal(404, (await app.Registry.GetAsync($"/v2/p/app/manifests/{index.Digest}", s_admin)).Status);
        await CollectAsync(app);

        var entry = await EntryAsync(app, "v1");
        var restored = await app.CallAsync("POST", $"{Path}/{entry}/restore");
        Assert.Equal(200, restored.Status);
        Assert.Equal(["latest", "v1"], restored.Json["tags"]!.AsArray().Select(t => t!.GetValue<string>()));
        Assert.Equal(5, restored.Json["manifests"]!.GetValue<int>());
        foreach (var tag in new[] { "v1", "latest", index.Digest.Value }) Assert.Equal(index.Manifest, (await app.Registry.GetAsync($"/v2/p/app/manifests/{tag}", s_admin)).MustBe(200).Body);
        foreach (var image in new[] { amd, arm, signature, referrer })
        {
            Assert.Equal(image.Manifest, (await app.Registry.GetAsync($"/v2/p/app/manifests/{image.Digest}", s_admin)).MustBe(200).Body);
            foreach (var blob in image.Blobs) Assert.Equal(blob, (await app.Registry.GetAsync($"/v2/p/app/blobs/{Digest.Of(blob)}", s_admin)).MustBe(200).Body);
        }
        Assert.Equal([referrer.Digest.Value], (await app.Registry.GetAsync($"/v2/p/app/referrers/{index.Digest}", s_admin)).ManifestDigests);
        Assert.Equal(signature.Manifest, (await app.Registry.GetAsync($"/v2/p/app/manifests/{signatureTag}", s_admin)).MustBe(200).Body);
        Assert.Equal(quota, await UsedAsync(app));
        Assert.Empty((await app.GetAsync(Path))["items"]!.AsArray());
        Assert.Equal(404, (await app.CallAsync("POST", $"{Path}/{entry}/restore")).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Garbage_collection_leaves_what_a_deleted_index_lists_and_what_is_about_it(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var child = TestImage.New(81);
        var index = TestImage.Index([child]);
        await PushByDigestAsync(app, child);
        await app.PushAsync("p/app", "v1", index);
        var signature = TestImage.Artifact(index.Descriptor, "application/vnd.example.signature", seed: 82);
        await PushByDigestAsync(app, signature);
        // The registry's own protocol deletes the index alone.
        (await app.Registry.DeleteAsync($"/v2/p/app/manifests/{index.Digest}", s_admin)).MustBe(202);
        Assert.Equal(index.Digest.Value, Assert.Single((await app.GetAsync(Path))["items"]!.AsArray())!["digest"]!.GetValue<string>());
        Assert.Equal(201, (await app.CallAsync("POST", "/api/v2.0/system/gc/schedule", body: """{"schedule":{"type":"Manual"},"parameters":{"delete_untagged":true}}""")).Status);
        await Eventually.TrueAsync(async () => (await app.GetAsync("/api/v2.0/system/gc"))[0]!["job_status"]!.GetValue<string>() == "Success", "the collection has run");
        await CollectAsync(app);

        Assert.Equal(200, (await app.CallAsync("POST", $"{Path}/{await EntryAsync(app, "v1")}/restore")).Status);
        foreach (var back in new[] { index, child, signature }) Assert.Equal(back.Manifest, (await app.Registry.GetAsync($"/v2/p/app/manifests/{back.Digest}", s_admin)).MustBe(200).Body);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_deleted_tag_keeps_its_image_and_comes_back(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var (image, other) = (TestImage.New(11), TestImage.New(12));
        await app.PushAsync("p/app", "v1", image);
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/berth/v1/projects/p/untagged", body: """{"days":0}""")).Status);
        (await app.Registry.DeleteAsync("/v2/p/app/manifests/v1", s_admin)).MustBe(202);
        await CollectAsync(app);
        Assert.Equal(200, (await app.Registry.GetAsync($"/v2/p/app/manifests/{image.Digest}", s_admin)).Status);

        // Somebody uses the name meanwhile: it is not taken away from them unless that is asked for.
        await app.PushAsync("p/app", "v1", other);
        var entry = await EntryAsync(app, "v1");
        Assert.Equal(412, (await app.CallAsync("POST", $"{Path}/{entry}/restore")).Status);
        Assert.Equal(200, (await app.CallAsync("POST", $"{Path}/{entry}/restore?overwrite=true")).Status);
        Assert.Equal(image.Manifest, (await app.Registry.GetAsync("/v2/p/app/manifests/v1", s_admin)).MustBe(200).Body);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_push_takes_out_what_it_pushes(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var image = TestImage.New(21);
        await app.PushAsync("p/app", "one", image);
        await app.PushAsync("p/app", "two", image);
        (await app.Registry.DeleteAsync($"/v2/p/app/manifests/{image.Digest}", s_admin)).MustBe(202);
        Assert.Equal(["two", "one"], await TagsAsync(app));
        await app.PushAsync("p/app", "one", image);
        Assert.Equal(["two"], await TagsAsync(app));
        Assert.Equal(200, (await app.CallAsync("POST", $"{Path}/{await EntryAsync(app, "two")}/restore")).Status);
        Assert.Equal(image.Manifest, (await app.Registry.GetAsync("/v2/p/app/manifests/two", s_admin)).MustBe(200).Body);
        Assert.Empty(await TagsAsync(app));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_is_purged_is_gone_and_its_bytes_come_back(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var image = TestImage.New(31);
        await app.PushAsync("p/app", "v1", image);
        (await app.Registry.DeleteAsync($"/v2/p/app/manifests/{image.Digest}", s_admin)).MustBe(202);
        await CollectAsync(app);
        Assert.Equal(image.Blobs.Sum(b => (long)b.Length), await StoredAsync(app));
        var why = await app.GetAsync($"/api/berth/v1/gc/why?digest={Digest.Of(image.Blobs[0])}");
        Assert.Contains("in the trash", why["blob"]!["sentence"]!.GetValue<string>(), StringComparison.Ordinal);

        await app.AddUserAsync("dev");
        await app.AddMemberAsync("p", "dev", 2);
        var entry = await EntryAsync(app, "v1");
        Assert.Equal(403, (await app.CallAsync("DELETE", $"{Path}/{entry}", "dev")).Status);
        Assert.Equal(204, (await app.CallAsync("DELETE", $"{Path}/{entry}")).Status);
        await Eventually.TrueAsync(async () =>
        {
            await CollectAsync(app);
            return await StoredAsync(app) == 0;
        }, "the bytes are gone");
        Assert.Equal(404, (await app.CallAsync("POST", $"{Path}/{entry}/restore")).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_window_is_the_project_s_and_ends_by_itself(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        Assert.Equal("""{"in_force":7}""", (await app.CallAsync("GET", Path + "/window")).Body);
        Assert.Equal(400, (await app.CallAsync("PUT", Path + "/window", body: """{"days":-1}""")).Status);
        Assert.Equal("""{"days":0,"in_force":0}""", (await app.CallAsync("PUT", Path + "/window", body: """{"days":0}""")).Body);
        await app.PushAsync("p/app", "v1", TestImage.New(41));
        (await app.Registry.DeleteAsync("/v2/p/app/manifests/v1", s_admin)).MustBe(202);
        Assert.Empty(await TagsAsync(app));
        Assert.Equal("""{"in_force":7}""", (await app.CallAsync("PUT", Path + "/window", body: "{}")).Body);
        await app.PushAsync("p/app", "v2", TestImage.New(42));
        (await app.Registry.DeleteAsync("/v2/p/app/manifests/v2", s_admin)).MustBe(202);
        Assert.Equal(["v2"], await TagsAsync(app));
        Assert.Equal(202, (await app.CallAsync("DELETE", Path)).Status);
        await Eventually.TrueAsync(async () =>
        {
            await app.Services.GetRequiredService<TrashPurge>().RunAsync(CancellationToken.None);
            return (await TagsAsync(app)).Count == 0;
        }, "the trash is empty");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_restore_over_the_quota_is_refused_and_changes_nothing(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var image = TestImage.New(51);
        await app.PushAsync("p/app", "v1", image);
        Assert.Equal(200, (await app.CallAsync("DELETE", "/api/v2.0/projects/p/repositories/app")).Status);
        var id = (await app.GetAsync("/api/v2.0/projects/p"))["project_id"]!.GetValue<long>();
        var quota = (await app.GetAsync($"/api/v2.0/quotas?reference=project&reference_id={id}"))[0]!["id"]!.GetValue<long>();
        Assert.Equal(200, (await app.CallAsync("PUT", $"/api/v2.0/quotas/{quota}", body: """{"hard":{"storage":10}}""")).Status);
        var entry = await EntryAsync(app, "v1");
        Assert.InRange((await app.CallAsync("POST", $"{Path}/{entry}/restore")).Status, 400, 499);
        Assert.Equal(["v1"], await TagsAsync(app));
        Assert.Equal(0, await UsedAsync(app));
        Assert.Equal(200, (await app.CallAsync("PUT", $"/api/v2.0/quotas/{quota}", body: """{"hard":{"storage":-1}}""")).Status);
        Assert.Equal(200, (await app.CallAsync("POST", $"{Path}/{entry}/restore")).Status);
        Assert.Equal(image.Manifest, (await app.Registry.GetAsync("/v2/p/app/manifests/v1", s_admin)).MustBe(200).Body);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Pushes_deletions_and_restores_at_once_lose_nothing_and_count_right(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var image = TestImage.New(61);
        await app.PushAsync("p/app", "v1", image);
        var used = await UsedAsync(app);
        for (var round = 0; round < 5; round++)
        {
            (await app.Registry.DeleteAsync($"/v2/p/app/manifests/{image.Digest}", s_admin)).MustBe(202);
            var entry = await EntryAsync(app, "v1");
            var restores = Enumerable.Range(0, 3).Select(_ => app.CallAsync("POST", $"{Path}/{entry}/restore")).ToList();
            var push = app.PushAsync("p/app", "v1", image);
            await push;
            Assert.All(await Task.WhenAll(restores), r => Assert.True(r.Status is 200 or 404, r.Body));
            Assert.Equal(image.Manifest, (await app.Registry.GetAsync("/v2/p/app/manifests/v1", s_admin)).MustBe(200).Body);
            Assert.Equal(used, await UsedAsync(app));
            Assert.Empty(await TagsAsync(app));
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_trash_follows_a_repository_and_a_project_to_their_new_names(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var image = TestImage.New(71);
        await app.PushAsync("p/app", "v1", image);
        await app.PushAsync("p/app", "v2", TestImage.New(72));
        (await app.Registry.DeleteAsync($"/v2/p/app/manifests/{image.Digest}", s_admin)).MustBe(202);
        Assert.Equal(200, (await app.CallAsync("POST", "/api/berth/v1/repositories/rename", body: """{"from":"p/app","to":"p/web"}""")).Status);
        Assert.Equal("p/web", (await app.GetAsync(Path))["items"]![0]!["repository"]!.GetValue<string>());
        Assert.Equal(200, (await app.CallAsync("POST", $"{Path}/{await EntryAsync(app, "v1")}/restore")).Status);
        Assert.Equal(image.Manifest, (await app.Registry.GetAsync("/v2/p/web/manifests/v1", s_admin)).MustBe(200).Body);
    }

    private static async Task<PlatformApp> StartAsync(DatabaseKind kind)
    {
        var app = await PlatformApp.StartAsync(kind, o => o with { Trash = new TrashOptions(), Gc = o.Gc with { Delay = TimeSpan.FromSeconds(1), Interval = TimeSpan.FromHours(1) } });
        await app.AddProjectAsync("p");
        return app;
    }

    private static async Task PushByDigestAsync(PlatformApp app, TestImage image) => await app.PushAsync("p/app", image.Digest.Value, image);

    // The delay is a second: until every review has been looked at.
    private static Task CollectAsync(PlatformApp app) => Eventually.TrueAsync(async () =>
    {
        await app.Services.GetRequiredService<Collector>().RunAsync(tell: null, rest: 0, CancellationToken.None);
        return (await app.GetAsync("/api/berth/v1/gc"))["waiting"]!.GetValue<long>() == 0;
    }, "all reviews are looked at");

    private static async Task<long> StoredAsync(PlatformApp app)
    {
        var usage = await app.GetAsync("/api/berth/v1/usage");
        return usage["unique_bytes"]!.GetValue<long>() + usage["shared_bytes"]!.GetValue<long>() + usage["unreferenced_bytes"]!.GetValue<long>();
    }

    private static async Task<long> UsedAsync(PlatformApp app) => (await app.GetAsync("/api/v2.0/projects/p/summary"))["quota"]!["used"]!["storage"]!.GetValue<long>();

    private static async Task<List<string>> TagsAsync(PlatformApp app) => [.. (await app.GetAsync(Path))["items"]!.AsArray().Select(i => i!["tag"]?.GetValue<string>() ?? "")];

    private static async Task<long> EntryAsync(PlatformApp app, string tag) =>
        (await app.GetAsync(Path))["items"]!.AsArray().First(i => i!["tag"]?.GetValue<string>() == tag)!["id"]!.GetValue<long>();
}
