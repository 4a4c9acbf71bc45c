using System.Buffers;
using Berth.Oci;

namespace Berth.Blobs;

/// <summary>
/// Holds bytes and nothing else: what exists, and where, is known to the database alone. An upload grows under its own key; a commit makes it
/// content. Every method may throw <see cref="IOException"/> when the store is out of order, and gives up within a bounded time.
/// </summary>
public interface IBlobStore
{
    /// <summary>
    /// True where content lies under the key of its upload, so that a commit moves no bytes: the intent to commit must be recorded before
    /// <see cref="WriteUploadAsync"/> or <see cref="IUploadAppender.CommitAsync"/>, and what was saved of an upload is durable at once. False for a file
    /// system: a commit gives the bytes the name of their digest, and nothing is durable before.
    /// </summary>
    bool IsObjectStore { get; }

    /// <summary>Where the content of an upload lies once it is committed.</summary>
    /// <exception cref="ArgumentException">The key has a character that no upload key has.</exception>
    BlobPlace PlaceOf(string uploadKey, Digest digest);

    /// <summary>Opens an upload for appending where its session stands; anything behind is cut off.</summary>
    /// <exception cref="UploadBytesMissingException">The store has less than the mark says.</exception>
    ValueTask<IUploadAppender> OpenUploadAsync(UploadMark mark, CancellationToken ct);

    /// <summary>
    /// Makes the bytes of an upload exactly these, whatever it had before; when this returns, they are durable. For content that is whole and
    /// small; <see cref="NameUploadAsync"/> makes it content. It is removed as any other upload.
    /// </summary>
    /// <exception cref="StoreFullException">There is no room for them; the upload may be gone then.</exception>
    ValueTask WriteUploadAsync(string uploadKey, ReadOnlyMemory<byte> content, CancellationToken ct);

    /// <summary>Makes an upload that <see cref="WriteUploadAsync"/> wrote the content of a digest (<see cref="PlaceOf"/>), durably.</summary>
    /// <exception cref="UploadBytesMissingException">The upload is not there.</exception>
    ValueTask NameUploadAsync(string uploadKey, Digest digest, CancellationToken ct);

    /// <summary>Removes what an upload left behind, its content excepted; nothing happens when there is nothing.</summary>
    /// <param name="uploadKey">Key of the upload.</param>
    /// <param name="state">What its session had saved last (<see cref="UploadMark.State"/>).</param>
    /// <param name="ct">Cancels the removal.</param>
    ValueTask DeleteUploadAsync(string uploadKey, string? state, CancellationToken ct);

    /// <summary>Keys of unfinished uploads that have not changed since a time; for the janitor, never on a request's path. A store that never has any without a session lists none.</summary>
    IAsyncEnumerable<string> ListUploadsAsync(DateTimeOffset untouchedSince, CancellationToken ct);

    /// <summary>Reads the bytes of an upload back, to hash them again.</summary>
    /// <returns>Null when they are not there, or when the store cannot read unfinished uploads.</returns>
    ValueTask<IBlobReader?> OpenUploadReadAsync(UploadMark mark, CancellationToken ct);

    /// <summary>Opens content for reading.</summary>
    /// <param name="place">Where it lies.</param>
    /// <param name="offset">Where reading begins; a hint that saves a request.</param>
    /// <param name="ct">Cancels the opening.</param>
    /// <returns>Null when the store has no such content.</returns>
    ValueTask<IBlobReader?> OpenReadAsync(BlobPlace place, long offset, CancellationToken ct);

    /// <summary>Size of content in bytes, or null when the store does not have it.</summary>
    ValueTask<long?> GetSizeAsync(BlobPlace place, CancellationToken ct);

    /// <summary>The same, and makes durable what a commit that was cut off may have named.</summary>
    ValueTask<long?> ConfirmAsync(BlobPlace place, CancellationToken ct);

    /// <summary>Removes content; nothing happens when there is none.</summary>
    ValueTask DeleteAsync(BlobPlace place, CancellationToken ct);

    /// <summary>All content, in no order; for checks in the background only.</summary>
    IAsyncEnumerable<StoredContent> ListContentAsync(CancellationToken ct);

    /// <summary>A URL under which a client may fetch content without credentials for a while; null when the store gives none.</summary>
    ValueTask<Uri?> SignReadAsync(BlobPlace place, TimeSpan lifetime, CancellationToken ct);

    /// <summary>Writes, reads and removes a small object, to see that the store works.</summary>
    ValueTask ProbeAsync(CancellationToken ct);

    /// <summary>Bytes that may still be written before uploads are refused; <see cref="long.MaxValue"/> where there is no limit.</summary>
    long FreeBytes { get; }
}

/// <summary>Where content lies in a store.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="Key">Key of the upload that it came by; null where Docker Registry puts it (<see cref="FileSystem.ContentPaths"/>).</param>
public readonly record struct BlobPlace(Digest Digest, string? Key);

/// <summary>How far an upload has come, as its session records it.</summary>
/// <param name="Key">Key of the upload: 1 to 128 letters, digits, hyphens and underscores.</param>
/// <param name="Offset">Bytes that are there and stay.</param>
/// <param name="State">What the store needs to go on from there, in words of its own; null at offset 0 and where it needs nothing.</param>
public readonly record struct UploadMark(string Key, long Offset, string? State);

/// <summary>Content that a store lists.</summary>
/// <param name="Digest">What its path says; the default where it lies under a key.</param>
/// <param name="Key">Key of its upload; null where its path says the digest.</param>
/// <param name="Size">Size in bytes, as a reader sees it.</param>
/// <param name="ChangedAt">When it was written.</param>
public readonly record struct StoredContent(Digest Digest, string? Key, long Size, DateTimeOffset ChangedAt);

/// <summary>Appends to one upload. One caller at a time.</summary>
public interface IUploadAppender : IAsyncDisposable
{
    /// <summary>Bytes taken in so far.</summary>
    long Offset { get; }

    /// <summary>
    /// Where another process can go on without anything more being written: the mark that it was opened with, or of the last
    /// <see cref="SaveAsync"/>, or, where everything that was taken in is written at once, the present one.
    /// </summary>
    UploadMark Saved { get; }

    /// <summary>Appends bytes. They are not durable before <see cref="SaveAsync"/> (object stores) or the commit (file system).</summary>
    /// <exception cref="StoreFullException">There is no room for them.</exception>
    ValueTask AppendAsync(ReadOnlySequence<byte> data, CancellationToken ct);

    /// <summary>Writes what was taken in, so that another process can go on from here; the mark is then <see cref="Saved"/>.</summary>
    ValueTask<UploadMark> SaveAsync(CancellationToken ct);

    /// <summary>
    /// Makes the upload the content of a digest, at <see cref="IBlobStore.PlaceOf"/>, durably: when this returns, the bytes and their name survive a power cut.
    /// The caller has verified the digest and has recorded its intent, so that a crash in between leaves nothing unknown. Nothing can be
    /// appended any more.
    /// </summary>
    ValueTask CommitAsync(Digest digest, CancellationToken ct);
}

/// <summary>Reads of content that cannot change. One caller at a time; reading on from where the last read ended is cheap, elsewhere it may cost a request.</summary>
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

/// <summary>The store does not answer, or asks to be left alone for a while: the same may work later.</summary>
public sealed class StoreUnavailableException(string message, Exception? cause = null) : IOException(message, cause);
