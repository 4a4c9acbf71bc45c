using System.Buffers;

namespace Berth.Blobs.Encryption;

/// <summary>
/// Opens the chunks that a read touches. Whole chunks are opened right into the caller's buffer; the rest is opened in place in a window of chunks, which
/// reaches ahead while reads follow each other.
/// </summary>
internal sealed class EncryptedReader : IBlobReader
{
    // With their nonces and tags these fit an array of 512 KiB.
    private const int ChunksAtATime = 7;

    private readonly IBlobReader _inner;
    private readonly ChunkCipher _cipher;
    private readonly string _key;
    private readonly long _chunks;
    private byte[]? _sealed;
    private long _windowFirst;
    private int _windowCount;
    private long _next;

    public EncryptedReader(IBlobReader inner, ChunkCipher cipher, string key, long length)
    {
        (_inner, _cipher, _key, Length) = (inner, cipher, key, length);
        _chunks = SealedSize.Chunks(length);
    }

    public long Length { get; }

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken ct)
    {
        if (offset >= Length || buffer.IsEmpty)
        {
            if (Length == 0) await CheckEmptyAsync(ct).ConfigureAwait(false);
            return 0;
        }
        var wanted = (int)Math.Min(buffer.Length, Length - offset);
        var read = ReadWindow(buffer.Span[..wanted], offset);
        if (read == 0)
        {
            var first = offset / SealedSize.Chunk;
            var skip = (int)(offset % SealedSize.Chunk);
            var whole = skip == 0 ? WholeChunks(offset, wanted) : 0;
            if (whole > 0)
            {
                read = await ReadWholeAsync(buffer[..wanted], first, whole, ct).ConfigureAwait(false);
            }
            else
            {
                var needed = (int)Math.Min(ChunksAtATime, ((long)skip + wanted + SealedSize.Chunk - 1) / SealedSize.Chunk);
                await FillWindowAsync(first, offset == _next && offset != 0 ? ChunksAtATime : needed, ct).ConfigureAwait(false);
                read = ReadWindow(buffer.Span[..wanted], offset);
            }
        }
        _next = offset + read;
        return read;
    }

    public void Dispose()
    {
        if (_sealed is not null) ArrayPool<byte>.Shared.Return(_sealed, clearArray: true);
        _sealed = null;
        _cipher.Dispose();
        _inner.Dispose();
    }

    // The last chunk counts as whole when the buffer reaches to the end.
    private int WholeChunks(long offset, int wanted)
    {
        var whole = wanted / SealedSize.Chunk;
        if (wanted % SealedSize.Chunk != 0 && offset + wanted == Length) whole++;
        return Math.Min(whole, ChunksAtATime);
    }

    private int PlainBytesOf(long chunk) => (int)Math.Min(SealedSize.Chunk, Length - (chunk * SealedSize.Chunk));

    private ChunkKind KindOf(long chunk) => chunk == _chunks - 1 ? ChunkKind.Last : ChunkKind.Inner;

    private async ValueTask<int> ReadWholeAsync(Memory<byte> buffer, long first, int count, CancellationToken ct)
    {
        await ReadSealedAsync(first, count, ct).ConfigureAwait(false);
        var read = 0;
        for (var i = 0; i < count; i++)
        {
            var bytes = PlainBytesOf(first + i);
            Open(first + i, Sealed(i, bytes), buffer.Span.Slice(read, bytes));
            read += bytes;
        }
        return read;
    }

    private async ValueTask FillWindowAsync(long first, int count, CancellationToken ct)
    {
        count = (int)Math.Min(count, _chunks - first);
        await ReadSealedAsync(first, count, ct).ConfigureAwait(false);
        for (var i = 0; i < count; i++)
        {
            var bytes = PlainBytesOf(first + i);
            var piece = Sealed(i, bytes);
            Open(first + i, piece, piece.Slice(SealedSize.Nonce, bytes));
        }
        (_windowFirst, _windowCount) = (first, count);
    }

    private int ReadWindow(Span<byte> to, long offset)
    {
        var read = 0;
        while (read < to.Length)
        {
            var chunk = offset / SealedSize.Chunk;
            var index = chunk - _windowFirst;
            if (index < 0 || index >= _windowCount) break;
            var skip = (int)(offset % SealedSize.Chunk);
            var bytes = Math.Min(PlainBytesOf(chunk) - skip, to.Length - read);
            _sealed.AsSpan(((int)index * SealedSize.SealedChunk) + SealedSize.Nonce + skip, bytes).CopyTo(to[read..]);
            read += bytes;
            offset += bytes;
        }
        return read;
    }

    private Span<byte> Sealed(int index, int plainBytes) => _sealed.AsSpan(index * SealedSize.SealedChunk, plainBytes + SealedSize.Overhead);

    private void Open(long chunk, ReadOnlySpan<byte> piece, Span<byte> to)
    {
        if (!_cipher.TryOpen(chunk, KindOf(chunk), piece, to)) throw new DamagedContentException(_key, $"chunk {chunk} is not what was written");
    }

    private async ValueTask ReadSealedAsync(long first, int count, CancellationToken ct)
    {
        _sealed ??= ArrayPool<byte>.Shared.Rent((int)Math.Min(_chunks, ChunksAtATime) * SealedSize.SealedChunk);
        _windowCount = 0;
        var offset = SealedSize.OffsetOf(first);
        var bytes = (int)(Math.Min(SealedSize.OffsetOf(first + count), SealedSize.OfPlain(Length)) - offset);
        for (var read = 0; read < bytes;)
        {
            var n = await _inner.ReadAsync(_sealed.AsMemory(read, bytes - read), offset + read, ct).ConfigureAwait(false);
            if (n == 0) throw new DamagedContentException(_key, "its end is missing");
            read += n;
        }
    }

    // Nothing is read of empty content, but its one chunk vouches for it.
    private async ValueTask CheckEmptyAsync(CancellationToken ct)
    {
        await ReadSealedAsync(0, 1, ct).ConfigureAwait(false);
        Open(0, Sealed(0, 0), []);
    }
}
