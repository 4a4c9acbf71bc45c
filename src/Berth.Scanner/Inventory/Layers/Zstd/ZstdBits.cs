using System.Buffers.Binary;
using System.Numerics;

namespace Berth.Scanner.Inventory.Layers.Zstd;

/// <summary>Bits that are read from the end of a section to its start (RFC 8878, section 4.1: the last byte holds a closing 1 bit).</summary>
internal ref struct ZstdBits
{
    private readonly ReadOnlySpan<byte> bytes;
    private readonly int first;
    private long left;

    /// <param name="bytes">A buffer with at least eight readable bytes behind the section.</param>
    /// <param name="first">Start of the section.</param>
    /// <param name="count">Length of the section.</param>
    public ZstdBits(ReadOnlySpan<byte> bytes, int first, int count)
    {
        if (count <= 0 || bytes[first + count - 1] == 0) throw new InvalidDataException("zstd: bit stream has no end mark");
        this.bytes = bytes;
        this.first = first;
        left = (count - 1) * 8L + BitOperations.Log2(bytes[first + count - 1]);
    }

    /// <summary>Bits that were not read; negative once more were read than there are.</summary>
    public readonly long Left => left;

    /// <summary>Reads up to 56 bits; bits before the start are zero.</summary>
    public ulong Read(int count)
    {
        var value = Peek(count);
        left -= count;
        return value;
    }

    /// <summary>The next bits, not taken.</summary>
    public readonly ulong Peek(int count)
    {
        if (count == 0) return 0;
        var at = left - count;
        if (at < 0)
        {
            var have = (int)Math.Max(0, left);
            return have == 0 || count - have > 56 ? 0 : At(0, have) << count - have;
        }
        return At(at, count);
    }

    /// <summary>Drops bits that were peeked.</summary>
    public void Skip(int count) => left -= count;

    private readonly ulong At(long bit, int count) =>
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[(first + (int)(bit >> 3))..]) >> (int)(bit & 7) & (1UL << count) - 1;
}
