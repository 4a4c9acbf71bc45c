using Berth.Oci;
using Berth.Server.GarbageCollection;
using Berth.Server.Integrity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Integrity;

public sealed class FsckTests
{
    private static readonly DateTime s_old = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task What_database_and_stores_disagree_about_is_told_and_repaired(DatabaseKind kind)
    {
        await using var fixture = await IntegrityFixture.StartAsync(kind);
        var app = fixture.App;
        var kept = await app.PushBlobAsync("library/app", RegistryTests.Bytes(500, 1));
        var (lost, cut) = (await app.PushBlobAsync("library/app", RegistryTests.Bytes(500, 2)), await app.PushBlobAsync("library/app", RegistryTests.Bytes(500, 3)));
        Assert.True((await RunAsync(fixture)).IsClean);
        File.Delete(fixture.FileOf(lost));
        await File.WriteAllBytesAsync(fixture.FileOf(cut), new byte[499]);
        var (orphan, young) = (Stray(fixture, 4, isOld: true), Stray(fixture, 5, isOld: false));

        var told = await RunAsync(fixture);
        Assert.Equal((3L, 4L, 1L, false), (told.Blobs, told.Objects, told.YoungObjects, told.IsClean));
        Assert.Equal([lost.Value], told.Missing);
        Assert.Equal([cut.Value], told.WrongSize);
        Assert.Equal([$"second: {orphan}"], told.Orphans);
        Assert.Equal(0, await fixture.NumberAsync("SELECT count(*) FROM blob_removals"));

        var repaired = await RunAsync(fixture, new FsckOptions { Repair = true });
        Assert.Equal((2L, 1L, 2L, 1L), (repaired.NewlyQuarantined, repaired.Removed, repaired.Quarantined, repaired.WaitingRemovals));
        Assert.Equal(0, (await RunAsync(fixture)).Problems);
        foreach (var digest in new[] { lost, cut })
            await Eventually.TrueAsync(async () => (await app.GetAsync($"/v2/library/app/blobs/{digest}")).Status == 404, "quarantined blobs are not served");
        await using (var storage = await BerthStorage.OpenAsync(app.Options, TimeProvider.System, CancellationToken.None))
            await storage.CollectAsync(new() { Quiet = true }, TimeSpan.FromDays(1), TextWriter.Null, CancellationToken.None);
        Assert.Equal((false, true), (File.Exists(fixture.SecondFileOf(orphan)), File.Exists(fixture.SecondFileOf(young))));
        Assert.Equal(200, (await app.GetAsync($"/v2/library/app/blobs/{kept}")).Status);
        await app.PushBlobAsync("library/app", RegistryTests.Bytes(500, 2));
        await app.PushBlobAsync("library/app", RegistryTests.Bytes(500, 3));
        Assert.True((await RunAsync(fixture)).IsClean);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_lost_table_of_blobs_is_rebuilt_and_everything_pulls(DatabaseKind kind)
    {
        await using var fixture = await IntegrityFixture.StartAsync(kind);
        var app = fixture.App;
        await app.PushImageAsync("library/app", "v1", TestImage.New(seed: 1));
        await app.PushImageAsync("library/app", "v2", TestImage.New(seed: 2));
        foreach (var file in Directory.GetFiles(BerthStorage.RootOf(app.Options), "data", SearchOption.AllDirectories)) File.SetLastWriteTimeUtc(file, s_old);
        var used = await fixture.NumberAsync("SELECT CAST(sum(used_bytes) AS bigint) FROM projects");
        var blobs = await fixture.NumberAsync("SELECT count(*) FROM blobs");
        await fixture.Database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            foreach (var table in new[] { "manifest_blobs", "repository_blobs", "project_blobs", "blob_reviews", "blobs" })
                await session.ExecuteAsync(new Statement($"DELETE FROM {table}"), [], ct);
            return true;
        }, CancellationToken.None);

