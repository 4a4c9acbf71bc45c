using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Berth.Bench.Wire;

/// <summary>The few Linux calls that the load loops make directly, because each costs less than its managed counterpart.</summary>
internal static unsafe partial class Libc
{
    internal const int EpollIn = 0x1;
    internal const int EpollAdd = 1;
    internal const int DontWait = 0x40;
    internal const int NoSignal = 0x4000;
    internal const int Truncate = 0x20;
    internal const int WaitAll = 0x100;
    internal const int More = 0x8000;
    internal const short PollOut = 0x4;
    internal const int TryAgain = 11;
    internal const int Interrupted = 4;
    internal const int Terminate = 15;

    /// <summary>Bytes of one <c>struct epoll_event</c>: packed on x86-64, aligned elsewhere. The data word is the last eight bytes.</summary>
    internal static readonly int EpollEventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    [StructLayout(LayoutKind.Sequential)]
    internal struct PollEntry
    {
        internal int Fd;
        internal short Events;
        internal short Returned;
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    internal static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    internal static partial int EpollControl(int epoll, int operation, int fd, byte* entry);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    internal static partial int EpollWait(int epoll, byte* entries, int maximum, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    internal static partial int Poll(PollEntry* entries, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    internal static partial nint Receive(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    internal static partial nint Send(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "sendfile", SetLastError = true)]
    internal static partial nint SendFile(int socket, int file, long* offset, nuint count);

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "sync")]
    internal static partial void Sync();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int pid, int signal);

    /// <summary>The error of the last call as an exception that names the call.</summary>
    internal static IOException Failure(string call) =>
        new($"{call}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");

    /// <summary>Sends all of <paramref name="bytes"/>; waits for room only when the socket has none.</summary>
    internal static void SendAll(int fd, ReadOnlySpan<byte> bytes, int flags = 0)
    {
        fixed (byte* start = bytes)
        {
            for (var sent = 0; sent < bytes.Length;)
            {
                var n = Send(fd, start + sent, (nuint)(bytes.Length - sent), NoSignal | DontWait | flags);
                if (n >= 0) sent += (int)n;
                else if (Marshal.GetLastPInvokeError() == TryAgain) WaitForRoom(fd);
                else if (Marshal.GetLastPInvokeError() != Interrupted) throw Failure("send");
            }
        }
    }

    private static void WaitForRoom(int fd)
    {
        var entry = new PollEntry { Fd = fd, Events = PollOut };
        if (Poll(&entry, 1, Limits.AnswerMilliseconds) == 0)
            throw new IOException($"the server took no bytes for {Limits.AnswerMilliseconds / 1000} s");
    }
}
