using Microsoft.Win32.SafeHandles;

namespace Berth.Blobs.FileSystem;

/// <summary>Reads a content file.</summary>
public sealed class FileBlobReader(SafeFileHandle handle) : IBlobReader
{
    /// <inheritdoc/>
    public long Length { get; } = RandomAccess.GetLength(handle);

    /// <inheritdoc/>
    /// <remarks>Content is mostly in the page cache: a blocking read there is cheaper than a hop to another thread.</remarks>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken ct) =>
        ValueTask.FromResult(RandomAccess.Read(handle, buffer.Span, offset));

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();
}
