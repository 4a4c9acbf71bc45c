using System.IO.Enumeration;
using System.Text;
using Berth.Blobs.FileSystem;
using Berth.Oci;

namespace Berth.Server.Adoption;

/// <summary>
/// Reads the folder of a Docker Registry (distribution 2.x and 3.x, driver <c>filesystem</c>), and writes nothing into it. Everything is listed
/// lazily: memory does not grow with what the folder holds. Names that Docker Registry would not have made are passed over.
/// </summary>
internal sealed class RegistryFolder(ContentPaths paths)
{
    // "sha512:" and 128 digits, with room for a line end.
    private const int MaxLinkBytes = Digest.MaxLength + 16;

    private static readonly EnumerationOptions Entries = new() { IgnoreInaccessible = false, RecurseSubdirectories = false, AttributesToSkip = 0 };

    /// <summary>Whether there is anything of a repository.</summary>
    public bool HasContent => Directory.Exists(paths.Repositories) && Folders(paths.Repositories).Any();

    /// <summary>The folders that each hold the blobs with the same first two digits.</summary>
    public IEnumerable<(DigestAlgorithm Algorithm, string Path)> Shards()
    {
        foreach (var algorithm in Algorithms)
        {
            foreach (var name in Folders(paths.AlgorithmFolder(algorithm)))
                yield return (algorithm, Path.Join(paths.AlgorithmFolder(algorithm), name));
        }
    }

    /// <summary>The digests of the blobs of a shard; not all of them need have bytes.</summary>
    public static IEnumerable<Digest> Blobs(DigestAlgorithm algorithm, string shard) => Digests(algorithm, shard);

    /// <summary>
    /// All repositories by their full names, and folders below which there is something of a repository under a name that none can have
    /// (<c>IsValid</c> false).
    /// </summary>
    public IEnumerable<(string Name, bool IsValid)> Repositories() => RepositoriesBelow("");

    /// <summary>Digests for which a repository has or had a link to a blob.</summary>
    public IEnumerable<Digest> Layers(string repository) => AllDigests(Path.Join(paths.Repositories, repository, "_layers"));

    /// <summary>Digests for which a repository has or had a manifest.</summary>
    public IEnumerable<Digest> Revisions(string repository) => AllDigests(Path.Join(paths.Repositories, repository, "_manifests/revisions"));

    /// <summary>Names of tags that a repository has or had.</summary>
    public IEnumerable<string> Tags(string repository) => Folders(Path.Join(paths.Repositories, repository, "_manifests/tags"));

    /// <summary>The link that lets a repository serve a blob; null when it was deleted or never made.</summary>
    public Link? ReadLayer(string repository, Digest digest) =>
        ReadLink(Path.Join(paths.Repositories, repository, "_layers", digest.Algorithm.Name, digest.Hex.ToString()));

    /// <summary>The link that lets a repository serve a manifest; null when it was deleted.</summary>
    public Link? ReadRevision(string repository, Digest digest) =>
        ReadLink(Path.Join(paths.Repositories, repository, "_manifests/revisions", digest.Algorithm.Name, digest.Hex.ToString()));

    /// <summary>Where a tag points; null when it was deleted.</summary>
    public Link? ReadTag(string repository, string tag) => ReadLink(Path.Join(paths.Repositories, repository, "_manifests/tags", tag, "current"));

    /// <summary>Size in bytes and time of a blob; null when its bytes are missing.</summary>
    public (long Size, long ChangedAt)? FindBlob(Digest digest)
    {
        var file = new FileInfo(paths.Content(digest));
        return file.Exists ? (file.Length, new DateTimeOffset(file.LastWriteTimeUtc).ToUnixTimeMilliseconds()) : null;
    }

    /// <summary>Opens a blob; null when its bytes are missing.</summary>
    public FileStream? OpenBlob(Digest digest)
    {
        try
        {
            return new FileStream(paths.Content(digest), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static IEnumerable<DigestAlgorithm> Algorithms => [DigestAlgorithm.Sha256, DigestAlgorithm.Sha512];

    private IEnumerable<(string Name, bool IsValid)> RepositoriesBelow(string parent)
    {
        var isRepository = false;
        foreach (var name in Folders(Path.Join(paths.Repositories, parent)))
        {
            // No part of a repository's name starts so: these are what a repository consists of.
            if (name[0] == '_')
            {
                isRepository |= name is "_manifests" or "_layers";
                continue;
            }
            var path = parent.Length == 0 ? name : string.Concat(parent, "/", name);
            if (!RepositoryName.IsValid(path))
            {
                yield return (path, false);
                continue;
            }
            foreach (var below in RepositoriesBelow(path)) yield return below;
        }
        if (isRepository && parent.Length > 0) yield return (parent, true);
    }

    private static IEnumerable<Digest> AllDigests(string folder) => Algorithms.SelectMany(algorithm => Digests(algorithm, Path.Join(folder, algorithm.Name)));

    private static IEnumerable<Digest> Digests(DigestAlgorithm algorithm, string folder)
    {
        foreach (var name in Folders(folder))
        {
            if (Digest.TryParse(string.Concat(algorithm.Prefix, name), out var digest)) yield return digest;
        }
    }

    private static FileSystemEnumerable<string> FoldersOf(string path) =>
        new(path, static (ref FileSystemEntry entry) => entry.FileName.ToString(), Entries)
        {
            ShouldIncludePredicate = static (ref FileSystemEntry entry) => entry.IsDirectory,
        };

    // A folder that goes while it is listed, or never was, has nothing in it.
    private static IEnumerable<string> Folders(string path) => Directory.Exists(path) ? FoldersOf(path) : [];

    private static Link? ReadLink(string folder)
    {
        Span<byte> text = stackalloc byte[MaxLinkBytes];
        try
        {
            using var file = File.OpenHandle(Path.Join(folder, "link"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var length = RandomAccess.Read(file, text, 0);
            var changedAt = new DateTimeOffset(File.GetLastWriteTimeUtc(file)).ToUnixTimeMilliseconds();
            return new Link(Digest.TryParse(Encoding.UTF8.GetString(text[..length]).Trim(), out var target) ? target : default, changedAt);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}

/// <summary>A link file of Docker Registry: the digest it names, default when it names none, and when it was written (Unix milliseconds).</summary>
internal readonly record struct Link(Digest Target, long ChangedAt);
