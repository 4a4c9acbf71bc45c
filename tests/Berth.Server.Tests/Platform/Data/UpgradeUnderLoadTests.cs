using System.Collections.Concurrent;
using Berth.Blobs.FileSystem;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Platform.Data;

/// <summary>
/// The schema of the first version is brought up to date while that version's writes go on: its statements are written out here as it sent them, since its program is
/// not at hand.
/// </summary>
public sealed class UpgradeUnderLoadTests
{
    private const int Writers = 2;
    private const int ImagesBefore = 10;

    private static readonly Statement s_project = new("""
        INSERT INTO projects (name, is_public, owner_id, repository_count, quota_bytes, used_bytes, created_at, updated_at)
        VALUES ('library', TRUE, NULL, 0, -1, 0, 1, 1) ON CONFLICT (name) DO NOTHING
        """);

    private static readonly Statement s_repository = new("""
        INSERT INTO repositories (project_id, name, description, pull_count, artifact_count, updated_at, created_at)
        SELECT id, @0, '', 0, 0, 1, 1 FROM projects WHERE name = 'library' ON CONFLICT (name) DO NOTHING
        """);

    private static readonly Statement s_blob = new("INSERT INTO blobs (digest, size, created_at) VALUES (@0, @1, 1)");

    private static readonly Statement s_link = new("""
        INSERT INTO repository_blobs (repository_id, blob_id, linked_at)
        SELECT r.id, b.id, 1 FROM repositories r, blobs b WHERE r.name = @0 AND b.digest = @1
        """);

    private static readonly Statement s_manifest = new("""
        INSERT INTO manifests (repository_id, digest, media_type, pushed_at, created_at, size, content, total_size, kind, is_listed, pull_count)
        SELECT id, @1, @2, 1, 1, @3, @4, @3, 'IMAGE', TRUE, 0 FROM repositories WHERE name = @0
        """);

    private static readonly Statement s_needs = new("INSERT INTO manifest_blobs (manifest_id, blob_id) SELECT m.id, b.id FROM manifests m, blobs b WHERE m.digest = @0 AND b.digest = @1");

    private static readonly Statement s_tag = new("""
        INSERT INTO tags (repository_id, name, manifest_id, updated_at, locks)
        SELECT m.repository_id, @1, m.id, 1, 0 FROM manifests m WHERE m.digest = @0
        """);

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Nothing_that_the_first_version_acknowledged_before_during_and_after_the_upgrade_is_lost(DatabaseKind kind)
    {
        await using var app = await RegistryApp.StartAsync(kind, start: false);
        Directory.CreateDirectory(app.Options.DataFolder);
        var acknowledged = new ConcurrentDictionary<string, TestImage>();
        await using var old = BerthStorage.OpenDatabase(app.Options with { Database = app.Options.Database with { KnownMigrations = SchemaVersion.Migrations[..1] } });
        await old.MigrateAsync(CancellationToken.None);
        await old.WriteAsync(Durability.Full, async (session, ct) => await session.ExecuteAsync(s_project, [], ct), CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var writers = Enumerable.Range(0, Writers).Select(w => Task.Run(async () =>
        {
            for (var n = 0; !stop.IsCancellationRequested; n++) await PushAsync(old, app, $"library/app-{w}", $"t{n}", TestImage.New(seed: 50_000 + (w * 10_000) + n), acknowledged);
        })).ToArray();
        await Eventually.TrueAsync(() => acknowledged.Count >= ImagesBefore || writers.Any(w => w.IsFaulted), "the first version writes");
        var before = acknowledged.Count;

        // Two programs of this version start at once, and one of them brings the schema up to date.
        await app.RestartAsync();
        if (kind == DatabaseKind.Postgres)
        {
            await using var second = await app.AddReplicaAsync();
            await second.PullAsync("library/app-0", "t0");
        }
        await app.PushImageAsync("library/new", "v1", TestImage.New(seed: 9));
        var upgraded = acknowledged.Count;
        await Eventually.TrueAsync(() => acknowledged.Count >= upgraded + ImagesBefore || writers.Any(w => w.IsFaulted), "the first version goes on writing");
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        Assert.True(before >= ImagesBefore);
        foreach (var (name, image) in acknowledged)
        {
            var (repository, tag) = (name[..name.IndexOf(':', StringComparison.Ordinal)], name[(name.IndexOf(':', StringComparison.Ordinal) + 1)..]);
            Assert.Equal(image.Manifest, await app.PullAsync(repository, tag));
        }
    }

    private static async Task PushAsync(Database database, RegistryApp app, string repository, string tag, TestImage image, ConcurrentDictionary<string, TestImage> acknowledged)
    {
        var paths = new ContentPaths(BerthStorage.RootOf(app.Options));
        foreach (var blob in image.Blobs)
        {
            Directory.CreateDirectory(paths.ContentFolder(Digest.Of(blob)));
            await File.WriteAllBytesAsync(paths.Content(Digest.Of(blob)), blob);
        }
        await database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            await session.ExecuteAsync(s_repository, [repository], ct);
            await session.ExecuteAsync(s_manifest, [repository, image.Digest.Value, image.MediaType, image.Manifest.Length, image.Manifest], ct);
            foreach (var blob in image.Blobs.Select(b => (Digest: Digest.Of(b).Value, b.Length)))
            {
                await session.ExecuteAsync(s_blob, [blob.Digest, (long)blob.Length], ct);
                await session.ExecuteAsync(s_link, [repository, blob.Digest], ct);
                await session.ExecuteAsync(s_needs, [image.Digest.Value, blob.Digest], ct);
            }
            return await session.ExecuteAsync(s_tag, [image.Digest.Value, tag], ct);
        }, CancellationToken.None);
        acknowledged[$"{repository}:{tag}"] = image;
    }
}
