using System.Buffers;
using System.Text;

namespace Berth.Scanner.Advisories.Database;

/// <summary>Writes the values of the database: variable-length numbers, texts with their length, lists with their count.</summary>
internal sealed class RecordWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);

    public ReadOnlyMemory<byte> Written => _buffer.WrittenMemory;

    public void Clear() => _buffer.ResetWrittenCount();

    public void Number(ulong value)
    {
        var span = _buffer.GetSpan(10);
        var length = 0;
        while (value >= 0x80)
        {
            span[length++] = (byte)(value | 0x80);
            value >>= 7;
        }
        span[length++] = (byte)value;
        _buffer.Advance(length);
    }

    public void Number(int value) => Number((ulong)(uint)value);

    /// <summary>A number with two decimals, such as a CVSS score.</summary>
    public void Score(double value) => Number((ulong)Math.Max(0, Math.Round(value * 100)));

    /// <summary>A number from 0 to 1 in millionths.</summary>
    public void Fraction(double value) => Number((ulong)Math.Round(Math.Clamp(value, 0, 1) * 1_000_000));

    public void Text(string value)
    {
        var size = Encoding.UTF8.GetByteCount(value);
        Number(size);
        var span = _buffer.GetSpan(size);
        Encoding.UTF8.GetBytes(value, span);
        _buffer.Advance(size);
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        Number(value.Length);
        _buffer.Write(value);
    }

    public void Texts(IReadOnlyList<string> values)
    {
        Number(values.Count);
        foreach (var value in values)
            Text(value);
    }

    public void Time(DateTimeOffset? value) => Number(value is { } time ? (ulong)Math.Max(0, time.ToUnixTimeSeconds()) + 1 : 0);
}
