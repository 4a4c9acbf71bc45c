using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Berth.Oci;
using Microsoft.Win32.SafeHandles;

namespace Berth.Blobs.FileSystem;

/// <summary>
/// Blobs as files below one root, in Docker Registry's layout (<see cref="ContentPaths"/>). A commit renames the upload into its
/// content path and syncs file and folders before it returns. Opened "by key", what is committed lies by the key of its upload instead, as
/// <see cref="Encryption.EncryptedBlobStore"/> wants it; either way the store reads both.
/// </summary>
/// <remarks>
/// By key, too, an upload is no content before its rename, and what was saved of it is not durable: <see cref="IsObjectStore"/> stays false. But then no two
/// uploads share a place, so that the content of an upload that another one of the same digest has overtaken is nobody's, and is to be deleted.
/// </remarks>
public sealed class FileSystemBlobStore : IBlobStore
{
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(20);

    private readonly ContentPaths _paths;
    private readonly long _minFreeBytes;
    private readonly TimeProvider _time;
    private readonly bool _byKey;
    private readonly ConcurrentDictionary<string, bool> _shards = new(StringComparer.Ordinal);
    private long _freeBytes;
    private long _freeBytesRead = long.MinValue;

    /// <summary>Opens the store and makes its folders.</summary>
    /// <param name="root">The root folder.</param>
    /// <param name="minFreeBytes">Nothing is taken while the disk has fewer free bytes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="byKey">Whether what is committed lies by the key of its upload.</param>
    /// <exception cref="IOException">The root cannot be made or written.</exception>
    public FileSystemBlobStore(string root, long minFreeBytes, TimeProvider time, bool byKey = false)
    {
        _paths = new ContentPaths(root);
        _minFreeBytes = minFreeBytes;
        _time = time;
        _byKey = byKey;
        Directory.CreateDirectory(_paths.Keyed);
        Directory.CreateDirectory(_paths.Uploads);
        Directory.CreateDirectory(_paths.AlgorithmFolder(DigestAlgorithm.Sha256));
        Directory.CreateDirectory(_paths.AlgorithmFolder(DigestAlgorithm.Sha512));
    }

    /// <summary>The layout below the root.</summary>
    public ContentPaths Paths => _paths;

    /// <inheritdoc/>
    /// <remarks>Asked of the file system once a second.</remarks>
    public long FreeBytes
    {
        get
        {
            var now = _time.GetTimestamp();
            var read = Interlocked.Read(ref _freeBytesRead);
            if (read == long.MinValue || _time.GetElapsedTime(read, now) > TimeSpan.FromSeconds(1))
            {
                Interlocked.Exchange(ref _freeBytes, new DriveInfo(_paths.Root).AvailableFreeSpace);
                Interlocked.Exchange(ref _freeBytesRead, now);
            }
            return Math.Max(0, Interlocked.Read(ref _freeBytes) - _minFreeBytes);
        }
    }

    /// <inheritdoc/>
    public bool IsObjectStore => false;

    /// <inheritdoc/>
    public BlobPlace PlaceOf(string uploadKey, Digest digest)
    {
        UploadKey.Check(uploadKey);
        return new BlobPlace(digest, _byKey ? uploadKey : null);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The file is locked as long as it is open, its commit included: a request that another replica has not noticed to be dead must not write into what
    /// has become content. Who finds it locked waits a while.
    /// </remarks>
    public async ValueTask<IUploadAppender> OpenUploadAsync(UploadMark mark, CancellationToken ct)
    {
        var path = _paths.Upload(mark.Key);
        var handle = OpenUpload(path, mark.Key, mark.Offset);
        try
        {
            if (!Posix.TryLock(handle)) await WaitForLockAsync(handle, mark.Key, ct).ConfigureAwait(false);
            if (!Posix.IsAt(handle, path)) throw new UploadBytesMissingException(mark.Key);
            var length = RandomAccess.GetLength(handle);
            if (length < mark.Offset) throw new UploadBytesMissingException(mark.Key);
            if (length > mark.Offset) RandomAccess.SetLength(handle, mark.Offset);
            return new FileUploadAppender(handle, mark, this);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    // On the caller's thread: the calls take less time than a hop to another thread of the pool, which would block just as this one.
    public ValueTask WriteUploadAsync(string uploadKey, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        if (FreeBytes < content.Length) throw new StoreFullException("the disk is full: free space or lower storage.minFreeBytes");
        using var handle = OpenUpload(_paths.Upload(uploadKey), uploadKey, 0);
        RandomAccess.SetLength(handle, 0);
        RandomAccess.Write(handle, content.Span, 0);
        RandomAccess.FlushToDisk(handle);
        return ValueTask.CompletedTask;
    }

    public ValueTask NameUploadAsync(string uploadKey, Digest digest, CancellationToken ct)
    {
        Name(_paths.Upload(uploadKey), uploadKey, digest);
        return ValueTask.CompletedTask;
    }

    public ValueTask DeleteUploadAsync(string uploadKey, string? state, CancellationToken ct)
    {
        File.Delete(_paths.Upload(uploadKey));
        return ValueTask.CompletedTask;
    }

    public async IAsyncEnumerable<string> ListUploadsAsync(DateTimeOffset untouchedSince, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var file in new DirectoryInfo(_paths.Uploads).EnumerateFiles())
        {
            ct.ThrowIfCancellationRequested();
            if (file.LastWriteTimeUtc < untouchedSince) yield return file.Name;
        }
        await ValueTask.CompletedTask.ConfigureAwait(false);
    }

    public ValueTask<IBlobReader?> OpenUploadReadAsync(UploadMark mark, CancellationToken ct) => ValueTask.FromResult(Open(_paths.Upload(mark.Key)));

    public ValueTask<IBlobReader?> OpenReadAsync(BlobPlace place, long offset, CancellationToken ct) => ValueTask.FromResult(Open(PathOf(place)));

    public ValueTask<long?> GetSizeAsync(BlobPlace place, CancellationToken ct)
    {
        var file = new FileInfo(PathOf(place));
        return ValueTask.FromResult<long?>(file.Exists ? file.Length : null);
    }

    public async ValueTask<long?> ConfirmAsync(BlobPlace place, CancellationToken ct)
    {
        if (await GetSizeAsync(place, ct).ConfigureAwait(false) is not { } size) return null;
        SyncShard(place);
        SyncEntries(place);
        return size;
    }

    public ValueTask DeleteAsync(BlobPlace place, CancellationToken ct)
    {
        var path = PathOf(place);
        var folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder)) return ValueTask.CompletedTask;
        if (place.Key is null) Directory.Delete(folder, recursive: true);
        else File.Delete(path);
        return ValueTask.CompletedTask;
    }

