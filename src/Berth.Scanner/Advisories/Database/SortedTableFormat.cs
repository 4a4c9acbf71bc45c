using System.Buffers.Binary;
using System.Numerics;

namespace Berth.Scanner.Advisories.Database;

/// <summary>
/// The file of an advisory database: 16 bytes of head (magic, schema number, zero), blocks of sorted records, the list of blocks, the metadata as
/// JSON, 64 bytes of foot. Numbers of head and foot are little-endian. Blocks and list are Brotli streams with a CRC-32C each over the bytes as stored.
/// </summary>
internal static class SortedTableFormat
{
    /// <summary>Schema of what this program writes and the only one it reads.</summary>
    public const int Schema = 1;

    public const int HeadSize = 16;

    public const int FootSize = 64;

    /// <summary>Records are gathered into blocks of about this many bytes before compression.</summary>
    public const int BlockSize = 16 * 1024;

    /// <summary>Largest block, index or metadata before compression, in bytes.</summary>
    public const int MaxPart = 256 * 1024 * 1024;

    public const int MaxKey = 4096;

    public const int MaxValue = 16 * 1024 * 1024;

    public static ReadOnlySpan<byte> Magic => "BERTHADV"u8;

    public static uint Checksum(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        while (data.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[8..];
        }
        foreach (var b in data)
            crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
