using System.Buffers.Binary;
using System.Numerics;

namespace Berth.Blobs.Gcs;

/// <summary>CRC-32C (Castagnoli), the checksum that Google Cloud Storage has of every object; those of two pieces make that of both together.</summary>
internal static class Crc32C
{
    private const uint Polynomial = 0x82F63B78;

    /// <summary>The checksum of bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }

    /// <summary>The checksum of what has one checksum, followed by so many bytes with the other.</summary>
    public static uint Combine(uint first, uint second, long secondBytes)
    {
        // A zero byte is a linear map of the checksum's bits; so many of them are its power (Adler's way in zlib).
        Span<uint> odd = stackalloc uint[32];
        Span<uint> even = stackalloc uint[32];
        odd[0] = Polynomial;
        for (var i = 1; i < 32; i++) odd[i] = 1u << (i - 1);
        Square(odd, even);
        Square(even, odd);
        for (var left = secondBytes; left != 0; left >>= 1)
        {
            Square(odd, even);
            if ((left & 1) != 0) first = Times(even, first);
            var swap = odd;
            odd = even;
            even = swap;
        }
        return first ^ second;
    }

    private static uint Times(ReadOnlySpan<uint> matrix, uint vector)
    {
        var sum = 0u;
        for (var i = 0; vector != 0; vector >>= 1, i++)
        {
            if ((vector & 1) != 0) sum ^= matrix[i];
        }
        return sum;
    }

    private static void Square(ReadOnlySpan<uint> matrix, Span<uint> to)
    {
        for (var i = 0; i < 32; i++) to[i] = Times(matrix, matrix[i]);
    }
}
