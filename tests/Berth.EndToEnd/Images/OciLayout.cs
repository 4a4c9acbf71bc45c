using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Berth.EndToEnd.Images;

/// <summary>What a manifest says of another piece of content (OCI descriptor).</summary>
public sealed record ContentReference(string MediaType, string Digest, long SizeBytes)
{
    /// <summary>The descriptor as it stands in a manifest.</summary>
    public JsonObject ToJson() => new() { ["mediaType"] = MediaType, ["digest"] = Digest, ["size"] = SizeBytes };
}

/// <summary>
/// An image, index or artifact in an OCI image layout folder (image specification, section "Image Layout"), which every client can push.
/// The layout names one root, tagged <see cref="Tag"/>.
/// </summary>
public sealed record OciLayout(string Folder, ContentReference Root)
{
    /// <summary>The tag of the root in the layout.</summary>
    public const string Tag = "1";

    public string Digest => Root.Digest;

    /// <summary>How skopeo names the root.</summary>
    public string SkopeoName => $"oci:{Folder}:{Tag}";

    /// <summary>The file of a blob or manifest.</summary>
    public string BlobFile(string digest) => OciLayoutWriter.BlobFile(Folder, digest);

    /// <summary>The bytes of the root manifest.</summary>
    public byte[] RootBytes() => File.ReadAllBytes(BlobFile(Digest));

    /// <summary>All manifests, children before parents, the root last.</summary>
    public IEnumerable<ContentReference> Manifests() => ManifestsBelow(Root).Append(Root);

    /// <summary>Config and layers of all manifests, each once.</summary>
    public IEnumerable<ContentReference> Blobs() => Manifests()
        .SelectMany(manifest => ManifestContent.BlobsOf(File.ReadAllBytes(BlobFile(manifest.Digest))))
        .DistinctBy(blob => blob.Digest);

    private IEnumerable<ContentReference> ManifestsBelow(ContentReference parent) => ManifestContent
        .ChildrenOf(File.ReadAllBytes(BlobFile(parent.Digest)))
        .SelectMany(child => ManifestsBelow(child).Append(child));
}

/// <summary>Reads the references of a manifest.</summary>
public static class ManifestContent
{
    /// <summary>Child manifests of an index or manifest list.</summary>
    public static IReadOnlyList<ContentReference> ChildrenOf(byte[] manifest) => References(manifest, "manifests");

    /// <summary>Config and layers.</summary>
    public static IReadOnlyList<ContentReference> BlobsOf(byte[] manifest)
    {
        var json = JsonNode.Parse(manifest)!;
        IReadOnlyList<ContentReference> layers = [.. References(manifest, "layers"), .. References(manifest, "blobs")];
        return json["config"] is { } config ? [Reference(config), .. layers] : layers;
    }

    /// <summary>The digest of the manifest that this one refers to, or null.</summary>
    public static string? SubjectOf(byte[] manifest) => JsonNode.Parse(manifest)!["subject"]?["digest"]?.GetValue<string>();

    private static List<ContentReference> References(byte[] manifest, string property) =>
        JsonNode.Parse(manifest)![property] is JsonArray array ? [.. array.Select(item => Reference(item!))] : [];

    private static ContentReference Reference(JsonNode node) =>
        new(node["mediaType"]!.GetValue<string>(), node["digest"]!.GetValue<string>(), node["size"]!.GetValue<long>());
}

/// <summary>Builds an <see cref="OciLayout"/> piece by piece.</summary>
public sealed class OciLayoutWriter
{
    private readonly string folder;

    public OciLayoutWriter(string folder)
    {
        this.folder = folder;
        Directory.CreateDirectory(Path.Combine(folder, "blobs", "sha256"));
    }

    public static string BlobFile(string folder, string digest) => Path.Combine(folder, "blobs", "sha256", digest["sha256:".Length..]);

