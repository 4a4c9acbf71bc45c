using System.Text;
using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Browser;

/// <summary>Images that look like those of a small company: layers of several sizes that versions share, a history beside them, two platforms, signatures and SBOMs.</summary>
internal sealed class GuideImages(string folder, RegistryHttp http)
{
    private const string Gzip = "application/vnd.oci.image.layer.v1.tar+gzip";

    private static readonly (string Instruction, int Kilobytes)[] s_base =
    [
        ("ADD rootfs.tar.xz / # debian:12-slim", 3_400), ("ENV LANG=C.UTF-8", 0), ("RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates tzdata && rm -rf /var/lib/apt/lists/*", 1_150),
    ];

    private readonly OciLayoutWriter layout = new(folder);
    private readonly HashSet<string> pushed = [];

    /// <summary>An image of one platform; what differs between two versions is its last layers.</summary>
    public ContentReference Image(string app, string version, string architecture = "amd64", int codeKilobytes = 620, JsonObject? annotations = null)
    {
        List<(string Instruction, int Kilobytes, string Seed)> steps =
        [
            .. s_base.Select((s, i) => (s.Instruction, s.Kilobytes, $"base-{i}-{architecture}")), ("WORKDIR /app", 0, ""),
            ("COPY package.json package-lock.json ./", 46, $"{app}-packages-{version[..2]}-{architecture}"), ("RUN npm ci --omit=dev", 1_900, $"{app}-modules-{version[..2]}-{architecture}"),
            ("COPY dist/ ./dist/", codeKilobytes, $"{app}-{version}-{architecture}"), ("USER 10001", 0, ""), ("EXPOSE 8080/tcp", 0, ""), ("ENTRYPOINT [\"node\", \"dist/server.js\"]", 0, ""),
        ];
        var layers = steps.Where(s => s.Kilobytes > 0).Select(s => layout.AddBlob(Gzip, Bytes(s.Seed, s.Kilobytes))).ToList();
        var config = new JsonObject
        {
            ["created"] = "2026-11-20T08:12:00Z",
            ["architecture"] = architecture,
            ["os"] = "linux",
            ["config"] = new JsonObject
            {
                ["User"] = "10001",
                ["Env"] = new JsonArray("LANG=C.UTF-8", $"APP_VERSION={version}", "NODE_ENV=production"),
                ["Entrypoint"] = new JsonArray("node", "dist/server.js"),
                ["ExposedPorts"] = new JsonObject { ["8080/tcp"] = new JsonObject() },
                ["Labels"] = new JsonObject { ["org.opencontainers.image.source"] = $"https://git.example.com/shop/{app}", ["org.opencontainers.image.version"] = version },
            },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. layers.Select(l => (JsonNode)l.Digest)]) },
            ["history"] = new JsonArray([.. steps.Select(s => (JsonNode)History(s.Instruction, s.Kilobytes))]),
        };
        return Manifest(layout.AddJson(ImageFormat.Oci.Config, config), layers, null, null, annotations);
    }

    /// <summary>An index over two platforms.</summary>
    public ContentReference Index(string app, string version, JsonObject? annotations = null)
    {
        var index = new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = ImageFormat.Oci.Index, ["manifests"] = new JsonArray(Child(app, version, "amd64"), Child(app, version, "arm64")) };
        if (annotations is not null) index["annotations"] = annotations;
        return layout.AddJson(ImageFormat.Oci.Index, index);
    }

    /// <summary>What is attached to an image, or to something that is attached.</summary>
    public ContentReference Attached(ContentReference subject, string type, string mediaType, int kilobytes) =>
        Manifest(layout.AddBlob("application/vnd.oci.empty.v1+json", "{}"u8.ToArray()), [layout.AddBlob(mediaType, Bytes(type + subject.Digest, kilobytes))], type, subject, null);

    /// <summary>The bytes of a manifest.</summary>
    public byte[] BytesOf(ContentReference manifest) => File.ReadAllBytes(OciLayoutWriter.BlobFile(folder, manifest.Digest));

    /// <summary>Pushes it with all below it; null for no tag.</summary>
    public async Task Push(string repository, string? tag, ContentReference root, CancellationToken ct)
    {
        var whole = new OciLayout(folder, root);
        foreach (var blob in whole.Blobs().Where(b => pushed.Add(repository + b.Digest))) await http.PushBlob(repository, blob.Digest, await File.ReadAllBytesAsync(whole.BlobFile(blob.Digest), ct), ct);
        foreach (var manifest in whole.Manifests())
            await http.PushManifest(repository, manifest == root && tag is not null ? tag : manifest.Digest, manifest.MediaType, await File.ReadAllBytesAsync(whole.BlobFile(manifest.Digest), ct), ct);
    }

    private JsonObject Child(string app, string version, string architecture)
    {
        var child = Image(app, version, architecture).ToJson();
        child["platform"] = new JsonObject { ["architecture"] = architecture, ["os"] = "linux" };
        return child;
    }

    private ContentReference Manifest(ContentReference config, IReadOnlyList<ContentReference> layers, string? type, ContentReference? subject, JsonObject? annotations)
    {
        var manifest = new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = ImageFormat.Oci.Manifest, ["config"] = config.ToJson(), ["layers"] = new JsonArray([.. layers.Select(l => (JsonNode)l.ToJson())]) };
        if (type is not null) manifest["artifactType"] = type;
        if (subject is not null) manifest["subject"] = subject.ToJson();
        if (annotations is not null) manifest["annotations"] = annotations.DeepClone();
        return layout.AddJson(ImageFormat.Oci.Manifest, manifest);
    }

    private static JsonObject History(string instruction, int kilobytes)
    {
        var entry = new JsonObject { ["created"] = "2026-11-20T08:12:00Z", ["created_by"] = instruction };
        if (kilobytes == 0) entry["empty_layer"] = true;
        return entry;
    }

    // The same bytes for the same words, which no compression makes smaller.
    private static byte[] Bytes(string seed, int kilobytes)
    {
        var bytes = new byte[kilobytes * 1024 + Encoding.UTF8.GetByteCount(seed)];
        var state = seed.Aggregate(14695981039346656037UL, static (hash, c) => (hash ^ c) * 1099511628211UL);
        for (var i = 0; i < bytes.Length; i++)
        {
            state = state * 6364136223846793005UL + 1442695040888963407UL;
            bytes[i] = (byte)(state >> 56);
        }
        return bytes;
    }
}
