using System.Buffers;
using Berth.Oci;
using Microsoft.Win32.SafeHandles;

namespace Berth.Blobs.FileSystem;

/// <summary>Appends to an upload's file.</summary>
internal sealed class FileUploadAppender(SafeFileHandle handle, UploadMark mark, FileSystemBlobStore store) : IUploadAppender
{
    private const long WriteBackStep = 8 << 20;
    private const long SpaceCheckStep = 4 << 20;

    private readonly List<ReadOnlyMemory<byte>> _segments = [];
    private long _writtenBack = mark.Offset;
    private long _spaceChecked = long.MinValue;

    public long Offset { get; private set; } = mark.Offset;

    // Everything is written at once, if only into the page cache.
    public UploadMark Saved => mark with { Offset = Offset };

    public ValueTask AppendAsync(ReadOnlySequence<byte> data, CancellationToken ct)
    {
        if (data.IsEmpty) return ValueTask.CompletedTask;
        if (_spaceChecked == long.MinValue || Offset - _spaceChecked >= SpaceCheckStep) CheckSpace(data.Length);
        // Into the page cache: fast enough to do on the caller's thread.
        if (data.IsSingleSegment)
        {
            RandomAccess.Write(handle, data.FirstSpan, Offset);
        }
        else
        {
            _segments.Clear();
            foreach (var segment in data) _segments.Add(segment);
            RandomAccess.Write(handle, _segments, Offset);
        }
        Offset += data.Length;
        if (Offset - _writtenBack >= WriteBackStep)
        {
            Posix.StartWriting(handle, _writtenBack, Offset - _writtenBack);
            _writtenBack = Offset;
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask<UploadMark> SaveAsync(CancellationToken ct) => ValueTask.FromResult(Saved);

    // Blocking system calls that may take a while on a busy disk: not on the caller's thread.
    public async ValueTask CommitAsync(Digest digest, CancellationToken ct) => await Task.Run(() => store.Commit(handle, Saved, digest), ct).ConfigureAwait(false);

    public ValueTask DisposeAsync()
    {
        handle.Dispose();
        return ValueTask.CompletedTask;
    }

    private void CheckSpace(long wanted)
    {
        if (store.FreeBytes < wanted) throw new StoreFullException("the disk is full: free space or lower storage.minFreeBytes");
        _spaceChecked = Offset;
    }
}
