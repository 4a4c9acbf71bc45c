using System.Buffers;
using System.Runtime.ExceptionServices;
using Berth.Oci;

namespace Berth.Blobs.Encryption;

/// <summary>
/// Seals an upload chunk by chunk into an upload of the store below. A chunk is sealed once a byte follows it, or by the commit, since its tag says whether it is
/// the last. While the caller fetches and hashes the next bytes, the batch before is sealed and written on another thread. At most one chunk is left over by
/// <see cref="SaveAsync"/>; what it returns carries that chunk, sealed.
/// </summary>
internal sealed class EncryptedAppender : IUploadAppender
{
    private const int BatchChunks = 3;
    private const int BatchBytes = BatchChunks * SealedSize.Chunk;

    private readonly IUploadAppender _inner;
    private readonly ChunkCipher _cipher;
    private readonly SealedHeader _header;
    private readonly CancellationTokenSource _disposed = new();
    private byte[]? _taken;
    private int _takenBytes;
    private long _firstChunk;
    private byte[]? _handedOn;
    private byte[]? _sealed;
    private Task _writing = Task.CompletedTask;
    private bool _hasHeader;
    private bool _isBroken;
    private bool _isComplete;

    /// <summary>Goes on at a mark.</summary>
    /// <param name="inner">The upload below, open behind the last chunk that is written (at 0 for a new one).</param>
    /// <param name="cipher">The object's cipher.</param>
    /// <param name="header">The object's header.</param>
    /// <param name="mark">The mark, in plain bytes.</param>
    /// <param name="waiting">The bytes of the mark that are not written below: at most a chunk.</param>
    public EncryptedAppender(IUploadAppender inner, ChunkCipher cipher, SealedHeader header, UploadMark mark, ReadOnlySpan<byte> waiting)
    {
        (_inner, _cipher, _header) = (inner, cipher, header);
        Saved = mark;
        Offset = mark.Offset;
        _firstChunk = (mark.Offset - waiting.Length) / SealedSize.Chunk;
        _hasHeader = inner.Offset > 0;
        if (waiting.IsEmpty) return;
        _taken = Rent(BatchBytes);
        waiting.CopyTo(_taken);
        _takenBytes = waiting.Length;
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
                if (_takenBytes == BatchBytes) await HandOnAsync(ct).ConfigureAwait(false);
                rest = rest[Take(rest.Span)..];
            }
        }
    }

    public async ValueTask<UploadMark> SaveAsync(CancellationToken ct)
    {
        ThrowIfUnusable();
        if (Saved.Offset == Offset) return Saved;
        await WrittenAsync(ct).ConfigureAwait(false);
        // 1. The whole chunks that a byte follows.
        var whole = (_takenBytes - 1) / SealedSize.Chunk * SealedSize.Chunk;
        await WriteAsync(_taken!, whole, isEnd: false, ct).ConfigureAwait(false);
        _taken.AsSpan(whole, _takenBytes - whole).CopyTo(_taken);
        _takenBytes -= whole;
        var below = await _inner.SaveAsync(ct).ConfigureAwait(false);

        // 2. The rest goes with the mark.
        var chunk = new byte[_takenBytes + SealedSize.Overhead];
        _cipher.Seal(_firstChunk, ChunkKind.Saved, _taken.AsSpan(0, _takenBytes), chunk);
        Saved = Saved with { Offset = Offset, State = new SavedUpload(below.State, _header.ToBytes(), chunk).ToString() };
        return Saved;
    }

    public async ValueTask CommitAsync(Digest digest, CancellationToken ct)
    {
        // Tried again, it only finishes what the store below has begun.
        if (!_isComplete)
        {
            ThrowIfUnusable();
            await WrittenAsync(ct).ConfigureAwait(false);
            await WriteAsync(_taken ??= Rent(SealedSize.Chunk), _takenBytes, isEnd: true, ct).ConfigureAwait(false);
            _isComplete = true;
        }
        await _inner.CommitAsync(digest, ct).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync().ConfigureAwait(false);
        // Whatever became of it, nobody asks any more; but the buffers are in use until it ends.
        await _writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Plain bytes are wiped before others get the buffers.
        if (_taken is not null) ArrayPool<byte>.Shared.Return(_taken, clearArray: true);
        if (_handedOn is not null) ArrayPool<byte>.Shared.Return(_handedOn, clearArray: true);
        if (_sealed is not null) ArrayPool<byte>.Shared.Return(_sealed);
        (_taken, _handedOn, _sealed, _isBroken) = (null, null, null, true);
        _disposed.Dispose();
        _cipher.Dispose();
        await _inner.DisposeAsync().ConfigureAwait(false);
    }

    private static byte[] Rent(int bytes) => ArrayPool<byte>.Shared.Rent(bytes);

    private int Take(ReadOnlySpan<byte> data)
    {
        _taken ??= Rent(BatchBytes);
        var bytes = Math.Min(data.Length, BatchBytes - _takenBytes);
        data[..bytes].CopyTo(_taken.AsSpan(_takenBytes));
        _takenBytes += bytes;
        Offset += bytes;
        return bytes;
    }

    // The batch is full, and a byte follows it. Not cancelled by the caller, who may want to save what came before he was.
    private async ValueTask HandOnAsync(CancellationToken ct)
    {
        await WrittenAsync(ct).ConfigureAwait(false);
        (_handedOn, _taken) = (_taken, _handedOn);
        _takenBytes = 0;
        _writing = Task.Run(() => WriteAsync(_handedOn!, BatchBytes, isEnd: false, _disposed.Token).AsTask(), CancellationToken.None);
    }

    private async ValueTask WrittenAsync(CancellationToken ct)
    {
        await _writing.WaitAsync(ct).ConfigureAwait(false);
        ThrowIfUnusable();
    }

    // Chunks that begin at _firstChunk; all of them whole, but for the end.
    private async ValueTask WriteAsync(byte[] plain, int bytes, bool isEnd, CancellationToken ct)
    {
        if (bytes == 0 && !isEnd && _hasHeader) return;
        _sealed ??= Rent(SealedSize.Header + (BatchChunks * SealedSize.SealedChunk));
        var length = Seal(plain.AsSpan(0, bytes), isEnd, _sealed);
        // What the store below has of these bytes is not known after a failure: the way on is the last mark.
        _isBroken = true;
        await _inner.AppendAsync(new ReadOnlySequence<byte>(_sealed, 0, length), ct).ConfigureAwait(false);
        _isBroken = false;
    }

    private int Seal(ReadOnlySpan<byte> plain, bool isEnd, Span<byte> to)
    {
        var length = 0;
        if (!_hasHeader)
        {
            _header.Write(to);
            length = SealedSize.Header;
            _hasHeader = true;
        }
        while (plain.Length > SealedSize.Chunk || (plain.Length == SealedSize.Chunk && !isEnd))
        {
            length += _cipher.Seal(_firstChunk++, ChunkKind.Inner, plain[..SealedSize.Chunk], to[length..]);
            plain = plain[SealedSize.Chunk..];
        }
        return isEnd ? length + _cipher.Seal(_firstChunk++, ChunkKind.Last, plain, to[length..]) : length;
    }

    private void ThrowIfUnusable()
    {
        if (!_writing.IsCompleted) return;
        if (_writing.IsFaulted) ExceptionDispatchInfo.Throw(_writing.Exception.InnerException!);
        if (_isBroken) throw new IOException($"upload {Saved.Key} failed before: it goes on from its last mark");
        if (_isComplete) throw new InvalidOperationException("the upload is committed");
    }
}