    public async IAsyncEnumerable<StoredContent> ListContentAsync([EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var algorithm in new[] { DigestAlgorithm.Sha256, DigestAlgorithm.Sha512 })
        {
            foreach (var shard in new DirectoryInfo(_paths.AlgorithmFolder(algorithm)).EnumerateDirectories())
            {
                foreach (var folder in shard.EnumerateDirectories())
                {
                    ct.ThrowIfCancellationRequested();
                    var file = new FileInfo(Path.Join(folder.FullName, "data"));
                    if (file.Exists && Digest.TryParse($"{algorithm.Name}:{folder.Name}", out var digest))
                        yield return new StoredContent(digest, null, file.Length, file.LastWriteTimeUtc);
                }
            }
        }
        foreach (var shard in new DirectoryInfo(_paths.Keyed).EnumerateDirectories())
        {
            foreach (var file in shard.EnumerateFiles())
            {
                ct.ThrowIfCancellationRequested();
                yield return new StoredContent(default, file.Name, file.Length, file.LastWriteTimeUtc);
            }
        }
        await ValueTask.CompletedTask.ConfigureAwait(false);
    }

    public ValueTask<Uri?> SignReadAsync(BlobPlace place, TimeSpan lifetime, CancellationToken ct) => ValueTask.FromResult<Uri?>(null);

    public async ValueTask ProbeAsync(CancellationToken ct)
    {
        var path = Path.Join(_paths.Root, "berth/probe");
        byte[] written = [1, 2, 3, 4];
        await File.WriteAllBytesAsync(path, written, ct).ConfigureAwait(false);
        var read = await File.ReadAllBytesAsync(path, ct).ConfigureAwait(false);
        File.Delete(path);
        if (!read.AsSpan().SequenceEqual(written)) throw new IOException($"{path} reads back other bytes than were written");
    }

    private async ValueTask WaitForLockAsync(SafeFileHandle handle, string uploadKey, CancellationToken ct)
    {
        var started = _time.GetTimestamp();
        while (!Posix.TryLock(handle))
        {
            if (_time.GetElapsedTime(started) > LockPatience) throw new StoreUnavailableException($"another process is still writing upload {uploadKey}");
            await Task.Delay(LockPoll, _time, ct).ConfigureAwait(false);
        }
    }

    private static SafeFileHandle OpenUpload(string path, string uploadKey, long offset)
    {
        return Posix.OpenReadWrite(path, create: offset == 0) ?? throw new UploadBytesMissingException(uploadKey);
    }

    private static IBlobReader? Open(string path) => Posix.OpenRead(path) is { } handle ? new FileBlobReader(handle) : null;

    private string PathOf(BlobPlace place) => place.Key is { } key ? _paths.KeyedContent(key) : _paths.Content(place.Digest);

    private (string Shard, string Above) ShardOf(BlobPlace place) => place.Key is { } key
        ? (_paths.KeyedShard(key), _paths.Keyed)
        : (_paths.Shard(place.Digest), _paths.AlgorithmFolder(place.Digest.Algorithm));

    /// <summary>1. the bytes, 2. the name, 3. the folders that name it.</summary>
    internal void Commit(SafeFileHandle handle, UploadMark mark, Digest digest)
    {
        if (RandomAccess.GetLength(handle) != mark.Offset) throw new IOException($"upload {mark.Key} has not the {mark.Offset} bytes that were hashed");
        RandomAccess.FlushToDisk(handle);
        Name(_paths.Upload(mark.Key), mark.Key, digest);
    }

    private void Name(string upload, string uploadKey, Digest digest)
    {
        // 2. The name. A rename over the same content is harmless: readers keep the file they opened, and bad bytes are healed.
        var place = PlaceOf(uploadKey, digest);
        SyncShard(place);
        Directory.CreateDirectory(place.Key is null ? _paths.ContentFolder(digest) : ShardOf(place).Shard);
        try
        {
            File.Move(upload, PathOf(place), overwrite: true);
        }
        catch (FileNotFoundException)
        {
            throw new UploadBytesMissingException(uploadKey);
        }

        // 3. The folders that name it.
        SyncEntries(place);
    }

    // A shard counts as made once its own entry is durable, whoever made it.
    private void SyncShard(BlobPlace place)
    {
        var (shard, above) = ShardOf(place);
        if (_shards.ContainsKey(shard)) return;
        Directory.CreateDirectory(shard);
        Posix.SyncFolder(above);
        _shards.TryAdd(shard, true);
    }

    private void SyncEntries(BlobPlace place)
    {
        if (place.Key is null) Posix.SyncFolder(_paths.ContentFolder(place.Digest));
        Posix.SyncFolder(ShardOf(place).Shard);
    }
}
