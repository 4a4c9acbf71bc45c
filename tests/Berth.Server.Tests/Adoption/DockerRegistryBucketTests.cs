using System.Text;
using Berth.Blobs.S3;
using Berth.Blobs.Swift;
using Berth.Oci;
using Berth.Server.Adoption;
using Berth.Server.GarbageCollection;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Adoption;

/// <summary>A bucket that Docker Registry's own program has written is taken over where it lies.</summary>
public sealed class DockerRegistryBucketTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Every_tag_and_every_manifest_is_served_byte_identical_and_the_bucket_is_as_before(DatabaseKind kind)
    {
        await using var bucket = await TestBucket.OpenAsync("BERTH_TEST_S3");
        using var registry = new DockerRegistryProcess(BlockOf(bucket.Options));
        await registry.StartAsync();
        var filled = await FilledRegistry.FillAsync(registry);
        registry.Stop();
        var before = await bucket.StateAsync();
        await using var app = await StartAsync(kind, bucket);
        await using var storage = await BerthStorage.OpenAsync(app.Options, TimeProvider.System, CancellationToken.None);

        var report = await storage.AdoptAsync(verify: kind == DatabaseKind.Sqlite, null, CancellationToken.None);

        Assert.Empty(report.Findings);
        Assert.Equal(report.Found, report.Added);
        Assert.Equal((filled.Tags.Count, filled.Manifests.Count), (report.Found.Tags, report.Found.Manifests));
        Assert.Equal(before.Count(line => line.Contains("/data ", StringComparison.Ordinal)), report.Found.Blobs);
        Assert.Equal(before, await bucket.StateAsync());
        await CheckServedAsync(app, filled);
        Assert.Equal(new AdoptionCounts(0, 0, 0, 0, 0, 0), (await storage.AdoptAsync(verify: false, null, CancellationToken.None)).Added);

        // Berth goes on in the same bucket, and Docker Registry can come back.
        await app.PushImageAsync("team/app-0", "new", TestImage.New(3));
        await CheckServedAsync(app, filled);
        await registry.StartAsync();
        foreach (var (key, digest) in filled.Tags) Assert.Equal(digest, Digest.Of(await registry.PullManifestAsync(key.Repository, key.Tag)));
    }

    [Fact]
    public async Task A_container_of_Swift_with_segmented_objects_is_adopted_alike()
    {
        var words = Environment.GetEnvironmentVariable("BERTH_TEST_SWIFT")?.Split(';');
        Assert.SkipWhen(words is not { Length: 3 }, "BERTH_TEST_SWIFT is not set");
        var swift = new SwiftOptions
        {
            AuthUrl = words![0],
            Username = words[1],
            Password = words[2],
            Container = "berth-server-tests",
            Prefix = $"adopted-{Environment.ProcessId}-{Environment.TickCount64}",
        };
        using var registry = new DockerRegistryProcess(
            $"swift: {{authurl: \"{swift.AuthUrl}\", username: \"{swift.Username}\", password: {swift.Password}, container: {swift.Container}, prefix: {swift.Prefix}, chunksize: 5242880}}");
        await registry.StartAsync();
        var filled = await FilledRegistry.FillAsync(registry);
        registry.Stop();
        await using var app = await RegistryApp.StartAsync(DatabaseKind.Sqlite, null, o => o with
        {
            Storage = o.Storage with { Swift = swift, Redirect = new() { Enabled = false } },
            Health = o.Health with { StorageEnabled = false },
            Gc = o.Gc with { Enabled = false },
        });
        await using var storage = await BerthStorage.OpenAsync(app.Options, TimeProvider.System, CancellationToken.None);

        var report = await storage.AdoptAsync(verify: true, null, CancellationToken.None);

        Assert.Empty(report.Findings);
        Assert.Equal((filled.Tags.Count, filled.Manifests.Count), (report.Found.Tags, report.Found.Manifests));
        await CheckServedAsync(app, filled);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Cut_off_anywhere_and_run_again_it_ends_the_same_and_garbage_collection_waits(DatabaseKind kind)
    {
        await using var bucket = await TestBucket.OpenAsync("BERTH_TEST_S3");
        using var layout = RegistryLayout.OfEveryKind();
        await CopyAsync(layout, bucket);
        string whole;
        await using (var database = await TestDatabase.NewAsync(kind))
        {
            Assert.Empty((await AdoptAsync(database, bucket, null)).Findings);
            whole = await StoredState.DumpAsync(database.Current);
        }
        foreach (var cutAt in new[] { 1, 6, 25 })
        {
            await using var database = await TestDatabase.NewAsync(kind);
            await Assert.ThrowsAsync<OperationCanceledException>(() => AdoptAsync(database, bucket, new CutOff(cutAt)));
            using (var source = SourceOf(database, bucket)) Assert.True(await source.IsUnfinishedAsync(CancellationToken.None));
            // The next start goes on.
            using (var source = SourceOf(database, bucket))
                Assert.NotNull(await AdoptOnFirstStart.RunAsync(database.Current, source, new AdoptionOptions(), TimeProvider.System, NullLogger.Instance, CancellationToken.None));
            Assert.Equal(whole, await StoredState.DumpAsync(database.Current));
            using (var source = SourceOf(database, bucket))
                Assert.Null(await AdoptOnFirstStart.RunAsync(database.Current, source, new AdoptionOptions(), TimeProvider.System, NullLogger.Instance, CancellationToken.None));
        }
    }

    [Fact]
    public async Task What_is_damaged_is_named_and_left_out_and_an_unfinished_adoption_keeps_garbage_collection_away()
    {
        await using var bucket = await TestBucket.OpenAsync("BERTH_TEST_S3");
        const string root = "docker/registry/v2/";
        using var layout = new RegistryLayout();
        var good = layout.Image("team/app", "good", "v1");
        var swapped = layout.Image("team/app", "swapped", "swapped");
        var lost = layout.Image("team/app", "incomplete", "incomplete");
        await CopyAsync(layout, bucket);
        await bucket.WriteAsync($"{root}blobs/sha256/{swapped.Hex[..2]}/{swapped.Hex}/data", "other bytes");
        var layer = Digest.Of(Encoding.UTF8.GetBytes("layer of incomplete"));
        await bucket.RemoveAsync($"{root}blobs/sha256/{layer.Hex[..2]}/{layer.Hex}/data");
        await bucket.WriteAsync($"{root}repositories/team/app/_manifests/revisions/sha256/{new string('a', 64)}/link", "cut");
        await bucket.WriteAsync($"{root}repositories/team/app/_manifests/tags/empty/current/link", "");
        await bucket.WriteAsync($"{root}repositories/Upper/app/_layers/sha256/{good.Hex}/link", good.Value);
        await using var app = await StartAsync(DatabaseKind.Sqlite, bucket);
        await using var storage = await BerthStorage.OpenAsync(app.Options, TimeProvider.System, CancellationToken.None);
        await Assert.ThrowsAsync<OperationCanceledException>(() => storage.AdoptAsync(verify: false, new CutOff(1), CancellationToken.None));
        await Assert.ThrowsAsync<CollectionRefusedException>(() => storage.CollectAsync(new CollectionOptions(), null, TextWriter.Null, CancellationToken.None));
        await Assert.ThrowsAsync<IOException>(() => storage.CheckAsync(new() { Repair = true }, _ => { }, CancellationToken.None));

        var report = await storage.AdoptAsync(verify: false, null, CancellationToken.None);

        string[] expected =
        [
            $"link team/app@{layer}", $"manifest team/app@{lost}", $"manifest team/app@{swapped}", $"manifest team/app@sha256:{new string('a', 64)}", "repository Upper",
            "tag team/app:empty", "tag team/app:swapped",
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), report.Findings.Select(f => $"{f.Kind} {f.Name}").Order(StringComparer.Ordinal));
        Assert.Contains(report.Findings, f => f.Reason.StartsWith("its bytes are damaged", StringComparison.Ordinal));
        Assert.Equal(good, Digest.Of(await app.PullAsync("team/app", "v1")));
        await storage.CollectAsync(new CollectionOptions { DryRun = true }, null, TextWriter.Null, CancellationToken.None);
    }

    [Fact]
    public async Task An_empty_bucket_is_refused_by_the_command_and_passed_over_by_the_first_start()
    {
        await using var bucket = await TestBucket.OpenAsync("BERTH_TEST_S3");
        await using var app = await StartAsync(DatabaseKind.Sqlite, bucket);
        await using var storage = await BerthStorage.OpenAsync(app.Options, TimeProvider.System, CancellationToken.None);
        var refused = await Assert.ThrowsAsync<DirectoryNotFoundException>(() => storage.AdoptAsync(verify: false, null, CancellationToken.None));
        Assert.Contains($"s3://{bucket.Options.Bucket}", refused.Message, StringComparison.Ordinal);
        using var source = BerthStorage.AdoptionSourceOf(app.Options, app.Services.GetRequiredService<Database>(), TimeProvider.System, readsLinks: false);
        Assert.Null(await AdoptOnFirstStart.RunAsync(
            app.Services.GetRequiredService<Database>(), source, new AdoptionOptions(), TimeProvider.System, NullLogger.Instance, CancellationToken.None));
    }

    private static async Task CheckServedAsync(RegistryApp app, FilledRegistry filled)
    {
        foreach (var (key, digest) in filled.Tags) Assert.Equal(digest, Digest.Of(await app.PullAsync(key.Repository, key.Tag)));
        foreach (var (repository, digest) in filled.Manifests) Assert.Equal(digest, Digest.Of(await app.PullAsync(repository, digest.Value)));
        foreach (var tags in filled.Tags.Keys.GroupBy(k => k.Repository, k => k.Tag))
            Assert.Superset(tags.ToHashSet(), (await app.GetAsync($"/v2/{tags.Key}/tags/list")).Texts("tags").ToHashSet());
        Assert.Equal(filled.Large.Digest, Digest.Of((await app.GetAsync($"/v2/{filled.Large.Repository}/blobs/{filled.Large.Digest}")).MustBe(200).Body));
        (await app.GetAsync($"/v2/{filled.Deleted.Repository}/manifests/{filled.Deleted.Digest}")).MustBe(404, "MANIFEST_UNKNOWN");
    }

    private static Task<RegistryApp> StartAsync(DatabaseKind kind, TestBucket bucket) => RegistryApp.StartAsync(kind, null, o => o with
    {
        Storage = o.Storage with { S3 = bucket.Options, Redirect = new() { Enabled = false } },
        Health = o.Health with { StorageEnabled = false }, // Its objects would be seen.
        Gc = o.Gc with { Enabled = false },
    });

    private static async Task<AdoptionReport> AdoptAsync(TestDatabase database, TestBucket bucket, IProgress<AdoptionProgress>? progress)
    {
        using var source = SourceOf(database, bucket);
        return await Adopt.RunAsync(database.Current, source, new AdoptionOptions { BatchSize = 7 }, TimeProvider.System, progress, CancellationToken.None);
    }

    private static Task CopyAsync(RegistryLayout layout, TestBucket bucket) =>
        Parallel.ForEachAsync(Directory.EnumerateFiles(layout.Root, "*", SearchOption.AllDirectories), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (file, ct) =>
            await bucket.WriteAsync(Path.GetRelativePath(layout.Root, file), await File.ReadAllTextAsync(file, ct)));

    private static AdoptionSource SourceOf(TestDatabase database, TestBucket bucket) =>
        BerthStorage.AdoptionSourceOf(new BerthOptions { DataFolder = Path.GetTempPath(), Storage = new() { S3 = bucket.Options } }, database.Current, TimeProvider.System, readsLinks: false);

    private static string BlockOf(S3Options s3) =>
        $"s3: {{region: us-east-1, regionendpoint: \"{s3.Endpoint}\", secure: false, bucket: {s3.Bucket}, accesskey: {s3.AccessKey}, secretkey: {s3.SecretKey}, rootdirectory: {s3.RootDirectory}}}";

    private sealed class CutOff(int at) : IProgress<AdoptionProgress>
    {
        private int _told;

        public void Report(AdoptionProgress value)
        {
            if (++_told >= at && value.Phase != AdoptionPhase.Done) throw new OperationCanceledException("cut off");
        }
    }
}
