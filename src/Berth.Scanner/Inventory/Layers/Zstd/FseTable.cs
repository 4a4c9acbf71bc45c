using System.Numerics;

namespace Berth.Scanner.Inventory.Layers.Zstd;

/// <summary>A decoding table of finite state entropy (RFC 8878, section 4.1.1).</summary>
internal sealed class FseTable
{
    private readonly byte[] symbols;
    private readonly byte[] bits;
    private readonly ushort[] bases;

    /// <summary>Builds the table of a distribution; -1 stands for "less than one".</summary>
    public FseTable(ReadOnlySpan<short> counts, int log)
    {
        Log = log;
        var size = 1 << log;
        symbols = new byte[size];
        bits = new byte[size];
        bases = new ushort[size];
        Spread(counts, size);
        Span<int> next = stackalloc int[256];
        for (var s = 0; s < counts.Length; s++) next[s] = counts[s] == -1 ? 1 : counts[s];
        for (var i = 0; i < size; i++)
        {
            var state = next[symbols[i]]++;
            bits[i] = (byte)(log - BitOperations.Log2((uint)state));
            bases[i] = (ushort)((state << bits[i]) - size);
        }
    }

    private FseTable(byte symbol)
    {
        symbols = [symbol];
        bits = [0];
        bases = [0];
    }

    /// <summary>Bits of the first state.</summary>
    public int Log { get; }

    /// <summary>A table that always gives the same symbol.</summary>
    public static FseTable Single(byte symbol) => new(symbol);

    /// <summary>Symbol of a state.</summary>
    public byte Symbol(int state) => symbols[state];

    /// <summary>State that follows.</summary>
    public int Next(int state, ref ZstdBits from) => bases[state] + (int)from.Read(bits[state]);

    /// <summary>Bits that the step out of a state needs.</summary>
    public int BitsOf(int state) => bits[state];

    /// <summary>Reads a table description; <paramref name="used"/> is its length in bytes.</summary>
    public static FseTable Read(ReadOnlySpan<byte> text, int maxLog, int maxSymbols, out int used)
    {
        var bit = 0;
        var log = Bits(text, ref bit, 4) + 5;
        if (log > maxLog) throw new InvalidDataException("zstd: table is too large");
        Span<short> counts = stackalloc short[256];
        var remaining = 1 << log;
        var symbol = 0;
        while (remaining > 0)
        {
            if (symbol >= maxSymbols) throw new InvalidDataException("zstd: table has too many symbols");
            var width = BitOperations.Log2((uint)remaining + 1) + 1;
            var value = Bits(text, ref bit, width);
            var lower = (1 << width - 1) - 1;
            var threshold = (1 << width) - 1 - (remaining + 1);
            if ((value & lower) < threshold)
            {
                bit--;
                value &= lower;
            }
            else if (value > lower) value -= threshold;
            var count = value - 1;
            remaining -= Math.Abs(count);
            counts[symbol++] = (short)count;
            if (count == 0) symbol += Zeros(text, ref bit, maxSymbols - symbol);
        }
        if (remaining < 0) throw new InvalidDataException("zstd: table is broken");
        used = (bit + 7) / 8;
        return new FseTable(counts[..symbol], log);
    }

    private static int Zeros(ReadOnlySpan<byte> text, ref int bit, int most)
    {
        var total = 0;
        int repeat;
        do
        {
            repeat = Bits(text, ref bit, 2);
            total += repeat;
            if (total > most) throw new InvalidDataException("zstd: table has too many symbols");
        }
        while (repeat == 3);
        return total;
    }

    private static int Bits(ReadOnlySpan<byte> text, ref int bit, int count)
    {
        if (bit + count > text.Length * 8 + 7) throw new InvalidDataException("zstd: table ends early");
        var value = 0;
        for (var i = 0; i < count; i++, bit++)
        {
            var at = bit >> 3;
            if (at < text.Length) value |= (text[at] >> (bit & 7) & 1) << i;
        }
        return value;
    }

    private void Spread(ReadOnlySpan<short> counts, int size)
    {
        var high = size;
        for (var s = 0; s < counts.Length; s++)
            if (counts[s] == -1) symbols[--high] = (byte)s;
        var step = (size >> 1) + (size >> 3) + 3;
        var mask = size - 1;
        var position = 0;
        for (var s = 0; s < counts.Length; s++)
        {
            for (var i = 0; i < counts[s]; i++)
            {
                symbols[position] = (byte)s;
                do position = position + step & mask;
                while (position >= high);
            }
        }
        if (position != 0) throw new InvalidDataException("zstd: table is broken");
    }
}
