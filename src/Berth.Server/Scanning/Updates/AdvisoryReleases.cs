using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using Berth.Oci;
using Berth.Scanner.Advisories.Database;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Berth.Server.Registry;

namespace Berth.Server.Scanning.Updates;

/// <summary>A release as it is read.</summary>
internal sealed record ReleaseRow(long Id, Digest Digest, long Size, BlobLocation Location, DateTimeOffset BuiltAt, DateTimeOffset PublishedAt, DateTimeOffset UsedAt, string Actor, DatabaseMetadata Metadata);

/// <summary>
/// Databases of advisories that replicas share: the file is a blob of the store, a row names it. Publishing: 1. an upload session, so that a process that is killed leaves nothing unknown,
/// 2. the bytes, 3. the intent, 4. the content, 5. one transaction with blob, release and the end of the session; the oldest releases go, and garbage collection looks at their blobs.
/// </summary>
internal sealed class AdvisoryReleases(Database database, BlobStores stores, UploadSessions sessions, TimeProvider time)
{
    /// <summary>Announced when another release is in force.</summary>
    public const string Topic = "advisory-releases";

    private const int Kept = 3;
    private const int MaxUploads = 16;
    private const int BufferBytes = 1024 * 1024;
    private const string Owner = "berth:advisories";
    private const string Repository = "berth/advisories";

    /// <summary>The release that is in force; null when none was ever published.</summary>
    public async Task<ReleaseRow?> CurrentAsync(CancellationToken ct) => (await ListAsync(1, ct).ConfigureAwait(false)).FirstOrDefault();

    /// <summary>Releases, the one in force first.</summary>
    public ValueTask<List<ReleaseRow>> ListAsync(int limit, CancellationToken ct) => database.ReadAsync(limit, static async ValueTask<List<ReleaseRow>> (session, most, token) =>
    {
        var found = new List<ReleaseRow>();
        await using var rows = await session.Command(Select, (long)most).ExecuteReaderAsync(token).ConfigureAwait(false);
        while (await rows.ReadAsync(token).ConfigureAwait(false))
        {
            found.Add(new ReleaseRow(
                rows.GetInt64(0), Digest.Parse(rows.GetString(1)), rows.GetInt64(2), new BlobLocation(rows.GetString(3), rows.IsDBNull(4) ? null : rows.GetString(4)),
                DateTimeOffset.FromUnixTimeMilliseconds(rows.GetInt64(5)), DateTimeOffset.FromUnixTimeMilliseconds(rows.GetInt64(6)), DateTimeOffset.FromUnixTimeMilliseconds(rows.GetInt64(7)), rows.GetString(8),
                JsonSerializer.Deserialize(rows.GetString(9), AdvisoryJson.Default.DatabaseMetadata) ?? new DatabaseMetadata()));
        }
        return found;
    }, ct);

