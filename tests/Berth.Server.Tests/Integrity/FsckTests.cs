using Berth.Oci;
using Berth.Server.Integrity;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Registry;

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

    private static Digest Stray(IntegrityFixture fixture, int seed, bool isOld)
    {
        var content = RegistryTests.Bytes(300, seed);
        var digest = Digest.Of(content);
        IntegrityFixture.Write(fixture.SecondFileOf(digest), content);
        if (isOld) File.SetLastWriteTimeUtc(fixture.SecondFileOf(digest), s_old);
        return digest;
    }

    private static async Task<FsckReport> RunAsync(IntegrityFixture fixture, FsckOptions? options = null)
    {
        await using var storage = await BerthStorage.OpenAsync(fixture.App.Options, TimeProvider.System, CancellationToken.None);
        return await storage.CheckAsync(options ?? new FsckOptions(), static _ => { }, CancellationToken.None);
    }
}
