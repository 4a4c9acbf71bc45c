using System.IO.Compression;
using System.Text.Json;
using Berth.Oci;
using Berth.Server.GarbageCollection;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;

namespace Berth.Server.Backup;

/// <summary>
/// One backup, beside servers that go on working:
/// <list type="number">
/// <item>garbage collection is held (<see cref="HeldCollection"/>): bytes of rows that are there from now on stay;</item>
/// <item>the database is read as of one moment;</item>
/// <item>every blob that it names and that the target does not have yet is copied and hashed as it passes;</item>
/// <item>export and list are written, and last the manifest.</item>
/// </list>
/// Each blob of 2 has its bytes in 3, because a row is written after its bytes are durable, and 1 came before 2. Killed at any point it leaves blobs that the
/// next backup finds, and no manifest.
/// </summary>
internal sealed class BackupRun(Database database, BlobStores stores, BackupTarget target, TimeProvider time)
{
    private const int CopiesAtATime = 4;
    private const int MaxListed = 1000;

    private readonly Lock _gate = new();
    private readonly List<string> _lacking = [];
    private long _copied;
    private long _copiedBytes;
    private long _known;

    /// <summary>Makes a backup.</summary>
    /// <param name="secretKey">The secret key as the backup holds it.</param>
    /// <param name="scratch">An empty folder for files on the way.</param>
    /// <param name="tell">Told of each step.</param>
    /// <param name="ct">Ends it; the target stays usable.</param>
    public async Task<BackupReport> RunAsync(SecretKeyCopy? secretKey, string scratch, Action<string> tell, CancellationToken ct)
    {
        var started = time.GetUtcNow();
        var id = $"{started:yyyyMMdd'T'HHmmssfff'Z'}";
        // 1.
        await using var hold = await HeldCollection.BeginAsync(database, $"backup {id}", time, ct).ConfigureAwait(false);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, hold.Lost);
        try
        {
            // 2.
            var (exportFile, blobsFile) = (Path.Join(scratch, "database.gz"), Path.Join(scratch, "blobs.gz"));
            var taken = time.GetUtcNow();
            var outcome = await DatabaseExport.RunAsync(database, exportFile, blobsFile, both.Token).ConfigureAwait(false);
            tell($"database read: {new FileInfo(exportFile).Length} bytes compressed; {outcome.Blobs} blobs with {outcome.Bytes} bytes");
            // 3.
            await CopyBlobsAsync(blobsFile, tell, both.Token).ConfigureAwait(false);
            // 4.
            var manifest = new BackupManifest
            {
                Format = BackupManifest.CurrentFormat,
                Id = id,
                TakenAt = taken.ToUnixTimeMilliseconds(),
                Database = database.Kind == DatabaseKind.Sqlite ? "sqlite" : "postgres",
                Migrations = outcome.Migrations,
                Export = await target.WriteFileAsync("database-" + id, exportFile, both.Token).ConfigureAwait(false),
                Blobs = await target.WriteFileAsync("blobs-" + id, blobsFile, both.Token).ConfigureAwait(false),
                BlobCount = outcome.Blobs,
                BlobBytes = outcome.Bytes,
                Lacking = _lacking,
                SecretKey = secretKey,
            };
            await target.WriteManifestAsync(manifest, both.Token).ConfigureAwait(false);
            return new BackupReport
            {
                Id = id,
                Blobs = outcome.Blobs,
                Bytes = outcome.Bytes,
                CopiedBlobs = _copied,
                CopiedBytes = _copiedBytes,
                Lacking = _lacking,
                HoldsSecretKey = secretKey?.Sealed is not null,
                Seconds = (time.GetUtcNow() - started).TotalSeconds,
            };
        }
        catch (OperationCanceledException) when (hold.Lost.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new IOException("the database was away for so long that garbage collection may have gone on: start the backup again, it copies only what is missing");
        }
    }

    private async Task CopyBlobsAsync(string blobsFile, Action<string> tell, CancellationToken ct)
    {
        var told = time.GetTimestamp();
        var options = new ParallelOptions { MaxDegreeOfParallelism = CopiesAtATime, CancellationToken = ct };
        await Parallel.ForEachAsync(BlobList.Read(blobsFile), options, async (entry, token) =>
        {
            await CopyAsync(entry, token).ConfigureAwait(false);
            lock (_gate)
            {
                if (time.GetElapsedTime(told) < TimeSpan.FromSeconds(10)) return;
                told = time.GetTimestamp();
                tell($"copied {_copied} blobs with {_copiedBytes} bytes, {_known} were there");
            }
        }).ConfigureAwait(false);
    }

    private async Task CopyAsync(BlobEntry entry, CancellationToken ct)
    {
        var digest = Digest.Parse(entry.Digest);
        if (await target.HasBlobAsync(digest, entry.Size, ct).ConfigureAwait(false))
        {
            Interlocked.Increment(ref _known);
            return;
        }
        using var reader = await stores.OpenReadAsync(new BlobLocation(entry.Store, entry.Key), digest, 0, ct).ConfigureAwait(false);
        var isCopied = reader is not null && await target.CopyBlobAsync(reader, digest, ct).ConfigureAwait(false);
        lock (_gate)
        {
            if (isCopied) (_copied, _copiedBytes) = (_copied + 1, _copiedBytes + entry.Size);
            else if (_lacking.Count < MaxListed) _lacking.Add(entry.Digest);
        }
    }
}

/// <summary>The list of blobs of a backup.</summary>
internal static class BlobList
{
    /// <summary>Reads a list, line by line.</summary>
    public static IEnumerable<BlobEntry> Read(string file)
    {
        using var lines = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        while (lines.ReadLine() is { } line)
            yield return JsonSerializer.Deserialize(line, BackupJson.Default.BlobEntry) ?? throw new InvalidDataException("the list of blobs is damaged");
    }
}
