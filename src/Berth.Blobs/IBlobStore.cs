using System.Buffers;
using Berth.Oci;

namespace Berth.Blobs;

/// <summary>
/// Holds bytes and nothing else: what exists is known to the database alone. An upload is a growing object under its own key; a
/// commit makes it the content of a digest. Every method may throw <see cref="IOException"/> when the store is out of order.
/// </summary>
public interface IBlobStore
{
    /// <summary>Opens the bytes of an upload for appending, creating them at offset 0.</summary>
    /// <param name="uploadKey">Key of the upload: letters, digits, hyphen and underscore.</param>
    /// <param name="offset">Bytes that are already there and stay; anything behind them is cut off.</param>
    /// <param name="ct">Cancels the opening.</param>
    /// <exception cref="UploadBytesMissingException">Fewer bytes are there than <paramref name="offset"/> says.</exception>
    ValueTask<IUploadAppender> OpenUploadAsync(string uploadKey, long offset, CancellationToken ct);

    /// <summary>
    /// Makes an upload the content of a digest, durably: when this returns, the bytes and their name survive a power cut.
    /// The caller has verified the digest and has recorded its intent, so that a crash in between leaves nothing unknown.
    /// An upload that is gone because an earlier try got this far counts as committed when the content has the expected size.
    /// </summary>
    /// <exception cref="UploadBytesMissingException">Neither the upload nor the content is there.</exception>
    ValueTask CommitUploadAsync(string uploadKey, Digest digest, long size, CancellationToken ct);

    /// <summary>
    /// Makes the bytes of an upload exactly these, whatever it had before; when this returns, they are durable. For content that is whole and
    /// small; it is listed and removed as any other upload, and <see cref="NameUploadAsync"/> makes it content.
    /// </summary>
    /// <exception cref="StoreFullException">There is no room for them; the upload may be gone then.</exception>
    ValueTask WriteUploadAsync(string uploadKey, ReadOnlyMemory<byte> content, CancellationToken ct);

    /// <summary>
    /// Makes an upload that <see cref="WriteUploadAsync"/> wrote the content of a digest: the rest of <see cref="CommitUploadAsync"/> for
    /// bytes that are durable already, under the same conditions.
    /// </summary>
    /// <exception cref="UploadBytesMissingException">The upload is not there.</exception>
    ValueTask NameUploadAsync(string uploadKey, Digest digest, CancellationToken ct);

    /// <summary>Removes an upload's bytes; nothing happens when there are none.</summary>
    ValueTask DeleteUploadAsync(string uploadKey, CancellationToken ct);

    /// <summary>Keys of uploads whose bytes have not changed since a time; for the janitor, never on a request's path.</summary>
    IAsyncEnumerable<string> ListUploadsAsync(DateTimeOffset untouchedSince, CancellationToken ct);

    /// <summary>Opens content for reading.</summary>
    /// <returns>Null when the store has no such content.</returns>
    ValueTask<IBlobReader?> OpenReadAsync(Digest digest, CancellationToken ct);

    /// <summary>Reads the bytes of an upload back, to hash them again.</summary>
    ValueTask<IBlobReader?> OpenUploadReadAsync(string uploadKey, CancellationToken ct);

    /// <summary>Size of content in bytes, or null when the store does not have it.</summary>
    ValueTask<long?> GetSizeAsync(Digest digest, CancellationToken ct);

    /// <summary>Removes content; nothing happens when there is none.</summary>
    ValueTask DeleteAsync(Digest digest, CancellationToken ct);

    /// <summary>Writes, reads and removes a small object, to see that the store works.</summary>
    ValueTask ProbeAsync(CancellationToken ct);

    /// <summary>Bytes that may still be written before uploads are refused; <see cref="long.MaxValue"/> where there is no limit.</summary>
    long FreeBytes { get; }
}

/// <summary>Appends to one upload. One caller at a time.</summary>
public interface IUploadAppender : IAsyncDisposable
{
    /// <summary>Bytes written so far.</summary>
    long Offset { get; }

    /// <summary>Appends bytes. They are not durable before the commit.</summary>
    ValueTask AppendAsync(ReadOnlySequence<byte> data, CancellationToken ct);
}

/// <summary>Random reads of content that cannot change. Safe for several readers at a time.</summary>
public interface IBlobReader : IDisposable
{
    /// <summary>Size of the content in bytes.</summary>
    long Length { get; }

    /// <summary>Reads from an offset; 0 at the end.</summary>
    ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken ct);
}

/// <summary>The bytes that an upload session counts on are not in the store.</summary>
public sealed class UploadBytesMissingException(string uploadKey) : IOException($"the bytes of upload {uploadKey} are not in the store");

/// <summary>The store has no room for the bytes.</summary>
public sealed class StoreFullException(string message) : IOException(message);
