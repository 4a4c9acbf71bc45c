using System.IO.Enumeration;
using Berth.Blobs;
using Berth.Blobs.FileSystem;
using Berth.Oci;

namespace Berth.Server.Adoption;

/// <summary>Docker Registry's folder (driver <c>filesystem</c>).</summary>
internal sealed class RegistryFolder(ContentPaths paths) : IRegistryTree
{
    private const int ReadersPerProcessor = 4;

    private static readonly EnumerationOptions Entries = new() { IgnoreInaccessible = false, RecurseSubdirectories = false, AttributesToSkip = 0 };

    /// <summary>All that Docker Registry may have used.</summary>
    public static IEnumerable<DigestAlgorithm> Algorithms => [DigestAlgorithm.Sha256, DigestAlgorithm.Sha512];

    public string Name => paths.Root;

    public int Readers => Environment.ProcessorCount * ReadersPerProcessor;

    public ValueTask<bool> HasContentAsync(CancellationToken ct) => ValueTask.FromResult(Directory.Exists(paths.Repositories) && Folders(paths.Repositories).Any());

    public IAsyncEnumerable<RegistryShard> ShardsAsync(CancellationToken ct) =>
        Algorithms.SelectMany(algorithm => Folders(paths.AlgorithmFolder(algorithm)).Select(name => new RegistryShard(algorithm, name))).ToAsyncEnumerable();

    public IAsyncEnumerable<ListedDigest> BlobsAsync(RegistryShard shard, CancellationToken ct) =>
        Digests(shard.Algorithm, Path.Join(paths.AlgorithmFolder(shard.Algorithm), shard.Digits)).ToAsyncEnumerable();

    public IAsyncEnumerable<(string Name, bool IsValid)> RepositoriesAsync(CancellationToken ct) => RepositoriesBelow("").ToAsyncEnumerable();

    public IAsyncEnumerable<ListedDigest> LayersAsync(string repository, CancellationToken ct) =>
        AllDigests(Path.Join(paths.Repositories, repository, "_layers")).ToAsyncEnumerable();

    public IAsyncEnumerable<ListedDigest> RevisionsAsync(string repository, CancellationToken ct) =>
        AllDigests(Path.Join(paths.Repositories, repository, "_manifests/revisions")).ToAsyncEnumerable();

    public IAsyncEnumerable<(string Name, long ChangedAt)> TagsAsync(string repository, CancellationToken ct) =>
        Folders(Path.Join(paths.Repositories, repository, "_manifests/tags")).Select(name => (name, 0L)).ToAsyncEnumerable();

    public ValueTask<Link?> ReadLayerAsync(string repository, ListedDigest layer, CancellationToken ct) =>
        ReadLink(Path.Join(paths.Repositories, repository, "_layers", layer.Digest.Algorithm.Name, layer.Digest.Hex.ToString()));

    public ValueTask<Link?> ReadRevisionAsync(string repository, ListedDigest revision, CancellationToken ct) =>
        ReadLink(Path.Join(paths.Repositories, repository, "_manifests/revisions", revision.Digest.Algorithm.Name, revision.Digest.Hex.ToString()));

    public ValueTask<Link?> ReadTagAsync(string repository, (string Name, long ChangedAt) tag, CancellationToken ct) =>
        ReadLink(Path.Join(paths.Repositories, repository, "_manifests/tags", tag.Name, "current"));

    public ValueTask<ListedDigest?> FindBlobAsync(ListedDigest listed, CancellationToken ct)
    {
        var file = new FileInfo(paths.Content(listed.Digest));
        return ValueTask.FromResult<ListedDigest?>(
            file.Exists ? new ListedDigest(listed.Digest, file.Length, new DateTimeOffset(file.LastWriteTimeUtc).ToUnixTimeMilliseconds()) : null);
    }

    public ValueTask<IBlobReader?> OpenBlobAsync(Digest digest, CancellationToken ct)
    {
        try
        {
            var handle = File.OpenHandle(paths.Content(digest), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return ValueTask.FromResult<IBlobReader?>(new FileBlobReader(handle));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return ValueTask.FromResult<IBlobReader?>(null);
        }
    }

    public void Dispose()
    {
        // Nothing is held open.
    }

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

    private static IEnumerable<ListedDigest> AllDigests(string folder) => Algorithms.SelectMany(algorithm => Digests(algorithm, Path.Join(folder, algorithm.Name)));

    private static IEnumerable<ListedDigest> Digests(DigestAlgorithm algorithm, string folder)
    {
        foreach (var name in Folders(folder))
        {
            if (Digest.TryParse(string.Concat(algorithm.Prefix, name), out var digest)) yield return new ListedDigest(digest, -1, 0);
        }
    }

    private static FileSystemEnumerable<string> FoldersOf(string path) =>
        new(path, static (ref FileSystemEntry entry) => entry.FileName.ToString(), Entries)
        {
            ShouldIncludePredicate = static (ref FileSystemEntry entry) => entry.IsDirectory,
        };

    // A folder that goes while it is listed, or never was, has nothing in it.
    private static IEnumerable<string> Folders(string path) => Directory.Exists(path) ? FoldersOf(path) : [];

    private static ValueTask<Link?> ReadLink(string folder)
    {
        Span<byte> text = stackalloc byte[Link.MaxBytes];
        try
        {
            using var file = File.OpenHandle(Path.Join(folder, "link"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var length = RandomAccess.Read(file, text, 0);
            return ValueTask.FromResult<Link?>(Link.Parse(text[..length], new DateTimeOffset(File.GetLastWriteTimeUtc(file)).ToUnixTimeMilliseconds()));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return ValueTask.FromResult<Link?>(null);
        }
    }
}
