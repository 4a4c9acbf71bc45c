using System.Security.Cryptography;
using Berth.Bench.Wire;
using Microsoft.Win32.SafeHandles;

namespace Berth.Bench.Content;

/// <summary>
/// Random bytes in memory that the kernel can send without copying them (a memory file and <c>sendfile</c>). Each
/// <see cref="LargeBlob"/> is the same base under a random beginning of its own, so that no two have a common digest.
/// </summary>
internal sealed unsafe class LargeContent : IDisposable
{
    private const int PrefixBytes = 4096;
    private readonly SafeFileHandle file;
    private readonly long size;

    internal LargeContent(long size)
    {
        this.size = size;
        var fd = Libc.MemoryFile("berth-bench", 0);
        if (fd < 0) throw Libc.Failure("memfd_create");
        file = new SafeFileHandle(fd, ownsHandle: true);
        var buffer = new byte[Limits.SinkBytes];
        for (long at = 0; at < size; at += buffer.Length)
        {
            RandomNumberGenerator.Fill(buffer);
            RandomAccess.Write(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, size - at)), at);
        }
    }

    /// <summary>The base as a file that other processes of this user can open.</summary>
    internal string Path => $"/proc/{Environment.ProcessId}/fd/{file.DangerousGetHandle()}";

    public void Dispose() => file.Dispose();

    /// <summary>A new blob of the full size with its digest. Reads all bytes once: not for a timed section.</summary>
    internal LargeBlob Next()
    {
        var prefix = RandomNumberGenerator.GetBytes(PrefixBytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(prefix);
        var buffer = new byte[Limits.SinkBytes];
        for (long at = PrefixBytes; at < size;)
        {
            var n = RandomAccess.Read(file, buffer, at);
            hash.AppendData(buffer, 0, n);
            at += n;
        }

        return new LargeBlob(prefix, size, "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>Sends a blob's bytes as the body of a request whose head was sent.</summary>
    internal void SendTo(int socket, LargeBlob blob)
    {
        Libc.SendAll(socket, blob.Prefix, Libc.More);
        var offset = (long)PrefixBytes;
        while (offset < size)
        {
            var n = Libc.SendFile(socket, (int)file.DangerousGetHandle(), &offset, (nuint)(size - offset));
            if (n <= 0) throw Libc.Failure("sendfile (the server may have answered before the end of the body)");
        }
    }
}

/// <summary>One large blob: its own first bytes, its size, and its digest.</summary>
internal sealed record LargeBlob(byte[] Prefix, long SizeBytes, string Digest);
