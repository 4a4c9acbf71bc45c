using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// UTF-8 text that grows in one array; a line of a log or a page of metrics is built in it without strings.
/// Not safe for several threads at once: take <see cref="Mine"/>, or own one.
/// </summary>
public sealed class LineBuffer
{
    /// <summary>Arrays above this size are given back after use, so that one long stack trace does not stay in memory for good.</summary>
    private const int KeepBytes = 64 * 1024;

    [ThreadStatic]
    private static LineBuffer? s_mine;

    /// <summary>What a JSON string may hold as it is; everything else goes through the framework's encoder.</summary>
    private static readonly SearchValues<char> s_plainJson = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !#$%()*,-./:;=?@[]^_{|}~");

    /// <summary>What would end a quoted text or its line.</summary>
    private static readonly SearchValues<char> s_escaped = SearchValues.Create(
        [.. Enumerable.Range(0, ' ').Select(code => (char)code), '"', '\\', '\x7f']);

    private byte[] _bytes = new byte[1024];
    private int _length;

    /// <summary>An empty buffer of this thread; valid until the thread asks again.</summary>
    public static LineBuffer Mine()
    {
        var mine = s_mine ??= new LineBuffer();
        mine._length = 0;
        if (mine._bytes.Length > KeepBytes) mine._bytes = new byte[1024];
        return mine;
    }

    /// <summary>What was written so far.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    /// <summary>The same, for asynchronous writers.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, _length);

    /// <summary>Adds bytes that are UTF-8 already.</summary>
    public LineBuffer Raw(ReadOnlySpan<byte> utf8)
    {
        utf8.CopyTo(Room(utf8.Length));
        _length += utf8.Length;
        return this;
    }

    /// <summary>Adds one ASCII character.</summary>
    public LineBuffer Raw(char ascii)
    {
        Room(1)[0] = (byte)ascii;
        _length++;
        return this;
    }

    /// <summary>Adds text as it is.</summary>
    public LineBuffer Text(ReadOnlySpan<char> text)
    {
        var room = Room(Encoding.UTF8.GetMaxByteCount(text.Length));
        _length += Encoding.UTF8.GetBytes(text, room);
        return this;
    }

    /// <summary>Adds a whole number.</summary>
    public LineBuffer Number(long value)
    {
        Utf8Formatter.TryFormat(value, Room(20), out var written);
        _length += written;
        return this;
    }

    /// <summary>Adds a number in the shortest form that reads back the same, or with so many digits after the point.</summary>
    public LineBuffer Number(double value, int digits = -1)
    {
        Span<byte> room = Room(400);
        var done = digits < 0
            ? value.TryFormat(room, out var written, default, null)
            : value.TryFormat(room, out written, digits == 3 ? "F3" : "F" + digits, null);
        _length += done ? written : 0;
        return this;
    }

    /// <summary>Adds anything that formats itself as UTF-8 within 64 bytes: addresses, times.</summary>
    public LineBuffer Value<T>(T value, ReadOnlySpan<char> format = default) where T : IUtf8SpanFormattable
    {
        if (value.TryFormat(Room(64), out var written, format, null)) _length += written;
        return this;
    }

    /// <summary>Adds a JSON string with its quotes (RFC 8259 section 7).</summary>
    public LineBuffer JsonString(ReadOnlySpan<char> text)
    {
        Raw('"');
        if (!text.ContainsAnyExcept(s_plainJson)) Text(text);
        else Text(JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text.ToString()));
        return Raw('"');
    }

    /// <summary>Adds text between quotes, with quotes, backslashes and control characters escaped so that it stays on one line.</summary>
    public LineBuffer Quoted(ReadOnlySpan<char> text) => Raw('"').Escaped(text).Raw('"');

    /// <summary>Adds text with quotes, backslashes and control characters escaped as <c>\"</c>, <c>\\</c>, <c>\n</c>, <c>\x1b</c>.</summary>
    public LineBuffer Escaped(ReadOnlySpan<char> text)
    {
        if (text.IndexOfAny(s_escaped) < 0) return Text(text);
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (!s_escaped.Contains(c)) continue;
            Text(text[start..i]);
            start = i + 1;
            switch (c)
            {
                case '\n': Raw("\\n"u8); break;
                case '\r': Raw("\\r"u8); break;
                case '\t': Raw("\\t"u8); break;
                case '"': Raw("\\\""u8); break;
                case '\\': Raw("\\\\"u8); break;
                default: Raw("\\x"u8).Value((byte)c, "x2"); break;
            }
        }
        return Text(text[start..]);
    }

    /// <summary>Adds a value of a <c>key=value</c> line: bare when it is one plain word, else between quotes.</summary>
    public LineBuffer Word(ReadOnlySpan<char> text)
    {
        var plain = text.Length > 0;
        foreach (var c in text) plain &= c is > ' ' and not ('"' or '=' or '\\') && c != 127;
        return plain ? Text(text) : Quoted(text);
    }

    private Span<byte> Room(int bytes)
    {
        if (_bytes.Length - _length < bytes) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + bytes));
        return _bytes.AsSpan(_length);
    }
}
