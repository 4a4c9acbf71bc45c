using System.Collections.Concurrent;
using Berth.Blobs.FileSystem;
using Berth.Oci;
using Berth.Server.Adoption;
using Berth.Server.GarbageCollection;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Platform.Storage;

namespace Berth.Server.Tests.Adoption;

/// <summary>A folder that Docker Registry's own program has written.</summary>
public sealed class DockerRegistryFolderTests
{
    private const int Images = 200;

    private readonly ConcurrentBag<(string Repository, string Tag, Digest Digest)> _tagged = [];
    private readonly ConcurrentBag<(string Repository, Digest Digest)> _untagged = [];

    [Fact]
    public async Task Two_hundred_images_are_adopted_collected_alike_and_still_served_by_Docker_Registry()
    {
        using var registry = new DockerRegistryProcess();
        await registry.StartAsync();
        await Parallel.ForAsync(0, Images, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, _) => await PushAsync(registry, i));
        registry.Stop();
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);

        var report = await Adopt.RunAsync(database.Current, AdoptionSource.InFolder(registry.Root), new AdoptionOptions { Verify = true }, TimeProvider.System, null, CancellationToken.None);

        Assert.Empty(report.Findings);
        var tags = await StoredState.RowsAsync(database.Current, "SELECT r.name, t.name, m.digest FROM tags t JOIN repositories r ON r.id = t.repository_id JOIN manifests m ON m.id = t.manifest_id");
        Assert.Equal(_tagged.Select(t => $"{t.Repository} {t.Tag} {t.Digest}").Order(), tags.Select(row => string.Join(' ', row)).Order());
        var all = (await StoredState.RowsAsync(database.Current, "SELECT r.name, m.digest FROM manifests m JOIN repositories r ON r.id = m.repository_id")).Select(row => string.Join(' ', row)).ToHashSet();
        Assert.All(_untagged, m => Assert.Contains($"{m.Repository} {m.Digest}", all));
        Assert.Equal(_untagged.Count + _tagged.Count, all.Count);
        var paths = new ContentPaths(registry.Root);
        await StoredState.CheckPullableAsync(database.Current, paths);

        var theirs = await registry.RunAsync("garbage-collect", "--dry-run", registry.Config);
        var ours = new StringWriter();
        var store = new FileSystemBlobStore(registry.Root, 0, TimeProvider.System);
        await OfflineCollection.RunAsync(database.Current, StoreWrapper.Alone(store), registry.Root, new CollectionOptions { DryRun = true }, ours, TimeProvider.System, CancellationToken.None);
        Assert.Equal(Verdict(theirs), Verdict(ours.ToString()));

        await OfflineCollection.RunAsync(database.Current, StoreWrapper.Alone(store), registry.Root, new CollectionOptions(), TextWriter.Null, TimeProvider.System, CancellationToken.None);
        await StoredState.CheckPullableAsync(database.Current, paths);
        await registry.StartAsync();
        foreach (var (repository, reference, digest) in _tagged.Concat(_untagged.Select(u => (u.Repository, u.Digest.Value, u.Digest))))
            Assert.Equal(digest, Digest.Of(await registry.PullManifestAsync(repository, reference)));
    }

    // Of eight: one of two platforms, one with a referrer under a fallback tag, one with a referrer by subject, one that moved its tag, one with a blob to spare.
    private async Task PushAsync(DockerRegistryProcess registry, int i)
    {
        var (repository, tag) = ($"team-{i % 4}/app-{i % 10}", $"v{i}");
        async Task<Digest> UntaggedAsync(string name, Digest subject = default)
        {
            var digest = await registry.PushManifestAsync(repository, await registry.ImageJsonAsync(repository, name, subject), null);
            _untagged.Add((repository, digest));
            return digest;
        }
        async Task IndexAsync(string indexTag, params Digest[] children)
        {
            var entries = string.Join(',', children.Select(c => RegistryLayout.Descriptor(MediaTypes.OciManifest, c, 7)));
            var json = $"{{\"schemaVersion\":2,\"mediaType\":\"{MediaTypes.OciIndex}\",\"manifests\":[{entries}]}}";
            _tagged.Add((repository, indexTag, await registry.PushManifestAsync(repository, json, indexTag, MediaTypes.OciIndex)));
        }
        if (i % 8 == 0)
        {
            await IndexAsync(tag, await UntaggedAsync($"{i} amd64"), await UntaggedAsync($"{i} arm64"));
            return;
        }
        if (i % 8 == 3)
            _untagged.Add((repository, await registry.PushManifestAsync(repository, await registry.ImageJsonAsync(repository, $"{i} before"), tag)));
        var digest = await registry.PushManifestAsync(repository, await registry.ImageJsonAsync(repository, $"{i}"), tag);
        _tagged.Add((repository, tag, digest));
        if (i % 8 == 1) await IndexAsync(digest.Value.Replace(':', '-'), await UntaggedAsync($"{i} listed"));
        if (i % 8 == 2) await UntaggedAsync($"{i} referrer", digest);
        if (i % 8 == 5) await registry.PushBlobAsync(repository, $"{i} to spare");
    }

    private static IEnumerable<string> Verdict(string output) =>
        output.Split('\n').Where(line => line.Contains("eligible for deletion", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
}
