using System.Text;

namespace Berth.Scanner.Inventory.Layers;

/// <summary>
/// Where the stored bytes of a sparse file belong (GNU tar manual, "Sparse Formats": the old GNU header and pax versions 0.0, 0.1 and 1.0). What lies between is zeros.
/// </summary>
internal sealed class SparseMap
{
    /// <summary>Most pieces of one file.</summary>
    public const int MaxPieces = 100_000;

    private readonly List<(long Offset, long Length)> pieces;
    private int piece;
    private long at;

    /// <param name="pieces">Stored pieces in order.</param>
    /// <param name="sizeBytes">Size of the whole file.</param>
    /// <param name="storedBytes">Bytes that the archive stores.</param>
    public SparseMap(List<(long Offset, long Length)> pieces, long sizeBytes, long storedBytes)
    {
        long end = 0, sum = 0;
        foreach (var (offset, length) in pieces)
        {
            if (offset < end || length < 0 || length > sizeBytes - offset) throw Broken();
            end = offset + length;
            sum += length;
        }
        if (sizeBytes < end || sum != storedBytes) throw Broken();
        this.pieces = pieces;
        SizeBytes = sizeBytes;
        StoredBytes = storedBytes;
    }

    /// <summary>Size of the file with its holes.</summary>
    public long SizeBytes { get; }

    /// <summary>Bytes of it that the archive holds.</summary>
    public long StoredBytes { get; }

    /// <summary>Bytes that were not read yet, holes included.</summary>
    public long Left => SizeBytes - at;

    /// <summary>Whether the file begins with so many stored bytes.</summary>
    public bool BeginsStored(int count) => pieces.Find(one => one.Length > 0) is { Offset: 0 } first && first.Length >= count;

    /// <summary>What comes next: up to so many bytes that are stored, or that are zeros.</summary>
    public (int Count, bool IsStored) Next(int want)
    {
        while (piece < pieces.Count && at >= pieces[piece].Offset + pieces[piece].Length) piece++;
        var count = (int)Math.Min(want, Left);
        if (piece == pieces.Count) return (count, false);
        var (offset, length) = pieces[piece];
        return at < offset ? ((int)Math.Min(count, offset - at), false) : ((int)Math.Min(count, offset + length - at), true);
    }

    /// <summary>Notes that so many bytes were given out.</summary>
    public void Take(int count) => at += count;

    /// <summary>Pieces of an old GNU header or of a block that continues it: offset and length in twelve bytes each; an empty one ends the list.</summary>
    public static void AddOld(List<(long, long)> pieces, ReadOnlySpan<byte> entries)
    {
        for (; entries.Length >= 24 && entries[0] != 0; entries = entries[24..]) Add(pieces, TarReader.Number(entries[..12]), TarReader.Number(entries.Slice(12, 12)));
    }

    /// <summary>Pieces of <c>GNU.sparse.map</c>, numbers with commas.</summary>
    public static List<(long, long)> OfText(string map)
    {
        var pieces = new List<(long, long)>();
        var numbers = map.Length == 0 ? [] : map.Split(',');
        if (numbers.Length % 2 != 0) throw Broken();
        for (var i = 0; i < numbers.Length; i += 2) Add(pieces, Parse(numbers[i]), Parse(numbers[i + 1]));
        return pieces;
    }

    /// <summary>Pieces from the start of the stored bytes (version 1.0): decimal numbers, one a line, how many pieces first. Null when more bytes are needed.</summary>
    public static List<(long, long)>? OfLines(ReadOnlySpan<byte> text, out int used)
    {
        var whole = text.Length;
        used = 0;
        if (Line(ref text) is not { } count) return null;
        if (count > MaxPieces) throw Broken();
        var pieces = new List<(long, long)>();
        for (var i = 0; i < count; i++)
        {
            if (Line(ref text) is not { } offset || Line(ref text) is not { } length) return null;
            Add(pieces, offset, length);
        }
        used = whole - text.Length;
        return pieces;
    }

    /// <summary>A number of a header.</summary>
    public static long Parse(string text) =>
        long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : throw Broken();

    private static void Add(List<(long, long)> pieces, long offset, long length)
    {
        if (pieces.Count == MaxPieces) throw Broken();
        pieces.Add((offset, length));
    }

    private static long? Line(ref ReadOnlySpan<byte> text)
    {
        var end = text.IndexOf((byte)'\n');
        if (end < 0) return text.Length < 32 ? null : throw Broken();
        var number = Parse(Encoding.ASCII.GetString(text[..end]));
        text = text[(end + 1)..];
        return number;
    }

    private static LayerRefusedException Broken() => new("archive has a broken map of a sparse file");
}
