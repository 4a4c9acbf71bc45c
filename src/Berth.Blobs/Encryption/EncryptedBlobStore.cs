using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Berth.Blobs.Encryption.Keys;
using Berth.Oci;

namespace Berth.Blobs.Encryption;

/// <summary>
/// Encrypts what it writes into another store, and reads that and plain content alike. Which is which is said by the place, never by the bytes: encrypted
/// content lies under the key <c>e1-&lt;upload key&gt;</c>, and no upload's key may begin so.
/// </summary>
/// <remarks>
/// <para>
/// <b>Crash safety</b> is that of the store below, since a sealed upload is an upload there, and a commit is one commit there. Over an object store
/// (<see cref="IsObjectStore"/> true) the parts that <see cref="IUploadAppender.SaveAsync"/> wrote are durable, the waiting chunk is in the session's row, and the
/// object appears whole or not at all; the intent is recorded before. A commit tried again seals the last chunk anew: where the first try had made the
/// object after all, that one stays, and opens as well. Over a file system (false), which must be opened "by key", a commit syncs the
/// bytes and renames them to the place that <see cref="PlaceOf"/> said, so the session's recorded intent names the two places where they can be, as ever.
/// What was saved there is not durable: after a power cut chunks that the disk never got do not open, and reading the upload back says
/// <see cref="UploadBytesMissingException"/>, upon which the client starts again.
/// </para>
/// <para>
/// Places are never shared: content is deleted with the row that names it, and an upload that was overtaken by another of the same digest leaves an object
/// that is nobody's. So whoever cleans up asks a place for its key, not a store for its kind.
/// </para>
/// <para>An upload that was begun before encryption was switched is not continued after it: its client is told that the bytes are missing, and starts again.</para>
/// </remarks>
public sealed class EncryptedBlobStore : IBlobStore
{
    /// <summary>What the keys of encrypted content begin with, and no others.</summary>
    public const string KeyPrefix = "e1-";

    private const int MaxHeaders = 16384;

    private readonly IBlobStore _inner;
    private readonly DataKeys _keys;
    private readonly bool _encrypts;
    private readonly ConcurrentDictionary<string, SealedHeader> _headers = new(StringComparer.Ordinal);

    /// <summary>Puts encryption over a store.</summary>
    /// <param name="inner">The store; where <paramref name="encrypts"/>, one that keeps content by key.</param>
    /// <param name="keys">The data keys.</param>
    /// <param name="encrypts">Whether new content is encrypted. Encrypted content is read either way.</param>
    /// <exception cref="ArgumentException">The store keeps content by digest.</exception>
    public EncryptedBlobStore(IBlobStore inner, DataKeys keys, bool encrypts)
    {
        if (encrypts && inner.PlaceOf(KeyPrefix + "x", Digest.Of([])).Key is null)
            throw new ArgumentException("encrypted content lies by key: open the store so", nameof(inner));
        (_inner, _keys, _encrypts) = (inner, keys, encrypts);
    }

    public bool IsObjectStore => _inner.IsObjectStore;

    public long FreeBytes => _inner.FreeBytes;

    /// <summary>Whether the content of a place is encrypted.</summary>
    public static bool IsEncrypted(BlobPlace place) => place.Key is not null && place.Key.StartsWith(KeyPrefix, StringComparison.Ordinal);

    public BlobPlace PlaceOf(string uploadKey, Digest digest) => _inner.PlaceOf(KeyBelow(uploadKey), digest);

