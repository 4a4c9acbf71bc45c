using System.Collections.Concurrent;
using System.IO.Compression;
using Berth.Oci;
using Berth.Server.Backup;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Platform.Data;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Backup;

public sealed class BackupTests : IDisposable
{
    private const string Passphrase = "correct horse battery";

    private readonly string _target = Directory.CreateTempSubdirectory("berth-test-").FullName;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    public void Dispose() => Directory.Delete(_target, recursive: true);

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_backup_under_load_restores_on_an_empty_machine_and_everything_of_its_moment_pulls(DatabaseKind kind)
    {
        await using var app = await RegistryApp.StartAsync(kind);
        var pushed = new ConcurrentDictionary<string, Digest>();
        using var stop = new CancellationTokenSource();
        var pushers = Enumerable.Range(0, 3).Select(n => Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var image = TestImage.New(seed: 10_000 + (n * 1000) + i);
                await app.PushImageAsync("library/app", $"t{n}-{i}", image);
                pushed[$"t{n}-{i}"] = image.Digest;
            }
        })).ToArray();
        await Eventually.TrueAsync(() => pushed.Count > 20, "images are there");
        var before = pushed.ToArray();
        var report = await BackUpAsync(app);
        await stop.CancelAsync();
        await Task.WhenAll(pushers);
        Assert.Empty(report.Lacking);
        Assert.Equal(report.Blobs, report.CopiedBlobs);

        await using var other = await NewMachineAsync(kind);
        var restored = await RestoreAsync(other, new RestoreOptions { Verify = true });
        Assert.Equal((report.Id, report.Blobs, report.Blobs, report.Blobs), (restored.Id, restored.Blobs, restored.CopiedBlobs, restored.VerifiedBlobs));
        await other.RestartAsync();
        foreach (var (tag, digest) in before) Assert.Equal(digest, Digest.Of(await other.PullAsync("library/app", tag)));
        // What came in the middle is there as a whole, or not at all.
        foreach (var tag in (await other.GetAsync("/v2/library/app/tags/list")).Texts("tags")) await other.PullAsync("library/app", tag);
        await other.PushImageAsync("library/app", "after", TestImage.New(seed: 9));
    }

    [Fact]
    public async Task A_database_goes_from_one_kind_to_the_other_and_back_without_a_change()
    {
        RegistryApp.SkipWithout(DatabaseKind.Postgres);
        await using var first = await PlatformApp.StartAsync(DatabaseKind.Postgres);
        await FillAsync(first);
        var a = await BackUpAsync(first.Registry, Passphrase);
        await using var second = await NewMachineAsync(DatabaseKind.Sqlite, first.Registry.Options);
        await RestoreAsync(second, new RestoreOptions { Passphrase = Passphrase });
        await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, TestContext.Current.CancellationToken);
        var b = await BackUpAsync(second, Passphrase);
        Assert.Equal(0, b.CopiedBlobs);
        await using var third = await NewMachineAsync(DatabaseKind.Postgres, first.Registry.Options);
        await RestoreAsync(third, new RestoreOptions { Passphrase = Passphrase, Id = b.Id });
        await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, TestContext.Current.CancellationToken);
        var c = await BackUpAsync(third, Passphrase);
        Assert.Equal(ExportOf(a.Id), ExportOf(c.Id));
        Assert.NotEqual(ExportOf(a.Id), ExportOf(b.Id));

        // It works: tokens that the old one signed, accounts, and new rows behind the old numbers.
        await third.RestartAsync();
        var admin = PlatformApp.As("admin");
        (await third.GetAsync("/v2/alpha/app/manifests/v1", admin)).MustBe(200);
        (await third.GetAsync("/v2/alpha/app/manifests/v1", PlatformApp.As("ann"))).MustBe(200);
        var image = TestImage.New(seed: 77);
        foreach (var blob in image.Blobs) (await third.PostAsync($"/v2/alpha/app/blobs/uploads/?digest={Digest.Of(blob)}", blob, admin)).MustBe(201);
        (await third.PutManifestAsync("alpha/app", "v2", image.Manifest, image.MediaType, admin)).MustBe(201);
    }

    [Fact]
    public async Task A_backup_in_a_bucket_restores_on_an_empty_machine_that_knows_nothing_but_the_bucket()
    {
        await using var bucket = await TestBucket.OpenAsync("BERTH_TEST_S3");
        // Each machine encrypts its own store, with a key that the other has never seen: the backup must not depend on it.
        BerthOptions WithVault(BerthOptions o) => o with
        {
            Storage = o.Storage with
            {
                Stores = [new() { Name = "vault", S3 = bucket.Options }],
                Encryption = new() { Enabled = true, MasterKey = new() { Value = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32)) } },
            },
        };
        const string target = "store:vault";
        await using var app = await RegistryApp.StartAsync(DatabaseKind.Sqlite, more: WithVault);
        var (first, second, large) = (TestImage.New(seed: 31), TestImage.New(seed: 32), RegistryTests.Bytes(11 << 20, 33));
        await app.PushImageAsync("library/app", "v1", first);
        await app.PushBlobAsync("library/app", large);
        var a = await BackUpAsync(app, target: target);
        Assert.Equal(a.Blobs, a.CopiedBlobs);
        await app.PushImageAsync("library/app", "v2", second);
        var b = await BackUpAsync(app, target: target);
        Assert.Equal(b.Blobs - a.Blobs, b.CopiedBlobs);

        await using var other = await RegistryApp.StartAsync(DatabaseKind.Sqlite, start: false, more: WithVault);
        await using (var storage = await BerthStorage.OpenAsync(other.Options, TimeProvider.System, CancellationToken.None))
        {
            Assert.Equal([a.Id, b.Id], await storage.ListBackupsAsync(target, CancellationToken.None));
            var restored = await storage.RestoreAsync(target, new RestoreOptions { Verify = true }, static _ => { }, CancellationToken.None);
            Assert.Equal((b.Id, b.Blobs, b.Blobs), (restored.Id, restored.CopiedBlobs, restored.VerifiedBlobs));
        }
        await other.RestartAsync();
        Assert.Equal(first.Manifest, await other.PullAsync("library/app", "v1"));
        Assert.Equal(second.Manifest, await other.PullAsync("library/app", "v2"));
        Assert.Equal(large, (await other.GetAsync($"/v2/library/app/blobs/{Digest.Of(large)}")).MustBe(200).Body);
    }

    [Fact]
    public async Task A_second_backup_copies_only_what_is_new_and_an_earlier_one_can_be_restored()
    {
        await using var app = await RegistryApp.StartAsync(DatabaseKind.Sqlite);
        await app.PushImageAsync("library/app", "v1", TestImage.New(seed: 1));
        var first = await BackUpAsync(app);
        var added = TestImage.New(seed: 2);
        await app.PushImageAsync("library/app", "v2", added);
        var second = await BackUpAsync(app);
        Assert.Equal(first.Blobs, first.CopiedBlobs);
        Assert.Equal(second.Blobs - first.Blobs, second.CopiedBlobs);
        Assert.True(second.CopiedBlobs > 0);
        Assert.Equal([first.Id, second.Id], await ListAsync(app));

        await using var other = await NewMachineAsync(DatabaseKind.Sqlite);
        await RestoreAsync(other, new RestoreOptions { Id = first.Id });
        await other.RestartAsync();
        Assert.Equal(["v1"], (await other.GetAsync("/v2/library/app/tags/list")).Texts("tags"));
        await other.StopServerAsync();
        var refused = await Assert.ThrowsAsync<RestoreRefusedException>(() => RestoreAsync(other, new RestoreOptions()));
        Assert.Contains("not empty", refused.Message, StringComparison.Ordinal);
        var again = await RestoreAsync(other, new RestoreOptions { Force = true });
        Assert.Equal(second.Blobs - first.Blobs, again.CopiedBlobs);
        await other.RestartAsync();
        await other.PullAsync("library/app", "v2");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Garbage_collection_is_held_while_a_backup_runs_and_one_that_is_cut_off_leaves_a_usable_target(DatabaseKind kind)
    {
        await using var app = await RegistryApp.StartAsync(kind);
        await app.PushImageAsync("library/app", "v1", TestImage.New(seed: 3));
        var first = await BackUpAsync(app);
        await app.PushImageAsync("library/app", "v2", TestImage.New(seed: 4));
        var database = app.Services.GetRequiredService<Database>();
        using var cut = new CancellationTokenSource();
        long? held = 0;
        await using (var storage = await BerthStorage.OpenAsync(app.Options, TimeProvider.System, CancellationToken.None))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => storage.BackUpAsync(_target, null, _ =>
            {
                held = HoldsAsync(database).AsTask().GetAwaiter().GetResult();
                cut.Cancel();
            }, cut.Token));
        }
        Assert.Equal((1L, 0L), (held, await HoldsAsync(database)));
        Assert.Equal([first.Id], await ListAsync(app));
        await using var other = await NewMachineAsync(kind);
        await RestoreAsync(other, new RestoreOptions { Verify = true });
        await other.RestartAsync();
        await other.PullAsync("library/app", "v1");
        Assert.True((await BackUpAsync(app)).CopiedBlobs > 0);
    }

    [Fact]
    public async Task Bytes_that_are_missing_or_damaged_are_told_and_never_restored()
    {
        await using var app = await RegistryApp.StartAsync(DatabaseKind.Sqlite);
        var (image, content) = (TestImage.New(seed: 5), RegistryTests.Bytes(5000, 5));
        await app.PushImageAsync("library/app", "v1", image);
        var lost = await app.PushBlobAsync("library/app", content);
        var damaged = Digest.Of(image.Blobs[0]);
        File.Delete(FileOf(app, lost));
        var report = await BackUpAsync(app);
        Assert.Equal([lost.Value], report.Lacking);

        var copy = Directory.GetFiles(_target, BackupTarget.KeyOf(damaged), SearchOption.AllDirectories).Single();
        var bytes = await File.ReadAllBytesAsync(copy);
        bytes[0] ^= 1;
        await File.WriteAllBytesAsync(copy, bytes);
        await using var other = await NewMachineAsync(DatabaseKind.Sqlite);
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => RestoreAsync(other, new RestoreOptions()));
        Assert.Contains(damaged.Value, error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(FileOf(other, damaged)));
        bytes[0] ^= 1;
        await File.WriteAllBytesAsync(copy, bytes);
        Assert.Equal([lost.Value], (await RestoreAsync(other, new RestoreOptions())).Lacking);
        await other.RestartAsync();
        await other.PullAsync("library/app", "v1");
    }

    [Fact]
    public async Task The_secret_key_goes_along_sealed_and_a_restore_without_it_is_refused()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        await FillAsync(app);
        await BackUpAsync(app.Registry);
        await using var other = await NewMachineAsync(DatabaseKind.Sqlite, app.Registry.Options);
        var keyFile = Path.Join(other.Options.DataFolder, "secret.key");
        var refused = await Assert.ThrowsAsync<RestoreRefusedException>(() => RestoreAsync(other, new RestoreOptions()));
        Assert.Contains("does not hold the secret key", refused.Message, StringComparison.Ordinal);

        Assert.True((await BackUpAsync(app.Registry, Passphrase)).HoldsSecretKey);
        refused = await Assert.ThrowsAsync<RestoreRefusedException>(() => RestoreAsync(other, new RestoreOptions { Passphrase = "another passphrase" }));
        Assert.Contains("not that of the backup", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(keyFile));
        Assert.True((await RestoreAsync(other, new RestoreOptions { Passphrase = Passphrase })).HasRestoredSecretKey);
        Assert.Equal(await File.ReadAllTextAsync(Path.Join(app.Registry.Options.DataFolder, "secret.key")), await File.ReadAllTextAsync(keyFile));
        var secret = (await File.ReadAllTextAsync(keyFile)).Trim();
        Assert.All(Directory.GetFiles(_target, "*", SearchOption.AllDirectories), f => Assert.DoesNotContain(secret, File.ReadAllText(f), StringComparison.Ordinal));

        await File.WriteAllTextAsync(keyFile, Convert.ToBase64String(new byte[32]));
        refused = await Assert.ThrowsAsync<RestoreRefusedException>(() => RestoreAsync(other, new RestoreOptions { Force = true, Passphrase = Passphrase }));
        Assert.Contains("is not that of the backup", refused.Message, StringComparison.Ordinal);
        await RestoreAsync(other, new RestoreOptions { Force = true, WithoutSecretKey = true });
        await other.RestartAsync();
        (await other.GetAsync("/v2/alpha/app/manifests/v1", PlatformApp.As("ann"))).MustBe(200);
        (await other.GetAsync("/service/token?service=berth", PlatformApp.As("ann"))).MustBe(200);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_table_is_in_a_backup_or_left_out_for_a_reason(DatabaseKind kind)
    {
        using var context = SchemaVersionTests.ContextOf(kind);
        var tables = ExportTables.Of(context).Select(t => t.Name).ToList();
        Assert.Contains("manifests", tables);
        Assert.True(tables.IndexOf("projects") < tables.IndexOf("repositories"));
        Assert.Empty(tables.Intersect(ExportTables.Excluded.Keys));
        Assert.All(ExportTables.Excluded.Values, reason => Assert.NotEmpty(reason));
        Assert.Equal(Microsoft.EntityFrameworkCore.RelationalModelExtensions.GetRelationalModel(context.Model).Tables.Count(), tables.Count + ExportTables.Excluded.Count);
    }

    private static async Task FillAsync(PlatformApp app)
    {
        await app.AddProjectAsync("alpha", isPublic: false);
        await app.AddUserAsync("ann");
        await app.AddMemberAsync("alpha", "ann", role: 2);
        await app.PushAsync("alpha/app", "v1", TestImage.New(seed: 70));
        await app.PushAsync("alpha/app", "v1", TestImage.New(seed: 71));
        await app.CreateAsync("/api/v2.0/robots", """{"name":"ci","duration":-1,"level":"project","permissions":[{"kind":"project","namespace":"alpha","access":[{"resource":"repository","action":"pull"}]}]}""");
        Assert.Equal(200, (await app.CallAsync("GET", "/service/token?service=berth")).Status);
        await app.SetAsync("""{"token_expiration":45}""");
        // Counts of pulls and the like are written in the background: a backup of one moment must not be compared with one of a later.
        await app.Registry.StopServerAsync();
    }

    private async Task<BackupReport> BackUpAsync(RegistryApp app, string? passphrase = null, string? target = null)
    {
        await using var storage = await BerthStorage.OpenAsync(app.Options, TimeProvider.System, CancellationToken.None);
        return await storage.BackUpAsync(target ?? _target, passphrase, static _ => { }, CancellationToken.None);
    }

    private async Task<RestoreReport> RestoreAsync(RegistryApp app, RestoreOptions options)
    {
        await using var storage = await BerthStorage.OpenAsync(app.Options, TimeProvider.System, CancellationToken.None);
        return await storage.RestoreAsync(_target, options, static _ => { }, CancellationToken.None);
    }

    private async Task<IReadOnlyList<string>> ListAsync(RegistryApp app)
    {
        await using var storage = await BerthStorage.OpenAsync(app.Options, TimeProvider.System, CancellationToken.None);
        return await storage.ListBackupsAsync(_target, CancellationToken.None);
    }

    // A server that has never been used, and is not running. In mode local its start would make the first project.
    private static async Task<RegistryApp> NewMachineAsync(DatabaseKind kind, BerthOptions? like = null)
    {
        var app = await RegistryApp.StartAsync(kind, start: false, more: o => like is null ? o : o with { Access = like.Access });
        return app;
    }

    private string ExportOf(string id)
    {
        using var lines = new StreamReader(new GZipStream(File.OpenRead(Directory.GetFiles(_target, "database-" + id, SearchOption.AllDirectories).Single()), CompressionMode.Decompress));
        return lines.ReadToEnd();
    }

    private static string FileOf(RegistryApp app, Digest digest) => Path.Join(BerthStorage.RootOf(app.Options), "docker/registry/v2/blobs/sha256", digest.Hex[..2].ToString(), digest.Hex.ToString(), "data");

    private static async ValueTask<long?> HoldsAsync(Database database) =>
        await database.ReadAsync(0, static (session, _, ct) => session.ScalarAsync(new Statement("SELECT count(*) FROM gc_holds"), [], ct), CancellationToken.None);
}
