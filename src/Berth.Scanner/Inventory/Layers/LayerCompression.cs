using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using Berth.Scanner.Inventory.Layers.Zstd;

namespace Berth.Scanner.Inventory.Layers;

/// <summary>Opens a layer by what its first bytes say (the media type is the sender's claim): gzip, zstd or a plain archive.</summary>
internal static class LayerCompression
{
    /// <summary>The uncompressed archive. The caller keeps <paramref name="layer"/>.</summary>
    public static async ValueTask<Stream> OpenAsync(Stream layer, CancellationToken ct)
    {
        var head = new byte[4];
        var count = await layer.ReadAtLeastAsync(head, 4, throwOnEndOfStream: false, ct);
        var whole = new PrefixedStream(head.AsMemory(0, count), layer);
        if (count >= 2 && head[0] == 0x1f && head[1] == 0x8b) return new GZipStream(whole, CompressionMode.Decompress);
        if (count == 4)
        {
            var magic = BinaryPrimitives.ReadUInt32LittleEndian(head);
            if (magic == ZstdStream.Magic || (magic & 0xFFFFFFF0) == 0x184D2A50) return new ZstdStream(whole);
        }
        return whole;
    }
}

/// <summary>A stream whose first bytes were read already.</summary>
internal sealed class PrefixedStream(ReadOnlyMemory<byte> prefix, Stream rest) : ForwardStream
{
    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (prefix.IsEmpty) return await rest.ReadAsync(buffer, cancellationToken);
        var count = Math.Min(buffer.Length, prefix.Length);
        prefix[..count].CopyTo(buffer);
        prefix = prefix[count..];
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        if (prefix.IsEmpty) return rest.Read(buffer, offset, count);
        count = Math.Min(count, prefix.Length);
        prefix[..count].CopyTo(buffer.AsMemory(offset));
        prefix = prefix[count..];
        return count;
    }
}

/// <summary>Counts what passes and, when asked, digests it and holds it to limits.</summary>
internal sealed class CountedStream(Stream inner, IncrementalHash? digest, Action<long>? check) : ForwardStream
{
    /// <summary>Bytes that passed.</summary>
    public long Count { get; private set; }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        Passed(buffer.Span[..read]);
        return read;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = inner.Read(buffer, offset, count);
        Passed(buffer.AsSpan(offset, read));
        return read;
    }

    private void Passed(ReadOnlySpan<byte> bytes)
    {
        Count += bytes.Length;
        digest?.AppendData(bytes);
        check?.Invoke(Count);
    }
}

/// <summary>The parts of <see cref="Stream"/> that a stream read forward does not have.</summary>
internal abstract class ForwardStream : Stream
{
    /// <inheritdoc/>
    public sealed override bool CanRead => true;

    /// <inheritdoc/>
    public sealed override bool CanSeek => false;

    /// <inheritdoc/>
    public sealed override bool CanWrite => false;

    /// <inheritdoc/>
    public sealed override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public sealed override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public sealed override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("read asynchronously");

    /// <inheritdoc/>
    public sealed override void Flush()
    {
    }

    /// <inheritdoc/>
    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public sealed override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
