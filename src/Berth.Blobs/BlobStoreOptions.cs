namespace Berth.Blobs;

/// <summary>Where the bytes live (section <c>storage</c>).</summary>
public sealed record BlobStoreOptions
{
    /// <summary>File system: root folder, laid out as Docker Registry does; default <c>storage</c> in the data folder.</summary>
    public string? Root { get; init; }

    /// <summary>Uploads are refused with 507 while the disk has fewer free bytes than this.</summary>
    public long MinFreeBytes { get; init; } = 512L << 20;

    /// <summary>Most file operations that block at a time (Docker Registry's <c>maxthreads</c>); 0 leaves it to the runtime.</summary>
    public int MaxThreads { get; init; }
}
