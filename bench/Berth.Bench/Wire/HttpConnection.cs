using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Berth.Bench.Targets;

namespace Berth.Bench.Wire;

/// <summary>One answer with its whole body. <see cref="Location"/> is a path on the same server, empty when there was none.</summary>
internal sealed record HttpAnswer(int Status, byte[] Body, string Location, string Link, long ContentLength, string Head)
{
    /// <summary>Throws <see cref="IOException"/> with the answer's text unless the status is one of <paramref name="expected"/>.</summary>
    internal HttpAnswer Expect(string what, params ReadOnlySpan<int> expected)
    {
        if (expected.Contains(Status)) return this;
        var text = Encoding.UTF8.GetString(Body.AsSpan(0, Math.Min(Body.Length, 1000)));
        throw new IOException($"{what}: status {Status}, expected {string.Join(" or ", expected.ToArray())}\n{Head}{text}");
    }
}

/// <summary>A blocking keep-alive connection: for seeding, lists, checks, and for streams of large blobs.</summary>
internal sealed unsafe class HttpConnection : IDisposable
{
    private readonly Target target;
    private readonly Socket socket;
    private readonly byte[] buffer = GC.AllocateUninitializedArray<byte>(Limits.SinkBytes, pinned: true);
    private int start;
    private int end;

    internal HttpConnection(Target target)
    {
        this.target = target;
        socket = target.Connect();
    }

    internal int Fd => (int)socket.Handle;

    public void Dispose() => socket.Dispose();

    internal HttpAnswer Send(string method, string path, string contentType = "", ReadOnlySpan<byte> body = default, string accept = "")
    {
        Libc.SendAll(Fd, RequestWriter.Render(target, method, path, contentType, body, accept));
        return Receive(method == "HEAD");
    }

    /// <summary>Sends a request that was rendered before and reads its whole answer.</summary>
    internal HttpAnswer Send(ReadOnlySpan<byte> request)
    {
        Libc.SendAll(Fd, request);
        return Receive(request[0] == 'H');
    }

    /// <summary>Reads one answer with its body, by <c>Content-Length</c> or by chunks.</summary>
    internal HttpAnswer Receive(bool isHead = false)
    {
        var head = ReceiveHead();
        var body = isHead || head.Status is 204 or 304 ? []
            : head.Field("Transfer-Encoding"u8).Contains("chunked", StringComparison.OrdinalIgnoreCase) ? null
            : new byte[Bounded(head.ContentLength)];
        var location = Target.PathOf(head.Field("Location"u8));
        var (status, link, length, text) = (head.Status, head.Field("Link"u8), head.ContentLength, head.Text);
        if (body is null) body = Chunks();
        else Fill(body);
        return new HttpAnswer(status, body, location, link, length, text);
    }

    /// <summary>Reads status line and fields; the body is left to <see cref="DropBody"/> or <see cref="HashBody"/>.</summary>
    internal ResponseHead ReceiveHead()
    {
        while (true)
        {
            if (ResponseHead.TryParse(buffer.AsSpan(start, end - start), out var head))
            {
                start += head.Length;
                return head;
            }

            if (end - start > Limits.HeadBytes) throw new IOException($"response head over {Limits.HeadBytes} bytes");
            Read();
        }
    }

    /// <summary>Takes <paramref name="length"/> bytes from the socket without copying them out of the kernel.</summary>
    internal void DropBody(long length)
    {
        var buffered = (int)Math.Min(end - start, length);
        start += buffered;
        var to = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0);
        for (var left = length - buffered; left > 0;)
        {
            var n = Libc.Receive(Fd, to, (nuint)Math.Min(left, buffer.Length), Libc.Truncate | Libc.WaitAll);
            if (n == 0) throw new IOException($"the connection ended {left} bytes before the end of the body");
            if (n < 0) throw Libc.Failure("recv");
            left -= n;
        }
    }

    /// <summary>Reads <paramref name="length"/> bytes and returns their digest, <c>sha256:</c> and 64 hex digits.</summary>
    internal string HashBody(long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (length > 0)
        {
            if (start == end) Read();
            var n = (int)Math.Min(end - start, length);
            hash.AppendData(buffer, start, n);
            start += n;
            length -= n;
        }

        return "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static int Bounded(long length) =>
        length is >= 0 and <= Limits.MaxBodyBytes ? (int)length : throw new IOException($"answer with Content-Length {length}, at most {Limits.MaxBodyBytes} are read");

    private byte[] Chunks()
    {
        using var body = new MemoryStream();
        while (true)
        {
            var size = int.Parse(Line().Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (body.Length + size > Limits.MaxBodyBytes) throw new IOException($"answer over {Limits.MaxBodyBytes} bytes");
            for (var left = size; left > 0;)
            {
                if (start == end) Read();
                var n = Math.Min(end - start, left);
                body.Write(buffer, start, n);
                start += n;
                left -= n;
            }

            var line = Line();
            if (size > 0) continue;
            while (line.Length > 0) line = Line();
            return body.ToArray();
        }
    }

    private string Line()
    {
        while (true)
        {
            var length = buffer.AsSpan(start, end - start).IndexOf("\r\n"u8);
            if (length >= 0)
            {
                var text = Encoding.Latin1.GetString(buffer, start, length);
                start += length + 2;
                return text;
            }

            Read();
        }
    }

    private void Fill(byte[] body)
    {
        for (var filled = 0; filled < body.Length;)
        {
            if (start == end) Read();
            var n = Math.Min(end - start, body.Length - filled);
            buffer.AsSpan(start, n).CopyTo(body.AsSpan(filled));
            start += n;
            filled += n;
        }
    }

    private void Read()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
        }

        if (end == buffer.Length) throw new IOException("a line of the answer is longer than the buffer");
        var n = socket.Receive(buffer, end, buffer.Length - end, SocketFlags.None);
        if (n == 0) throw new IOException("the server closed the connection");
        end += n;
    }
}
