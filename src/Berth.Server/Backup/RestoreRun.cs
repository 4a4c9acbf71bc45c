using Berth.Blobs;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;

namespace Berth.Server.Backup;

/// <summary>
/// One restore, while no server runs on the database:
/// <list type="number">
/// <item>is the database empty, is the backup one that this version knows, is the secret key the right one?</item>
/// <item>every blob is copied into the default store, hashed as it passes, unless it is there already;</item>
/// <item>with <see cref="RestoreOptions.Verify"/> each is read back and hashed again;</item>
/// <item>the database is filled in one transaction.</item>
/// </list>
/// Killed before 4 is done, the database is as it was, and the next restore finds the blobs that are there.
/// </summary>
internal sealed class RestoreRun(Database database, BlobStores stores, BackupTarget target, RestoreKey secretKey)
{
    private const int CopiesAtATime = 4;
    private const string KeyPrefix = "restored-";

    // What the secret key encrypts as a whole table; keys are made anew.
    private static readonly HashSet<string> s_sealedTables = ["signing_keys"];

    private readonly IBlobStore _store = stores[stores.Default];
    private long _copied;
    private long _verified;

    /// <summary>Restores.</summary>
    /// <param name="options">How.</param>
    /// <param name="scratch">An empty folder for files on the way.</param>
    /// <param name="tell">Told of each step.</param>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="RestoreRefusedException">Something is in the way.</exception>
    /// <exception cref="InvalidDataException">The backup is damaged.</exception>
    public async Task<RestoreReport> RunAsync(RestoreOptions options, string scratch, Action<string> tell, CancellationToken ct)
    {
        // 1.
        if (!options.Force && !await DatabaseImport.IsEmptyAsync(database, ct).ConfigureAwait(false))
            throw new RestoreRefusedException("the database is not empty: restore into an empty one, or replace everything in it with --force");
        var id = options.Id ?? (await target.ListAsync(ct).ConfigureAwait(false)).LastOrDefault() ?? throw new RestoreRefusedException("there is no backup that is whole");
        var manifest = await target.ReadManifestAsync(id, ct).ConfigureAwait(false);
        if (manifest.Migrations.FirstOrDefault(m => !SchemaVersion.Migrations.Contains(m)) is { } unknown)
            throw new RestoreRefusedException($"the backup has the migration {unknown}, which this version does not know: restore with a newer version of Berth");
        var hasWritten = secretKey.Prepare(manifest.SecretKey, options);
        var (exportFile, blobsFile) = (Path.Join(scratch, "database.gz"), Path.Join(scratch, "blobs.gz"));
        await target.ReadFileAsync(manifest.Export, exportFile, ct).ConfigureAwait(false);
        await target.ReadFileAsync(manifest.Blobs, blobsFile, ct).ConfigureAwait(false);
        tell($"backup {id}: {manifest.BlobCount} blobs with {manifest.BlobBytes} bytes");
        // 2. and 3.
        var lacking = manifest.Lacking.ToHashSet(StringComparer.Ordinal);
        await Parallel.ForEachAsync(BlobList.Read(blobsFile), new ParallelOptions { MaxDegreeOfParallelism = CopiesAtATime, CancellationToken = ct }, async (entry, token) =>
        {
            if (!lacking.Contains(entry.Digest)) await CopyAsync(Digest.Parse(entry.Digest), entry.Size, options.Verify, token).ConfigureAwait(false);
        }).ConfigureAwait(false);
        tell($"blobs copied: {_copied}, verified: {_verified}");
        // 4.
        var import = new DatabaseImport(stores.Default, digest => _store.PlaceOf(KeyOf(digest), digest)) { LeftOut = options.WithoutSecretKey ? s_sealedTables : new HashSet<string>() };
        var rows = await import.RunAsync(database, exportFile, ct).ConfigureAwait(false);
        return new RestoreReport
        {
            Id = id,
            TakenAt = manifest.TakenAt,
            Rows = rows,
            Blobs = manifest.BlobCount,
            CopiedBlobs = _copied,
            VerifiedBlobs = _verified,
            Lacking = manifest.Lacking,
            HasRestoredSecretKey = hasWritten,
        };
    }

    private async Task CopyAsync(Digest digest, long size, bool verify, CancellationToken ct)
    {
        var place = _store.PlaceOf(KeyOf(digest), digest);
        if (await _store.GetSizeAsync(place, ct).ConfigureAwait(false) != size)
        {
            using var reader = await target.OpenBlobAsync(digest, ct).ConfigureAwait(false) ?? throw new InvalidDataException($"the backup lacks {digest}");
            if (!await BackupTarget.CopyAsync(reader, _store, KeyOf(digest), digest, ct).ConfigureAwait(false)) throw new InvalidDataException($"{digest} in the backup is damaged");
            Interlocked.Increment(ref _copied);
        }
        if (!verify) return;
        using var written = await _store.OpenReadAsync(place, 0, ct).ConfigureAwait(false) ?? throw new InvalidDataException($"{digest} is not in the store");
        if (await BackupTarget.HashAsync(written, digest.Algorithm, each: null, ct).ConfigureAwait(false) != digest)
            throw new InvalidDataException($"{digest} reads back with other bytes than were restored: remove it from the store and restore again");
        Interlocked.Increment(ref _verified);
    }

    // Always the same, so that a restore that is begun again finds what the first one copied; no upload has such a key.
    private static string KeyOf(Digest digest)
    {
        var key = KeyPrefix + BackupTarget.KeyOf(digest);
        return key.Length <= UploadKey.MaxLength ? key : key[..UploadKey.MaxLength];
    }
}
