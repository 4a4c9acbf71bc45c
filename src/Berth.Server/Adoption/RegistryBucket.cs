using System.Runtime.CompilerServices;
using Berth.Blobs;
using Berth.Blobs.Objects;
using Berth.Oci;

namespace Berth.Server.Adoption;

/// <summary>
/// Docker Registry's content in a bucket or container (drivers <c>s3</c>, <c>azure</c>, <c>gcs</c>, <c>swift</c>). Lists say sizes and times, so a blob or a link costs no
/// request of its own: a link to a blob or a manifest names the digest that it lies under, and is taken as whole when it is as long as its text.
/// </summary>
/// <param name="objects">What is there.</param>
/// <param name="name">The bucket, for people.</param>
/// <param name="readsLinks">Read every link all the same.</param>
internal sealed class RegistryBucket(RegistryObjects objects, string name, bool readsLinks) : IRegistryTree
{
    private const string Repositories = "repositories/";
    private const int ReadersPerProcessor = 16;

    public string Name => name;

    public int Readers => Math.Clamp(Environment.ProcessorCount * ReadersPerProcessor, 32, 128);

    public async ValueTask<bool> HasContentAsync(CancellationToken ct)
    {
        await foreach (var _ in objects.ListAsync(Repositories, ct).ConfigureAwait(false)) return true;
        return false;
    }

    public async IAsyncEnumerable<RegistryShard> ShardsAsync([EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var algorithm in RegistryFolder.Algorithms)
        {
            if (!await AnyAsync($"blobs/{algorithm.Name}/", ct).ConfigureAwait(false)) continue;
            // One digit: fewer lists where there is little, and steps to see where there is much.
            foreach (var digit in "0123456789abcdef") yield return new RegistryShard(algorithm, digit.ToString());
        }
    }

    public async IAsyncEnumerable<ListedDigest> BlobsAsync(RegistryShard shard, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var entry in objects.ListAsync($"blobs/{shard.Algorithm.Name}/{shard.Digits}", ct).ConfigureAwait(false))
        {
            if (entry.Path.Split('/') is [_, var hex, "data"] && Digest.TryParse(string.Concat(shard.Algorithm.Prefix, hex), out var digest))
                yield return new ListedDigest(digest, entry.Size, entry.ChangedAt.ToUnixTimeMilliseconds());
        }
    }

    public ValueTask<ListedDigest?> FindBlobAsync(ListedDigest listed, CancellationToken ct) => ValueTask.FromResult<ListedDigest?>(listed);

    public ValueTask<IBlobReader?> OpenBlobAsync(Digest digest, CancellationToken ct) =>
        objects.OpenAsync($"blobs/{digest.Algorithm.Name}/{digest.Hex[..2]}/{digest.Hex}/data", ct);

    // A repository's objects follow one another in the list; those of repositories below it come before or behind.
    public async IAsyncEnumerable<(string Name, bool IsValid)> RepositoriesAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var last = "";
        await foreach (var entry in objects.ListAsync(Repositories, ct).ConfigureAwait(false))
        {
            if (last.Length > 0 && entry.Path.StartsWith(last, StringComparison.Ordinal) && entry.Path.AsSpan(last.Length).StartsWith("/_")) continue;
            if (RepositoryOf(entry.Path) is not { } found || found.Name == last) continue;
            last = found.Name;
            yield return found;
        }
    }

    public IAsyncEnumerable<ListedDigest> LayersAsync(string repository, CancellationToken ct) => LinksAsync(Layers(repository), ct);

    public IAsyncEnumerable<ListedDigest> RevisionsAsync(string repository, CancellationToken ct) => LinksAsync(Revisions(repository), ct);

    public async IAsyncEnumerable<(string Name, long ChangedAt)> TagsAsync(string repository, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var entry in objects.ListAsync(Tags(repository), ct).ConfigureAwait(false))
        {
            if (entry.Path.Split('/') is [var tag, "current", "link"]) yield return (tag, entry.ChangedAt.ToUnixTimeMilliseconds());
        }
    }

    public ValueTask<Link?> ReadLayerAsync(string repository, ListedDigest layer, CancellationToken ct) => ReadLinkAsync(Layers(repository), layer, ct);

    public ValueTask<Link?> ReadRevisionAsync(string repository, ListedDigest revision, CancellationToken ct) => ReadLinkAsync(Revisions(repository), revision, ct);

    public ValueTask<Link?> ReadTagAsync(string repository, (string Name, long ChangedAt) tag, CancellationToken ct) =>
        ReadLinkAsync($"{Tags(repository)}{tag.Name}/current/link", tag.ChangedAt, ct);

    public void Dispose() => objects.Dispose();

    private static string Layers(string repository) => $"{Repositories}{repository}/_layers/";

    private static string Revisions(string repository) => $"{Repositories}{repository}/_manifests/revisions/";

    private static string Tags(string repository) => $"{Repositories}{repository}/_manifests/tags/";

    /// <summary>Whose object it is; null when no repository consists of such objects. Of a wrong name only the part up to where it is wrong.</summary>
    private static (string Name, bool IsValid)? RepositoryOf(string path)
    {
        var end = path.IndexOf("/_", StringComparison.Ordinal);
        if (end <= 0 || path[0] == '_') return null;
        var rest = path.AsSpan(end + 1);
        if (!rest.StartsWith("_manifests/") && !rest.StartsWith("_layers/")) return null;
        var name = path[..end];
        if (RepositoryName.IsValid(name)) return (name, true);
        for (var cut = name.IndexOf('/', StringComparison.Ordinal); cut > 0; cut = name.IndexOf('/', cut + 1))
        {
            if (!RepositoryName.IsValid(name.AsSpan(0, cut))) return (name[..cut], false);
        }
        return (name, false);
    }

    private async ValueTask<bool> AnyAsync(string folder, CancellationToken ct)
    {
        await foreach (var _ in objects.ListAsync(folder, ct).ConfigureAwait(false)) return true;
        return false;
    }

    private async IAsyncEnumerable<ListedDigest> LinksAsync(string folder, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var entry in objects.ListAsync(folder, ct).ConfigureAwait(false))
        {
            if (entry.Path.Split('/') is [var algorithm, var hex, "link"] && Digest.TryParse($"{algorithm}:{hex}", out var digest))
                yield return new ListedDigest(digest, entry.Size, entry.ChangedAt.ToUnixTimeMilliseconds());
        }
    }

    private async ValueTask<Link?> ReadLinkAsync(string folder, ListedDigest listed, CancellationToken ct) =>
        !readsLinks && listed.Size == listed.Digest.Value.Length
            ? new Link(listed.Digest, listed.ChangedAt)
            : await ReadLinkAsync($"{folder}{listed.Digest.Algorithm.Name}/{listed.Digest.Hex}/link", listed.ChangedAt, ct).ConfigureAwait(false);

    private async ValueTask<Link?> ReadLinkAsync(string path, long changedAt, CancellationToken ct)
    {
        using var reader = await objects.OpenAsync(path, ct).ConfigureAwait(false);
        if (reader is null) return null;
        if (reader.Length > Link.MaxBytes) return new Link(default, changedAt);
        return Link.Parse(await BlobBytes.ReadAllAsync(reader, ct).ConfigureAwait(false), changedAt);
    }
}
