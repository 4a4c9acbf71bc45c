using System.Buffers.Binary;
using System.Text;

namespace Berth.Scanner.Tests.Fuzzing;

/// <summary>Changes inputs: bytes, numbers at places where formats have them, words, whole pieces, and pieces of other inputs.</summary>
internal sealed class FuzzMutator(Random random)
{
    private const int MaxBytes = 4 << 20;

    private static readonly byte[][] Tokens =
    [
        .. new[]
        {
            "{", "}", "[", "]", "\"", "'", ":", ",", "\n", "\r\n", "\n  ", "- ", "? ", "#", "==", "@", "|", ">", "=", "\\", "\0", "((", "&a ", "*a", "<<", "%", "...", "---\n", "../", "/", ".wh.", ".wh..wh..opq",
            "${a}", "$(a)", "<a>", "</a>", "<!--", "<![CDATA[", "\\u0000", "\\ud800", "1e999", "-1", "99999999999999999999", "0x", "true", "null", "[[a]]\n", "a=[", "PAX", "path=", "GNU.sparse.map=", "\u001b[2J", "😀",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    private static readonly long[] Numbers =
        [0, 1, 2, 7, 8, 15, 16, 127, 128, 255, 256, 511, 512, 4095, 4096, 32767, 32768, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, long.MaxValue, long.MinValue, -1, -2];

    /// <summary>A changed copy of one sample with pieces of another.</summary>
    public byte[] Change(byte[] sample, byte[] other)
    {
        var bytes = (byte[])sample.Clone();
        for (var n = random.Next(1, 7); n > 0 && bytes.Length is > 0 and <= MaxBytes; n--) bytes = Once(bytes, other);
        return bytes;
    }

    private byte[] Once(byte[] bytes, byte[] other)
    {
        var at = Place(bytes.Length);
        var length = Math.Min(1 << random.Next(14), bytes.Length - at);
        switch (random.Next(14))
        {
            case 0: bytes[at] = (byte)random.Next(256); return bytes;
            case 1: bytes[at] ^= (byte)(1 << random.Next(8)); return bytes;
            case 2: return [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + length)];
            case 3: return [.. bytes.AsSpan(0, at + length), .. bytes.AsSpan(at)];
            case 4: return [.. bytes.AsSpan(0, at), .. Tokens[random.Next(Tokens.Length)], .. bytes.AsSpan(at)];
            case 5: return bytes[..at];
            case 6: bytes.AsSpan(at, length).Fill((byte)(random.Next(2) * 255)); return bytes;
            case 7 or 8 or 9: return WithNumber(bytes, at);
            case 10:
                var from = other.Length == 0 ? 0 : random.Next(other.Length);
                return [.. bytes.AsSpan(0, at), .. other.AsSpan(from, Math.Min(1 << random.Next(13), other.Length - from)), .. bytes.AsSpan(at)];
            case 11: return Repeated(bytes, at, Math.Min(length, 64));
            case 12: return Moved(bytes, at, length);
            default: return Digits(bytes, at);
        }
    }

    // Headers and directories stand at both ends of most formats.
    private int Place(int length) => random.Next(4) switch
    {
        0 => random.Next(Math.Min(length, 128)),
        1 => Math.Max(0, length - 1 - random.Next(Math.Min(length, 128))),
        _ => random.Next(length),
    };

    private byte[] WithNumber(byte[] bytes, int at)
    {
        var width = 1 << random.Next(4);
        at = Math.Max(0, Math.Min(at / width * width, bytes.Length - width));
        if (bytes.Length < width) return bytes;
        var number = random.Next(4) == 0 ? bytes.Length + random.Next(-2, 3) : Numbers[random.Next(Numbers.Length)];
        Span<byte> written = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(written, number);
        if (random.Next(2) == 0) written[..width].Reverse();
        written[..width].CopyTo(bytes.AsSpan(at));
        return bytes;
    }

    private byte[] Repeated(byte[] bytes, int at, int length)
    {
        var times = 1 << random.Next(12);
        var made = new byte[Math.Min(MaxBytes, (long)length * times)];
        for (var i = 0; i < made.Length && length > 0; i++) made[i] = bytes[at + i % length];
        return [.. bytes.AsSpan(0, at), .. made, .. bytes.AsSpan(at)];
    }

    private byte[] Moved(byte[] bytes, int at, int length)
    {
        var piece = bytes[at..(at + length)];
        byte[] rest = [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + length)];
        var to = random.Next(rest.Length + 1);
        return [.. rest.AsSpan(0, to), .. piece, .. rest.AsSpan(to)];
    }

    // The next number that is written out.
    private byte[] Digits(byte[] bytes, int at)
    {
        var start = bytes.AsSpan(at).IndexOfAnyInRange((byte)'0', (byte)'9');
        if (start < 0) return bytes;
        start += at;
        var count = bytes.AsSpan(start).IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        var end = count < 0 ? bytes.Length : start + count;
        return [.. bytes.AsSpan(0, start), .. Encoding.ASCII.GetBytes(Numbers[random.Next(Numbers.Length)].ToString()), .. bytes.AsSpan(end)];
    }
}
