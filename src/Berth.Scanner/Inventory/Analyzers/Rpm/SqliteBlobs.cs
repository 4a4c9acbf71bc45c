using System.Buffers.Binary;
using System.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Rpm;

/// <summary>
/// Reads the blobs of one table out of an SQLite 3 file (sqlite.org/fileformat2.html): only table b-trees, no writing, no log. Every page is visited at most once, so that a file
/// that points in circles ends.
/// </summary>
internal sealed class SqliteBlobs
{
    private const int MaxDepth = 20;
    private readonly FileContent content;
    private readonly int pageSize;
    private readonly int usable;
    private readonly HashSet<uint> visited = [];

    /// <param name="content">The database file.</param>
    public SqliteBlobs(FileContent content)
    {
        this.content = content;
        var header = content.Slice(0, 100, 100);
        pageSize = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(16)) is var size && size == 1 ? 65536 : size;
        if (pageSize < 512 || (pageSize & pageSize - 1) != 0) throw new InvalidDataException("rpm: SQLite file has a broken page size");
        usable = pageSize - header[20];
        if (usable < 480) throw new InvalidDataException("rpm: SQLite file has a broken page size");
    }

    /// <summary>The last column of each row of a table.</summary>
    public IEnumerable<byte[]> Read(string table)
    {
        uint root = 0;
        foreach (var row in Rows(1, 0))
        {
            var (columns, starts) = Columns(row);
            if (columns.Count < 5 || Text(row, columns, starts, 0) != "table" || !string.Equals(Text(row, columns, starts, 1), table, StringComparison.OrdinalIgnoreCase)) continue;
            root = (uint)Integer(row, columns[3], starts[3]);
        }
        if (root == 0) throw new InvalidDataException("rpm: SQLite file has no table of packages");
        visited.Clear();
        foreach (var row in Rows(root, 0))
        {
            var (columns, starts) = Columns(row);
            if (columns.Count == 0 || columns[^1] < 12) continue;
            yield return row[starts[^1]..];
        }
    }

    private IEnumerable<byte[]> Rows(uint number, int depth)
    {
        if (depth > MaxDepth) throw new InvalidDataException("rpm: SQLite file has too deep a tree");
        var page = Page(number);
        var at = number == 1 ? 100 : 0;
        var kind = page[at];
        var cells = BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(at + 3));
        if (kind is not (5 or 13)) throw new InvalidDataException("rpm: SQLite file has a page of another kind");
        var pointers = at + (kind == 5 ? 12 : 8);
        if (pointers + cells * 2 > pageSize) throw new InvalidDataException("rpm: SQLite file has a broken page");
        for (var i = 0; i < cells; i++)
        {
            var cell = BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(pointers + i * 2));
            if (cell + 4 > pageSize) throw new InvalidDataException("rpm: SQLite file has a broken cell");
            if (kind == 13)
            {
                yield return Payload(page, cell);
                continue;
            }
            foreach (var row in Rows(BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(cell)), depth + 1)) yield return row;
        }
        if (kind != 5) yield break;
        foreach (var row in Rows(BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(at + 8)), depth + 1)) yield return row;
    }

    private byte[] Page(uint number)
    {
        if (number == 0 || !visited.Add(number)) throw new InvalidDataException("rpm: SQLite file points in circles");
        return content.Slice((number - 1L) * pageSize, pageSize, pageSize);
    }

    private byte[] Payload(byte[] page, int cell)
    {
        var length = Varint(page, ref cell);
        Varint(page, ref cell);
        if (length is < 0 or > NdbBlobs.MaxBlobBytes) throw new InvalidDataException("rpm: SQLite file has a row that is too long");
        var max = usable - 35;
        var min = (usable - 12) * 32 / 255 - 23;
        var local = (int)length;
        if (length > max)
        {
            local = min + (int)((length - min) % (usable - 4));
            if (local > max) local = min;
        }
        if (cell + local + (length > max ? 4 : 0) > pageSize) throw new InvalidDataException("rpm: SQLite file has a broken cell");
        if (length > content.Length) throw new InvalidDataException("rpm: SQLite file has a row that is too long");
        var payload = new byte[length];
        page.AsSpan(cell, local).CopyTo(payload);
        if (length <= max) return payload;
        var next = BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(cell + local));
        for (var done = local; done < payload.Length;)
        {
            var overflow = Page(next);
            var part = Math.Min(usable - 4, payload.Length - done);
            overflow.AsSpan(4, part).CopyTo(payload.AsSpan(done));
            done += part;
            next = BinaryPrimitives.ReadUInt32BigEndian(overflow);
        }
        return payload;
    }

    private static (List<long> Types, List<int> Starts) Columns(byte[] row)
    {
        var at = 0;
        var headerLength = Varint(row, ref at);
        var types = new List<long>();
        var starts = new List<int>();
        var start = headerLength;
        while (at < headerLength)
        {
            var type = Varint(row, ref at);
            types.Add(type);
            if (start > row.Length || types.Count > 100) throw new InvalidDataException("rpm: SQLite file has a broken row");
            starts.Add((int)start);
            start += type switch { 0 or 8 or 9 => 0, 5 => 6, 6 or 7 => 8, < 5 => type, _ => (type - 12) / 2 };
        }
        if (start > row.Length) throw new InvalidDataException("rpm: SQLite file has a broken row");
        return (types, starts);
    }

    private static string Text(byte[] row, List<long> types, List<int> starts, int column) =>
        types[column] >= 13 && types[column] % 2 == 1 ? Encoding.UTF8.GetString(row, starts[column], (int)((types[column] - 13) / 2)) : "";

    private static long Integer(byte[] row, long type, int start)
    {
        if (type == 9) return 1;
        if (type is < 1 or > 4) return 0;
        long value = 0;
        for (var i = 0; i < (int)type; i++) value = value << 8 | row[start + i];
        return value;
    }

    private static long Varint(byte[] from, ref int at)
    {
        long value = 0;
        for (var i = 0; i < 9; i++)
        {
            if (at >= from.Length) throw new InvalidDataException("rpm: SQLite file ends within a number");
            var next = from[at++];
            if (i == 8) return value << 8 | next;
            value = value << 7 | (uint)(next & 0x7f);
            if (next < 0x80) return value;
        }
        return value;
    }
}
