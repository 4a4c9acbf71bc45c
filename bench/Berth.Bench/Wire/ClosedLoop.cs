using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Berth.Bench.Targets;

namespace Berth.Bench.Wire;

/// <summary>What a <see cref="ClosedLoop"/> sends, and its judgement of what comes back.</summary>
internal interface IRequestSource
{
    /// <summary>
    /// The next request of a connection, or nothing when it has no more to do. After the time is up <paramref name="draining"/> is true:
    /// then only sequences that were begun go on. The bytes must stay unchanged until the answer is there.
    /// </summary>
    ReadOnlyMemory<byte> Next(int connection, bool draining);

    /// <summary>Called with the head of each answer. Throws <see cref="IOException"/> when it is not the expected one.</summary>
    void Received(int connection, in ResponseHead head);
}

/// <summary>What a loop did: answers, bytes of their bodies, and the time from the first request to the last answer.</summary>
internal sealed record LoopResult(long Answers, long BodyBytes, TimeSpan Elapsed);

/// <summary>
/// Keeps one request in flight on each of many keep-alive connections, all on one thread: an epoll set, one send and one or two receives
/// a request. Response bodies are counted, and past the first 16 KiB dropped inside the kernel (<c>MSG_TRUNC</c>) without being copied.
/// </summary>
internal sealed unsafe class ClosedLoop : IDisposable
{
    private readonly Connection[] connections;
    private readonly byte[] buffers;
    private readonly byte[] entries;
    private readonly byte* sink;
    private readonly int epoll;
    private long answers;
    private long bodyBytes;
    private int busy;

    internal ClosedLoop(Target target, int count)
    {
        connections = new Connection[count];
        buffers = GC.AllocateUninitializedArray<byte>(count * Limits.HeadBytes, pinned: true);
        entries = GC.AllocateArray<byte>(count * Libc.EpollEventBytes, pinned: true);
        sink = (byte*)NativeMemory.Alloc(Limits.SinkBytes);
        epoll = Libc.EpollCreate(0);
        if (epoll < 0) throw Libc.Failure("epoll_create1");
        var entry = stackalloc byte[16];
        for (var i = 0; i < count; i++)
        {
            var socket = target.Connect();
            connections[i] = new Connection { Socket = socket, Fd = (int)socket.Handle };
            *(uint*)entry = Libc.EpollIn;
            *(ulong*)(entry + Libc.EpollEventBytes - 8) = (ulong)i;
            if (Libc.EpollControl(epoll, Libc.EpollAdd, connections[i].Fd, entry) < 0) throw Libc.Failure("epoll_ctl");
        }
    }

    /// <summary>Runs until the source has nothing more, or until <paramref name="limit"/> and then until each open sequence is answered.</summary>
    internal LoopResult Run(IRequestSource source, TimeSpan limit)
    {
        answers = bodyBytes = 0;
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < connections.Length; i++) SendNext(source, i, draining: false);
        var events = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(entries, 0);
        while (busy > 0)
        {
            var ready = Libc.EpollWait(epoll, events, connections.Length, Limits.AnswerMilliseconds);
            if (ready == 0) throw new IOException($"no answer for {Limits.AnswerMilliseconds / 1000} s");
            if (ready < 0 && Marshal.GetLastPInvokeError() != Libc.Interrupted) throw Libc.Failure("epoll_wait");
            var draining = Stopwatch.GetElapsedTime(start) >= limit;
            for (var e = 0; e < ready; e++)
            {
                var index = (int)*(ulong*)(events + ((e + 1) * Libc.EpollEventBytes) - 8);
                if (Readable(source, index)) SendNext(source, index, draining);
            }
        }

        return new LoopResult(answers, bodyBytes, Stopwatch.GetElapsedTime(start));
    }

    public void Dispose()
    {
        foreach (var connection in connections) connection.Socket?.Dispose();
        _ = Libc.Close(epoll);
        NativeMemory.Free(sink);
    }

    private void SendNext(IRequestSource source, int index, bool draining)
    {
        ref var connection = ref connections[index];
        var request = source.Next(index, draining);
        var wasBusy = connection.Busy;
        connection.Busy = !request.IsEmpty;
        busy += (connection.Busy ? 1 : 0) - (wasBusy ? 1 : 0);
        if (request.IsEmpty) return;
        connection.Filled = 0;
        connection.IsHead = request.Span[0] == 'H';
        Libc.SendAll(connection.Fd, request.Span);
    }

    /// <summary>Takes what has arrived on a connection; true when the answer is complete.</summary>
    private bool Readable(IRequestSource source, int index)
    {
        ref var connection = ref connections[index];
        if (!connection.Busy) throw new IOException("the server closed an idle connection, or sent bytes nobody asked for");
        if (connection.BodyLeft > 0) return Drop(ref connection);

        var start = index * Limits.HeadBytes;
        var buffer = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(buffers, start);
        var n = Receive(connection.Fd, buffer + connection.Filled, Limits.HeadBytes - connection.Filled, Libc.DontWait);
        if (n < 0) return false;
        connection.Filled += n;
        var received = buffers.AsSpan(start, connection.Filled);
        if (!ResponseHead.TryParse(received, out var head))
            return connection.Filled < Limits.HeadBytes ? false : throw new IOException($"response head over {Limits.HeadBytes} bytes");

        try
        {
            source.Received(index, head);
        }
        catch (IOException e)
        {
            throw new IOException($"{e.Message}\n{Encoding.Latin1.GetString(received[..Math.Min(received.Length, 1000)])}", e);
        }

        var body = connection.IsHead || head.Status is 204 or 304 ? 0 : head.ContentLength;
        var left = body - (connection.Filled - head.Length);
        if (body < 0) throw new IOException("answer without Content-Length");
        if (left < 0) throw new IOException("more body than Content-Length says");
        bodyBytes += body;
        connection.BodyLeft = left;
        if (left > 0) return false;
        answers++;
        return true;
    }

    private bool Drop(ref Connection connection)
    {
        var n = Receive(connection.Fd, sink, (int)Math.Min(connection.BodyLeft, Limits.SinkBytes), Libc.DontWait | Libc.Truncate);
        if (n < 0) return false;
        connection.BodyLeft -= n;
        if (connection.BodyLeft > 0) return false;
        answers++;
        return true;
    }

    /// <summary>Bytes received, or -1 when there are none yet.</summary>
    private static int Receive(int fd, byte* to, int room, int flags)
    {
        var n = Libc.Receive(fd, to, (nuint)room, flags);
        if (n > 0) return (int)n;
        if (n == 0) throw new IOException("the server closed the connection in the middle of an answer");
        return Marshal.GetLastPInvokeError() is Libc.TryAgain or Libc.Interrupted ? -1 : throw Libc.Failure("recv");
    }

    private struct Connection
    {
        internal Socket? Socket;
        internal int Fd;
        internal int Filled;
        internal long BodyLeft;
        internal bool IsHead;
        internal bool Busy;
    }
}
