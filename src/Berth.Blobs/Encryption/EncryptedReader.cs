using System.Buffers;

namespace Berth.Blobs.Encryption;

/// <summary>
/// Opens the chunks that a read touches. The first chunks are opened right into the caller's buffer where they fit it; whoever reads on finds the next ones
/// opened already, by another thread while he was busy with those before.
/// </summary>
internal sealed class EncryptedReader : IBlobReader
{
    // With their nonces and tags these fit an array of 256 KiB.
    private const int BatchChunks = 3;

    private readonly IBlobReader _inner;
    private readonly ChunkCipher _cipher;
    private readonly string _key;
    private readonly long _chunks;
    private readonly CancellationTokenSource _disposed = new();
    private Window _window = new();
    private Window _ahead = new();
    private Task? _reading;
    private long _next = -1;

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
        var wanted = buffer[..(int)Math.Min(buffer.Length, Length - offset)];
        var read = Copy(_window, wanted.Span, offset);
        if (read == 0) read = await ReadOnAsync(wanted, offset, ct).ConfigureAwait(false);
        _next = offset + read;
        return read;
    }

    public void Dispose()
    {
        _disposed.Cancel();
        if (_reading is null || _reading.IsCompleted) CleanUp();
        // The buffers and the reader below are in use until it ends; nothing is lost if the process ends before.
        else _reading.ContinueWith(_ => CleanUp(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private async ValueTask<int> ReadOnAsync(Memory<byte> wanted, long offset, CancellationToken ct)
    {
        var first = offset / SealedSize.Chunk;
        var skip = (int)(offset % SealedSize.Chunk);
        if (_reading is { } reading)
        {
            await reading.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
            _reading = null;
            // What failed ahead is read again where it is wanted, and fails there.
            if (reading.IsCompletedSuccessfully) (_window, _ahead) = (_ahead, _window);
        }
        if (!_window.Holds(first))
        {
            var whole = skip == 0 && offset != _next ? WholeChunks(offset, wanted.Length) : 0;
            if (whole > 0) return await ReadWholeAsync(wanted, first, whole, ct).ConfigureAwait(false);
            var needed = ((long)skip + wanted.Length + SealedSize.Chunk - 1) / SealedSize.Chunk;
            await FillAsync(_window, first, offset == _next ? BatchChunks : needed, ct).ConfigureAwait(false);
        }
        // Who reads on will read on.
        var after = _window.First + _window.Count;
        if (offset == _next && after < _chunks) _reading = Task.Run(() => FillAsync(_ahead, after, BatchChunks, _disposed.Token).AsTask(), CancellationToken.None);
        return Copy(_window, wanted.Span, offset);
    }

    // The last chunk counts as whole when the buffer reaches to the end.
    private int WholeChunks(long offset, int wanted)
    {
        var whole = wanted / SealedSize.Chunk;
        if (wanted % SealedSize.Chunk != 0 && offset + wanted == Length) whole++;
        return Math.Min(whole, BatchChunks);
    }

    private int PlainBytesOf(long chunk) => (int)Math.Min(SealedSize.Chunk, Length - (chunk * SealedSize.Chunk));

    private async ValueTask<int> ReadWholeAsync(Memory<byte> to, long first, int count, CancellationToken ct)
    {
        await ReadSealedAsync(_window, first, count, ct).ConfigureAwait(false);
        var read = 0;
        for (var i = 0; i < count; i++)
        {
            var bytes = PlainBytesOf(first + i);
            Open(first + i, _window.Sealed(i, bytes), to.Span.Slice(read, bytes));
            read += bytes;
        }
        return read;
    }

    // Opened in place, behind each chunk's nonce.
    private async ValueTask FillAsync(Window window, long first, long count, CancellationToken ct)
    {
        var chunks = (int)Math.Min(Math.Min(count, BatchChunks), _chunks - first);
        await ReadSealedAsync(window, first, chunks, ct).ConfigureAwait(false);
        for (var i = 0; i < chunks; i++)
        {
            var bytes = PlainBytesOf(first + i);
            var piece = window.Sealed(i, bytes);
            Open(first + i, piece, piece.Slice(SealedSize.Nonce, bytes));
        }
        (window.First, window.Count) = (first, chunks);
    }

    private int Copy(Window window, Span<byte> to, long offset)
    {
        var read = 0;
        while (read < to.Length && window.Holds(offset / SealedSize.Chunk))
        {
            var chunk = offset / SealedSize.Chunk;
            var skip = (int)(offset % SealedSize.Chunk);
            var bytes = Math.Min(PlainBytesOf(chunk) - skip, to.Length - read);
            window.Sealed((int)(chunk - window.First), SealedSize.Chunk).Slice(SealedSize.Nonce + skip, bytes).CopyTo(to[read..]);
            read += bytes;
            offset += bytes;
        }
        return read;
    }

    private void Open(long chunk, ReadOnlySpan<byte> piece, Span<byte> to)
    {
        if (!_cipher.TryOpen(chunk, chunk == _chunks - 1 ? ChunkKind.Last : ChunkKind.Inner, piece, to))
            throw new DamagedContentException(_key, $"chunk {chunk} is not what was written");
    }

    private async ValueTask ReadSealedAsync(Window window, long first, int count, CancellationToken ct)
    {
        window.Buffer ??= ArrayPool<byte>.Shared.Rent((int)Math.Min(_chunks, BatchChunks) * SealedSize.SealedChunk);
        window.Count = 0;
        var offset = SealedSize.OffsetOf(first);
        var bytes = (int)(Math.Min(SealedSize.OffsetOf(first + count), SealedSize.OfPlain(Length)) - offset);
        for (var read = 0; read < bytes;)
        {
            var n = await _inner.ReadAsync(window.Buffer.AsMemory(read, bytes - read), offset + read, ct).ConfigureAwait(false);
            if (n == 0) throw new DamagedContentException(_key, "its end is missing");
            read += n;
        }
    }

    // Nothing is read of empty content, but its one chunk vouches for it.
    private async ValueTask CheckEmptyAsync(CancellationToken ct)
    {
        await ReadSealedAsync(_window, 0, 1, ct).ConfigureAwait(false);
        Open(0, _window.Sealed(0, 0), []);
    }

    private void CleanUp()
    {
        foreach (var window in new[] { _window, _ahead })
        {
            // Plain bytes are wiped before others get the buffer.
            if (window.Buffer is not null) ArrayPool<byte>.Shared.Return(window.Buffer, clearArray: true);
            (window.Buffer, window.Count) = (null, 0);
        }
        _disposed.Dispose();
        _cipher.Dispose();
        _inner.Dispose();
    }

    /// <summary>Chunks that were read together.</summary>
    private sealed class Window
    {
        public byte[]? Buffer { get; set; }

        public long First { get; set; }

        public int Count { get; set; }

        public bool Holds(long chunk) => chunk >= First && chunk < First + Count;

        public Span<byte> Sealed(int index, int plainBytes) => Buffer.AsSpan(index * SealedSize.SealedChunk, plainBytes + SealedSize.Overhead);
    }
}
