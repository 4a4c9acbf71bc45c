using Berth.Bench.Content;

namespace Berth.Bench.Workloads;

/// <summary>All workloads in the order in which they run: a fresh server first, what leaves gigabytes behind last.</summary>
internal static class WorkloadList
{
    internal static IReadOnlyList<Workload> Create(LargeContentSource large) =>
    [
        new StartUp(),
        new IdleMemory(),
        Manifests("manifest-get-tag", "manifest GET by tag", "GET", byTag: true),
        Manifests("manifest-head-tag", "manifest HEAD by tag", "HEAD", byTag: true),
        Manifests("manifest-get-digest", "manifest GET by digest", "GET", byTag: false),
        Manifests("manifest-head-digest", "manifest HEAD by digest", "HEAD", byTag: false),
        new Fetches("blob-get-10k", "blob GET 10 KB", Unit.PerSecond, "GET", Limits.Connections,
            t => Seeding.Blobs(t, Limits.Connections, Limits.SmallBlobBytes)),
        new Fetches("blob-get-1m", "blob GET 1 MB, 16 connections", Unit.MegabytesPerSecond, "GET", Limits.MediumConnections,
            t => Seeding.Blobs(t, Limits.MediumConnections, Limits.MediumBlobBytes)),
        new LargeGets("blob-get-1g-1", "blob GET 1 GB, 1 stream", large, streams: 1),
        new LargeGets("blob-get-1g-4", "blob GET 1 GB, 4 streams", large, streams: 4),
        new Listing("tags-page", "tag list of 10,000, page of 100", Seeding.TagList, $"/v2/{Seeding.TagRepository}/tags/list?n={Limits.Page}", "tags", Limits.Page, follow: false),
        new Listing("tags-whole", "tag list of 10,000, whole", Seeding.TagList, $"/v2/{Seeding.TagRepository}/tags/list", "tags", Limits.Tags, follow: true),
        new Listing("catalog-page", "catalog of 10,000, page of 100", Seeding.Catalog, $"/v2/_catalog?n={Limits.Page}", "repositories", Limits.Page, follow: false),
        new Listing("catalog-walk", "catalog of 10,000, walk by 1,000", Seeding.Catalog, $"/v2/_catalog?n={Limits.WalkPage}", "repositories", Limits.Repositories, follow: true),
        new ImagePushes("images-docker", "new small images, 8 workers, HEAD POST PATCH PUT", dockerSequence: true),
        new ImagePushes("images-post-put", "new small images, 8 workers, POST PUT", dockerSequence: false),
        new LargePushes("push-1g-1", "push 1 GB, 1 stream", large, streams: 1),
        new LargePushes("push-1g-4", "push 1 GB, 4 streams", large, streams: 4),
    ];

    private static Fetches Manifests(string name, string title, string method, bool byTag) =>
        new(name, title, Unit.PerSecond, method, Limits.Connections, target => Seeding.Manifests(target, byTag));
}