    public async ValueTask<IUploadAppender> OpenUploadAsync(UploadMark mark, CancellationToken ct)
    {
        var key = KeyBelow(mark.Key);
        if (!_encrypts)
        {
            if (SavedUpload.IsOne(mark.State)) throw new UploadBytesMissingException(mark.Key);
            return await _inner.OpenUploadAsync(mark, ct).ConfigureAwait(false);
        }
        if (mark.Offset == 0) return await BeginAsync(mark, key, ct).ConfigureAwait(false);
        if (mark.State is null) return await GrowAsync(mark, key, ct).ConfigureAwait(false);
        var saved = SavedUpload.Parse(mark.State) ?? throw new UploadBytesMissingException(mark.Key);
        var header = SealedHeader.Parse(saved.Header) ?? throw new UploadBytesMissingException(mark.Key);
        var waiting = saved.Chunk.Length - SealedSize.Overhead;
        var chunk = (mark.Offset - waiting) / SealedSize.Chunk;
        var cipher = await CipherAsync(header, key, ct).ConfigureAwait(false);
        var pending = new byte[waiting];
        if (mark.Offset < waiting || (mark.Offset - waiting) % SealedSize.Chunk != 0 || !cipher.TryOpen(chunk, ChunkKind.Saved, saved.Chunk, pending))
        {
            cipher.Dispose();
            throw new UploadBytesMissingException(mark.Key);
        }
        return await AppendAsync(cipher, header, mark, pending, new UploadMark(key, SealedSize.OffsetOf(chunk), saved.Inner), ct).ConfigureAwait(false);
    }

