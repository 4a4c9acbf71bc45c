using System.Buffers;
using Berth.Oci;

namespace Berth.Blobs.Encryption;

/// <summary>
/// Seals an upload chunk by chunk into an upload of the store below. A chunk is sealed once a byte follows it, or by the commit, since its tag says whether it is
/// the last. So the newest bytes, at most one chunk, wait here in memory; what <see cref="SaveAsync"/> returns carries them, sealed.
/// </summary>
internal sealed class EncryptedAppender : IUploadAppender
{
    // With their nonces and tags these fit an array of 512 KiB.
    private const int ChunksAtATime = 7;

    private readonly IUploadAppender _inner;
    private readonly ChunkCipher _cipher;
    private readonly SealedHeader _header;
    private byte[]? _out;
    private int _outBytes;
    private byte[]? _pending;
    private int _pendingBytes;
    private long _chunk;
    private bool _isBroken;
    private bool _isSealed;

    /// <summary>Goes on at a mark.</summary>
    /// <param name="inner">The upload below, open behind the last chunk that is written (at 0 for a new one).</param>
    /// <param name="cipher">The object's cipher.</param>
    /// <param name="header">The object's header.</param>
    /// <param name="mark">The mark, in plain bytes.</param>
    /// <param name="pending">The bytes of the mark that are not written below.</param>
    public EncryptedAppender(IUploadAppender inner, ChunkCipher cipher, SealedHeader header, UploadMark mark, ReadOnlySpan<byte> pending)
    {
        (_inner, _cipher, _header) = (inner, cipher, header);
        Saved = mark;
        Offset = mark.Offset;
        _chunk = (mark.Offset - pending.Length) / SealedSize.Chunk;
        if (!pending.IsEmpty)
        {
            pending.CopyTo(Pending());
            _pendingBytes = pending.Length;
        }
        if (inner.Offset != 0) return;
        header.Write(Out());
        _outBytes = SealedSize.Header;
    }

    public long Offset { get; private set; }

    public UploadMark Saved { get; private set; }

    public async ValueTask AppendAsync(ReadOnlySequence<byte> data, CancellationToken ct)
    {
        ThrowIfUnusable();
        foreach (var segment in data)
        {
            var rest = segment;
            while (!rest.IsEmpty)
            {
                if (_outBytes + SealedSize.SealedChunk > ChunksAtATime * SealedSize.SealedChunk) await FlushAsync(ct).ConfigureAwait(false);
                rest = rest[Take(rest.Span)..];
            }
        }
    }

    public async ValueTask<UploadMark> SaveAsync(CancellationToken ct)
    {
        ThrowIfUnusable();
        if (Saved.Offset == Offset) return Saved;
        await FlushAsync(ct).ConfigureAwait(false);
        var below = await _inner.SaveAsync(ct).ConfigureAwait(false);
        var chunk = new byte[_pendingBytes + SealedSize.Overhead];
        _cipher.Seal(_chunk, ChunkKind.Saved, _pending.AsSpan(0, _pendingBytes), chunk);
        Saved = Saved with { Offset = Offset, State = new SavedUpload(below.State, _header.ToBytes(), chunk).ToString() };
        return Saved;
    }

    public async ValueTask CommitAsync(Digest digest, CancellationToken ct)
    {
        if (!_isSealed)
        {
            ThrowIfUnusable();
            if (_outBytes + SealedSize.SealedChunk > ChunksAtATime * SealedSize.SealedChunk) await FlushAsync(ct).ConfigureAwait(false);
            SealPending(ChunkKind.Last);
            await FlushAsync(ct).ConfigureAwait(false);
            _isSealed = true;
        }
        await _inner.CommitAsync(digest, ct).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        // The one buffer with plain bytes is wiped before others get it.
        if (_pending is not null) ArrayPool<byte>.Shared.Return(_pending, clearArray: true);
        if (_out is not null) ArrayPool<byte>.Shared.Return(_out);
        (_pending, _out, _isBroken) = (null, null, true);
        _cipher.Dispose();
        await _inner.DisposeAsync().ConfigureAwait(false);
    }

    private byte[] Pending() => _pending ??= ArrayPool<byte>.Shared.Rent(SealedSize.Chunk);

    private byte[] Out() => _out ??= ArrayPool<byte>.Shared.Rent(ChunksAtATime * SealedSize.SealedChunk);

    // There is room for one sealed chunk. Returns how many bytes were taken, which may be none; whole chunks that more bytes follow are sealed where they lie.
    private int Take(ReadOnlySpan<byte> data)
    {
        if (_pendingBytes == SealedSize.Chunk)
        {
            SealPending(ChunkKind.Inner);
            return 0;
        }
        if (_pendingBytes == 0 && data.Length > SealedSize.Chunk) return TakeWhole(data);
        var taken = Math.Min(data.Length, SealedSize.Chunk - _pendingBytes);
        data[..taken].CopyTo(Pending().AsSpan(_pendingBytes));
        _pendingBytes += taken;
        Offset += taken;
        return taken;
    }

    private int TakeWhole(ReadOnlySpan<byte> data)
    {
        _outBytes += _cipher.Seal(_chunk++, ChunkKind.Inner, data[..SealedSize.Chunk], Out().AsSpan(_outBytes));
        Offset += SealedSize.Chunk;
        return SealedSize.Chunk;
    }

    private void SealPending(ChunkKind kind)
    {
        _outBytes += _cipher.Seal(_chunk++, kind, _pending.AsSpan(0, _pendingBytes), Out().AsSpan(_outBytes));
        _pendingBytes = 0;
    }

    private async ValueTask FlushAsync(CancellationToken ct)
    {
        if (_outBytes == 0) return;
        // What the store below has of these bytes is not known after a failure: the way on is the last mark.
        _isBroken = true;
        await _inner.AppendAsync(new ReadOnlySequence<byte>(_out!, 0, _outBytes), ct).ConfigureAwait(false);
        _isBroken = false;
        _outBytes = 0;
    }

    private void ThrowIfUnusable()
    {
        if (_isBroken) throw new IOException($"upload {Saved.Key} failed before: it goes on from its last mark");
        if (_isSealed) throw new InvalidOperationException("the upload is committed");
    }
}
