using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Berth.Blobs;
using Berth.Blobs.Encryption;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Berth.Server.Registry;

namespace Berth.Server.Integrity;

/// <summary>
/// Finds objects that no row names. 1. the places of all rows are read, 2. each store is listed, 3. what is in none of the places, and older than an hour, is asked
/// for in the database again, in the transaction that lets go of it or records it; what a quarantined blob has lost is given to it, 4. uploads that nobody knows.
/// </summary>
internal sealed class StrayObjects(
    Database database, BlobStores stores, BlobRepair repair, FsckOptions options, FsckReport report, Action<string> tell, TimeProvider time)
{
    private const int BatchSize = 200;
    private static readonly TimeSpan Young = TimeSpan.FromHours(1);

    // What backups in a store are called; uploads have hexadecimal keys.
    private static readonly string[] s_backups = ["backup-", "database-", "blobs-", "sha256-", "sha512-"];

    // Sorted, 8 bytes a place: millions of them fit. Two that are the same by chance would hide an object, and harm nothing.
    private readonly List<ulong> _known = [];

    private bool _hasQuarantined;

    /// <summary>Finds them, and does what is wanted.</summary>
    public async Task FindAsync(CancellationToken ct)
    {
        // 1.
        await ReadPlacesAsync(ct).ConfigureAwait(false);
        _hasQuarantined = (await RecordedBlob.NextQuarantinedAsync(database, 0, 1, ct).ConfigureAwait(false)).Count > 0;
        var mayRemove = report.Blobs > 0;
        // 2.
        foreach (var name in stores.Names)
        {
            var batch = new List<StoredContent>();
            await foreach (var content in stores[name].ListContentAsync(ct).ConfigureAwait(false))
            {
                report.Objects++;
                if (!IsStray(name, content)) continue;
                batch.Add(content);
                if (batch.Count < BatchSize) continue;
                await HandleAsync(name, batch, mayRemove, ct).ConfigureAwait(false);
                batch.Clear();
            }
            if (batch.Count > 0) await HandleAsync(name, batch, mayRemove, ct).ConfigureAwait(false);
            // 4.
            await HandleUploadsAsync(name, mayRemove, ct).ConfigureAwait(false);
        }
        if (!mayRemove && options.Repair && report.Orphans.Count > 0)
            tell("the database has no blobs at all: nothing is removed; --rebuild records what the stores have, berth adopt takes over a Docker Registry");
    }

    private bool IsStray(string store, StoredContent content)
    {
        if (_known.BinarySearch(PlaceOf(store, content.Key ?? content.Digest.Value)) >= 0) return false;
        if (content.Key is { } key && IsOfBackup(UploadOf(key)))
        {
            report.BackupObjects++;
            return false;
        }
        if (content.ChangedAt <= time.GetUtcNow() - Young) return true;
        report.YoungObjects++;
        return false;
    }

    // 3.
    private async Task HandleAsync(string store, List<StoredContent> batch, bool mayRemove, CancellationToken ct)
    {
        if (options.Repair && _hasQuarantined) await AdoptAsync(store, batch, ct).ConfigureAwait(false);
        if (options.Rebuild)
        {
            foreach (var content in batch) await RecordAsync(store, content, ct).ConfigureAwait(false);
            return;
        }
        var strays = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var named = await NamedAsync(session, store, batch, token).ConfigureAwait(false);
            var left = batch.Where(content => !named.Contains(content.Key ?? content.Digest.Value)).ToList();
            if (!options.Repair || !mayRemove) return left;
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            foreach (var content in left)
                await BlobRemovals.AddAsync(session, new BlobLocation(store, content.Key), content.Key is null ? content.Digest.Value : "", content.Size, now, token).ConfigureAwait(false);
            return left;
        }, ct).ConfigureAwait(false);
        if (options.Repair && mayRemove) report.Removed += strays.Count;
        foreach (var content in strays)
        {
            report.Add(report.Orphans, $"{store}: {content.Key ?? content.Digest.Value}");
            tell($"no row names it: {content.Key ?? content.Digest.Value} in the store {store}, {content.Size} bytes");
        }
    }

    private async Task AdoptAsync(string store, List<StoredContent> batch, CancellationToken ct)
    {
        foreach (var content in batch.ToList())
        {
            if (!await repair.AdoptAsync(new BlobLocation(store, content.Key), content, ct).ConfigureAwait(false)) continue;
            report.Healed++;
            batch.Remove(content);
            tell($"healed with an object that no row named: {content.Key ?? content.Digest.Value} in the store {store}");
        }
    }

    private async Task HandleUploadsAsync(string store, bool mayRemove, CancellationToken ct)
    {
        await foreach (var key in stores[store].ListUploadsAsync(time.GetUtcNow() - Young, ct).ConfigureAwait(false))
        {
            if (IsOfBackup(key) || await database.ReadAsync(key, static (session, id, token) => session.ScalarAsync(CountUploads, [id], token), ct).ConfigureAwait(false) > 0) continue;
            report.UnknownUploads++;
            tell($"an upload that no session names: {key} in the store {store}");
            if (!options.Repair || !mayRemove) continue;
            await stores[store].DeleteUploadAsync(key, null, ct).ConfigureAwait(false);
            report.Removed++;
        }
    }

    private async Task RecordAsync(string store, StoredContent content, CancellationToken ct)
    {
        if (await DigestAsync(store, content, ct).ConfigureAwait(false) is not { } digest)
        {
            report.Add(report.Orphans, $"{store}: {content.Key}");
            tell($"not recorded, since it cannot be read: {content.Key} in the store {store}");
            return;
        }
        var location = new BlobLocation(store, content.Key);
        var isRecorded = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await Rows.LockDigestAsync(session, digest.Value, token).ConfigureAwait(false);
            var named = await NamedAsync(session, store, [content], token).ConfigureAwait(false);
            if (named.Count > 0 || await session.ScalarAsync(SelectDigest, [digest.Value], token).ConfigureAwait(false) is not null) return false;
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var id = await Rows.FindOrAddBlobAsync(session, digest.Value, content.Size, location, now, token).ConfigureAwait(false);
            // What no manifest names goes as any other does.
            await Reviews.AddBlobAsync(session, 0, id, now, token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        if (!isRecorded) return;
        report.Recorded++;
        tell($"recorded: {digest} in the store {store}");
    }

    // By its path, or by its bytes, which are of the usual algorithm.
    private async Task<Digest?> DigestAsync(string store, StoredContent content, CancellationToken ct)
    {
        if (content.Key is null) return content.Digest;
        try
        {
            using var reader = await stores[store].OpenReadAsync(new BlobPlace(default, content.Key), 0, ct).ConfigureAwait(false);
            return reader is null ? null : await ContentCheck.HashAsync(reader, DigestAlgorithm.Sha256, Pace.Unlimited, null, ct).ConfigureAwait(false);
        }
        catch (DamagedContentException)
        {
            return null;
        }
    }

    private async Task ReadPlacesAsync(CancellationToken ct)
    {
        foreach (var statement in (Statement[])[SelectPlaces, SelectRemovals])
        {
            await database.ReadAsync((statement, _known), static async (session, q, token) =>
            {
                await using var rows = await session.Command(q.statement).ExecuteReaderAsync(token).ConfigureAwait(false);
                while (await rows.ReadAsync(token).ConfigureAwait(false)) q._known.Add(PlaceOf(rows.GetString(0), rows.GetString(1)));
                return true;
            }, ct).ConfigureAwait(false);
        }
        _known.Sort();
    }

    private static bool IsOfBackup(string key) => s_backups.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal));

    // Digests and keys of a batch that a row, a removal or an upload names.
    private static async ValueTask<HashSet<string>> NamedAsync(DbSession session, string store, IReadOnlyCollection<StoredContent> batch, CancellationToken ct)
    {
        var digests = JsonSerializer.Serialize(batch.Where(c => c.Key is null).Select(c => c.Digest.Value));
        var keys = JsonSerializer.Serialize(batch.Select(c => c.Key).OfType<string>());
        var uploads = JsonSerializer.Serialize(batch.Select(c => c.Key).OfType<string>().Select(UploadOf));
        var named = new HashSet<string>(StringComparer.Ordinal);
        await using var rows = await session.Command(SelectNamed, store, digests, keys, uploads).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            named.Add(rows.GetString(0));
            named.Add(EncryptedBlobStore.KeyPrefix + rows.GetString(0));
        }
        return named;
    }

    private static string UploadOf(string key) => key.StartsWith(EncryptedBlobStore.KeyPrefix, StringComparison.Ordinal) ? key[EncryptedBlobStore.KeyPrefix.Length..] : key;

    private static ulong PlaceOf(string store, string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{store}\n{name}"), hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }

    private static readonly Statement SelectDigest = new("SELECT id FROM blobs WHERE digest = @0");
    private static readonly Statement SelectPlaces = new("SELECT store, coalesce(key, digest) FROM blobs");
    private static readonly Statement SelectRemovals = new("SELECT store, coalesce(key, digest) FROM blob_removals");

    private static readonly Statement CountUploads = new("SELECT (SELECT count(*) FROM uploads WHERE id = @0) + (SELECT count(*) FROM blob_removals WHERE upload_id = @0)");

    private static readonly Statement SelectNamed = Named("SELECT value FROM json_each({0})", "SELECT jsonb_array_elements_text({0}::jsonb)");

    private static Statement Named(string sqlite, string postgres)
    {
        const string text = """
            SELECT digest FROM blobs WHERE digest IN ([@1]) AND store = @0 AND key IS NULL
            UNION ALL SELECT digest FROM blob_removals WHERE digest IN ([@1]) AND store = @0 AND key IS NULL
            UNION ALL SELECT committing_digest FROM uploads WHERE committing_digest IN ([@1]) AND store = @0 AND coalesce(committing_key, '') = ''
            UNION ALL SELECT key FROM blobs WHERE key IN ([@2]) AND store = @0
            UNION ALL SELECT key FROM blob_removals WHERE key IN ([@2]) AND store = @0
            UNION ALL SELECT id FROM uploads WHERE id IN ([@3])
            """;
        return new Statement(Fill(sqlite), Fill(postgres));

        string Fill(string list) => Enumerable.Range(1, 3).Aggregate(text, (sql, n) => sql.Replace($"[@{n}]", list.Replace("{0}", $"@{n}", StringComparison.Ordinal), StringComparison.Ordinal));
    }
}
