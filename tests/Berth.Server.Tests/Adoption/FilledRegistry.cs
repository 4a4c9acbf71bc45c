using System.Collections.Concurrent;
using Berth.Oci;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Adoption;

/// <summary>
/// What was pushed through Docker Registry's own program: of each kind of image one or more, with layers that two repositories share, tags that moved, a manifest and
/// a tag that were deleted, and a blob that nothing names.
/// </summary>
internal sealed class FilledRegistry
{
    private const int Images = 4;
    private const int LargeBytes = 11 << 20;

    private readonly ConcurrentDictionary<(string Repository, string Tag), Digest> _tags = new();
    private readonly ConcurrentBag<(string Repository, Digest Digest)> _manifests = [];

    /// <summary>Where each tag points.</summary>
    public IReadOnlyDictionary<(string Repository, string Tag), Digest> Tags => _tags;

    /// <summary>Every manifest that is there, tagged or not.</summary>
    public IReadOnlyCollection<(string Repository, Digest Digest)> Manifests => _manifests;

    /// <summary>A manifest that was deleted, with its blobs still there.</summary>
    public (string Repository, Digest Digest) Deleted { get; private set; }

    /// <summary>A blob of many parts, and who holds it.</summary>
    public (string Repository, Digest Digest) Large { get; private set; }

    public static async Task<FilledRegistry> FillAsync(DockerRegistryProcess registry)
    {
        var filled = new FilledRegistry();
        await Parallel.ForAsync(0, Images, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, _) => await filled.PushAsync(registry, i));
        filled.Large = ("team/large", await registry.PushBlobAsync("team/large", RegistryTests.Bytes(LargeBytes, 1)));
        await registry.PushBlobAsync("team/large", "nobody names this");
        var layer = RegistryLayout.Descriptor("application/vnd.oci.image.layer.v1.tar", filled.Large.Digest, LargeBytes);
        var config = RegistryLayout.Descriptor(MediaTypes.OciConfig, await registry.PushBlobAsync("team/large", "{}"), 2);
        await filled.AddAsync(registry, "team/large", $"{{\"schemaVersion\":2,\"mediaType\":\"{MediaTypes.OciManifest}\",\"config\":{config},\"layers\":[{layer}]}}", "v1");
        filled.Deleted = ("team/app-0", await registry.PushManifestAsync("team/app-0", await registry.ImageJsonAsync("team/app-0", "deleted"), "gone"));
        using var answer = await registry.Http.DeleteAsync($"team/app-0/manifests/{filled.Deleted.Digest}");
        Assert.True(answer.IsSuccessStatusCode);
        return filled;
    }

    private async Task<Digest> AddAsync(DockerRegistryProcess registry, string repository, string json, string? tag, string type = MediaTypes.OciManifest)
    {
        var digest = await registry.PushManifestAsync(repository, json, tag, type);
        _manifests.Add((repository, digest));
        if (tag is not null) _tags[(repository, tag)] = digest;
        return digest;
    }

    private async Task PushAsync(DockerRegistryProcess registry, int i)
    {
        var (repository, tag) = ($"team/app-{i % 3}", $"v{i}");
        async Task<Digest> ImageAsync(string name, string? asTag, Digest subject = default) =>
            await AddAsync(registry, repository, await registry.ImageJsonAsync(repository, name, subject), asTag);
        async Task IndexAsync(string asTag, params Digest[] children)
        {
            var entries = string.Join(',', children.Select(c => RegistryLayout.Descriptor(MediaTypes.OciManifest, c, 7)));
            await AddAsync(registry, repository, $"{{\"schemaVersion\":2,\"mediaType\":\"{MediaTypes.OciIndex}\",\"manifests\":[{entries}]}}", asTag, MediaTypes.OciIndex);
        }
        if (i % 4 == 0)
        {
            await IndexAsync(tag, await ImageAsync($"{i} amd64", null), await ImageAsync($"{i} arm64", null));
            return;
        }
        if (i % 4 == 1) await ImageAsync($"{i} before", tag);
        var digest = await ImageAsync($"{i}", tag);
        if (i % 4 == 2) await ImageAsync($"{i} referrer", null, digest);
        if (i % 4 == 3)
        {
            await IndexAsync(digest.Value.Replace(':', '-'), await ImageAsync($"{i} listed", null));
            // The same layers elsewhere, in a repository below this one.
            await AddAsync(registry, $"{repository}/copy", await registry.ImageJsonAsync($"{repository}/copy", $"{i}"), tag);
        }
    }
}
