using System.Buffers.Binary;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Rpm;

/// <summary>rpm's own "ndb" package database (rpm: lib/backend/ndb): pages of slots that point to blobs, little endian.</summary>
internal static class NdbBlobs
{
    private const int PageBytes = 4096;
    private const int MaxPages = 2048;

    /// <summary>Largest header that is read.</summary>
    public const int MaxBlobBytes = 64 << 20;

    /// <summary>Blobs of all used slots.</summary>
    public static IEnumerable<byte[]> Read(FileContent content)
    {
        var header = content.Slice(0, 32, 32);
        var pages = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(12));
        if (BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4)) != 0 || pages is 0 or > MaxPages) throw new InvalidDataException("rpm: ndb has an unknown form");
        var slots = content.Slice(0, (int)pages * PageBytes, MaxPages * PageBytes);
        var budget = content.Length;
        for (var at = 32; at + 16 <= slots.Length; at += 16)
        {
            if (!slots.AsSpan(at, 4).SequenceEqual("Slot"u8)) throw new InvalidDataException("rpm: ndb has a broken slot");
            var index = BinaryPrimitives.ReadUInt32LittleEndian(slots.AsSpan(at + 4));
            if (index == 0) continue;
            var offset = BinaryPrimitives.ReadUInt32LittleEndian(slots.AsSpan(at + 8)) * 16L;
            var head = content.Slice(offset, 16, 16);
            var length = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(12));
            if (!head.AsSpan(0, 4).SequenceEqual("BlbS"u8) || BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(4)) != index || length > MaxBlobBytes || (budget -= length) < 0)
                throw new InvalidDataException("rpm: ndb has a broken blob");
            yield return content.Slice(offset + 16, (int)length, MaxBlobBytes);
        }
    }
}
