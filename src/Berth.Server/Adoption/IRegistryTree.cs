using Berth.Blobs;
using Berth.Oci;

namespace Berth.Server.Adoption;

/// <summary>
/// Reads what a Docker Registry (distribution 2.x and 3.x) has stored, and writes nothing. Everything is listed lazily: memory does not grow with what is
/// there. Names that Docker Registry would not have made are passed over.
/// </summary>
internal interface IRegistryTree : IDisposable
{
    /// <summary>Where it is, for people.</summary>
    string Name { get; }

    /// <summary>How many reads side by side are worth while.</summary>
    int Readers { get; }

    /// <summary>Whether there is anything of a repository.</summary>
    ValueTask<bool> HasContentAsync(CancellationToken ct);

    /// <summary>What holds the blobs whose digests begin alike.</summary>
    IAsyncEnumerable<RegistryShard> ShardsAsync(CancellationToken ct);

    /// <summary>The blobs of a shard; not all of them need have bytes.</summary>
    IAsyncEnumerable<ListedDigest> BlobsAsync(RegistryShard shard, CancellationToken ct);

    /// <summary>A blob with its size and time; null when its bytes are missing.</summary>
    ValueTask<ListedDigest?> FindBlobAsync(ListedDigest listed, CancellationToken ct);

    /// <summary>Opens a blob; null when its bytes are missing.</summary>
    ValueTask<IBlobReader?> OpenBlobAsync(Digest digest, CancellationToken ct);

    /// <summary>
    /// All repositories by their full names, and places below which there is something of a repository under a name that none can have
    /// (<c>IsValid</c> false).
    /// </summary>
    IAsyncEnumerable<(string Name, bool IsValid)> RepositoriesAsync(CancellationToken ct);

    /// <summary>Digests for which a repository has or had a link to a blob.</summary>
    IAsyncEnumerable<ListedDigest> LayersAsync(string repository, CancellationToken ct);

    /// <summary>Digests for which a repository has or had a manifest.</summary>
    IAsyncEnumerable<ListedDigest> RevisionsAsync(string repository, CancellationToken ct);

    /// <summary>Names of tags that a repository has or had, with the time of each where the list says it.</summary>
    IAsyncEnumerable<(string Name, long ChangedAt)> TagsAsync(string repository, CancellationToken ct);

    /// <summary>The link that lets a repository serve a blob; null when it was deleted or never made.</summary>
    ValueTask<Link?> ReadLayerAsync(string repository, ListedDigest layer, CancellationToken ct);

    /// <summary>The link that lets a repository serve a manifest; null when it was deleted.</summary>
    ValueTask<Link?> ReadRevisionAsync(string repository, ListedDigest revision, CancellationToken ct);

    /// <summary>Where a tag points; null when it was deleted.</summary>
    ValueTask<Link?> ReadTagAsync(string repository, (string Name, long ChangedAt) tag, CancellationToken ct);
}

/// <summary>What holds the blobs of an algorithm whose digests begin with the same digit or two.</summary>
internal readonly record struct RegistryShard(DigestAlgorithm Algorithm, string Digits);

/// <summary>A digest in a list, of a blob or of a link.</summary>
/// <param name="Digest">The digest.</param>
/// <param name="Size">Bytes of what is listed; -1 where the list does not say it.</param>
/// <param name="ChangedAt">When it was written, Unix milliseconds; 0 where the list does not say it.</param>
internal readonly record struct ListedDigest(Digest Digest, long Size, long ChangedAt);

/// <summary>A link of Docker Registry: the digest it names, default when it names none, and when it was written (Unix milliseconds).</summary>
internal readonly record struct Link(Digest Target, long ChangedAt)
{
    /// <summary>Most bytes of a link: "sha512:" and 128 digits, with room for a line end.</summary>
    public const int MaxBytes = Digest.MaxLength + 16;

    /// <summary>Reads the text of a link.</summary>
    public static Link Parse(ReadOnlySpan<byte> text, long changedAt) =>
        new(Digest.TryParse(System.Text.Encoding.UTF8.GetString(text).Trim(), out var target) ? target : default, changedAt);
}
