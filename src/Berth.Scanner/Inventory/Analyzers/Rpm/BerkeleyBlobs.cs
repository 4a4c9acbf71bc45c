using System.Buffers.Binary;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Rpm;

/// <summary>The values of a Berkeley DB hash database (db_page.h of Berkeley DB 4 and 5), as rpm before 4.16 keeps its packages. Either byte order.</summary>
internal sealed class BerkeleyBlobs
{
    private const uint HashMagic = 0x061561;
    private const int PageHeader = 26;
    private readonly FileContent content;
    private readonly bool isSwapped;
    private readonly int pageSize;
    private readonly byte[] page;
    private long budget;
    private long chained;

    private BerkeleyBlobs(FileContent content)
    {
        this.content = content;
        var meta = content.Slice(0, 72, 72);
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(meta.AsSpan(12));
        isSwapped = BinaryPrimitives.ReverseEndianness(magic) == HashMagic;
        if (magic != HashMagic && !isSwapped) throw new InvalidDataException("rpm: not a known database");
        pageSize = (int)Number(meta, 20);
        if (pageSize is < 512 or > 65536 || meta[24] != 0) throw new InvalidDataException("rpm: database has an unknown page size or is encrypted");
        page = new byte[pageSize];
        // Each page belongs to one value: all values together cannot need more than the file has.
        budget = content.Length + pageSize;
        chained = content.Length / pageSize;
    }

    /// <summary>Values that can be headers.</summary>
    public static IEnumerable<byte[]> Read(FileContent content)
    {
        var database = new BerkeleyBlobs(content);
        var pages = content.Length / database.pageSize;
        for (long number = 1; number < pages; number++)
            foreach (var value in database.Page(number)) yield return value;
    }

    private List<byte[]> Page(long number)
    {
        var values = new List<byte[]>();
        // 2 and 13: pages of a hash bucket, unsorted and sorted.
        if (content.ReadAt(number * pageSize, page) != pageSize || page[25] is not (2 or 13)) return values;
        var bytes = (byte[])page.Clone();
        var entries = Short(bytes, 20);
        if (entries % 2 != 0 || PageHeader + entries * 2 > pageSize) throw new InvalidDataException("rpm: database has a broken page");
        for (var i = 1; i < entries; i += 2)
        {
            var at = Short(bytes, PageHeader + i * 2);
            var end = Short(bytes, PageHeader + (i - 1) * 2);
            if (at < PageHeader || at >= pageSize || end > pageSize) throw new InvalidDataException("rpm: database has a broken entry");
            if (bytes[at] == 3 && at + 12 <= pageSize) values.Add(Overflow(Number(bytes, at + 4), Number(bytes, at + 8)));
            // The short value under key 0 is the largest number in use.
            else if (bytes[at] == 1 && end - at - 1 >= 24) values.Add(bytes[(at + 1)..end]);
        }
        return values;
    }

    private byte[] Overflow(uint number, uint length)
    {
        if (length > NdbBlobs.MaxBlobBytes || (budget -= length) < 0) throw new InvalidDataException("rpm: database has a value that is too long");
        var value = new byte[length];
        var done = 0;
        while (done < value.Length)
        {
            if (number == 0 || --chained < 0 || content.ReadAt((long)number * pageSize, page) != pageSize || page[25] != 7) throw new InvalidDataException("rpm: database has a broken value");
            var part = Math.Min((int)Short(page, 22), value.Length - done);
            if (part == 0 || part > pageSize - PageHeader) throw new InvalidDataException("rpm: database has a broken value");
            page.AsSpan(PageHeader, part).CopyTo(value.AsSpan(done));
            done += part;
            number = Number(page, 16);
        }
        return value;
    }

    private uint Number(byte[] from, int at)
    {
        var value = BinaryPrimitives.ReadUInt32LittleEndian(from.AsSpan(at));
        return isSwapped ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    private ushort Short(byte[] from, int at)
    {
        var value = BinaryPrimitives.ReadUInt16LittleEndian(from.AsSpan(at));
        return isSwapped ? BinaryPrimitives.ReverseEndianness(value) : value;
    }
}
