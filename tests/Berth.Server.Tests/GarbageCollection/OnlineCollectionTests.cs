using System.Text;
using Berth.Blobs.FileSystem;
using Berth.Oci;
using Berth.Server.GarbageCollection;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Registry;
using Berth.Server.Tests.Adoption;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.GarbageCollection;

/// <summary>What is removed after the delay, and what is not, through the real server.</summary>
public sealed class OnlineCollectionTests
{
    private static readonly TimeSpan Delay = TimeSpan.FromHours(1);

    private readonly ManualTime _time = new();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_blob_that_no_manifest_ever_names_goes_after_the_delay(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var content = Bytes(1000);
        await app.PushBlobAsync("a/b", content);
        _time.Advance(Delay - TimeSpan.FromSeconds(1));
        Assert.Equal(new Collected(), await CollectAsync(app));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((1, 1000), await FreedAsync(app));
        (await app.GetAsync($"/v2/a/b/blobs/{Digest.Of(content)}")).MustBe(404, "BLOB_UNKNOWN");
        await NothingIsLeftAsync(app);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_deleted_manifest_takes_the_blobs_with_it_that_no_other_names(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var (shared, own, config) = (Bytes(1000), Bytes(500), Bytes(20));
        var first = await PushImageAsync(app, "a/b", "one", config, shared, own);
        var second = await PushImageAsync(app, "a/b", "two", config, shared);
        _time.Advance(2 * Delay);
        Assert.Equal((0, 0), await FreedAsync(app));
        (await app.DeleteAsync($"/v2/a/b/manifests/{first}")).MustBe(202);
        Assert.Equal((0, 0), await FreedAsync(app));
        _time.Advance(2 * Delay);
        Assert.Equal((1, 500), await FreedAsync(app));
        Assert.Equal(shared, (await app.GetAsync($"/v2/a/b/blobs/{Digest.Of(shared)}")).MustBe(200).Body);
        (await app.DeleteAsync($"/v2/a/b/manifests/{second}")).MustBe(202);
        _time.Advance(2 * Delay);
        Assert.Equal((2, 1020), await FreedAsync(app));
        await NothingIsLeftAsync(app);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_blob_stays_while_any_repository_of_any_project_needs_it(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var (layer, config) = (Bytes(700), Bytes(30));
        // One project has it in two repositories, of which one names it; the other project has it by a mount.
        var first = await PushImageAsync(app, "a/one", "v", config, layer);
        await app.PushBlobAsync("a/two", layer);
        (await app.PostAsync($"/v2/b/three/blobs/uploads/?mount={Digest.Of(layer)}&from=a/one", [])).MustBe(201);
        var third = await PushImageAsync(app, "b/three", "v", config, layer);
        _time.Advance(2 * Delay);
        Assert.Equal((0, 0), await FreedAsync(app));
        (await app.DeleteAsync($"/v2/a/one/manifests/{first}")).MustBe(202);
        _time.Advance(2 * Delay);
        Assert.Equal((0, 0), await FreedAsync(app));
        // The project that no longer names it has let go of it everywhere.
        (await app.GetAsync($"/v2/a/one/blobs/{Digest.Of(layer)}")).MustBe(404);
        (await app.GetAsync($"/v2/a/two/blobs/{Digest.Of(layer)}")).MustBe(404);
        (await app.GetAsync($"/v2/b/three/blobs/{Digest.Of(layer)}")).MustBe(200);
        (await app.DeleteAsync($"/v2/b/three/manifests/{third}")).MustBe(202);
        _time.Advance(2 * Delay);
        Assert.Equal((2, 730), await FreedAsync(app));
        await NothingIsLeftAsync(app);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Who_asks_for_a_blob_that_is_about_to_go_is_told_to_upload_it_again(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var content = Bytes(100_000);
        await app.PushBlobAsync("a/b", content);
        _time.Advance(Delay / 4);
        (await app.HeadAsync($"/v2/a/b/blobs/{Digest.Of(content)}")).MustBe(200);
        _time.Advance(Delay / 2);
        // Whoever reads it gets it still.
        (await app.GetAsync($"/v2/a/b/blobs/{Digest.Of(content)}")).MustBe(200);
        (await app.HeadAsync($"/v2/a/b/blobs/{Digest.Of(content)}")).MustBe(404);
        await app.PushBlobAsync("a/b", content);
        (await app.HeadAsync($"/v2/a/b/blobs/{Digest.Of(content)}")).MustBe(200);
        _time.Advance(Delay / 2);
        Assert.Equal((0, 0), await FreedAsync(app));
        _time.Advance(Delay);
        Assert.Equal((1, 100_000), await FreedAsync(app));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Untagged_manifests_stay_for_ever_unless_days_are_set(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var config = Bytes(30);
        await PushImageAsync(app, "a/b", "v", config, Bytes(10));
        var second = await PushImageAsync(app, "a/b", "v", config, Bytes(20));
        _time.Advance(TimeSpan.FromDays(1000));
        Assert.Equal(0, (await CollectAsync(app)).Manifests);
        Assert.Equal(2, await CountAsync(app, "manifests"));
        (await app.GetAsync($"/v2/a/b/manifests/{second}")).MustBe(200);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Untagged_manifests_go_after_their_days_and_what_belongs_to_kept_ones_stays(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind, untaggedDays: 3);
        var config = Bytes(30);
        var child = await PushImageAsync(app, "a/b", null, config, Bytes(10));
        var index = await PushIndexAsync(app, "a/b", "multi", child);
        var referrer = await PushReferrerAsync(app, "a/b", index, config);
        var moved = await PushImageAsync(app, "a/b", "v", config, Bytes(20));
        var current = await PushImageAsync(app, "a/b", "v", config, Bytes(40));
        _time.Advance(TimeSpan.FromDays(3) - TimeSpan.FromMinutes(1));
        Assert.Equal(0, (await CollectAsync(app)).Manifests);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, (await CollectAsync(app)).Manifests);
        (await app.GetAsync($"/v2/a/b/manifests/{moved}")).MustBe(404);
        foreach (var kept in new[] { child, index, referrer, current }) (await app.GetAsync($"/v2/a/b/manifests/{kept}")).MustBe(200);

        // Without its tag the index goes, then what it listed and what referred to it.
        (await app.DeleteAsync("/v2/a/b/manifests/multi")).MustBe(202);
        var gone = 0L;
        for (var i = 0; i < 3; i++)
        {
            _time.Advance(TimeSpan.FromDays(4));
            gone += (await CollectAsync(app)).Manifests;
        }
        Assert.Equal(3, gone);
        (await app.GetAsync($"/v2/a/b/manifests/{current}")).MustBe(200);
        (await app.DeleteAsync($"/v2/a/b/manifests/{current}")).MustBe(202);
        _time.Advance(2 * Delay);
        await CollectAsync(app);
        await NothingIsLeftAsync(app);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Nothing_goes_while_a_backup_holds_it(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.PushBlobAsync("a/b", Bytes(1000));
        _time.Advance(2 * Delay);
        var until = _time.GetUtcNow().AddMinutes(5).ToUnixTimeMilliseconds();
        await StoredState.ExecuteAsync(app.Services.GetRequiredService<Database>(), $"INSERT INTO gc_holds (id, until) VALUES ('backup', {until})");
        Assert.True((await CollectAsync(app)).IsHeld);
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal((1, 1000), await FreedAsync(app));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_metrics_page_tells_what_waits_what_is_due_and_since_when(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.PushBlobAsync("a/b", Bytes(1000));
        var metrics = new MetricRegistry(NullLogger<MetricRegistry>.Instance);
        new GarbageGauges(app.Services.GetRequiredService<Database>(), new GarbageOptions { Delay = Delay }, _time).AddTo(metrics);
        Assert.Equal((1, 0, 0), await WaitingAsync("blob"));
        _time.Advance(Delay + TimeSpan.FromSeconds(20));
        Assert.Equal((1, 1, 20), await WaitingAsync("blob"));
        Assert.Equal((0, 0, 0), await WaitingAsync("object"));
        await CollectAsync(app);
        // As it was read last, until that is too old.
        Assert.Equal((1, 1, 20), await WaitingAsync("blob"));
        _time.Advance(GarbageGauges.ReadEvery);
        Assert.Equal((0, 0, 0), await WaitingAsync("blob"));

        async Task<(int Waiting, int Due, int Overdue)> WaitingAsync(string kind)
        {
            await metrics.RefreshAsync(TestContext.Current.CancellationToken);
            var page = new LineBuffer();
            metrics.Write(page, openMetrics: false);
            var lines = Encoding.UTF8.GetString(page.Written).Split('\n');
            int Of(string metric) => int.Parse(Assert.Single(lines, line => line.StartsWith($"{metric}{{kind=\"{kind}\"}} ", StringComparison.Ordinal)).Split(' ')[1]);
            return (Of("berth_gc_queue"), Of("berth_gc_queue_due"), Of("berth_gc_overdue_seconds"));
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Pushes_of_the_same_content_while_it_is_collected_never_lose_it(DatabaseKind kind)
    {
        // Real time and a delay of one second: every push competes with a collection.
        await using var app = await RegistryApp.StartAsync(kind, more: o => o with { Gc = o.Gc with { Delay = TimeSpan.FromSeconds(1), Interval = TimeSpan.FromMilliseconds(100), BatchSize = 5, UntaggedDays = 0 } });
        var layers = Enumerable.Range(0, 6).Select(i => Bytes(2000 + i)).ToArray();
        var config = Bytes(40);
        var stop = TimeProvider.System.GetUtcNow().AddSeconds(6);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(n => Task.Run(async () =>
        {
            var random = new Random(n);
            while (TimeProvider.System.GetUtcNow() < stop)
            {
                var chosen = layers.Where(_ => random.Next(2) == 0).DefaultIfEmpty(layers[0]).ToArray();
                var digest = await PushImageAsync(app, $"a/r{n % 2}", $"t{n}", config, chosen);
                foreach (var layer in chosen) Assert.Equal(layer, (await app.GetAsync($"/v2/a/r{n % 2}/blobs/{Digest.Of(layer)}")).MustBe(200).Body);
                if (random.Next(3) > 0) Assert.Contains((await app.DeleteAsync($"/v2/a/r{n % 2}/manifests/{digest}")).Status, new[] { 202, 404 });
            }
        })));
        for (var repository = 0; repository < 2; repository++)
        {
            foreach (var tag in Enumerable.Range(0, 4).Where(n => n % 2 == repository))
            {
                var manifest = await app.GetAsync($"/v2/a/r{repository}/manifests/t{tag}");
                if (manifest.Status == 200) (await app.DeleteAsync($"/v2/a/r{repository}/manifests/{manifest.Header("Docker-Content-Digest")}")).MustBe(202);
            }
        }
        await Eventually.TrueAsync(async () => await CountAsync(app, "manifests") == 0, "all manifests are collected");
        await Eventually.TrueAsync(async () => await CountAsync(app, "blobs") + await CountAsync(app, "blob_removals") == 0, "all blobs are collected");
        await NothingIsLeftAsync(app);
    }

    private static byte[] Bytes(int length) => System.Security.Cryptography.RandomNumberGenerator.GetBytes(length);

    private Task<RegistryApp> StartAsync(DatabaseKind kind, int untaggedDays = -1) => RegistryApp.StartAsync(
        kind, more: o => o with { Gc = o.Gc with { Enabled = false, Delay = Delay, UntaggedDays = untaggedDays, BatchSize = 3 } }, services: s => s.AddSingleton<TimeProvider>(_time));

    private static Task<Collected> CollectAsync(RegistryApp app) => app.Services.GetRequiredService<Collector>().RunAsync(null, 0, CancellationToken.None);

    private static async Task<(long Objects, long Bytes)> FreedAsync(RegistryApp app)
    {
        var done = await CollectAsync(app);
        return (done.Removals, done.FreedBytes);
    }

    private static async Task<long> CountAsync(RegistryApp app, string table) =>
        Convert.ToInt64((await StoredState.RowsAsync(app.Services.GetRequiredService<Database>(), $"SELECT count(*) FROM {table}"))[0][0]);

    private static async Task NothingIsLeftAsync(RegistryApp app)
    {
        foreach (var table in new[] { "blobs", "repository_blobs", "project_blobs", "blob_removals", "blob_reviews", "manifest_reviews", "uploads" })
            Assert.Equal((table, 0L), (table, await CountAsync(app, table)));
        Assert.Empty(Directory.GetFiles(new ContentPaths(Path.Join(app.Folder, "data/storage")).Blobs, "*", SearchOption.AllDirectories));
    }

    private static async Task<Digest> PushImageAsync(RegistryApp app, string repository, string? tag, byte[] config, params byte[][] layers)
    {
        foreach (var blob in layers.Prepend(config))
        {
            if ((await app.HeadAsync($"/v2/{repository}/blobs/{Digest.Of(blob)}")).Status == 404) await app.PushBlobAsync(repository, blob);
        }
        var manifest = $$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{Digest.Of(config)}}","size":{{config.Length}}},
            "layers":[{{string.Join(',', layers.Select(l => $$"""{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{{Digest.Of(l)}}","size":{{l.Length}}}"""))}}]}
            """;
        return await PutAsync(app, repository, tag, MediaTypes.OciManifest, manifest);
    }

    private static Task<Digest> PushIndexAsync(RegistryApp app, string repository, string tag, Digest child) => PutAsync(app, repository, tag, MediaTypes.OciIndex, $$"""
        {"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{child}}","size":1}]}
        """);

    private static Task<Digest> PushReferrerAsync(RegistryApp app, string repository, Digest subject, byte[] config) => PutAsync(app, repository, null, MediaTypes.OciManifest, $$$"""
        {"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","artifactType":"application/x-test","config":{"mediaType":"application/x-config","digest":"{{{Digest.Of(config)}}}","size":{{{config.Length}}}},
        "layers":[],"subject":{"mediaType":"{{{MediaTypes.OciIndex}}}","digest":"{{{subject}}}","size":1}}
        """);

    private static async Task<Digest> PutAsync(RegistryApp app, string repository, string? tag, string mediaType, string manifest)
    {
        var content = System.Text.Encoding.UTF8.GetBytes(manifest);
        (await app.PutAsync($"/v2/{repository}/manifests/{tag ?? Digest.Of(content).Value}", content, ("Content-Type", mediaType))).MustBe(201);
        return Digest.Of(content);
    }
}
