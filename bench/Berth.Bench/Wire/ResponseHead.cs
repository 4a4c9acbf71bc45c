using System.Buffers.Text;
using System.Text;

namespace Berth.Bench.Wire;

/// <summary>Status line and header fields of one HTTP/1.1 answer, seen in place in the receive buffer.</summary>
internal readonly ref struct ResponseHead
{
    private readonly ReadOnlySpan<byte> fields;

    private ResponseHead(int status, int length, ReadOnlySpan<byte> fields)
    {
        Status = status;
        Length = length;
        this.fields = fields;
    }

    internal int Status { get; }

    /// <summary>Bytes up to and including the empty line.</summary>
    internal int Length { get; }

    /// <summary>The value of <c>Content-Length</c>, or -1 when the answer has none.</summary>
    internal long ContentLength =>
        TryGetField("Content-Length"u8, out var value) && Utf8Parser.TryParse(value, out long length, out var used) && used == value.Length
            ? length
            : -1;

    internal string Text => Encoding.Latin1.GetString(fields);

    /// <summary>False while the empty line has not arrived. Throws <see cref="IOException"/> on bytes that are not HTTP/1.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> received, out ResponseHead head)
    {
        head = default;
        var end = received.IndexOf("\r\n\r\n"u8);
        if (end < 0) return false;
        if (!received.StartsWith("HTTP/1."u8) || end < 12 || !Utf8Parser.TryParse(received.Slice(9, 3), out int status, out _))
            throw new IOException("the answer is not HTTP/1.1");
        head = new ResponseHead(status, end + 4, received[..(end + 2)]);
        return true;
    }

    /// <summary>Finds a field by name, in any case of letters; the value comes without the blanks around it.</summary>
    internal bool TryGetField(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var rest = fields;
        while (true)
        {
            var line = rest.IndexOf("\r\n"u8);
            if (line < 0) break;
            var text = rest[..line];
            rest = rest[(line + 2)..];
            if (text.Length > name.Length && text[name.Length] == ':' && Ascii.EqualsIgnoreCase(text[..name.Length], name))
            {
                value = text[(name.Length + 1)..].Trim((byte)' ');
                return true;
            }
        }

        value = default;
        return false;
    }

    internal string Field(ReadOnlySpan<byte> name) => TryGetField(name, out var value) ? Encoding.Latin1.GetString(value) : "";
}
