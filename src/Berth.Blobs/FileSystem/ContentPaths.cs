using Berth.Oci;

namespace Berth.Blobs.FileSystem;

/// <summary>
/// Where things lie below the root (docs/disk-layout.md). Content lies where Docker Registry puts it, so that both can read it:
/// <c>docker/registry/v2/blobs/sha256/ab/abcd…/data</c>, or, where a store keeps it by the key of its upload, in <c>berth/blobs/yz/…yz</c>.
/// Unfinished uploads lie in <c>berth/uploads/</c>.
/// </summary>
public sealed class ContentPaths(string root)
{
    /// <summary>The root folder, absolute.</summary>
    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>Folder of all blobs.</summary>
    public string Blobs => Path.Join(Root, "docker/registry/v2/blobs");

    /// <summary>Folder of all repositories in Docker Registry's layout; read by adoption only.</summary>
    public string Repositories => Path.Join(Root, "docker/registry/v2/repositories");

    /// <summary>Folder of unfinished uploads.</summary>
    public string Uploads => Path.Join(Root, "berth/uploads");

    /// <summary>Folder of content that lies under a key.</summary>
    public string Keyed => Path.Join(Root, "berth/blobs");

    /// <summary>File of a digest's content.</summary>
    public string Content(Digest digest) => Path.Join(ContentFolder(digest), "data");

    /// <summary>Folder of a digest's content.</summary>
    public string ContentFolder(Digest digest) => string.Concat(Shard(digest), "/", digest.Hex);

    /// <summary>Folder of the digests with the same first two digits.</summary>
    public string Shard(Digest digest) => string.Concat(AlgorithmFolder(digest.Algorithm), "/", digest.Hex[..2]);

    /// <summary>Folder of an algorithm's digests.</summary>
    public string AlgorithmFolder(DigestAlgorithm algorithm) => string.Concat(Blobs, "/", algorithm.Name);

    /// <summary>File of content that lies under a key.</summary>
    /// <exception cref="ArgumentException">The key has a character that no upload key has.</exception>
    public string KeyedContent(string key) => string.Concat(KeyedShard(key), "/", key);

    /// <summary>Folder of the keys that end alike: keys begin with words, and end at random.</summary>
    /// <exception cref="ArgumentException">The key has a character that no upload key has.</exception>
    public string KeyedShard(string key) => string.Concat(Keyed, "/", UploadKey.Check(key).AsSpan(Math.Max(0, key.Length - 2)));

    /// <summary>File of an unfinished upload.</summary>
    /// <exception cref="ArgumentException">The key has a character that no upload key has.</exception>
    public string Upload(string uploadKey) => string.Concat(Uploads, "/", UploadKey.Check(uploadKey));
}
