using System.Buffers;
using System.Text;
using System.Text.Json;
using Berth.Blobs;
using Berth.Blobs.FileSystem;
using Berth.Blobs.Hashing;
using Berth.Oci;

namespace Berth.Server.Backup;

/// <summary>
/// Where backups lie: a folder, or a blob store that keeps content by key. All backups of a target share their blobs, each under a key that its digest
/// says, so that a backup copies what no earlier one has copied. Everything gets its key in one step when it is whole: what has a key is complete.
/// </summary>
internal sealed class BackupTarget : IDisposable
{
    private const string ManifestPrefix = "backup-";
    private const int BufferBytes = 1 << 20;
    private const int MaxManifestBytes = 64 << 20;

    private readonly IBlobStore _store;

    private BackupTarget(IBlobStore store) => _store = store;

    /// <summary>A folder, made if it is not there.</summary>
    public static BackupTarget InFolder(string folder, TimeProvider time) => new(new FileSystemBlobStore(Path.GetFullPath(folder), minFreeBytes: 0, time, byKey: true));

    /// <summary>A blob store, which this takes over.</summary>
    /// <exception cref="InvalidOperationException">It keeps content by digest only.</exception>
    public static BackupTarget In(IBlobStore store) => store.PlaceOf("probe", Digest.Of([])).Key is not null
        ? new BackupTarget(store)
        : throw new InvalidOperationException("this store keeps content by digest and cannot hold backups: name a folder instead");

    public void Dispose() => (_store as IDisposable)?.Dispose();

    /// <summary>Names of the backups that are whole, the oldest first.</summary>
    public async Task<List<string>> ListAsync(CancellationToken ct)
    {
        var ids = new List<string>();
        await foreach (var content in _store.ListContentAsync(ct).ConfigureAwait(false))
        {
            if (content.Key is { } key && key.StartsWith(ManifestPrefix, StringComparison.Ordinal)) ids.Add(key[ManifestPrefix.Length..]);
        }
        ids.Sort(StringComparer.Ordinal);
        return ids;
    }

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="InvalidDataException">There is none, or a newer version wrote it.</exception>
    public async Task<BackupManifest> ReadManifestAsync(string id, CancellationToken ct)
    {
        using var reader = await _store.OpenReadAsync(new BlobPlace(default, ManifestPrefix + id), 0, ct).ConfigureAwait(false)
            ?? throw new InvalidDataException($"there is no backup {id}");
        if (reader.Length > MaxManifestBytes) throw new InvalidDataException($"the manifest of backup {id} is too large");
        var bytes = new byte[reader.Length];
        for (var read = 0; read < bytes.Length;)
        {
            var more = await reader.ReadAsync(bytes.AsMemory(read), read, ct).ConfigureAwait(false);
            if (more == 0) throw new InvalidDataException($"the manifest of backup {id} is cut off");
            read += more;
        }
        var manifest = JsonSerializer.Deserialize(bytes, BackupJson.Default.BackupManifest) ?? throw new InvalidDataException($"the manifest of backup {id} is empty");
        return manifest.Format <= BackupManifest.CurrentFormat ? manifest : throw new InvalidDataException($"backup {id} was made by a newer version of Berth: restore with that one");
    }