    /// <summary>Publishes the file of a database and puts it in force.</summary>
    /// <returns>Id of the release.</returns>
    public async Task<long> PublishAsync(string path, DatabaseMetadata metadata, string actor, CancellationToken ct)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous);
        var digest = Digest.FromHash(default, await SHA256.HashDataAsync(file, ct).ConfigureAwait(false));
        file.Position = 0;
        // 1.
        var upload = await sessions.StartAsync(Repository, Owner, stores.Default, default, MaxUploads, ct).ConfigureAwait(false) ?? throw new IOException("too many databases of advisories are being published");
        var store = stores[upload.Store];
        await using var appender = await store.OpenUploadAsync(upload.Mark, ct).ConfigureAwait(false);
        // 2.
        var buffer = new byte[BufferBytes];
        for (int read; (read = await file.ReadAsync(buffer, ct).ConfigureAwait(false)) > 0;) await appender.AppendAsync(new ReadOnlySequence<byte>(buffer, 0, read), ct).ConfigureAwait(false);
        // 3.
        if (!upload.TryIntend(stores, digest) || !await sessions.AdvanceAsync(upload, 0, digest.Value, Durability.Full, ct).ConfigureAwait(false)) throw new IOException("the upload of the database was ended meanwhile");
        // 4. Once this has begun it is carried through.
        await appender.CommitAsync(digest, CancellationToken.None).ConfigureAwait(false);
        // 5.
        return await RecordAsync(upload, digest, file.Length, metadata, actor).ConfigureAwait(false);
    }

    /// <summary>Puts an older release in force: the one before, or the one that is named.</summary>
    /// <returns>Its id; null when there is none.</returns>
    public async Task<long?> RollbackAsync(long? id, CancellationToken ct)
    {
        var all = await ListAsync(Kept, ct).ConfigureAwait(false);
        var target = id is { } wanted ? all.Find(one => one.Id == wanted) : all.Skip(1).Where(one => one.BuiltAt <= all[0].BuiltAt).MaxBy(static one => one.BuiltAt);
        if (target is null) return null;
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await session.ExecuteAsync(Use, [target.Id, await NextAsync(session, token).ConfigureAwait(false)], token).ConfigureAwait(false);
            await session.AnnounceAsync(Topic, "", token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return target.Id;
    }

    /// <summary>Puts the bytes of a release into a file, which is there only when they are right.</summary>
    /// <exception cref="IOException">The store has not the bytes, or others.</exception>
    public async Task FetchAsync(ReleaseRow release, string path, CancellationToken ct)
    {
        using var blob = await stores.OpenReadAsync(release.Location, release.Digest, 0, ct).ConfigureAwait(false) ?? throw new IOException($"the store has not the bytes of the advisories {release.Digest}");
        var part = $"{path}.{Path.GetRandomFileName()}";
        try
        {
            using (var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
            await using (var file = new FileStream(part, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.Asynchronous))
            {
                var buffer = new byte[BufferBytes];
                int read;
                for (long at = 0; (read = await blob.ReadAsync(buffer, at, ct).ConfigureAwait(false)) > 0; at += read)
                {
                    hash.AppendData(buffer, 0, read);
                    await file.WriteAsync(buffer.AsMemory(0, read), ct).ConfigureAwait(false);
                }
                if (Digest.FromHash(default, hash.GetHashAndReset()) != release.Digest) throw new IOException($"the bytes of the advisories {release.Digest} are damaged in the store");
                file.Flush(flushToDisk: true);
            }
            File.Move(part, path, overwrite: true);
        }
        finally
        {
            File.Delete(part);
        }
    }

    private Task<long> RecordAsync(UploadSession upload, Digest digest, long size, DatabaseMetadata metadata, string actor)
    {
        var summary = JsonSerializer.Serialize(metadata with { Buckets = [] }, AdvisoryJson.Default.DatabaseMetadata);
        return database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            await UploadSessions.DeleteAsync(session, upload.Id, token).ConfigureAwait(false);
            var blob = await Rows.FindOrAddBlobAsync(session, digest.Value, size, upload.LocationIn(stores, digest), now, token).ConfigureAwait(false);
            var used = await NextAsync(session, token).ConfigureAwait(false);
            var id = await session.ScalarAsync(Insert, [blob, metadata.BuiltAt.ToUnixTimeMilliseconds(), now, used, actor, summary], token).ConfigureAwait(false) ?? throw new InvalidOperationException("the database returned no id");
            foreach (var old in await BlobsOfOldAsync(session, token).ConfigureAwait(false)) await Reviews.AddBlobAsync(session, 0, old, now, token).ConfigureAwait(false);
            await session.ExecuteAsync(DeleteOld, [(long)Kept], token).ConfigureAwait(false);
            await session.AnnounceAsync(Topic, "", token).ConfigureAwait(false);
            return id;
        }, CancellationToken.None);
    }

    private static async ValueTask<List<long>> BlobsOfOldAsync(DbSession session, CancellationToken ct)
    {
        var blobs = new List<long>();
        await using var rows = await session.Command(SelectOld, (long)Kept).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) blobs.Add(rows.GetInt64(0));
        return blobs;
    }

    // Clocks of replicas differ: what is put in force now is behind what was before.
    private async ValueTask<long> NextAsync(DbSession session, CancellationToken ct) =>
        Math.Max(time.GetUtcNow().ToUnixTimeMilliseconds(), (await session.ScalarAsync(SelectLast, [], ct).ConfigureAwait(false) ?? 0) + 1);

    private static readonly Statement Select = new("""
        SELECT r.id, b.digest, b.size, b.store, b.key, r.built_at, r.published_at, r.used_at, r.actor, r.metadata FROM advisory_releases r JOIN blobs b ON b.id = r.blob_id
        ORDER BY r.used_at DESC, r.id DESC LIMIT @0
        """);

    private static readonly Statement SelectLast = new("SELECT max(used_at) FROM advisory_releases");

    private static readonly Statement Insert = new("INSERT INTO advisory_releases (blob_id, built_at, published_at, used_at, actor, metadata) VALUES (@0, @1, @2, @3, @4, @5) RETURNING id");

    private static readonly Statement Use = new("UPDATE advisory_releases SET used_at = @1 WHERE id = @0");

    // SQLite knows an offset only behind a limit.
    private static readonly Statement SelectOld = new(
        "SELECT blob_id FROM advisory_releases ORDER BY used_at DESC, id DESC LIMIT -1 OFFSET @0", "SELECT blob_id FROM advisory_releases ORDER BY used_at DESC, id DESC OFFSET @0");

    private static readonly Statement DeleteOld = new("DELETE FROM advisory_releases WHERE id NOT IN (SELECT id FROM advisory_releases ORDER BY used_at DESC, id DESC LIMIT @0)");
}
