using System.Text;

namespace Berth.Scanner.Advisories.Database;

/// <summary>Reads what <see cref="RecordWriter"/> wrote; throws <see cref="InvalidDataException"/> on anything else.</summary>
internal ref struct RecordReader(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> _rest = data;

    /// <summary>Bytes that were not read yet.</summary>
    public readonly int Left => _rest.Length;

    public ulong Long()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_rest.IsEmpty)
                break;
            var b = _rest[0];
            _rest = _rest[1..];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }
        throw new InvalidDataException("the advisory database holds a broken number");
    }

    public int Number()
    {
        var value = Long();
        return value <= uint.MaxValue ? (int)(uint)value : throw new InvalidDataException("the advisory database holds a number out of bounds");
    }

    public double Score() => Long() / 100.0;

    public double Fraction() => Long() / 1_000_000.0;

    public string Text()
    {
        var size = Count();
        var text = size == 0 ? "" : Encoding.UTF8.GetString(_rest[..size]);
        _rest = _rest[size..];
        return text;
    }

    public ReadOnlySpan<byte> Bytes()
    {
        var size = Count();
        var bytes = _rest[..size];
        _rest = _rest[size..];
        return bytes;
    }

    public string[] Texts()
    {
        var count = Count();
        if (count == 0)
            return [];
        var texts = new string[count];
        for (var i = 0; i < count; i++)
            texts[i] = Text();
        return texts;
    }

    /// <summary>A number of things of at least one byte each that must still follow.</summary>
    public int Count()
    {
        var count = Long();
        return count <= (ulong)_rest.Length ? (int)count : throw new InvalidDataException("the advisory database holds a list that is longer than its record");
    }

    public DateTimeOffset? Time()
    {
        var value = Long();
        if (value == 0)
            return null;
        return value <= 253402300800 ? DateTimeOffset.FromUnixTimeSeconds((long)value - 1) : throw new InvalidDataException("the advisory database holds a broken time");
    }
}
