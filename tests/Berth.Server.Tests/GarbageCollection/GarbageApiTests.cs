using Berth.Blobs.FileSystem;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.GarbageCollection;

public sealed class GarbageApiTests
{
    private const string Runs = "/api/v2.0/system/gc";
    private const string Ours = "/api/berth/v1";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_dry_run_tells_to_the_byte_what_a_run_frees(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.AddProjectAsync("a");
        var (gone, kept) = (TestImage.New(), TestImage.New());
        await app.PushAsync("a/b", "gone", gone);
        await app.PushAsync("a/b", "kept", kept);
        Assert.Equal(200, (await app.CallAsync("DELETE", "/api/v2.0/projects/a/repositories/b/artifacts/gone")).Status);
        var bytes = gone.Blobs.Sum(b => (long)b.Length);
        await Eventually.TrueAsync(async () => (await app.GetAsync(Ours + "/gc"))["due_bytes"]!.GetValue<long>() == bytes, "the image is due");

        var dry = await RunAsync(app, """{"dry_run":true}""");
        Assert.Contains($"\"freed_space\":{bytes}", dry, StringComparison.Ordinal);
        Assert.Equal(gone.Blobs.Count + kept.Blobs.Count, FilesOf(app).Length);

        var before = FilesOf(app).Sum(f => f.Length);
        var real = await RunAsync(app, "{}");
        Assert.Contains($"\"freed_space\":{bytes}", real, StringComparison.Ordinal);
        Assert.Equal(before - bytes, FilesOf(app).Sum(f => f.Length));
        Assert.Equal(kept.Blobs.Count, FilesOf(app).Length);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_run_with_delete_untagged_lets_go_of_manifests_without_a_tag(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.AddProjectAsync("a");
        await app.PushAsync("a/b", "v", TestImage.New());
        var second = TestImage.New();
        await app.PushAsync("a/b", "v", second);
        await Eventually.TrueAsync(async () =>
        {
            await RunAsync(app, """{"delete_untagged":true,"workers":2}""");
            return (await app.GetAsync("/api/v2.0/projects/a/repositories/b/artifacts")).AsArray().Count == 1;
        }, "the untagged manifest is gone");
        Assert.Equal(400, (await app.CallAsync("POST", Runs + "/schedule", body: """{"schedule":{"type":"Manual"},"parameters":{"workers":99}}""")).Status);
        Assert.Equal(200, (await app.Registry.GetAsync($"/v2/a/b/manifests/{second.Digest}", PlatformApp.As("admin"))).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Why_names_tags_indexes_manifests_and_dates(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.AddProjectAsync("a");
        var image = TestImage.New();
        await app.PushAsync("a/b", "one", image);
        await app.PushAsync("a/b", "two", image);
        var manifest = await app.GetAsync($"{Ours}/gc/why?digest={image.Digest}");
        Assert.Equal("kept by tags one, two in repository a/b", manifest["manifests"]![0]!["sentence"]!.GetValue<string>());
        var layer = Digest.Of(image.Blobs[0]);
        Assert.Equal($"kept by 1 manifest, a/b@{image.Digest} first", (await app.GetAsync($"{Ours}/gc/why?digest={layer}"))["blob"]!["sentence"]!.GetValue<string>());

        Assert.Equal(200, (await app.CallAsync("DELETE", "/api/v2.0/projects/a/repositories/b/artifacts/one/tags/one")).Status);
        Assert.Equal(200, (await app.CallAsync("DELETE", "/api/v2.0/projects/a/repositories/b/artifacts/two/tags/two")).Status);
        Assert.Equal("untagged in repository a/b, where untagged manifests are kept", (await app.GetAsync($"{Ours}/gc/why?digest={image.Digest}"))["manifests"]![0]!["sentence"]!.GetValue<string>());
        Assert.Equal(200, (await app.CallAsync("PUT", Ours + "/projects/a/untagged", body: """{"days":5}""")).Status);
        Assert.NotNull((await app.GetAsync($"{Ours}/gc/why?digest={image.Digest}"))["manifests"]![0]!["due_at"]);

        Assert.Equal(200, (await app.CallAsync("DELETE", $"/api/v2.0/projects/a/repositories/b/artifacts/{image.Digest}")).Status);
        var due = (await app.GetAsync($"{Ours}/gc/why?digest={layer}"))["blob"]!;
        Assert.StartsWith("no manifest names it: due on ", due["sentence"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("a/b", due["repositories"]![0]!.GetValue<string>());
        Assert.Equal(404, (await app.CallAsync("GET", $"{Ours}/gc/why?digest={Digest.Of("nothing"u8)}")).Status);
        Assert.Equal(400, (await app.CallAsync("GET", $"{Ours}/gc/why?digest=x")).Status);
        await app.AddUserAsync("alice");
        Assert.Equal(403, (await app.CallAsync("GET", $"{Ours}/gc/why?digest={layer}", "alice")).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Days_of_a_project_are_set_shown_and_taken_back(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.AddProjectAsync("a");
        Assert.Equal("""{"in_force":-1}""", (await app.CallAsync("GET", Ours + "/projects/a/untagged")).Body);
        Assert.Equal("""{"days":3,"in_force":3}""", (await app.CallAsync("PUT", Ours + "/projects/a/untagged", body: """{"days":3}""")).Body);
        Assert.Equal("""{"days":3,"in_force":3}""", (await app.CallAsync("GET", Ours + "/projects/a/untagged")).Body);
        Assert.Equal("""{"in_force":-1}""", (await app.CallAsync("PUT", Ours + "/projects/a/untagged", body: "{}")).Body);
        Assert.Equal(400, (await app.CallAsync("PUT", Ours + "/projects/a/untagged", body: """{"days":-2}""")).Status);
        Assert.Equal(404, (await app.CallAsync("PUT", Ours + "/projects/none/untagged", body: """{"days":1}""")).Status);
        await app.AddUserAsync("alice");
        await app.AddMemberAsync("a", "alice", 3);
        Assert.Equal(403, (await app.CallAsync("PUT", Ours + "/projects/a/untagged", "alice", """{"days":1}""")).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Days_that_are_set_later_hold_for_what_was_untagged_before(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.AddProjectAsync("a");
        await app.PushAsync("a/b", "v", TestImage.New());
        await app.PushAsync("a/b", "v", TestImage.New());
        // The review of the first image is looked at, and dropped, while untagged manifests are kept.
        await Eventually.TrueAsync(async () =>
        {
            await RunAsync(app, "{}");
            return (await app.GetAsync(Ours + "/gc"))["waiting"]!.GetValue<long>() == 0;
        }, "nothing waits");
        Assert.Equal(200, (await app.CallAsync("PUT", Ours + "/projects/a/untagged", body: """{"days":0}""")).Status);
        await Eventually.TrueAsync(async () =>
        {
            await RunAsync(app, "{}");
            return (await app.GetAsync("/api/v2.0/projects/a/repositories/b/artifacts")).AsArray().Count == 1;
        }, "the untagged manifest is gone");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Usage_is_the_truth_to_the_byte(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.AddProjectAsync("a");
        await app.AddProjectAsync("b");
        var (own, shared) = (TestImage.New(), TestImage.New());
        await app.PushAsync("a/one", "v", own);
        await app.PushAsync("a/two", "v", shared);
        await app.PushAsync("b/three", "v", shared);
        var loose = System.Security.Cryptography.RandomNumberGenerator.GetBytes(777);
        Assert.Equal(201, (await app.Registry.PostAsync($"/v2/a/one/blobs/uploads/?digest={Digest.Of(loose)}", loose, PlatformApp.As("admin"))).Status);
        var (ownBytes, sharedBytes) = (own.Blobs.Sum(b => (long)b.Length), shared.Blobs.Sum(b => (long)b.Length));

        Assert.Equal((ownBytes, sharedBytes), await UsageAsync(app, "/projects/a/usage"));
        Assert.Equal((0, sharedBytes), await UsageAsync(app, "/projects/b/usage"));
        Assert.Equal((ownBytes, sharedBytes), await UsageAsync(app, "/usage"));
        var all = await app.GetAsync(Ours + "/usage");
        Assert.Equal(777, all["unreferenced_bytes"]!.GetValue<long>());
        Assert.Equal(FilesOf(app).Sum(f => f.Length), all["stored_bytes"]!.GetValue<long>());
        Assert.Equal(404, (await app.CallAsync("GET", Ours + "/projects/none/usage")).Status);
    }

    private static Task<PlatformApp> StartAsync(DatabaseKind kind) => PlatformApp.StartAsync(kind, o => o with { Gc = o.Gc with { Enabled = false, Delay = TimeSpan.FromSeconds(1) } });

    // Runs a collection to its end; its parameters in the history.
    private static async Task<string> RunAsync(PlatformApp app, string parameters)
    {
        var run = await app.CreateAsync(Runs + "/schedule", $$$"""{"schedule":{"type":"Manual"},"parameters":{{{parameters}}}}""");
        await Eventually.TrueAsync(async () => (await app.GetAsync(run))["job_status"]!.GetValue<string>() == "Success", "the run has ended");
        Assert.NotEqual("", (await app.CallAsync("GET", run + "/log")).Body);
        return (await app.GetAsync(run))["job_parameters"]!.GetValue<string>();
    }

    private static async Task<(long Unique, long Shared)> UsageAsync(PlatformApp app, string path)
    {
        var usage = await app.GetAsync(Ours + path);
        return (usage["unique_bytes"]!.GetValue<long>(), usage["shared_bytes"]!.GetValue<long>());
    }

    private static FileInfo[] FilesOf(PlatformApp app) =>
        new DirectoryInfo(new ContentPaths(Path.Join(app.Registry.Folder, "data/storage")).Blobs).GetFiles("*", SearchOption.AllDirectories);
}
