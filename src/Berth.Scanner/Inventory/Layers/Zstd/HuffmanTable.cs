using System.Numerics;

namespace Berth.Scanner.Inventory.Layers.Zstd;

/// <summary>The Huffman code of literals (RFC 8878, section 4.2).</summary>
internal sealed class HuffmanTable
{
    private const int MaxBits = 11;
    private readonly ushort[] entries;
    private readonly int width;

    private HuffmanTable(ushort[] entries, int width)
    {
        this.entries = entries;
        this.width = width;
    }

    /// <summary>Reads the description of a code; <paramref name="used"/> is its length in bytes.</summary>
    public static HuffmanTable Read(ReadOnlySpan<byte> buffer, int first, int count, out int used)
    {
        if (count < 1) throw new InvalidDataException("zstd: literals end early");
        var header = buffer[first];
        Span<byte> weights = stackalloc byte[256];
        int symbols;
        if (header >= 128)
        {
            symbols = header - 127;
            used = 1 + (symbols + 1) / 2;
            if (used > count) throw new InvalidDataException("zstd: literals end early");
            for (var i = 0; i < symbols; i++) weights[i] = (byte)(i % 2 == 0 ? buffer[first + 1 + i / 2] >> 4 : buffer[first + 1 + i / 2] & 15);
        }
        else
        {
            used = 1 + header;
            if (used > count) throw new InvalidDataException("zstd: literals end early");
            symbols = Weights(buffer, first + 1, header, weights);
        }
        return Build(weights, symbols);
    }

    /// <summary>Decodes exactly <paramref name="into"/> from one stream.</summary>
    public void Decode(ReadOnlySpan<byte> buffer, int first, int count, Span<byte> into)
    {
        var bits = new ZstdBits(buffer, first, count);
        for (var i = 0; i < into.Length; i++)
        {
            var entry = entries[bits.Peek(width)];
            into[i] = (byte)entry;
            bits.Skip(entry >> 8);
        }
        if (bits.Left != 0) throw new InvalidDataException("zstd: literals have a wrong length");
    }

    private static int Weights(ReadOnlySpan<byte> buffer, int first, int count, Span<byte> weights)
    {
        var table = FseTable.Read(buffer.Slice(first, count), 6, 13, out var used);
        var bits = new ZstdBits(buffer, first + used, count - used);
        var even = (int)bits.Read(table.Log);
        var odd = (int)bits.Read(table.Log);
        for (var n = 0; n < 254;)
        {
            weights[n++] = table.Symbol(even);
            if (bits.Left < table.BitsOf(even))
            {
                weights[n++] = table.Symbol(odd);
                return n;
            }
            even = table.Next(even, ref bits);
            (even, odd) = (odd, even);
        }
        throw new InvalidDataException("zstd: code has too many symbols");
    }

    private static HuffmanTable Build(Span<byte> weights, int symbols)
    {
        var sum = 0;
        for (var i = 0; i < symbols; i++)
        {
            if (weights[i] > MaxBits + 1) throw new InvalidDataException("zstd: code is too long");
            if (weights[i] > 0) sum += 1 << weights[i] - 1;
        }
        if (sum == 0 || symbols > 255) throw new InvalidDataException("zstd: code is empty");
        var width = BitOperations.Log2((uint)sum) + 1;
        var rest = (1 << width) - sum;
        if (width > MaxBits || !BitOperations.IsPow2(rest)) throw new InvalidDataException("zstd: code is broken");
        weights[symbols++] = (byte)(BitOperations.Log2((uint)rest) + 1);

        var entries = new ushort[1 << width];
        var at = 0;
        for (var weight = 1; weight <= width; weight++)
        {
            for (var s = 0; s < symbols; s++)
            {
                if (weights[s] != weight) continue;
                entries.AsSpan(at, 1 << weight - 1).Fill((ushort)(width + 1 - weight << 8 | s));
                at += 1 << weight - 1;
            }
        }
        return at == entries.Length ? new HuffmanTable(entries, width) : throw new InvalidDataException("zstd: code is broken");
    }
}