    /// <summary>The sha256 digest of <paramref name="bytes"/> in its text form.</summary>
    public static string DigestOf(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    public ContentReference AddBlob(string mediaType, byte[] bytes)
    {
        var digest = DigestOf(bytes);
        File.WriteAllBytes(BlobFile(folder, digest), bytes);
        return new ContentReference(mediaType, digest, bytes.Length);
    }

    public ContentReference AddJson(string mediaType, JsonObject json) => AddBlob(mediaType, Encoding.UTF8.GetBytes(json.ToJsonString()));

    /// <summary>Takes over a file as a blob whose digest is known.</summary>
    public ContentReference MoveBlob(string mediaType, string file, string digest)
    {
        var size = new FileInfo(file).Length;
        File.Move(file, BlobFile(folder, digest), overwrite: true);
        return new ContentReference(mediaType, digest, size);
    }

    /// <summary>An image: config for the layers, then the manifest over both.</summary>
    public ContentReference AddImage(ImageFormat format, string architecture, IReadOnlyList<Layer> layers, JsonObject? runSettings = null)
    {
        var config = new JsonObject
        {
            ["created"] = "2024-01-01T00:00:00Z",
            ["architecture"] = architecture,
            ["os"] = "linux",
            ["config"] = runSettings ?? [],
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. layers.Select(layer => (JsonNode)layer.DiffId)]) },
            ["history"] = new JsonArray([.. layers.Select(_ => (JsonNode)new JsonObject { ["created"] = "2024-01-01T00:00:00Z", ["created_by"] = "berth end-to-end" })]),
        };
        return AddJson(format.Manifest, new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = format.Manifest,
            ["config"] = AddJson(format.Config, config).ToJson(),
            ["layers"] = new JsonArray([.. layers.Select(layer => (JsonNode)layer.Content.ToJson())]),
        });
    }

    /// <summary>An index or manifest list over images of several architectures.</summary>
    public ContentReference AddIndex(ImageFormat format, params (string Architecture, ContentReference Manifest)[] images) => AddJson(format.Index, new JsonObject
    {
        ["schemaVersion"] = 2,
        ["mediaType"] = format.Index,
        ["manifests"] = new JsonArray([.. images.Select(image => (JsonNode)WithPlatform(image.Manifest.ToJson(), image.Architecture))]),
    });

    /// <summary>An artifact as OCI 1.1 describes it: an empty config, a type, perhaps a subject.</summary>
    public ContentReference AddArtifact(string artifactType, ContentReference content, ContentReference? subject = null)
    {
        const string Manifest = "application/vnd.oci.image.manifest.v1+json";
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = Manifest,
            ["artifactType"] = artifactType,
            ["config"] = AddBlob("application/vnd.oci.empty.v1+json", "{}"u8.ToArray()).ToJson(),
            ["layers"] = new JsonArray(content.ToJson()),
        };
        if (subject is not null)
        {
            manifest["subject"] = subject.ToJson();
        }

        return AddJson(Manifest, manifest);
    }

    /// <summary>Writes the layout's own files; the layout is complete then.</summary>
    public OciLayout Finish(ContentReference root)
    {
        var descriptor = root.ToJson();
        descriptor["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = OciLayout.Tag };
        File.WriteAllText(Path.Combine(folder, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        File.WriteAllText(Path.Combine(folder, "index.json"), JsonSerializer.Serialize(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.index.v1+json",
            ["manifests"] = new JsonArray(descriptor),
        }));
        return new OciLayout(folder, root);
    }

    private static JsonObject WithPlatform(JsonObject descriptor, string architecture)
    {
        descriptor["platform"] = new JsonObject { ["architecture"] = architecture, ["os"] = "linux" };
        return descriptor;
    }
}

/// <summary>The media types of one family of image manifests.</summary>
public sealed record ImageFormat(string Manifest, string Index, string Config, string GzipLayer)
{
    public static ImageFormat Oci { get; } = new(
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.oci.image.layer.v1.tar+gzip");

    /// <summary>Docker's image manifest version 2, schema 2.</summary>
    public static ImageFormat Docker { get; } = new(
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.container.image.v1+json",
        "application/vnd.docker.image.rootfs.diff.tar.gzip");
}