    /// <summary>Writes a manifest: from here on the backup is there.</summary>
    public async Task WriteManifestAsync(BackupManifest manifest, CancellationToken ct)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(manifest, BackupJson.Default.BackupManifest);
        await using var appender = await _store.OpenUploadAsync(new UploadMark(ManifestPrefix + manifest.Id, 0, null), ct).ConfigureAwait(false);
        await appender.AppendAsync(new ReadOnlySequence<byte>(bytes), ct).ConfigureAwait(false);
        await appender.CommitAsync(Digest.Of(bytes), ct).ConfigureAwait(false);
    }

    /// <summary>Writes a file.</summary>
    public async Task<BackupFile> WriteFileAsync(string key, string path, CancellationToken ct)
    {
        await using var appender = await _store.OpenUploadAsync(new UploadMark(key, 0, null), ct).ConfigureAwait(false);
        using var hash = ResumableHash.Start(DigestAlgorithm.Sha256);
        await using var file = File.OpenRead(path);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (await file.ReadAsync(buffer.AsMemory(0, BufferBytes), ct).ConfigureAwait(false) is var read and > 0)
            {
                hash.Append(buffer.AsSpan(0, read));
                await appender.AppendAsync(new ReadOnlySequence<byte>(buffer, 0, read), ct).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        var digest = hash.Current();
        await appender.CommitAsync(digest, ct).ConfigureAwait(false);
        return new BackupFile(key, digest.Value, appender.Offset);
    }

    /// <summary>Reads a file back and holds it against its digest.</summary>
    /// <exception cref="InvalidDataException">It is missing or damaged.</exception>
    public async Task ReadFileAsync(BackupFile file, string path, CancellationToken ct)
    {
        using var reader = await _store.OpenReadAsync(new BlobPlace(default, file.Key), 0, ct).ConfigureAwait(false) ?? throw new InvalidDataException($"{file.Key} is missing in the backup");
        await using var output = File.Create(path);
        var digest = await HashAsync(reader, DigestAlgorithm.Sha256, (bytes, token) => output.WriteAsync(bytes, token), ct).ConfigureAwait(false);
        if (digest.Value != file.Digest) throw new InvalidDataException($"{file.Key} in the backup is damaged: it has the digest {digest}, not {file.Digest}");
    }

    /// <summary>Whether the target has a blob.</summary>
    public async ValueTask<bool> HasBlobAsync(Digest digest, long size, CancellationToken ct) =>
        await _store.GetSizeAsync(new BlobPlace(digest, KeyOf(digest)), ct).ConfigureAwait(false) == size;

    /// <summary>Opens a blob; null when it is not there.</summary>
    public ValueTask<IBlobReader?> OpenBlobAsync(Digest digest, CancellationToken ct) => _store.OpenReadAsync(new BlobPlace(digest, KeyOf(digest)), 0, ct);

    /// <summary>Copies a blob into the target; false when its bytes are not those of its digest.</summary>
    public Task<bool> CopyBlobAsync(IBlobReader source, Digest digest, CancellationToken ct) => CopyAsync(source, _store, KeyOf(digest), digest, ct);

    /// <summary>Copies content into a store under a key; false, and nothing is there, when its bytes are not those of its digest.</summary>
    public static async Task<bool> CopyAsync(IBlobReader source, IBlobStore store, string key, Digest digest, CancellationToken ct)
    {
        var mark = new UploadMark(key, 0, null);
        await using (var appender = await store.OpenUploadAsync(mark, ct).ConfigureAwait(false))
        {
            var actual = await HashAsync(source, digest.Algorithm, (bytes, token) => appender.AppendAsync(new ReadOnlySequence<byte>(bytes), token), ct).ConfigureAwait(false);
            if (actual == digest)
            {
                await appender.CommitAsync(digest, ct).ConfigureAwait(false);
                return true;
            }
            mark = appender.Saved;
        }
        await store.DeleteUploadAsync(key, mark.State, ct).ConfigureAwait(false);
        return false;
    }

    /// <summary>The digest of content.</summary>
    public static async Task<Digest> HashAsync(IBlobReader source, DigestAlgorithm algorithm, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask>? each, CancellationToken ct)
    {
        using var hash = ResumableHash.Start(algorithm);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (long offset = 0; await source.ReadAsync(buffer.AsMemory(0, BufferBytes), offset, ct).ConfigureAwait(false) is var read and > 0; offset += read)
            {
                hash.Append(buffer.AsSpan(0, read));
                if (each is not null) await each(buffer.AsMemory(0, read), ct).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return hash.Current();
    }

    /// <summary>The key of a blob: its digest in characters that keys may have, as much of it as fits.</summary>
    public static string KeyOf(Digest digest)
    {
        var key = new StringBuilder(digest.Algorithm.Name).Append('-').Append(digest.Hex);
        if (key.Length > UploadKey.MaxLength) key.Length = UploadKey.MaxLength;
        return key.ToString();
    }
}
