using Microsoft.Win32.SafeHandles;

namespace Berth.Blobs.FileSystem;

/// <summary>Reads a content file.</summary>
internal sealed class FileBlobReader(SafeFileHandle handle) : IBlobReader
{
    public long Length { get; } = RandomAccess.GetLength(handle);

    // Content is mostly in the page cache: a blocking read there is cheaper than a hop to another thread.
    public ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken ct) =>
        ValueTask.FromResult(RandomAccess.Read(handle, buffer.Span, offset));

    public void Dispose() => handle.Dispose();
}
