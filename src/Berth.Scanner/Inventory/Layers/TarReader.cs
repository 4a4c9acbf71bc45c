using System.Text;

namespace Berth.Scanner.Inventory.Layers;

/// <summary>What an entry of an archive is.</summary>
internal enum TarKind
{
    /// <summary>A file with content.</summary>
    File,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A symbolic link.</summary>
    Symlink,

    /// <summary>Another name of a file of the same archive.</summary>
    HardLink,

    /// <summary>A device, a pipe, or a file with more holes than are read.</summary>
    Other,
}

/// <summary>One entry of a tar archive.</summary>
/// <param name="Path">Path as written, neither cleaned nor trusted.</param>
/// <param name="Kind">What it is.</param>
/// <param name="SizeBytes">Size of its content; of a sparse file with its holes.</param>
/// <param name="Link">Target of a link as written.</param>
/// <param name="Mode">Permission bits.</param>
internal readonly record struct TarEntry(string Path, TarKind Kind, long SizeBytes, string Link, int Mode);

/// <summary>
/// Reads a tar archive forward: ustar, pax (POSIX.1-2001), GNU long names, numbers in base 256 and sparse files, whose holes are read as zeros. Memory is one buffer
/// and one set of names; nothing is written anywhere.
/// </summary>
internal sealed class TarReader(Stream stream, int maxPathBytes)
{
    private const int Block = 512;
    private const int MaxExtensionBytes = 1 << 20;

    // Holes cost no bytes of the archive: what an archive may make of them is bounded by itself.
    private const long MaxHoleBytes = 4L << 30;

    private readonly byte[] buffer = new byte[256 * 1024];
    private int start;
    private int end;
    private long left;
    private int padding;
    private SparseMap? sparse;
    private long holes;

    /// <summary>Bytes of the archive that were read so far.</summary>
    public long Position { get; private set; }

    /// <summary>Whether the blocks of zeros that end an archive were met.</summary>
    public bool HasEnd { get; private set; }

    /// <summary>The next entry, or null at the end. What was not read of the entry before is skipped.</summary>
    public async ValueTask<TarEntry?> NextAsync(CancellationToken ct)
    {
        await SkipAsync(left, ct);
        // Some writers leave out the rest of the last block.
        if (!await SkipPaddingAsync(padding, ct)) return null;
        left = padding = 0;
        sparse = null;
        string? longName = null, longLink = null;
        Dictionary<string, string>? pax = null;
        var zeroBlocks = 0;
        while (true)
        {
            if (!await FillAsync(Block, ct)) return null;
            var header = buffer.AsMemory(start, Block);
            start += Block;
            Position += Block;
            if (header.Span.IndexOfAnyExcept((byte)0) < 0)
            {
                HasEnd = true;
                if (++zeroBlocks == 2) return null;
                continue;
            }
            zeroBlocks = 0;
            CheckSum(header.Span);
            var type = (char)header.Span[156];
            var size = Number(header.Span.Slice(124, 12));
            if (type is 'x' or 'g' or 'L' or 'K')
            {
                var text = await ExtensionAsync(size, ct);
                if (type == 'L') longName = Ascii(text);
                else if (type == 'K') longLink = Ascii(text);
                else if (type == 'x') pax = Pax(text);
                continue;
            }
            var entry = Entry(header.Span, type, size, longName, longLink, pax);
            return await WithHolesAsync(entry, header, type, pax, ct);
        }
    }

    /// <summary>Reads content of the current entry; 0 at its end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> into, CancellationToken ct)
    {
        var want = (int)Math.Min(into.Length, sparse?.Left ?? left);
        if (want == 0) return 0;
        if (sparse is not null)
        {
            (want, var isStored) = sparse.Next(want);
            if (!isStored)
            {
                into.Span[..want].Clear();
                sparse.Take(want);
                return want;
            }
        }
        if (start == end && !await FillAsync(1, ct)) throw new LayerRefusedException("archive ends within a file");
        var count = Math.Min(want, end - start);
        buffer.AsMemory(start, count).CopyTo(into);
        sparse?.Take(count);
        Take(count);
        return count;
    }

    /// <summary>Fills <paramref name="into"/> from the current entry.</summary>
    public async ValueTask ReadExactlyAsync(Memory<byte> into, CancellationToken ct)
    {
        while (!into.IsEmpty)
        {
            var read = await ReadAsync(into, ct);
            if (read == 0) throw new LayerRefusedException("archive ends within a file");
            into = into[read..];
        }
    }

