using System.Net;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// Writes the Combined Log Format of Apache's HTTP server, byte counts as numbers as Docker Registry does:
/// <c>10.0.0.7 - alice [22/Nov/2026:01:45:32 +0000] "GET /v2/ HTTP/1.1" 200 2 "-" "containerd/2.0"</c>. Times are UTC.
/// </summary>
public sealed class AccessLog(LogOutput output, TimeProvider time)
{
    /// <summary>The time as text, kept for the second it is true.</summary>
    private Second _second = new(-1, []);

    /// <summary>Writes one line; about 400 ns, without allocation unless the query holds a secret.</summary>
    public void Write(in RequestLine line)
    {
        var buffer = LineBuffer.Mine();
        Format(buffer, line, Now());
        output.Write(buffer.Written);
    }

    internal static void Format(LineBuffer to, in RequestLine line, ReadOnlySpan<byte> time)
    {
        Address(to, line.Remote);
        to.Raw(" - "u8);
        Name(to, line.Caller);
        to.Raw(" ["u8).Raw(time).Raw("] \""u8);
        to.Escaped(line.Method);
        to.Raw(' ');
        to.Escaped(line.Target.Contains('?') ? Redaction.Of(line.Target) : line.Target);
        to.Raw(' ');
        to.Text(line.Protocol);
        to.Raw("\" "u8).Number(line.Status).Raw(' ').Number(line.BytesSent).Raw(' ');
        to.Quoted(line.Referer is { Length: > 0 } referer ? Redaction.Of(referer) : "-").Raw(' ');
        to.Quoted(line.UserAgent is { Length: > 0 } agent ? agent : "-").Raw('\n');
    }

    /// <summary>An address as people write it: an IPv4 address that came over an IPv6 socket is IPv4.</summary>
    internal static LineBuffer Address(LineBuffer to, IPAddress? address)
    {
        if (address is null) return to.Raw('-');
        // IPAddress keeps its text, and Kestrel keeps the address as long as the connection.
        var text = address.ToString();
        return to.Text(address.IsIPv4MappedToIPv6 ? text.AsSpan("::ffff:".Length) : text);
    }

    /// <summary>A caller's name as one field: blanks and brackets would move the columns.</summary>
    private static void Name(LineBuffer to, string? caller)
    {
        if (string.IsNullOrEmpty(caller)) to.Raw('-');
        else if (caller.AsSpan().IndexOfAnyInRange('\0', ' ') < 0 && caller.AsSpan().IndexOfAny('"', '[', '\\') < 0) to.Text(caller);
        else to.Text(Uri.EscapeDataString(caller));
    }

    private ReadOnlySpan<byte> Now()
    {
        var now = time.GetUtcNow();
        var number = now.Ticks / TimeSpan.TicksPerSecond;
        var second = Volatile.Read(ref _second);
        if (second.Number == number) return second.Text;
        var text = new LineBuffer().Value(now, "dd/MMM/yyyy:HH:mm:ss' +0000'").Written.ToArray();
        Volatile.Write(ref _second, new Second(number, text));
        return text;
    }

    private sealed record Second(long Number, byte[] Text);
}
