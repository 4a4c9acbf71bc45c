using Berth.Oci;
using Berth.Server.Integrity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Integrity;

public sealed class ScrubTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Wrong_and_missing_bytes_are_quarantined_and_a_push_heals_them(DatabaseKind kind)
    {
        await using var fixture = await IntegrityFixture.StartAsync(kind);
        var app = fixture.App;
        var (good, wrong, missing) = (RegistryTests.Bytes(9000, 1), RegistryTests.Bytes(9000, 2), RegistryTests.Bytes(9000, 3));
        var kept = await app.PushBlobAsync("library/app", good);
        var damaged = await app.PushBlobAsync("library/app", wrong);
        var lost = await app.PushBlobAsync("library/app", missing);
        // In the cache, which has to forget them.
        foreach (var digest in new[] { damaged, lost }) Assert.Equal(200, (await app.GetAsync($"/v2/library/app/blobs/{digest}")).Status);
        IntegrityFixture.Damage(fixture.FileOf(damaged));
        File.Delete(fixture.FileOf(lost));

        var state = await fixture.ScrubAsync();
        Assert.Equal((3L, 2L, true), (state.Blobs, state.Bad, state.FinishedAt is not null));
        Assert.Equal([$"quarantine {damaged}", $"quarantine {lost}"], fixture.Events);
        foreach (var digest in new[] { damaged, lost })
        {
            // Announcements arrive in the background on PostgreSQL.
            await Eventually.TrueAsync(async () => (await app.GetAsync($"/v2/library/app/blobs/{digest}")).Status == 404, "the cache has forgotten it");
            var answer = await app.GetAsync($"/v2/library/app/blobs/{digest}");
            Assert.Contains("BLOB_UNKNOWN", answer.Text, StringComparison.Ordinal);
            Assert.Contains("quarantined", answer.Text, StringComparison.Ordinal);
            Assert.Equal(404, (await app.HeadAsync($"/v2/library/app/blobs/{digest}")).Status);
        }
        Assert.Equal(good, (await app.GetAsync($"/v2/library/app/blobs/{kept}")).Body);

        await app.PushBlobAsync("library/app", wrong);
        await app.PushBlobAsync("library/app", missing);
        Assert.Equal(wrong, (await app.GetAsync($"/v2/library/app/blobs/{damaged}")).Body);
        Assert.Equal(missing, (await app.GetAsync($"/v2/library/app/blobs/{lost}")).Body);
        // The next pass is a month away.
        Assert.Equal(state.StartedAt, (await fixture.ScrubAsync()).StartedAt);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_blob_that_another_store_has_is_repaired_from_there_unless_it_is_wrong_there_too(DatabaseKind kind)
    {
        await using var fixture = await IntegrityFixture.StartAsync(kind);
        var (one, two) = (RegistryTests.Bytes(70_000, 4), RegistryTests.Bytes(70_000, 5));
        var repaired = await fixture.App.PushBlobAsync("library/app", one);
        var hopeless = await fixture.App.PushBlobAsync("library/app", two);
        IntegrityFixture.Write(fixture.SecondFileOf(repaired), one);
        IntegrityFixture.Write(fixture.SecondFileOf(hopeless), two);
        IntegrityFixture.Damage(fixture.SecondFileOf(hopeless));
        foreach (var digest in new[] { repaired, hopeless }) IntegrityFixture.Damage(fixture.FileOf(digest));

        Assert.Equal(2, (await fixture.ScrubAsync()).Bad);
        Assert.Equal([$"quarantine {repaired}", $"heal {repaired}", $"quarantine {hopeless}"], fixture.Events);
        Assert.Equal(one, (await fixture.App.GetAsync($"/v2/library/app/blobs/{repaired}")).Body);
        Assert.Equal(404, (await fixture.App.GetAsync($"/v2/library/app/blobs/{hopeless}")).Status);
        Assert.Equal((1L, 0L), (await fixture.NumberAsync("SELECT count(*) FROM blobs WHERE quarantined_at IS NOT NULL"), await fixture.NumberAsync("SELECT count(*) FROM uploads")));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_pass_goes_on_where_it_was_cut_off_and_of_two_at_once_one_goes_on(DatabaseKind kind)
    {
        await using var fixture = await IntegrityFixture.StartAsync(kind);
        for (var i = 0; i < 45; i++) await fixture.App.PushBlobAsync("library/app", RegistryTests.Bytes(100, 100 + i));
        await Assert.ThrowsAsync<InvalidOperationException>(() => fixture.ScrubAsync(report: static _ => throw new InvalidOperationException("killed")));
        var half = await ScrubState.ReadAsync(fixture.Database, CancellationToken.None);
        Assert.Equal((20L, null), (half.Blobs, half.FinishedAt));
        var done = await fixture.ScrubAsync();
        Assert.Equal((45L, 0L, half.StartedAt, true), (done.Blobs, done.Bad, done.StartedAt, done.FinishedAt is not null));
        Assert.Null(await half.MoveAsync(fixture.Database, half with { Cursor = 1 }, CancellationToken.None));
        Assert.Null(await (half with { Text = null }).MoveAsync(fixture.Database, half, CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_store_that_has_none_of_its_blobs_is_waited_for_until_somebody_says_that_they_are_lost(DatabaseKind kind)
    {
        await using var fixture = await IntegrityFixture.StartAsync(kind);
        var blobs = new List<Digest>();
        for (var i = 0; i < 12; i++) blobs.Add(await fixture.App.PushBlobAsync("library/app", RegistryTests.Bytes(100, 500 + i)));
        foreach (var digest in blobs) File.Move(fixture.FileOf(digest), fixture.FileOf(digest) + ".away");
        var paused = await fixture.ScrubAsync();
        Assert.Equal((0L, null), (paused.Cursor, paused.FinishedAt));
        Assert.Equal(0, await fixture.NumberAsync("SELECT count(*) FROM blobs WHERE quarantined_at IS NOT NULL"));

        // Somebody says so; then they come back.
        var report = await fixture.FsckAsync(new FsckOptions { Repair = true });
        Assert.Equal(12, report.NewlyQuarantined);
        foreach (var digest in blobs) File.Move(fixture.FileOf(digest) + ".away", fixture.FileOf(digest));
        Assert.Equal(12, (await fixture.FsckAsync(new FsckOptions { Repair = true })).Healed);
        Assert.True((await fixture.ScrubAsync()).FinishedAt is not null);
        Assert.Equal(RegistryTests.Bytes(100, 500), (await fixture.App.GetAsync($"/v2/library/app/blobs/{blobs[0]}")).Body);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_blob_is_repaired_from_the_copy_that_a_move_has_left_behind(DatabaseKind kind)
    {
        await using var fixture = await IntegrityFixture.StartAsync(kind);
        var content = RegistryTests.Bytes(50_000, 600);
        var digest = await fixture.App.PushBlobAsync("library/app", content);
        await fixture.App.Services.GetRequiredService<StoreMove>().RunAsync(
            new StoreMoveRequest { From = BlobStores.DefaultName, To = IntegrityFixture.Second }, static (_, _, _) => { }, CancellationToken.None);
        IntegrityFixture.Damage(fixture.SecondFileOf(digest));
        Assert.Equal(1, (await fixture.ScrubAsync()).Bad);
        Assert.Equal([$"quarantine {digest}", $"heal {digest}"], fixture.Events);
        Assert.Equal(content, await File.ReadAllBytesAsync(fixture.SecondFileOf(digest)));
        Assert.Equal(content, (await fixture.App.GetAsync($"/v2/library/app/blobs/{digest}")).Body);
    }
}