    /// <summary>The first bytes of the current entry without taking them; none when a sparse file begins with a hole.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> PeekAsync(int count, CancellationToken ct)
    {
        count = (int)Math.Min(count, left);
        if (sparse?.BeginsStored(count) == false) return default;
        return await FillAsync(count, ct) ? buffer.AsMemory(start, count) : throw new LayerRefusedException("archive ends within a file");
    }

    /// <summary>Reads what follows the archive, so that a digest of the whole stream is complete.</summary>
    public async ValueTask DrainAsync(CancellationToken ct)
    {
        do
        {
            Position += end - start;
            start = end = 0;
        }
        while (await FillAsync(1, ct));
    }

    private TarEntry Entry(ReadOnlySpan<byte> header, char type, long size, string? longName, string? longLink, Dictionary<string, string>? pax)
    {
        var name = longName ?? Name(header);
        var link = longLink ?? Ascii(header.Slice(157, 100));
        if (pax is not null)
        {
            name = pax.GetValueOrDefault("path", name);
            link = pax.GetValueOrDefault("linkpath", link);
            if (pax.TryGetValue("size", out var text) && (!long.TryParse(text, out size) || size < 0)) throw new LayerRefusedException("archive has a size that is no number");
            name = pax.GetValueOrDefault("GNU.sparse.name", name);
        }
        if (Encoding.UTF8.GetByteCount(name) > maxPathBytes || Encoding.UTF8.GetByteCount(link) > maxPathBytes) throw new LayerRefusedException("archive has a path that is too long");
        var kind = type switch
        {
            '0' or '\0' or '7' or 'S' => name.EndsWith('/') ? TarKind.Directory : TarKind.File,
            '1' => TarKind.HardLink,
            '2' => TarKind.Symlink,
            '5' => TarKind.Directory,
            _ => TarKind.Other,
        };
        // Links have no content whatever their size field says; old archives write the target's size there.
        left = kind is TarKind.HardLink or TarKind.Symlink || type is '3' or '4' or '6' ? 0 : size;
        padding = (int)((Block - left % Block) % Block);
        return new TarEntry(name, kind, left, link, Mode(header.Slice(100, 8)));
    }

    // The map of a sparse file stands in the header and blocks behind it, in the extended header, or before the content.
    private async ValueTask<TarEntry> WithHolesAsync(TarEntry entry, ReadOnlyMemory<byte> header, char type, Dictionary<string, string>? pax, CancellationToken ct)
    {
        List<(long, long)> pieces = [];
        long size;
        if (type == 'S')
        {
            SparseMap.AddOld(pieces, header.Span.Slice(386, 96));
            size = Number(header.Span.Slice(483, 12));
            for (var goesOn = header.Span[482] != 0; goesOn;)
            {
                if (!await FillAsync(Block, ct)) throw new LayerRefusedException("archive ends early");
                SparseMap.AddOld(pieces, buffer.AsSpan(start, 504));
                goesOn = buffer[start + 504] != 0;
                start += Block;
                Position += Block;
            }
        }
        else if (pax is not null && entry.Kind == TarKind.File && pax.GetValueOrDefault("GNU.sparse.major") == "1")
        {
            size = SparseMap.Parse(pax.GetValueOrDefault("GNU.sparse.realsize", ""));
            pieces = await LeadingMapAsync(ct);
        }
        else if (pax is not null && entry.Kind == TarKind.File && pax.TryGetValue("GNU.sparse.map", out var list))
        {
            size = SparseMap.Parse(pax.GetValueOrDefault("GNU.sparse.size", ""));
            pieces = SparseMap.OfText(list);
        }
        else return entry;
        var map = new SparseMap(pieces, size, left);
        if (size - left > MaxHoleBytes - holes) return entry with { Kind = TarKind.Other };
        holes += size - left;
        sparse = map;
        return entry with { SizeBytes = size };
    }

    private async ValueTask<List<(long, long)>> LeadingMapAsync(CancellationToken ct)
    {
        for (var count = Block; ; count *= 2)
        {
            var most = (int)Math.Min(left, buffer.Length);
            if (count / 2 >= most || !await FillAsync(Math.Min(count, most), ct)) throw new LayerRefusedException("archive has a broken map of a sparse file");
            if (SparseMap.OfLines(buffer.AsSpan(start, Math.Min(count, most)), out var used) is not { } pieces) continue;
            Take((int)Math.Min(left, (used + Block - 1L) / Block * Block));
            return pieces;
        }
    }

