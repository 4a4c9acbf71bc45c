namespace Berth.Blobs.Encryption;

/// <summary>Reads an unfinished upload back: the chunks that are written, then the one in its saved state.</summary>
internal sealed class EncryptedUploadReader(IBlobReader inner, ChunkCipher cipher, UploadMark mark, byte[] savedChunk) : IBlobReader
{
    private readonly byte[] _sealed = new byte[SealedSize.SealedChunk];
    private readonly byte[] _plain = new byte[SealedSize.Chunk];
    private readonly long _written = mark.Offset - (savedChunk.Length - SealedSize.Overhead);
    private long _chunk = -1;

    public long Length => mark.Offset;

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken ct)
    {
        if (offset >= Length || buffer.IsEmpty) return 0;
        var chunk = offset / SealedSize.Chunk;
        if (chunk != _chunk) await OpenAsync(chunk, ct).ConfigureAwait(false);
        var skip = (int)(offset % SealedSize.Chunk);
        var bytes = (int)Math.Min(Math.Min(buffer.Length, SealedSize.Chunk - skip), Length - offset);
        _plain.AsMemory(skip, bytes).CopyTo(buffer);
        return bytes;
    }

    public void Dispose()
    {
        cipher.Dispose();
        inner.Dispose();
    }

    private async ValueTask OpenAsync(long chunk, CancellationToken ct)
    {
        _chunk = -1;
        var isSaved = chunk * SealedSize.Chunk >= _written;
        if (!isSaved)
        {
            for (var read = 0; read < _sealed.Length;)
            {
                var n = await inner.ReadAsync(_sealed.AsMemory(read), SealedSize.OffsetOf(chunk) + read, ct).ConfigureAwait(false);
                if (n == 0) throw new UploadBytesMissingException(mark.Key);
                read += n;
            }
        }
        var opened = isSaved
            ? cipher.TryOpen(chunk, ChunkKind.Saved, savedChunk, _plain.AsSpan(0, savedChunk.Length - SealedSize.Overhead))
            : cipher.TryOpen(chunk, ChunkKind.Inner, _sealed, _plain);
        // After a power cut the disk may not have what the session counts on.
        if (!opened) throw new UploadBytesMissingException(mark.Key);
        _chunk = chunk;
    }
}
