using System.Buffers.Binary;

namespace Berth.Scanner.Inventory.Layers.Zstd;

/// <summary>
/// Unpacks Zstandard (RFC 8878) forward: frames one after another, skippable frames passed over, windows up to 128 MiB, no dictionaries. Checksums of frames are
/// not compared: a layer is held by its diff id.
/// </summary>
internal sealed class ZstdStream(Stream source) : ForwardStream
{
    /// <summary>First bytes of a frame.</summary>
    public const uint Magic = 0xFD2FB528;

    private const long MaxWindow = 128L << 20;

    private readonly byte[] block = new byte[ZstdBlocks.MaxBlock + 16];
    private byte[] output = [];
    private ZstdBlocks? blocks;
    private int window;
    private int readAt;
    private int end;
    private bool lastBlock;
    private bool hasChecksum;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return 0;
        while (readAt == end)
        {
            if (blocks is null || lastBlock)
            {
                if (blocks is not null && hasChecksum) await TakeAsync(4, cancellationToken);
                blocks = null;
                if (!await FrameAsync(cancellationToken)) return 0;
            }
            await BlockAsync(cancellationToken);
        }
        var count = Math.Min(buffer.Length, end - readAt);
        output.AsMemory(readAt, count).CopyTo(buffer);
        readAt += count;
        return count;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) source.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<bool> FrameAsync(CancellationToken ct)
    {
        while (true)
        {
            var read = await source.ReadAtLeastAsync(block.AsMemory(0, 4), 4, throwOnEndOfStream: false, ct);
            if (read == 0) return false;
            if (read < 4) throw new InvalidDataException("zstd: frame ends early");
            var magic = BinaryPrimitives.ReadUInt32LittleEndian(block);
            if (magic == Magic) break;
            if ((magic & 0xFFFFFFF0) != 0x184D2A50) throw new InvalidDataException("zstd: not a frame");
            await TakeAsync(4, ct);
            for (long left = BinaryPrimitives.ReadUInt32LittleEndian(block); left > 0;)
            {
                var step = (int)Math.Min(left, ZstdBlocks.MaxBlock);
                await TakeAsync(step, ct);
                left -= step;
            }
        }
        await TakeAsync(1, ct);
        var descriptor = block[0];
        var single = (descriptor & 0x20) != 0;
        if ((descriptor & 0x08) != 0) throw new InvalidDataException("zstd: frame has a reserved bit");
        hasChecksum = (descriptor & 4) != 0;
        var dictionary = (descriptor & 3) == 3 ? 4 : descriptor & 3;
        var sizeBytes = (descriptor >> 6) switch { 0 => single ? 1 : 0, 1 => 2, 2 => 4, _ => 8 };
        var head = (single ? 0 : 1) + dictionary + sizeBytes;
        await TakeAsync(head, ct);
        if (block.AsSpan(single ? 0 : 1, dictionary).IndexOfAnyExcept((byte)0) >= 0) throw new InvalidDataException("zstd: frame needs a dictionary");
        SetWindow(single ? ContentSize(head - sizeBytes, sizeBytes) : WindowSize(block[0]));
        return true;
    }

    private void SetWindow(long size)
    {
        if (size > MaxWindow || size < 0) throw new InvalidDataException("zstd: frame needs too large a window");
        window = (int)Math.Max(size, 1024);
        var capacity = window + Math.Min(window, 8 << 20) + 2 * ZstdBlocks.MaxBlock;
        if (output.Length < capacity) output = new byte[capacity];
        readAt = end = 0;
        lastBlock = false;
        blocks = new ZstdBlocks();
    }

    private long ContentSize(int at, int count) => count switch
    {
        1 => block[at],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(block.AsSpan(at)) + 256,
        4 => BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(at)),
        _ => BinaryPrimitives.ReadInt64LittleEndian(block.AsSpan(at)),
    };

    private static long WindowSize(byte descriptor)
    {
        var size = 1L << 10 + (descriptor >> 3);
        return size + size / 8 * (descriptor & 7);
    }

    private async ValueTask BlockAsync(CancellationToken ct)
    {
        await TakeAsync(3, ct);
        var header = block[0] | block[1] << 8 | block[2] << 16;
        lastBlock = (header & 1) != 0;
        var size = header >> 3;
        if (size > ZstdBlocks.MaxBlock) throw new InvalidDataException("zstd: block is too large");
        if (output.Length - end < ZstdBlocks.MaxBlock)
        {
            var keep = Math.Min(window, end);
            output.AsSpan(end - keep, keep).CopyTo(output);
            readAt = end = keep;
        }
        switch (header >> 1 & 3)
        {
            case 0:
                await TakeAsync(size, ct);
                block.AsSpan(0, size).CopyTo(output.AsSpan(end));
                end += size;
                break;
            case 1:
                await TakeAsync(1, ct);
                output.AsSpan(end, size).Fill(block[0]);
                end += size;
                break;
            case 2:
                await TakeAsync(size, ct);
                end = blocks!.Decode(block, size, output, end);
                break;
            default:
                throw new InvalidDataException("zstd: block has a reserved type");
        }
    }

    private ValueTask TakeAsync(int count, CancellationToken ct) => source.ReadExactlyAsync(block.AsMemory(0, count), ct);
}
