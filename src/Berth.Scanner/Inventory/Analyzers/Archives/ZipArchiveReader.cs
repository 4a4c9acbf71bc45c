using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Archives;

/// <summary>One file of a zip archive.</summary>
/// <param name="Name">Name as written.</param>
/// <param name="Method">0 stored, 8 deflated; others are not read.</param>
/// <param name="PackedBytes">Size in the archive.</param>
/// <param name="SizeBytes">Size that the archive claims.</param>
/// <param name="Offset">Place of the local header.</param>
internal sealed record ZipEntry(string Name, int Method, long PackedBytes, long SizeBytes, long Offset);

/// <summary>
/// Reads zip archives (APPNOTE 6.3) by their central directory, also with a script or program before them and with 64-bit sizes. Entries, directory and unpacked bytes are
/// bounded, and no size that the archive claims is believed.
/// </summary>
internal sealed class ZipArchiveReader
{
    private const int MaxEntries = 200_000;
    private const int MaxDirectoryBytes = 48 << 20;
    private readonly FileContent content;

    /// <param name="content">The archive.</param>
    public ZipArchiveReader(FileContent content)
    {
        this.content = content;
        var tail = content.Slice(Math.Max(0, content.Length - 66_000), (int)Math.Min(content.Length, 66_000), 66_000);
        var at = tail.AsSpan().LastIndexOf("PK\u0005\u0006"u8);
        if (at < 0 || at + 22 > tail.Length) throw new InvalidDataException("zip: archive has no directory");
        long count = BinaryPrimitives.ReadUInt16LittleEndian(tail.AsSpan(at + 10));
        long size = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(at + 12));
        long start = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(at + 16));
        var end = content.Length - tail.Length + at;
        if (count == 0xFFFF || size == 0xFFFFFFFF || start == 0xFFFFFFFF) (count, size, start, end) = Zip64(end);
        // What lies before the archive shifts all its offsets, unless the writer counted it.
        var shift = end - size - start;
        if (count > MaxEntries || size > MaxDirectoryBytes || size < 0 || shift < 0) throw new InvalidDataException("zip: directory is too large or lies outside");
        Entries = Directory(content.Slice(start + shift, (int)size, MaxDirectoryBytes), shift);
    }

    /// <summary>Files in the order of the directory.</summary>
    public IReadOnlyList<ZipEntry> Entries { get; }

    /// <summary>Unpacks one file of up to <paramref name="limit"/> bytes.</summary>
    public byte[] Read(ZipEntry entry, int limit)
    {
        if (entry.SizeBytes > limit || entry.SizeBytes < 0) throw new InvalidDataException("zip: file is too large");
        var local = content.Slice(entry.Offset, 30, 30);
        if (!local.AsSpan(0, 4).SequenceEqual("PK\u0003\u0004"u8)) throw new InvalidDataException("zip: file has no header");
        var start = entry.Offset + 30 + BinaryPrimitives.ReadUInt16LittleEndian(local.AsSpan(26)) + BinaryPrimitives.ReadUInt16LittleEndian(local.AsSpan(28));
        if (entry.PackedBytes < 0 || start > content.Length - entry.PackedBytes) throw new InvalidDataException("zip: file lies outside");
        if (entry.Method == 0) return content.Slice(start, (int)Math.Min(entry.PackedBytes, int.MaxValue), limit);
        if (entry.Method != 8) throw new InvalidDataException("zip: unknown compression");
        using var packed = new ContentStream(content, start, entry.PackedBytes);
        using var deflate = new DeflateStream(packed, CompressionMode.Decompress);
        var bytes = new byte[entry.SizeBytes];
        var read = deflate.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return read == bytes.Length ? bytes : throw new InvalidDataException("zip: file ends early");
    }

    /// <summary>Place of a file that is stored as it is; null when it is packed.</summary>
    public long? Stored(ZipEntry entry)
    {
        if (entry.Method != 0) return null;
        var local = content.Slice(entry.Offset, 30, 30);
        if (!local.AsSpan(0, 4).SequenceEqual("PK\u0003\u0004"u8)) throw new InvalidDataException("zip: file has no header");
        return entry.Offset + 30 + BinaryPrimitives.ReadUInt16LittleEndian(local.AsSpan(26)) + BinaryPrimitives.ReadUInt16LittleEndian(local.AsSpan(28));
    }

    private (long Count, long Size, long Start, long End) Zip64(long end)
    {
        var locator = content.Slice(end - 20, 20, 20);
        if (!locator.AsSpan(0, 4).SequenceEqual("PK\u0006\u0007"u8)) throw new InvalidDataException("zip: archive has no 64-bit directory");
        // The end record stands right before its locator when it has no extensible data.
        var record = content.Slice(end - 76, 56, 56);
        if (!record.AsSpan(0, 4).SequenceEqual("PK\u0006\u0006"u8)) throw new InvalidDataException("zip: archive has no 64-bit directory");
        return (BinaryPrimitives.ReadInt64LittleEndian(record.AsSpan(32)), BinaryPrimitives.ReadInt64LittleEndian(record.AsSpan(40)), BinaryPrimitives.ReadInt64LittleEndian(record.AsSpan(48)), end - 76);
    }

    private static List<ZipEntry> Directory(byte[] directory, long shift)
    {
        var entries = new List<ZipEntry>();
        for (var at = 0; at + 46 <= directory.Length && entries.Count < MaxEntries;)
        {
            var record = directory.AsSpan(at);
            if (!record[..4].SequenceEqual("PK\u0001\u0002"u8)) break;
            var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(record[28..]);
            var extraLength = BinaryPrimitives.ReadUInt16LittleEndian(record[30..]);
            var length = 46 + nameLength + extraLength + BinaryPrimitives.ReadUInt16LittleEndian(record[32..]);
            if (length > record.Length) throw new InvalidDataException("zip: directory ends early");
            long packed = BinaryPrimitives.ReadUInt32LittleEndian(record[20..]);
            long size = BinaryPrimitives.ReadUInt32LittleEndian(record[24..]);
            long offset = BinaryPrimitives.ReadUInt32LittleEndian(record[42..]);
            Wide(record.Slice(46 + nameLength, extraLength), ref size, ref packed, ref offset);
            entries.Add(new ZipEntry(Encoding.UTF8.GetString(record.Slice(46, nameLength)), BinaryPrimitives.ReadUInt16LittleEndian(record[10..]), packed, size, offset + shift));
            at += length;
        }
        return entries;
    }

    // Extra field 1: those of the three numbers, in this order, that did not fit.
    private static void Wide(ReadOnlySpan<byte> extra, ref long size, ref long packed, ref long offset)
    {
        while (extra.Length >= 4)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (length > extra.Length - 4) return;
            var field = extra.Slice(4, length);
            if (BinaryPrimitives.ReadUInt16LittleEndian(extra) == 1)
            {
                Take(ref field, ref size);
                Take(ref field, ref packed);
                Take(ref field, ref offset);
            }
            extra = extra[(4 + length)..];
        }

        static void Take(ref ReadOnlySpan<byte> field, ref long number)
        {
            if (number != 0xFFFFFFFF || field.Length < 8) return;
            number = BinaryPrimitives.ReadInt64LittleEndian(field);
            field = field[8..];
        }
    }
}

/// <summary>A part of a file as a stream.</summary>
internal sealed class ContentStream(FileContent content, long start, long length) : ForwardStream
{
    private long at;

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        var read = content.ReadAt(start + at, buffer[..(int)Math.Min(buffer.Length, length - at)]);
        at += read;
        return read;
    }

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));
}
