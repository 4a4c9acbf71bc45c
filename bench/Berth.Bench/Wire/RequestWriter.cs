using System.Buffers.Text;
using System.Text;
using Berth.Bench.Targets;

namespace Berth.Bench.Wire;

/// <summary>Renders HTTP/1.1 requests into one reused buffer. <see cref="Written"/> is valid until the next <see cref="Begin"/>.</summary>
internal sealed class RequestWriter
{
    private byte[] buffer = new byte[4096];
    private int length;

    internal ReadOnlyMemory<byte> Written => buffer.AsMemory(0, length);

    /// <summary>A whole request as a fresh array, for requests that are rendered once and sent often.</summary>
    internal static byte[] Render(Target target, string method, string path, string contentType = "", ReadOnlySpan<byte> body = default, string accept = "")
    {
        var writer = new RequestWriter();
        writer.Begin(target, method, Encoding.ASCII.GetBytes(path));
        if (accept.Length > 0) writer.Append("Accept: ").Append(accept).Append("\r\n");
        writer.End(contentType, body, hasBody: method is not ("GET" or "HEAD"));
        return writer.Written.ToArray();
    }

    /// <summary>Starts a request: request line, <c>Host</c> and the target's <c>Authorization</c>. The path goes on with <paramref name="last"/>.</summary>
    internal RequestWriter Begin(Target target, string method, ReadOnlySpan<byte> path, string last = "")
    {
        length = 0;
        return Append(method).Append(" "u8).Append(path).Append(last).Append(target.CommonFields);
    }

    /// <summary>Starts the PUT that ends an upload: its location with the digest as a further query parameter.</summary>
    internal RequestWriter BeginPut(Target target, ReadOnlySpan<byte> location, string digest)
    {
        length = 0;
        Append("PUT "u8).Append(location).Append(location.Contains((byte)'?') ? "&digest="u8 : "?digest="u8);
        return Append(digest).Append(target.CommonFields);
    }

    /// <summary>Ends the header fields and adds the body. A request with a body has a <c>Content-Length</c>, also when it is empty.</summary>
    internal void End(string contentType = "", ReadOnlySpan<byte> body = default, bool hasBody = true)
    {
        if (hasBody) Length(contentType, body.Length);
        Append("\r\n"u8).Append(body);
    }

    /// <summary>Ends the header fields of a request whose body of <paramref name="bodyBytes"/> bytes is sent by other means.</summary>
    internal void EndHead(string contentType, long bodyBytes)
    {
        Length(contentType, bodyBytes);
        Append("\r\n"u8);
    }

    internal RequestWriter Append(string text)
    {
        Room(text.Length);
        length += Encoding.ASCII.GetBytes(text, buffer.AsSpan(length));
        return this;
    }

    internal RequestWriter Append(ReadOnlySpan<byte> bytes)
    {
        Room(bytes.Length);
        bytes.CopyTo(buffer.AsSpan(length));
        length += bytes.Length;
        return this;
    }

    private void Length(string contentType, long bodyBytes)
    {
        if (contentType.Length > 0) Append("Content-Type: "u8).Append(contentType).Append("\r\n"u8);
        Append("Content-Length: "u8);
        Room(20);
        Utf8Formatter.TryFormat(bodyBytes, buffer.AsSpan(length), out var digits);
        length += digits;
        Append("\r\n"u8);
    }

    private void Room(int more)
    {
        if (buffer.Length - length < more) Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length + more));
    }
}
