using System.Collections.Concurrent;
using Berth.Blobs.Encryption.Keys;
using Berth.Oci;
using Berth.Server.GarbageCollection;
using Berth.Server.Integrity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Berth.Server.Registry;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Integrity;

/// <summary>A move of a store to itself, after encryption was switched on or off.</summary>
public sealed class EncryptionMigrationTests
{
    private const int Images = 25;
    private const string CountPlain = "SELECT count(*) FROM blobs WHERE key IS NULL OR key NOT LIKE 'e1-%'";
    private const string CountEncrypted = "SELECT count(*) FROM blobs WHERE key LIKE 'e1-%'";

    private static readonly string s_masterKey = Convert.ToBase64String(RegistryTests.Bytes(32, 1));

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Content_is_encrypted_and_decrypted_again_while_it_is_pulled_and_garbage_goes_and_processes_die(DatabaseKind kind)
    {
        await using var fixture = await IntegrityFixture.StartAsync(kind, o => Encrypting(o, false) with { Registry = o.Registry with { UploadJanitorInterval = TimeSpan.Zero } });
        var app = fixture.App;
        var contents = new ConcurrentDictionary<Digest, byte[]>();
        for (var i = 0; i < Images; i++) await PushAsync(app, $"v{i}", i, contents);

        foreach (var encrypts in new[] { true, false })
        {
            var (left, done) = encrypts ? (CountPlain, CountEncrypted) : (CountEncrypted, CountPlain);
            await app.RestartAsync(o => Encrypting(o, encrypts));
            // A process that dies in the middle of the move, with one copy made and not yet named, and one half way.
            await using (new Load(fixture, contents, encrypts ? 100 : 200))
            {
                await Assert.ThrowsAsync<InvalidOperationException>(() => MoveAsync(fixture, static () => throw new InvalidOperationException("killed")));
                await LeaveCopiesAsync(fixture, encrypts);
            }
            Assert.True(await fixture.NumberAsync(left) > 0 && await fixture.NumberAsync(done) > 0, "it was cut off half way");
            await app.RestartAsync();
            await PullAllAsync(app, contents);
            await using (new Load(fixture, contents, encrypts ? 300 : 400)) Assert.Equal(0, (await MoveAsync(fixture)).Bad);
            Assert.Equal(0, (await MoveAsync(fixture)).Moved);
            Assert.Equal((0L, (long)contents.Count), (await fixture.NumberAsync(left), await fixture.NumberAsync(done)));
            await PullAllAsync(app, contents);

            // What the dead process left goes with the janitor, what was let go of with garbage collection; the store has exactly the blobs then.
            await app.RestartAsync(o => o with { Registry = o.Registry with { UploadExpiry = TimeSpan.FromMilliseconds(1) } });
            await Eventually.TrueAsync(
                async () => await app.Services.GetRequiredService<UploadJanitor>().RunAsync(CancellationToken.None) >= 0 && await fixture.NumberAsync("SELECT count(*) FROM uploads") == 0, "no copy is open");
            await CollectAsync(fixture);
            var stored = new List<long>();
            await foreach (var content in app.Services.GetRequiredService<BlobStores>()[BlobStores.DefaultName].ListContentAsync(CancellationToken.None)) stored.Add(content.Size);
            Assert.Equal(contents.Values.Select(c => (long)c.Length).Order(), stored.Order());
            Assert.Equal(encrypts, FilesOf(app).All(f => f.FullName.Contains("/berth/blobs/", StringComparison.Ordinal)));
            await using var storage = await BerthStorage.OpenAsync(app.Options, TimeProvider.System, CancellationToken.None);
            var report = await storage.CheckAsync(new FsckOptions(), static _ => { }, CancellationToken.None);
            Assert.Equal((true, contents.Count, 0L), (report.IsClean, report.Blobs, report.WaitingRemovals));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_commit_that_was_cut_off_is_found_where_it_was_begun_though_encryption_was_switched(DatabaseKind kind)
    {
        await using var fixture = await IntegrityFixture.StartAsync(kind, o => Encrypting(o, false) with { Registry = o.Registry with { UploadExpiry = TimeSpan.FromMilliseconds(1), UploadJanitorInterval = TimeSpan.Zero } });
        var app = fixture.App;
        foreach (var encrypts in new[] { false, true })
        {
            if (encrypts) await app.RestartAsync(o => Encrypting(o, true));
            var content = RegistryTests.Bytes(5000, encrypts ? 1 : 2);
            var (sessions, stores) = (app.Services.GetRequiredService<UploadSessions>(), app.Services.GetRequiredService<BlobStores>());
            var upload = new UploadSession { Id = UploadSessions.NewId(), Repository = "library/app", Owner = "x", Algorithm = "sha256" };
            Assert.True(upload.TryIntend(stores, Digest.Of(content)));
            await sessions.StartCommittingAsync(upload, Digest.Of(content), Durability.Relaxed, CancellationToken.None);
            await stores[BlobStores.DefaultName].WriteUploadAsync(upload.Id, content, CancellationToken.None);
            await stores[BlobStores.DefaultName].NameUploadAsync(upload.Id, Digest.Of(content), CancellationToken.None);
            Assert.Single(FilesOf(app));

            await app.RestartAsync(o => Encrypting(o, !encrypts));
            stores = app.Services.GetRequiredService<BlobStores>();
            // Whoever sends the rest of it now would put it elsewhere.
            var found = await app.Services.GetRequiredService<UploadSessions>().FindAsync(upload.Id, "library/app", "x", CancellationToken.None);
            Assert.False(found!.TryIntend(stores, Digest.Of(content)));
            await Eventually.TrueAsync(
                async () => await app.Services.GetRequiredService<UploadJanitor>().RunAsync(CancellationToken.None) >= 0 && await fixture.NumberAsync("SELECT count(*) FROM uploads") == 0, "the commit is given up");
            await CollectAsync(fixture);
            Assert.Empty(FilesOf(app));
        }
    }

    private static BerthOptions Encrypting(BerthOptions o, bool encrypts) =>
        o with { Storage = o.Storage with { Encryption = new() { Enabled = encrypts, MasterKey = new MasterKeyOptions { Value = s_masterKey } } } };

    private static async Task PushAsync(RegistryApp app, string tag, int seed, ConcurrentDictionary<Digest, byte[]> contents)
    {
        var image = TestImage.New(seed: 1000 * (seed + 1));
        await app.PushImageAsync("library/app", tag, image);
        foreach (var blob in image.Blobs) contents[Digest.Of(blob)] = blob;
    }

    private static Task<StoreMoveResult> MoveAsync(IntegrityFixture fixture, Action? afterPage = null) => fixture.App.Services.GetRequiredService<StoreMove>().RunAsync(
        new StoreMoveRequest { From = BlobStores.DefaultName, To = BlobStores.DefaultName }, (_, _, _) => afterPage?.Invoke(), CancellationToken.None);

    private static async Task LeaveCopiesAsync(IntegrityFixture fixture, bool encrypts)
    {
        var services = fixture.App.Services;
        var stores = services.GetRequiredService<BlobStores>();
        var all = await RecordedBlob.NextAsync(fixture.Database, 0, 1000, CancellationToken.None);
        var blob = all.Last(b => b.Size > 50_000 && (b.Location.Key is null) == encrypts);
        using (var source = await stores.OpenReadAsync(blob.Location, blob.Digest, 0, CancellationToken.None))
            Assert.NotNull(await services.GetRequiredService<BlobCopy>().RunAsync(source!, blob.Digest, BlobStores.DefaultName, Pace.Unlimited, CancellationToken.None));
        var half = await services.GetRequiredService<UploadSessions>().StartAsync("", "system:copy", BlobStores.DefaultName, DigestAlgorithm.Sha256, 100, CancellationToken.None);
        await stores[BlobStores.DefaultName].WriteUploadAsync(half!.Id, new byte[1000], CancellationToken.None);
    }

    private static async Task PullAllAsync(RegistryApp app, ConcurrentDictionary<Digest, byte[]> contents)
    {
        foreach (var (digest, content) in contents) Assert.Equal(content, (await app.GetAsync($"/v2/library/app/blobs/{digest}")).Body);
    }

    private static IEnumerable<FileInfo> FilesOf(RegistryApp app) => new[] { "docker/registry/v2/blobs", "berth/blobs" }
        .Select(folder => new DirectoryInfo(Path.Join(BerthStorage.RootOf(app.Options), folder)))
        .SelectMany(folder => folder.EnumerateFiles("*", SearchOption.AllDirectories));

    // Without the pause: a reader finds the bytes gone from where it saw them last.
    private static async Task CollectAsync(IntegrityFixture fixture)
    {
        await fixture.Database.WriteAsync(Durability.Full, async (session, ct) => await session.ExecuteAsync(new Statement("UPDATE blob_removals SET due_at = 0, created_at = 0"), [], ct), CancellationToken.None);
        while (await fixture.App.Services.GetRequiredService<ByteRemoval>().RunAsync(100, CancellationToken.None) is not null) { }
    }

    /// <summary>Pulls, pushes and collects until it is disposed, and then says what failed.</summary>
    private sealed class Load : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _work;

        public Load(IntegrityFixture fixture, ConcurrentDictionary<Digest, byte[]> contents, int seed)
        {
            var known = contents.ToArray();
            _work = Task.WhenAll(
                RunAsync(async i =>
                {
                    var (digest, content) = known[i * 7 % known.Length];
                    var answer = await fixture.App.GetAsync($"/v2/library/app/blobs/{digest}");
                    Assert.Equal((200, digest), (answer.Status, Digest.Of(answer.Body)));
                    Assert.Equal(content.Length, answer.Body.Length);
                }),
                RunAsync(async i =>
                {
                    if (i < 5) await PushAsync(fixture.App, $"s{seed + i}", seed + i, contents);
                    // Content that is there already comes again.
                    else await fixture.App.PushBlobAsync("library/app", known[i % known.Length].Value);
                }),
                RunAsync(_ => CollectAsync(fixture)));
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _work;
            _stop.Dispose();
        }

        // At least once, however fast the move is.
        private Task RunAsync(Func<int, Task> step) => Task.Run(async () =>
        {
            for (var i = 0; i < 6 || !_stop.IsCancellationRequested; i++) await step(i);
        });
    }
}