    private static string Name(ReadOnlySpan<byte> header)
    {
        var name = Ascii(header[..100]);
        var isUstar = header.Slice(257, 6).SequenceEqual("ustar\0"u8);
        var prefix = isUstar ? Ascii(header.Slice(345, 155)) : "";
        return prefix.Length == 0 ? name : prefix + "/" + name;
    }

    private async ValueTask<byte[]> ExtensionAsync(long size, CancellationToken ct)
    {
        if (size > MaxExtensionBytes) throw new LayerRefusedException("archive has an extended header that is too long");
        var text = new byte[size];
        left = size;
        await ReadExactlyAsync(text, ct);
        await SkipAsync((Block - size % Block) % Block, ct);
        return text;
    }

    private static Dictionary<string, string> Pax(ReadOnlySpan<byte> text)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        while (!text.IsEmpty)
        {
            var space = text.IndexOf((byte)' ');
            if (space <= 0 || !int.TryParse(text[..space], out var length) || length <= space + 1 || length > text.Length) throw new LayerRefusedException("archive has a broken extended header");
            var record = text[(space + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals > 0) Add(found, Encoding.UTF8.GetString(record[..equals]), Encoding.UTF8.GetString(record[(equals + 1)..]));
            text = text[length..];
        }
        return found;

        static void Add(Dictionary<string, string> found, string name, string value)
        {
            // Version 0.0 of sparse files repeats two records where later ones have a list.
            if (name is "GNU.sparse.offset" or "GNU.sparse.numbytes") found["GNU.sparse.map"] = found.TryGetValue("GNU.sparse.map", out var map) ? map + "," + value : value;
            else found[name] = value;
        }
    }

    private static void CheckSum(ReadOnlySpan<byte> header)
    {
        var sum = 8 * ' ';
        var signed = sum;
        for (var i = 0; i < Block; i++)
        {
            if (i is >= 148 and < 156) continue;
            sum += header[i];
            signed += (sbyte)header[i];
        }
        var written = Number(header.Slice(148, 8));
        if (written != sum && written != signed) throw new LayerRefusedException("archive has a header with a wrong checksum");
    }

    /// <summary>A number of a header: octal digits, or base 256 when the first bit is set.</summary>
    internal static long Number(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            long value = field[0] & 0x7f;
            foreach (var b in field[1..])
            {
                if (value > long.MaxValue >> 8) throw new LayerRefusedException("archive has a number that is too large");
                value = value << 8 | b;
            }
            return value;
        }
        long octal = 0;
        foreach (var b in field.TrimStart((byte)' '))
        {
            if (b is (byte)' ' or 0) break;
            if (b is < (byte)'0' or > (byte)'7') throw new LayerRefusedException("archive has a header with a broken number");
            octal = octal * 8 + (b - '0');
        }
        return octal;
    }

    // What the field holds beside digits is nobody's business: an entry is read whatever its permissions say.
    private static int Mode(ReadOnlySpan<byte> field)
    {
        var mode = 0;
        foreach (var b in field)
            if (b is >= (byte)'0' and <= (byte)'7') mode = (mode << 3 | (b - '0')) & 0xFFF;
        return mode;
    }

    private static string Ascii(ReadOnlySpan<byte> field)
    {
        var zero = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(zero < 0 ? field : field[..zero]);
    }

    private void Take(int count)
    {
        start += count;
        left -= count;
        Position += count;
    }

    private async ValueTask SkipAsync(long count, CancellationToken ct)
    {
        while (count > 0)
        {
            if (start == end && !await FillAsync(1, ct)) throw new LayerRefusedException("archive ends early");
            var step = (int)Math.Min(count, end - start);
            start += step;
            Position += step;
            count -= step;
        }
    }

    private async ValueTask<bool> SkipPaddingAsync(int count, CancellationToken ct)
    {
        while (count > 0)
        {
            if (start == end && !await FillAsync(1, ct)) return false;
            var step = Math.Min(count, end - start);
            start += step;
            Position += step;
            count -= step;
        }
        return true;
    }

    private async ValueTask<bool> FillAsync(int count, CancellationToken ct)
    {
        if (end - start >= count) return true;
        buffer.AsSpan(start, end - start).CopyTo(buffer);
        end -= start;
        start = 0;
        while (end < count)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(end), ct);
            if (read == 0)
            {
                if (end == 0 || count == 1) return false;
                throw new LayerRefusedException("archive ends early");
            }
            end += read;
        }
        return true;
    }
}
