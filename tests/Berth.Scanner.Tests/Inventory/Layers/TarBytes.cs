using System.Text;

namespace Berth.Scanner.Tests.Inventory.Layers;

/// <summary>Writes tar archives block by block, also what no writer of the framework makes.</summary>
internal static class TarBytes
{
    private const int Block = 512;

    /// <summary>Two blocks of zeros.</summary>
    public static byte[] End => new byte[2 * Block];

    /// <summary>Pieces and the end.</summary>
    public static byte[] Archive(params ReadOnlySpan<byte[]> pieces)
    {
        using var all = new MemoryStream();
        foreach (var piece in pieces) all.Write(piece);
        all.Write(End);
        return all.ToArray();
    }

    /// <summary>One entry with its content and the rest of the last block.</summary>
    public static byte[] Entry(string name, byte[] content, char type = '0', string link = "", Action<byte[]>? change = null)
    {
        var header = new byte[Block];
        Put(header, 0, name);
        Put(header, 100, "0000644\0");
        Put(header, 108, "0000000\0");
        Put(header, 116, "0000000\0");
        Put(header, 124, Octal(content.Length, 11) + "\0");
        Put(header, 136, "00000000000\0");
        header[156] = (byte)type;
        Put(header, 157, link);
        Put(header, 257, "ustar\0" + "00");
        change?.Invoke(header);
        Sum(header);
        return [.. header, .. content, .. new byte[(Block - content.Length % Block) % Block]];
    }

    /// <summary>One entry of text.</summary>
    public static byte[] Entry(string name, string content) => Entry(name, Encoding.UTF8.GetBytes(content));

    /// <summary>An extended header (pax).</summary>
    public static byte[] Pax(params ReadOnlySpan<(string Name, string Value)> records)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in records)
        {
            var rest = Encoding.UTF8.GetByteCount($" {name}={value}\n");
            var length = rest + 1;
            while (length != rest + length.ToString().Length) length = rest + length.ToString().Length;
            text.Append(length).Append(' ').Append(name).Append('=').Append(value).Append('\n');
        }
        return Entry("pax", Encoding.UTF8.GetBytes(text.ToString()), 'x');
    }

    /// <summary>Writes the checksum of a header.</summary>
    public static void Sum(Span<byte> header)
    {
        header.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var one in header) sum += one;
        Encoding.ASCII.GetBytes(Octal(sum, 6) + "\0 ").CopyTo(header[148..]);
    }

    /// <summary>An old GNU sparse header: pieces of a file of a size, and blocks that continue the list.</summary>
    public static byte[] OldSparse(string name, long size, byte[] stored, params ReadOnlySpan<(long Offset, long Length)> pieces)
    {
        var more = new MemoryStream();
        var list = pieces.ToArray();
        var entry = Entry(name, stored, 'S', change: header =>
        {
            Put(header, 257, "ustar  \0");
            Pieces(header, 386, list.Take(4));
            header[482] = (byte)(list.Length > 4 ? 1 : 0);
            Put(header, 483, Octal(size, 11) + "\0");
        });
        for (var i = 4; i < list.Length; i += 21)
        {
            var block = new byte[Block];
            Pieces(block, 0, list.Skip(i).Take(21));
            block[504] = (byte)(list.Length > i + 21 ? 1 : 0);
            more.Write(block);
        }
        return [.. entry.AsSpan(0, Block), .. more.ToArray(), .. entry.AsSpan(Block)];
    }

    private static void Pieces(byte[] into, int at, IEnumerable<(long Offset, long Length)> pieces)
    {
        foreach (var (offset, length) in pieces)
        {
            Put(into, at, Octal(offset, 11) + "\0" + Octal(length, 11) + "\0");
            at += 24;
        }
    }

    private static string Octal(long number, int digits) => Convert.ToString(number, 8).PadLeft(digits, '0');

    private static void Put(byte[] into, int at, string text) => Encoding.UTF8.GetBytes(text).CopyTo(into, at);
}