        // Nothing is removed while the database knows nothing.
        var refused = await RunAsync(fixture, new FsckOptions { Repair = true });
        Assert.Equal((blobs, 0L), (refused.Problems, refused.Removed));
        var rebuilt = await RunAsync(fixture, new FsckOptions { Rebuild = true });
        Assert.Equal((blobs, true), (rebuilt.Recorded, rebuilt.IsClean));
        await app.RestartAsync();
        await app.PullAsync("library/app", "v1");
        await app.PullAsync("library/app", "v2");
        Assert.Equal(used, await fixture.NumberAsync("SELECT CAST(sum(used_bytes) AS bigint) FROM projects"));
        Assert.True((await RunAsync(fixture)).IsClean);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Encrypted_strays_and_unknown_uploads_are_found_and_a_stray_heals_the_blob_whose_content_it_is(DatabaseKind kind)
    {
        var masterKey = Convert.ToBase64String(RegistryTests.Bytes(32, 1));
        await using var fixture = await IntegrityFixture.StartAsync(kind, o => o with { Storage = o.Storage with { Encryption = new() { Enabled = true, MasterKey = new() { Value = masterKey } } } });
        var app = fixture.App;
        var (one, two) = (RegistryTests.Bytes(70_000, 11), RegistryTests.Bytes(70_000, 12));
        var lost = await app.PushBlobAsync("library/app", one);
        await app.PushBlobAsync("library/app", two);
        // As a commit leaves it that was cut off and whose row is gone: an encrypted object that no row names, in the other store, and an upload of somebody.
        var store = app.Services.GetRequiredService<BlobStores>()[IntegrityFixture.Second];
        foreach (var (key, content) in new[] { ("11aa", one), ("22bb", two), ("33cc", RegistryTests.Bytes(70_000, 13)) })
        {
            await store.WriteUploadAsync(key, content, CancellationToken.None);
            await store.NameUploadAsync(key, Digest.Of(content), CancellationToken.None);
        }
        await store.WriteUploadAsync("44dd", new byte[10], CancellationToken.None);
        foreach (var file in Directory.GetFiles(fixture.SecondRoot, "*", SearchOption.AllDirectories)) File.SetLastWriteTimeUtc(file, s_old);
        var lostKey = await KeyOfAsync(fixture, lost);
        var lostFile = Directory.GetFiles(Path.Join(BerthStorage.RootOf(app.Options), "berth/blobs"), "*", SearchOption.AllDirectories).Single(f => f.EndsWith(lostKey, StringComparison.Ordinal));
        File.Delete(lostFile);

        var told = await RunAsync(fixture);
        Assert.Equal([lost.Value], told.Missing);
        Assert.Equal((3, 1L), (told.Orphans.Count, told.UnknownUploads));
        var repaired = await RunAsync(fixture, new FsckOptions { Repair = true });
        Assert.Equal((1L, 1L, 3L, 0L), (repaired.NewlyQuarantined, repaired.Healed, repaired.Removed, repaired.Quarantined));
        Assert.Equal("e1-11aa", await KeyOfAsync(fixture, lost));
        await Eventually.TrueAsync(async () => (await app.GetAsync($"/v2/library/app/blobs/{lost}")).Body.AsSpan().SequenceEqual(one), "the stray has healed it");
        while (await app.Services.GetRequiredService<ByteRemoval>().RunAsync(100, CancellationToken.None) is not null) { }
        Assert.Equal("e1-11aa", Path.GetFileName(Directory.GetFiles(fixture.SecondRoot, "*", SearchOption.AllDirectories).Single(f => !f.EndsWith(".lock", StringComparison.Ordinal))));
        Assert.True((await RunAsync(fixture)).IsClean);
    }

    private static async Task<string> KeyOfAsync(IntegrityFixture fixture, Digest digest) => await fixture.Database.ReadAsync(digest, static async (session, d, ct) =>
        (string)(await session.Command(new Statement("SELECT key FROM blobs WHERE digest = @0"), d.Value).ExecuteScalarAsync(ct))!, CancellationToken.None);

    private static Digest Stray(IntegrityFixture fixture, int seed, bool isOld)
    {
        var content = RegistryTests.Bytes(300, seed);
        var digest = Digest.Of(content);
        IntegrityFixture.Write(fixture.SecondFileOf(digest), content);
        if (isOld) File.SetLastWriteTimeUtc(fixture.SecondFileOf(digest), s_old);
        return digest;
    }

    private static Task<FsckReport> RunAsync(IntegrityFixture fixture, FsckOptions? options = null) => fixture.FsckAsync(options);
}
