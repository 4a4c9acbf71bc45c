using System.Text.Json;
using Berth.Bench.Content;
using Berth.Bench.Targets;
using Berth.Bench.Wire;

namespace Berth.Bench.Workloads;

/// <summary>Something to fetch: its path, size in bytes and digest.</summary>
internal sealed record Fetch(string Path, int SizeBytes, string Digest);

/// <summary>
/// Puts the data sets into a registry through its own API, once a target. The long lists are recognised when an earlier run left them;
/// all else is random and new in each run.
/// </summary>
internal static class Seeding
{
    internal const string TagRepository = "bench/tags";
    private const string ManifestRepository = "bench/manifests";
    private const string BlobRepository = "bench/blobs";
    private const int RepositoriesPerProject = 100;

    /// <summary>64 images of eight layers in one repository, as manifests by tag or by digest.</summary>
    internal static IReadOnlyList<Fetch> Manifests(Target target, bool byTag)
    {
        var manifests = Once(target, "manifests", () =>
        {
            var writer = target.Writer;
            using var connection = new HttpConnection(writer);
            var layers = Enumerable.Range(0, Limits.ManifestLayers).Select(_ => Blob.Random(Limits.SmallBlobBytes)).ToArray();
            foreach (var layer in layers) Uploads.PostPut(connection, writer, ManifestRepository, layer);
            var list = new List<Blob>();
            for (var i = 0; i < Limits.Manifests; i++)
            {
                var config = SmallImage.ConfigFor([.. layers, Blob.Random(32)]);
                var manifest = SmallImage.ManifestOf(config, layers);
                Uploads.PostPut(connection, writer, ManifestRepository, config);
                Uploads.PutManifest(connection, ManifestRepository, $"v{i}", manifest);
                list.Add(manifest);
            }

            return list;
        });
        return [.. manifests.Select((m, i) => new Fetch($"/v2/{ManifestRepository}/manifests/{(byTag ? $"v{i}" : m.Digest)}", m.Bytes.Length, m.Digest))];
    }

    internal static IReadOnlyList<Fetch> Blobs(Target target, int count, int sizeBytes) => Once(target, $"blobs of {sizeBytes}", () =>
    {
        var writer = target.Writer;
        using var connection = new HttpConnection(writer);
        var list = new List<Fetch>();
        for (var i = 0; i < count; i++)
        {
            var blob = Blob.Random(sizeBytes);
            Uploads.PostPut(connection, writer, BlobRepository, blob);
            list.Add(new Fetch($"/v2/{BlobRepository}/blobs/{blob.Digest}", sizeBytes, blob.Digest));
        }

        return list;
    });

    /// <summary>One large blob; returns its path.</summary>
    internal static string LargeBlob(Target target, LargeContent content) => Once(target, "large blob", () =>
    {
        using var connection = new HttpConnection(target);
        var blob = content.Next();
        Uploads.PostPatchPut(connection, target, BlobRepository, content, blob);
        var path = $"/v2/{BlobRepository}/blobs/{blob.Digest}";
        Uploads.ReadBack(connection, target, path, blob.SizeBytes, blob.Digest);
        return path;
    });

    /// <summary>One repository with 10,000 tags, each of a manifest of its own.</summary>
    internal static void TagList(Target target) => Once(target, "tags", () =>
    {
        using var connection = new HttpConnection(target);
        if (Listed(connection, $"/v2/{TagRepository}/tags/list", "tags") >= Limits.Tags) return Limits.Tags;
        Uploads.PostPut(connection, target, TagRepository, SmallImage.Empty);
        var requests = new List<byte[]>();
        for (var i = 0; i < Limits.Tags; i++)
            requests.Add(PutManifest(target, TagRepository, $"t{i:d5}", SmallImage.EmptyManifest($"tag {i}")));
        SendAll(target, requests);
        return Limits.Tags;
    });

    /// <summary>10,000 repositories with one tag each, in 100 projects of 100. The blob is mounted where the registry mounts, else pushed.</summary>
    internal static void Catalog(Target target) => Once(target, "catalog", () =>
    {
        using var connection = new HttpConnection(target);
        var names = Enumerable.Range(0, Limits.Repositories).Select(i => $"project-{i / RepositoriesPerProject:d3}/app-{i % RepositoriesPerProject:d3}").ToArray();
        var path = $"/v2/{names[^1]}/manifests/latest";
        if (connection.Send("HEAD", path, accept: SmallImage.ManifestType).Status == 200) return Limits.Repositories;
        Uploads.PostPut(connection, target, BlobRepository, SmallImage.Empty);
        var mounts = names.Select(n => RequestWriter.Render(target, "POST", $"/v2/{n}/blobs/uploads/?mount={SmallImage.Empty.Digest}&from={BlobRepository}")).ToList();
        if (connection.Send(mounts[0]).Status == 201) SendAll(target, mounts);
        else foreach (var name in names) Uploads.PostPut(connection, target, name, SmallImage.Empty);
        SendAll(target, [.. names.Select(n => PutManifest(target, n, "latest", SmallImage.EmptyManifest("catalog")))]);
        return Limits.Repositories;
    });

    /// <summary>How many names a list has over all its pages; 0 when the list does not exist.</summary>
    private static int Listed(HttpConnection connection, string path, string property)
    {
        var count = 0;
        while (path.Length > 0)
        {
            var answer = connection.Send("GET", path);
            if (answer.Status == 404) return 0;
            answer.Expect("GET " + path, 200);
            using var json = JsonDocument.Parse(answer.Body);
            var names = json.RootElement.GetProperty(property);
            count += names.ValueKind == JsonValueKind.Array ? names.GetArrayLength() : 0;
            path = Listing.NextPage(answer.Link);
        }

        return count;
    }

    private static byte[] PutManifest(Target target, string repository, string tag, Blob manifest) =>
        RequestWriter.Render(target, "PUT", $"/v2/{repository}/manifests/{tag}", SmallImage.ManifestType, manifest.Bytes);

    private static void SendAll(Target target, IReadOnlyList<byte[]> requests)
    {
        using var loop = new ClosedLoop(target, Limits.SeedConnections);
        loop.Run(new RequestList(requests, expectedStatus: 201), TimeSpan.MaxValue);
    }

    private static T Once<T>(Target target, string name, Func<T> seed)
        where T : notnull
    {
        if (target.Seeded.TryGetValue(name, out var found)) return (T)found;
        var value = seed();
        target.Seeded[name] = value;
        return value;
    }
}