    public async ValueTask WriteUploadAsync(string uploadKey, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        var key = KeyBelow(uploadKey);
        if (!_encrypts)
        {
            await _inner.WriteUploadAsync(uploadKey, content, ct).ConfigureAwait(false);
            return;
        }
        var header = SealedHeader.Create((await _keys.CurrentAsync(ct).ConfigureAwait(false)).Id);
        using var cipher = await CipherAsync(header, key, ct).ConfigureAwait(false);
        var bytes = checked((int)SealedSize.OfPlain(content.Length));
        var buffer = ArrayPool<byte>.Shared.Rent(bytes);
        try
        {
            SealWhole(cipher, header, content.Span, buffer);
            _headers.TryRemove(key, out _);
            await _inner.WriteUploadAsync(key, buffer.AsMemory(0, bytes), ct).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public ValueTask NameUploadAsync(string uploadKey, Digest digest, CancellationToken ct) => _inner.NameUploadAsync(KeyBelow(uploadKey), digest, ct);

    // What was begun before encryption was switched is removed as well.
    public async ValueTask DeleteUploadAsync(string uploadKey, string? state, CancellationToken ct)
    {
        CheckKey(uploadKey);
        var saved = SavedUpload.Parse(state);
        if (saved is not null || state is null) await _inner.DeleteUploadAsync(KeyPrefix + uploadKey, saved?.Inner, ct).ConfigureAwait(false);
        if (saved is null) await _inner.DeleteUploadAsync(uploadKey, state, ct).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<string> ListUploadsAsync(DateTimeOffset untouchedSince, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var key in _inner.ListUploadsAsync(untouchedSince, ct).ConfigureAwait(false))
            yield return key.StartsWith(KeyPrefix, StringComparison.Ordinal) ? key[KeyPrefix.Length..] : key;
    }

    public async ValueTask<IBlobReader?> OpenUploadReadAsync(UploadMark mark, CancellationToken ct)
    {
        var key = KeyBelow(mark.Key);
        if (!_encrypts) return SavedUpload.IsOne(mark.State) ? null : await _inner.OpenUploadReadAsync(mark, ct).ConfigureAwait(false);
        // Without a state it is a whole object that waits for its name; with one, chunks that are all followed by another.
        if (mark.State is null)
            return await OpenObjectAsync(await _inner.OpenUploadReadAsync(mark with { Key = key }, ct).ConfigureAwait(false), key, null, ct).ConfigureAwait(false);
        if (SavedUpload.Parse(mark.State) is not { } saved || SealedHeader.Parse(saved.Header) is not { } header) return null;
        var written = mark.Offset - (saved.Chunk.Length - SealedSize.Overhead);
        var below = await _inner.OpenUploadReadAsync(new UploadMark(key, SealedSize.OffsetOf(written / SealedSize.Chunk), saved.Inner), ct).ConfigureAwait(false);
        if (below is null) return null;
        return new EncryptedUploadReader(below, await CipherAsync(header, key, ct).ConfigureAwait(false), mark, saved.Chunk);
    }

    public async ValueTask<IBlobReader?> OpenReadAsync(BlobPlace place, long offset, CancellationToken ct)
    {
        if (!IsEncrypted(place)) return await _inner.OpenReadAsync(place, offset, ct).ConfigureAwait(false);
        // Whose header is known is read from where it is wanted.
        var header = _headers.GetValueOrDefault(place.Key!);
        var begin = header is null ? 0 : SealedSize.OffsetOf(Math.Max(0, offset) / SealedSize.Chunk);
        return await OpenObjectAsync(await _inner.OpenReadAsync(place, begin, ct).ConfigureAwait(false), place.Key!, header, ct).ConfigureAwait(false);
    }

    public async ValueTask<long?> GetSizeAsync(BlobPlace place, CancellationToken ct) =>
        PlainSize(place, await _inner.GetSizeAsync(place, ct).ConfigureAwait(false));

    public async ValueTask<long?> ConfirmAsync(BlobPlace place, CancellationToken ct) =>
        PlainSize(place, await _inner.ConfirmAsync(place, ct).ConfigureAwait(false));

    public ValueTask DeleteAsync(BlobPlace place, CancellationToken ct)
    {
        if (place.Key is not null) _headers.TryRemove(place.Key, out _);
        return _inner.DeleteAsync(place, ct);
    }

    /// <inheritdoc/>
    /// <remarks>An encrypted object of a size that none can have is listed with size 0.</remarks>
    public async IAsyncEnumerable<StoredContent> ListContentAsync([EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var content in _inner.ListContentAsync(ct).ConfigureAwait(false))
        {
            var isEncrypted = IsEncrypted(new BlobPlace(content.Digest, content.Key));
            yield return isEncrypted ? content with { Size = SealedSize.ToPlain(content.Size) ?? 0 } : content;
        }
    }

    /// <inheritdoc/>
    /// <remarks>Encrypted content passes through this process: it has no URL.</remarks>
    public ValueTask<Uri?> SignReadAsync(BlobPlace place, TimeSpan lifetime, CancellationToken ct) =>
        IsEncrypted(place) ? ValueTask.FromResult<Uri?>(null) : _inner.SignReadAsync(place, lifetime, ct);

    public ValueTask ProbeAsync(CancellationToken ct) => _inner.ProbeAsync(ct);

    private static string CheckKey(string uploadKey)
    {
        UploadKey.Check(uploadKey);
        if (uploadKey.Length > UploadKey.MaxLength - KeyPrefix.Length || uploadKey.StartsWith(KeyPrefix, StringComparison.Ordinal))
            throw new ArgumentException($"an upload key is shorter and does not begin with {KeyPrefix} here", nameof(uploadKey));
        return uploadKey;
    }

    private static long? PlainSize(BlobPlace place, long? size)
    {
        if (size is not { } bytes || !IsEncrypted(place)) return size;
        return SealedSize.ToPlain(bytes) ?? throw new DamagedContentException(place.Key!, $"no object has {bytes} bytes");
    }

    private static void SealWhole(ChunkCipher cipher, SealedHeader header, ReadOnlySpan<byte> content, Span<byte> to)
    {
        header.Write(to);
        var at = SealedSize.Header;
        var chunks = SealedSize.Chunks(content.Length);
        for (var i = 0L; i < chunks; i++)
        {
            var plain = content[(int)(i * SealedSize.Chunk)..];
            if (plain.Length > SealedSize.Chunk) plain = plain[..SealedSize.Chunk];
            at += cipher.Seal(i, i == chunks - 1 ? ChunkKind.Last : ChunkKind.Inner, plain, to[at..]);
        }
    }

    private string KeyBelow(string uploadKey) => _encrypts ? KeyPrefix + CheckKey(uploadKey) : CheckKey(uploadKey);

    private async ValueTask<ChunkCipher> CipherAsync(SealedHeader header, string key, CancellationToken ct) =>
        new((await _keys.FindAsync(header.DataKey, ct).ConfigureAwait(false)).Secret.Span, header, key);

    private async ValueTask<IUploadAppender> BeginAsync(UploadMark mark, string key, CancellationToken ct)
    {
        var header = SealedHeader.Create((await _keys.CurrentAsync(ct).ConfigureAwait(false)).Id);
        _headers.TryRemove(key, out _);
        var cipher = await CipherAsync(header, key, ct).ConfigureAwait(false);
        return await AppendAsync(cipher, header, mark, default, new UploadMark(key, 0, null), ct).ConfigureAwait(false);
    }

    // An upload that was written whole and goes on: the chunk that was the last one is sealed anew.
    private async ValueTask<IUploadAppender> GrowAsync(UploadMark mark, string key, CancellationToken ct)
    {
        var chunk = SealedSize.Chunks(mark.Offset) - 1;
        var pending = new byte[mark.Offset - (chunk * SealedSize.Chunk)];
        SealedHeader header;
        using (var below = await _inner.OpenUploadReadAsync(new UploadMark(key, SealedSize.OfPlain(mark.Offset), null), ct).ConfigureAwait(false))
        {
            if (below is null || below.Length != SealedSize.OfPlain(mark.Offset)) throw new UploadBytesMissingException(mark.Key);
            header = await ReadHeaderAsync(below, key, ct).ConfigureAwait(false);
            using var reader = new EncryptedReader(below, await CipherAsync(header, key, ct).ConfigureAwait(false), key, mark.Offset);
            for (var read = 0; read < pending.Length;) read += await reader.ReadAsync(pending.AsMemory(read), (chunk * SealedSize.Chunk) + read, ct).ConfigureAwait(false);
        }
        var cipher = await CipherAsync(header, key, ct).ConfigureAwait(false);
        return await AppendAsync(cipher, header, mark, pending, new UploadMark(key, SealedSize.OffsetOf(chunk), null), ct).ConfigureAwait(false);
    }

    private async ValueTask<IUploadAppender> AppendAsync(
        ChunkCipher cipher, SealedHeader header, UploadMark mark, ReadOnlyMemory<byte> pending, UploadMark below, CancellationToken ct)
    {
        try
        {
            return new EncryptedAppender(await _inner.OpenUploadAsync(below, ct).ConfigureAwait(false), cipher, header, mark, pending.Span);
        }
        catch (Exception e)
        {
            cipher.Dispose();
            // The caller knows the upload by its own key.
            if (e is UploadBytesMissingException) throw new UploadBytesMissingException(mark.Key);
            throw;
        }
    }

    private async ValueTask<IBlobReader?> OpenObjectAsync(IBlobReader? below, string key, SealedHeader? header, CancellationToken ct)
    {
        if (below is null) return null;
        try
        {
            var length = SealedSize.ToPlain(below.Length) ?? throw new DamagedContentException(key, $"no object has {below.Length} bytes");
            if (header is null)
            {
                header = await ReadHeaderAsync(below, key, ct).ConfigureAwait(false);
                if (_headers.Count >= MaxHeaders) _headers.Clear();
                _headers[key] = header;
            }
            return new EncryptedReader(below, await CipherAsync(header, key, ct).ConfigureAwait(false), key, length);
        }
        catch
        {
            below.Dispose();
            throw;
        }
    }

    private static async ValueTask<SealedHeader> ReadHeaderAsync(IBlobReader below, string key, CancellationToken ct)
    {
        var bytes = new byte[SealedSize.Header];
        for (var read = 0; read < bytes.Length;)
        {
            var n = await below.ReadAsync(bytes.AsMemory(read), read, ct).ConfigureAwait(false);
            if (n == 0) throw new DamagedContentException(key, "its header is missing");
            read += n;
        }
        return SealedHeader.Parse(bytes) ?? throw new DamagedContentException(key, "its header is none");
    }
}
