namespace Berth.Blobs.Objects;

/// <summary>
/// What <see cref="ObjectBlobStore"/> needs of one service: S3, Azure Blob, Google Cloud Storage, Swift. Keys are whole (the root prefix included). Every call
/// has a time limit and is tried again where the service says that this may help; what does not help in the end is a
/// <see cref="StoreUnavailableException"/> (out of reach, 5xx, slow down) or another <see cref="IOException"/> (credentials, missing bucket).
/// </summary>
internal interface IObjectClient : IDisposable
{
    /// <summary>Limits of uploads in parts.</summary>
    PartLimits Parts { get; }

    /// <summary>Writes a whole object, replacing what is there.</summary>
    Task PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct);

    /// <summary>
    /// Opens an object at an offset; null when it is not there, an empty stream at its end or behind. The stream ends early, or throws an <see cref="IOException"/>,
    /// when the connection breaks or falls silent: the caller compares with the size.
    /// </summary>
    Task<ObjectContent?> OpenAsync(string key, long offset, CancellationToken ct);

    /// <summary>Size in bytes; null when it is not there.</summary>
    Task<long?> GetSizeAsync(string key, CancellationToken ct);

    /// <summary>Removes an object with its parts; nothing happens when there is none.</summary>
    Task DeleteAsync(string key, CancellationToken ct);

    /// <summary>Objects below a prefix, page after page.</summary>
    IAsyncEnumerable<ObjectEntry> ListAsync(string prefix, CancellationToken ct);

    /// <summary>Begins an object that comes in parts; nothing is visible under the key before the end.</summary>
    /// <returns>The service's name of it (S3's upload id, GCS's session URI …), which is kept in the database: no secret.</returns>
    Task<string> BeginPartsAsync(string key, CancellationToken ct);

    /// <summary>Writes a part that is not the last; the same number again replaces it where <see cref="PartLimits.Concurrency"/> is above 1.</summary>
    /// <returns>What <see cref="CompletePartsAsync"/> wants to know of it (S3's ETag …); may be empty.</returns>
    Task<string> PutPartAsync(PartedObject target, Part part, ReadOnlyMemory<byte> content, CancellationToken ct);

    /// <summary>Writes the last bytes, which may be none, and makes the object visible, durably. Called again after a lost answer it finds the object made.</summary>
    /// <exception cref="UploadBytesMissingException">The service has forgotten the parts.</exception>
    Task CompletePartsAsync(PartedObject target, IReadOnlyList<Part> parts, ReadOnlyMemory<byte> last, CancellationToken ct);

    /// <summary>Forgets the parts; nothing happens when there are none.</summary>
    Task AbortPartsAsync(PartedObject target, CancellationToken ct);

    /// <summary>Objects begun before a time and neither completed nor aborted, where the service can list them.</summary>
    IAsyncEnumerable<PartedObject> ListPartedAsync(string prefix, DateTimeOffset begunBefore, CancellationToken ct);

    /// <summary>A URL that reads the object without credentials; null when the settings allow none.</summary>
    ValueTask<Uri?> SignReadAsync(string key, TimeSpan lifetime, CancellationToken ct);
}

/// <summary>Limits of uploads in parts.</summary>
/// <param name="PartBytes">Usual size of a part; parts grow where an object would need more than <paramref name="MaxParts"/>.</param>
/// <param name="Multiple">Sizes of all parts but the last are multiples of this.</param>
/// <param name="MaxParts">Most parts of an object.</param>
/// <param name="Concurrency">Most parts of one object under way at a time; 1 where they must come in order.</param>
/// <param name="ShortBytes">From this size on a part may be smaller than the others, so that a save can write it in place of a tail; 0 where it may not.</param>
/// <param name="IsEven">True where all parts but the last must have the usual size.</param>
internal readonly record struct PartLimits(int PartBytes, int Multiple, int MaxParts, int Concurrency, int ShortBytes = 0, bool IsEven = false);

/// <summary>An object that comes in parts.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Session">What <see cref="IObjectClient.BeginPartsAsync"/> returned.</param>
internal readonly record struct PartedObject(string Key, string Session);

/// <summary>One part.</summary>
/// <param name="Number">1, 2, 3 …</param>
/// <param name="Offset">Where it begins in the object.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Tag">What the service said of it; empty before it is written.</param>
internal readonly record struct Part(int Number, long Offset, int Size, string Tag);

/// <summary>An object that is being read.</summary>
/// <param name="Stream">From the offset on.</param>
/// <param name="Length">Bytes of the whole object.</param>
internal readonly record struct ObjectContent(Stream Stream, long Length);

/// <summary>An object in a list.</summary>
internal readonly record struct ObjectEntry(string Key, long Size, DateTimeOffset ChangedAt);
