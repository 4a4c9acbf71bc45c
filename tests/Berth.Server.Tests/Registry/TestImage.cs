using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Oci;

namespace Berth.Server.Tests.Registry;

/// <summary>A manifest or index with the blobs that it names.</summary>
internal sealed record TestImage(string MediaType, byte[] Manifest, IReadOnlyList<byte[]> Blobs)
{
    public Digest Digest { get; } = Digest.Of(Manifest);

    public JsonObject Descriptor => Describe(MediaType, Manifest);

    /// <summary>An image of two layers.</summary>
    public static TestImage New(int seed = 1, string mediaType = MediaTypes.OciManifest, JsonObject? more = null)
    {
        var isDocker = mediaType == MediaTypes.DockerManifest;
        var config = Encoding.UTF8.GetBytes($$"""{"architecture":"amd64","os":"linux","seed":{{seed}}}""");
        byte[][] layers = [RegistryTests.Bytes(500, seed), RegistryTests.Bytes(80_000, seed + 7)];
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = mediaType,
            ["config"] = Describe(isDocker ? "application/vnd.docker.container.image.v1+json" : MediaTypes.OciConfig, config),
            ["layers"] = new JsonArray([.. layers.Select(l => Describe(isDocker ? "application/vnd.docker.image.rootfs.diff.tar.gzip" : "application/vnd.oci.image.layer.v1.tar+gzip", l))]),
        };
        return new TestImage(mediaType, Merge(manifest, more), [config, .. layers]);
    }

    /// <summary>An index of images.</summary>
    public static TestImage Index(IEnumerable<TestImage> children, string mediaType = MediaTypes.OciIndex, JsonObject? more = null)
    {
        var entries = new JsonArray();
        foreach (var child in children)
        {
            var entry = child.Descriptor;
            entry["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = entries.Count == 0 ? "amd64" : $"arm{entries.Count}" };
            entries.Add(entry);
        }
        var index = new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = mediaType, ["manifests"] = entries };
        return new TestImage(mediaType, Merge(index, more), []);
    }

    /// <summary>An artifact about another manifest (OCI image spec, "Guidelines for Artifact Usage").</summary>
    public static TestImage Artifact(JsonObject? subject, string? artifactType, int seed = 1, JsonObject? annotations = null)
    {
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Describe(MediaTypes.OciEmpty, "{}"u8.ToArray()),
            ["layers"] = new JsonArray(Describe(MediaTypes.OciEmpty, "{}"u8.ToArray())),
            ["annotations"] = annotations ?? new JsonObject { ["seed"] = seed.ToString() },
        };
        if (artifactType is not null) manifest["artifactType"] = artifactType;
        if (subject is not null) manifest["subject"] = subject.DeepClone();
        return new TestImage(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString()), ["{}"u8.ToArray()]);
    }

    public static JsonObject Describe(string mediaType, byte[] content, DigestAlgorithm algorithm = default) => new()
    {
        ["mediaType"] = mediaType,
        ["digest"] = Digest.Of(content, algorithm).Value,
        ["size"] = content.Length,
    };

    /// <summary>The same document with fields changed; a null takes a field away.</summary>
    public TestImage With(string field, JsonNode? value)
    {
        var document = JsonNode.Parse(Manifest)!.AsObject();
        document.Remove(field);
        if (value is not null) document[field] = value;
        return this with { Manifest = Encoding.UTF8.GetBytes(document.ToJsonString(new JsonSerializerOptions { WriteIndented = true })) };
    }

    private static byte[] Merge(JsonObject document, JsonObject? more)
    {
        foreach (var (name, value) in more ?? []) document[name] = value?.DeepClone();
        return Encoding.UTF8.GetBytes(document.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }
}
