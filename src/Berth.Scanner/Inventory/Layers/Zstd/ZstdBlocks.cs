namespace Berth.Scanner.Inventory.Layers.Zstd;

/// <summary>Decodes the compressed blocks of one frame (RFC 8878, section 3.1.1.3) with the tables and offsets that live from block to block.</summary>
internal sealed class ZstdBlocks
{
    /// <summary>Largest block, packed or unpacked.</summary>
    public const int MaxBlock = 128 * 1024;

    private static readonly FseTable DefaultLiterals = new(
        [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1], 6);

    private static readonly FseTable DefaultMatches = new(
        [
            1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
            -1, -1, -1, -1, -1, -1, -1,
        ], 6);

    private static readonly FseTable DefaultOffsets = new(
        [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1], 5);

    private static readonly int[] LiteralBases =
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536];

    private static readonly byte[] LiteralBits =
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    private static readonly int[] MatchBases =
        [
            3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34,
            35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539,
        ];

    private static readonly byte[] MatchBits =
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    private readonly byte[] literals = new byte[MaxBlock];
    private HuffmanTable? huffman;
    private FseTable? literalTable;
    private FseTable? offsetTable;
    private FseTable? matchTable;
    private long recent1 = 1;
    private long recent2 = 4;
    private long recent3 = 8;

    /// <summary>Decodes one block.</summary>
    /// <param name="source">Buffer with the block and at least eight more bytes.</param>
    /// <param name="length">Length of the block in <paramref name="source"/>, from 0.</param>
    /// <param name="output">Window; output goes to <paramref name="position"/>.</param>
    /// <param name="position">End of what was decoded before.</param>
    /// <returns>The new end.</returns>
    public int Decode(byte[] source, int length, byte[] output, int position)
    {
        var literalCount = Literals(source, length, out var at);
        var limit = position + MaxBlock;
        var sequences = SequenceCount(source, length, ref at);
        if (sequences == 0)
        {
            if (at != length) throw new InvalidDataException("zstd: block has a rest");
            return Copy(0, literalCount, output, position, limit);
        }
        if (at >= length) throw new InvalidDataException("zstd: block ends early");
        var modes = source[at++];
        if ((modes & 3) != 0) throw new InvalidDataException("zstd: block has a reserved mode");
        literalTable = Table(modes >> 6, source, length, ref at, DefaultLiterals, literalTable, 9, 36);
        offsetTable = Table(modes >> 4 & 3, source, length, ref at, DefaultOffsets, offsetTable, 8, 32);
        matchTable = Table(modes >> 2 & 3, source, length, ref at, DefaultMatches, matchTable, 9, 53);
        return Sequences(new ZstdBits(source, at, length - at), sequences, literalCount, output, position, limit);
    }

    private int Sequences(ZstdBits bits, int count, int literalCount, byte[] output, int position, int limit)
    {
        FseTable lt = literalTable!, ot = offsetTable!, mt = matchTable!;
        var ls = (int)bits.Read(lt.Log);
        var os = (int)bits.Read(ot.Log);
        var ms = (int)bits.Read(mt.Log);
        var used = 0;
        while (count-- > 0)
        {
            int lc = lt.Symbol(ls), oc = ot.Symbol(os), mc = mt.Symbol(ms);
            if (lc > 35 || mc > 52 || oc > 31) throw new InvalidDataException("zstd: sequence has an unknown code");
            var value = (1L << oc) + (long)bits.Read(oc);
            var match = MatchBases[mc] + (int)bits.Read(MatchBits[mc]);
            var run = LiteralBases[lc] + (int)bits.Read(LiteralBits[lc]);
            var offset = Offset(value, run);
            if (run > literalCount - used) throw new InvalidDataException("zstd: sequence takes too many literals");
            position = Copy(used, run, output, position, limit);
            used += run;
            if (offset <= 0 || offset > position || match > limit - position) throw new InvalidDataException("zstd: sequence points before the start");
            Repeat(output, position, (int)offset, match);
            position += match;
            if (count == 0) break;
            ls = lt.Next(ls, ref bits);
            ms = mt.Next(ms, ref bits);
            os = ot.Next(os, ref bits);
        }
        if (bits.Left != 0) throw new InvalidDataException("zstd: sequences have a wrong length");
        return Copy(used, literalCount - used, output, position, limit);
    }

    private long Offset(long value, int run)
    {
        if (value > 3)
        {
            (recent3, recent2, recent1) = (recent2, recent1, value - 3);
            return recent1;
        }
        var which = run == 0 ? value + 1 : value;
        switch (which)
        {
            case 1: break;
            case 2: (recent1, recent2) = (recent2, recent1); break;
            case 3: (recent1, recent2, recent3) = (recent3, recent1, recent2); break;
            default: (recent1, recent2, recent3) = (recent1 - 1, recent1, recent2); break;
        }
        return recent1;
    }

    private int Copy(int from, int count, byte[] output, int position, int limit)
    {
        if (count > limit - position) throw new InvalidDataException("zstd: block is too large");
        literals.AsSpan(from, count).CopyTo(output.AsSpan(position));
        return position + count;
    }

    private static void Repeat(byte[] output, int position, int offset, int count)
    {
        if (offset >= count)
        {
            output.AsSpan(position - offset, count).CopyTo(output.AsSpan(position));
            return;
        }
        if (offset == 1)
        {
            output.AsSpan(position, count).Fill(output[position - 1]);
            return;
        }
        for (var i = 0; i < count; i++) output[position + i] = output[position + i - offset];
    }

    private int Literals(byte[] source, int length, out int at)
    {
        if (length < 1) throw new InvalidDataException("zstd: block is empty");
        var kind = source[0] & 3;
        var format = source[0] >> 2 & 3;
        int size;
        if (kind < 2)
        {
            at = format is 0 or 2 ? 1 : format == 1 ? 2 : 3;
            size = format is 0 or 2 ? source[0] >> 3 : (source[0] >> 4) + (source[1] << 4) + (format == 3 ? source[2] << 12 : 0);
            var stored = kind == 0 ? size : 1;
            if (size > MaxBlock || at + stored > length) throw new InvalidDataException("zstd: literals end early");
            if (kind == 0) source.AsSpan(at, size).CopyTo(literals);
            else literals.AsSpan(0, size).Fill(source[at]);
            at += stored;
            return size;
        }
        var width = format < 2 ? 10 : format == 2 ? 14 : 18;
        var head = format < 2 ? 3 : format == 2 ? 4 : 5;
        var value = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(source) >> 4;
        size = (int)(value & (1UL << width) - 1);
        var packed = (int)(value >> width & (1UL << width) - 1);
        if (size > MaxBlock || head + packed > length) throw new InvalidDataException("zstd: literals end early");
        at = head + packed;
        var tree = 0;
        if (kind == 2) huffman = HuffmanTable.Read(source, head, packed, out tree);
        if (huffman is null) throw new InvalidDataException("zstd: literals have no code");
        if (format == 0) huffman.Decode(source, head + tree, packed - tree, literals.AsSpan(0, size));
        else FourStreams(source, head + tree, packed - tree, size);
        return size;
    }

    private void FourStreams(byte[] source, int first, int count, int size)
    {
        if (count < 10) throw new InvalidDataException("zstd: literals end early");
        var part = (size + 3) / 4;
        var at = first + 6;
        for (var i = 0; i < 4; i++)
        {
            var packed = i == 3 ? first + count - at : source[first + 2 * i] | source[first + 2 * i + 1] << 8;
            var done = Math.Min(size, part * i);
            var take = i == 3 ? size - done : Math.Min(part, size - done);
            if (packed < 1 || at + packed > first + count) throw new InvalidDataException("zstd: literals end early");
            huffman!.Decode(source, at, packed, literals.AsSpan(done, take));
            at += packed;
        }
    }

    private static int SequenceCount(byte[] source, int length, ref int at)
    {
        if (at >= length) throw new InvalidDataException("zstd: block ends early");
        var first = source[at++];
        if (first < 128) return first;
        var more = first == 255 ? 2 : 1;
        if (at + more > length) throw new InvalidDataException("zstd: block ends early");
        var count = first == 255 ? source[at] + (source[at + 1] << 8) + 0x7F00 : (first - 128 << 8) + source[at];
        at += more;
        return count;
    }

    private static FseTable Table(int mode, byte[] source, int length, ref int at, FseTable standard, FseTable? before, int maxLog, int maxSymbols)
    {
        switch (mode)
        {
            case 0:
                return standard;
            case 1:
                if (at >= length) throw new InvalidDataException("zstd: block ends early");
                return FseTable.Single(source[at++]);
            case 2:
                var table = FseTable.Read(source.AsSpan(at, length - at), maxLog, maxSymbols, out var used);
                at += used;
                return at <= length ? table : throw new InvalidDataException("zstd: block ends early");
            default:
                return before ?? throw new InvalidDataException("zstd: block repeats a table that is not there");
        }
    }
}
