using Berth.Oci;
using Berth.Server.GarbageCollection;
using Berth.Server.Integrity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Berth.Server.Registry;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Integrity;

public sealed class StoreMoveTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Blobs_move_to_another_store_while_they_are_pulled_and_the_old_bytes_go_later(DatabaseKind kind)
    {
        await using var fixture = await IntegrityFixture.StartAsync(kind);
        var app = fixture.App;
        var contents = Enumerable.Range(0, 12).Select(n => RegistryTests.Bytes(80_000 + n, 200 + n)).ToArray();
        var digests = new List<Digest>();
        foreach (var content in contents) digests.Add(await app.PushBlobAsync("library/app", content));
        using var stop = new CancellationTokenSource();
        var pulls = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var answer = await app.GetAsync($"/v2/library/app/blobs/{digests[i % digests.Count]}");
                Assert.Equal(200, answer.Status);
                Assert.Equal(contents[i % digests.Count], answer.Body);
            }
        });
        var result = await MoveAsync(fixture, BlobStores.DefaultName, IntegrityFixture.Second);
        await stop.CancelAsync();
        await pulls;
        Assert.Equal((12L, contents.Sum(c => (long)c.Length), 0L), (result.Moved, result.MovedBytes, result.Bad));
        Assert.All(digests, digest => Assert.True(File.Exists(fixture.SecondFileOf(digest))));
        Assert.Equal((12L, 0L), (await fixture.NumberAsync("SELECT count(*) FROM blobs WHERE store = 'second'"), await fixture.NumberAsync("SELECT count(*) FROM uploads")));

        // Another replica may know the old places for some seconds: nothing takes the bytes yet.
        var removal = app.Services.GetRequiredService<ByteRemoval>();
        Assert.Null(await removal.RunAsync(100, CancellationToken.None));
        Assert.Equal(0, await removal.RunAllAsync(100, CancellationToken.None));
        Assert.All(digests, digest => Assert.True(File.Exists(fixture.FileOf(digest))));
        await SetDueAsync(fixture);
        Assert.Equal(12, (await removal.RunAsync(100, CancellationToken.None))!.Blobs);
        Assert.All(digests, digest => Assert.False(File.Exists(fixture.FileOf(digest))));
        Assert.Equal(0, (await MoveAsync(fixture, BlobStores.DefaultName, IntegrityFixture.Second)).Moved);
        await app.RestartAsync();
        for (var i = 0; i < contents.Length; i++) Assert.Equal(contents[i], (await app.GetAsync($"/v2/library/app/blobs/{digests[i]}")).Body);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_move_that_is_killed_between_copy_and_switch_loses_nothing_and_goes_on(DatabaseKind kind)
    {
        await using var fixture = await IntegrityFixture.StartAsync(kind, o => o with { Registry = o.Registry with { UploadExpiry = TimeSpan.FromMilliseconds(1), UploadJanitorInterval = TimeSpan.Zero } });
        var app = fixture.App;
        var content = RegistryTests.Bytes(90_000, 300);
        var digest = await app.PushBlobAsync("library/app", content);
        var (copy, stores) = (app.Services.GetRequiredService<BlobCopy>(), app.Services.GetRequiredService<BlobStores>());
        // As a process leaves it that dies right after the commit of the copy.
        using (var source = await stores.OpenReadAsync(new BlobLocation(BlobStores.DefaultName, null), digest, 0, CancellationToken.None))
            Assert.NotNull(await copy.RunAsync(source!, digest, IntegrityFixture.Second, Pace.Unlimited, CancellationToken.None));
        Assert.Equal(content, (await app.GetAsync($"/v2/library/app/blobs/{digest}")).Body);
        // The janitor takes the copy that no row came to name.
        var janitor = app.Services.GetRequiredService<UploadJanitor>();
        await Eventually.TrueAsync(async () => await janitor.RunAsync(CancellationToken.None) >= 0 && await fixture.NumberAsync("SELECT count(*) FROM uploads") == 0, "the copy's row is gone");
        Assert.Equal((false, true), (File.Exists(fixture.SecondFileOf(digest)), File.Exists(fixture.FileOf(digest))));
        Assert.Equal(1, (await MoveAsync(fixture, BlobStores.DefaultName, IntegrityFixture.Second)).Moved);
        // And back at once, while the bytes that are let go of are still where they were.
        Assert.Equal(1, (await MoveAsync(fixture, IntegrityFixture.Second, BlobStores.DefaultName)).Moved);
        await SetDueAsync(fixture);
        await app.Services.GetRequiredService<ByteRemoval>().RunAsync(100, CancellationToken.None);
        Assert.Equal((false, true), (File.Exists(fixture.SecondFileOf(digest)), File.Exists(fixture.FileOf(digest))));
        Assert.Equal(content, (await app.GetAsync($"/v2/library/app/blobs/{digest}")).Body);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Only_blobs_of_the_named_projects_move_and_damaged_ones_are_quarantined(DatabaseKind kind)
    {
        await using var fixture = await IntegrityFixture.StartAsync(kind);
        var app = fixture.App;
        var stays = await app.PushBlobAsync("alpha/app", RegistryTests.Bytes(100, 401));
        var moves = await app.PushBlobAsync("beta/app", RegistryTests.Bytes(100, 402));
        var damaged = await app.PushBlobAsync("beta/app", RegistryTests.Bytes(100, 403));
        IntegrityFixture.Damage(fixture.FileOf(damaged));
        var result = await MoveAsync(fixture, BlobStores.DefaultName, IntegrityFixture.Second, "beta");
        Assert.Equal((1L, 1L), (result.Moved, result.Bad));
        Assert.Equal((true, false, false), (File.Exists(fixture.SecondFileOf(moves)), File.Exists(fixture.SecondFileOf(stays)), File.Exists(fixture.SecondFileOf(damaged))));
        Assert.Equal([$"quarantine {damaged}"], fixture.Events);
    }

    private static Task<StoreMoveResult> MoveAsync(IntegrityFixture fixture, string from, string to, params string[] projects) =>
        fixture.App.Services.GetRequiredService<StoreMove>().RunAsync(
            new StoreMoveRequest { From = from, To = to, Projects = projects }, static (_, _, _) => { }, CancellationToken.None);

    // Lets the pause pass.
    private static async Task SetDueAsync(IntegrityFixture fixture) =>
        await fixture.Database.WriteAsync(Durability.Full, async (session, ct) => await session.ExecuteAsync(new Statement("UPDATE blob_removals SET due_at = 0, created_at = 0"), [], ct), CancellationToken.None);
}
