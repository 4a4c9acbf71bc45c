using Microsoft.Win32.SafeHandles;

namespace Berth.Scanner.Inventory.Layers;

/// <summary>The bytes of one file of a layer, readable at any place: in memory when small, in a temporary file when large.</summary>
public sealed class FileContent : IDisposable
{
    private readonly ReadOnlyMemory<byte> memory;
    private readonly SafeFileHandle? file;
    private readonly FileContent? whole;
    private readonly long start;

    /// <summary>Content that is in memory.</summary>
    public FileContent(ReadOnlyMemory<byte> bytes)
    {
        memory = bytes;
        Length = bytes.Length;
    }

    private FileContent(SafeFileHandle file, long length)
    {
        this.file = file;
        Length = length;
    }

    private FileContent(FileContent whole, long start, long length)
    {
        this.whole = whole;
        this.start = start;
        Length = length;
    }

    /// <summary>Size in bytes.</summary>
    public long Length { get; }

    /// <summary>A part as content of its own, without a copy; it lives as long as the whole.</summary>
    public FileContent View(long offset, long length) =>
        offset >= 0 && length >= 0 && offset <= Length - length ? new FileContent(this, offset, length) : throw new InvalidDataException("range lies outside the file");

    /// <summary>Content of a file on disk, read in place.</summary>
    public static FileContent Open(string path)
    {
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return new FileContent(handle, RandomAccess.GetLength(handle));
    }

    /// <summary>All bytes. Content larger than <paramref name="limit"/> is refused.</summary>
    public ReadOnlyMemory<byte> Bytes(int limit = int.MaxValue)
    {
        if (Length > limit) throw new InvalidDataException($"file has {Length} bytes, {limit} are read");
        if (file is null && whole is null) return memory;
        var all = new byte[Length];
        return ReadAt(0, all) == Length ? all : throw new InvalidDataException("file ends early");
    }

    /// <summary>Reads up to the length of <paramref name="buffer"/> from <paramref name="offset"/>; 0 beyond the end.</summary>
    public int ReadAt(long offset, Span<byte> buffer)
    {
        if (offset < 0 || offset >= Length) return 0;
        if (whole is not null) return whole.ReadAt(start + offset, buffer[..(int)Math.Min(buffer.Length, Length - offset)]);
        if (file is null)
        {
            var count = (int)Math.Min(buffer.Length, Length - offset);
            memory.Span.Slice((int)offset, count).CopyTo(buffer);
            return count;
        }
        var total = 0;
        while (total < buffer.Length)
        {
            var read = RandomAccess.Read(file, buffer[total..], offset + total);
            if (read == 0) break;
            total += read;
        }
        return total;
    }

    /// <summary>The bytes of a range that must be there.</summary>
    public byte[] Slice(long offset, int count, int limit)
    {
        if (count < 0 || count > limit || offset < 0 || offset > Length - count) throw new InvalidDataException("range lies outside the file");
        var bytes = new byte[count];
        if (ReadAt(offset, bytes) != count) throw new InvalidDataException("file ends early");
        return bytes;
    }

    /// <inheritdoc/>
    public void Dispose() => file?.Dispose();

    /// <summary>Takes <paramref name="length"/> bytes from a reader: into <paramref name="scratch"/> (which may grow up to the memory limit and is used again) or into a temporary file.</summary>
    internal static async ValueTask<FileContent> TakeAsync(TarReader source, long length, LayerLimits limits, ScratchBuffer scratch, CancellationToken ct)
    {
        if (length <= limits.MemoryBytes)
        {
            var buffer = scratch.Of((int)length);
            await source.ReadExactlyAsync(buffer, ct);
            return new FileContent(buffer);
        }
        var path = System.IO.Path.Combine(limits.SpoolDirectory, System.IO.Path.GetRandomFileName());
        var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
        try
        {
            var chunk = scratch.Of(1 << 20);
            for (long done = 0; done < length;)
            {
                var part = chunk[..(int)Math.Min(chunk.Length, length - done)];
                await source.ReadExactlyAsync(part, ct);
                RandomAccess.Write(handle, part.Span, done);
                done += part.Length;
            }
            return new FileContent(handle, length);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }
}

/// <summary>One buffer that serves file after file.</summary>
internal sealed class ScratchBuffer
{
    private byte[] bytes = new byte[1 << 16];

    /// <summary>The first <paramref name="length"/> bytes; what was in them before is lost.</summary>
    public Memory<byte> Of(int length)
    {
        if (bytes.Length < length) bytes = new byte[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)length)];
        return bytes.AsMemory(0, length);
    }
}
