using System.Buffers;
using System.Security.Cryptography;

namespace Berth.Blobs.Encryption;

/// <summary>
/// Opens the chunks that a read touches, one by one, so that a chunk's sealed bytes are still in the processor's cache when they are opened. A chunk that the
/// caller wants whole is opened right into his buffer; of one that he wants a part of, the plain bytes are kept for his next read.
/// </summary>
internal sealed class EncryptedReader : IBlobReader
{
    private readonly IBlobReader _inner;
    private readonly ChunkCipher _cipher;
    private readonly string _key;
    private readonly long _chunks;
    private byte[]? _sealed;
    private byte[]? _plain;
    private long _plainChunk = -1;

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
            // Nothing is read of empty content, but its one chunk vouches for it.
            if (Length == 0) await OpenAsync(0, Memory<byte>.Empty, ct).ConfigureAwait(false);
            return 0;
        }
        var wanted = buffer[..(int)Math.Min(buffer.Length, Length - offset)];
        var read = 0;
        while (read < wanted.Length)
        {
            var chunk = (offset + read) / SealedSize.Chunk;
            var skip = (int)((offset + read) % SealedSize.Chunk);
            var bytes = PlainBytesOf(chunk);
            var left = wanted[read..];
            if (skip == 0 && left.Length >= bytes)
            {
                await OpenAsync(chunk, left[..bytes], ct).ConfigureAwait(false);
                read += bytes;
                continue;
            }
            // What is there already is given at once.
            if (_plainChunk != chunk)
            {
                if (read > 0) break;
                await KeepAsync(chunk, bytes, ct).ConfigureAwait(false);
            }
            var part = Math.Min(bytes - skip, left.Length);
            _plain.AsMemory(skip, part).CopyTo(left);
            read += part;
        }
        return read;
    }

    public void Dispose()
    {
        if (_sealed is not null) ArrayPool<byte>.Shared.Return(_sealed);
        if (_plain is not null)
        {
            // Plain bytes are wiped before others get the buffer.
            CryptographicOperations.ZeroMemory(_plain);
            ArrayPool<byte>.Shared.Return(_plain);
        }
        (_sealed, _plain, _plainChunk) = (null, null, -1);
        _cipher.Dispose();
        _inner.Dispose();
    }

    private int PlainBytesOf(long chunk) => (int)Math.Min(SealedSize.Chunk, Length - (chunk * SealedSize.Chunk));

    private async ValueTask KeepAsync(long chunk, int bytes, CancellationToken ct)
    {
        _plain ??= ArrayPool<byte>.Shared.Rent((int)Math.Min(SealedSize.Chunk, Length));
        _plainChunk = -1;
        await OpenAsync(chunk, _plain.AsMemory(0, bytes), ct).ConfigureAwait(false);
        _plainChunk = chunk;
    }

    private async ValueTask OpenAsync(long chunk, Memory<byte> to, CancellationToken ct)
    {
        _sealed ??= ArrayPool<byte>.Shared.Rent((int)Math.Min(SealedSize.SealedChunk, Length + SealedSize.Overhead));
        var bytes = to.Length + SealedSize.Overhead;
        var offset = SealedSize.OffsetOf(chunk);
        for (var read = 0; read < bytes;)
        {
            var n = await _inner.ReadAsync(_sealed.AsMemory(read, bytes - read), offset + read, ct).ConfigureAwait(false);
            if (n == 0) throw new DamagedContentException(_key, "its end is missing");
            read += n;
        }
        if (!_cipher.TryOpen(chunk, chunk == _chunks - 1 ? ChunkKind.Last : ChunkKind.Inner, _sealed.AsSpan(0, bytes), to.Span))
            throw new DamagedContentException(_key, $"chunk {chunk} is not what was written");
    }
}
