using System.Security.Cryptography;
using System.Text;
using Berth.Blobs.FileSystem;
using Berth.Oci;

namespace Berth.Server.Tests.Adoption;

/// <summary>
/// Writes a folder as Docker Registry 2.x and 3.x lay it out, with file times of the past that grow with each file. Contents follow from names, so that
/// two layouts built in the same way are the same.
/// </summary>
internal sealed class RegistryLayout : IDisposable
{
    private static readonly DateTime Begin = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private int _files;

    public RegistryLayout()
    {
        Root = Directory.CreateTempSubdirectory("berth-layout-").FullName;
        Paths = new ContentPaths(Root);
    }

    public string Root { get; }

    public ContentPaths Paths { get; }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    public Digest Blob(string content) => Blob(Encoding.UTF8.GetBytes(content));

    public Digest Blob(byte[] content, DigestAlgorithm algorithm = default)
    {
        var digest = Digest.Of(content, algorithm);
        if (!File.Exists(Paths.Content(digest))) Write(Paths.Content(digest), content);
        return digest;
    }

    /// <summary>Links a blob into a repository.</summary>
    public void Link(string repository, Digest blob) => WriteLink($"{repository}/_layers/{blob.Algorithm.Name}/{blob.Hex}", blob.Value);

    /// <summary>A blob that a repository holds, as a descriptor.</summary>
    public string Layer(string repository, string content, string mediaType = "application/vnd.oci.image.layer.v1.tar")
    {
        var digest = Blob(content);
        Link(repository, digest);
        return Descriptor(mediaType, digest, Encoding.UTF8.GetByteCount(content));
    }

    public Digest Manifest(string repository, string json, params string[] tags)
    {
        var digest = Blob(json);
        Revision(repository, digest);
        foreach (var tag in tags) Tag(repository, tag, digest);
        return digest;
    }

    public void Revision(string repository, Digest digest) => WriteLink($"{repository}/_manifests/revisions/{digest.Algorithm.Name}/{digest.Hex}", digest.Value);

    public void Tag(string repository, string tag, Digest digest)
    {
        WriteLink($"{repository}/_manifests/tags/{tag}/current", digest.Value);
        WriteLink($"{repository}/_manifests/tags/{tag}/index/{digest.Algorithm.Name}/{digest.Hex}", digest.Value);
    }

    /// <summary>An image of a configuration and two layers, one of them shared with all others of the repository.</summary>
    public Digest Image(string repository, string name, params string[] tags) => Manifest(repository, ImageJson(repository, name), tags);

    public string ImageJson(string repository, string name, Digest subject = default, string mediaType = MediaTypes.OciManifest)
    {
        var config = Layer(repository, $"{{\"config\":\"{name}\"}}", "application/vnd.oci.image.config.v1+json");
        var layers = $"{Layer(repository, $"base of {repository}")},{Layer(repository, $"layer of {name}")}";
        var about = subject.IsDefault ? "" : $",\"subject\":{Descriptor(MediaTypes.OciManifest, subject, 1)},\"annotations\":{{\"about\":\"{name}\"}}";
        var type = mediaType.Length == 0 ? "" : $"\"mediaType\":\"{mediaType}\",";
        return $"{{\"schemaVersion\":2,{type}\"config\":{config},\"layers\":[{layers}]{about}}}";
    }

    public Digest Index(string repository, Digest[] children, params string[] tags) =>
        Manifest(repository, $"{{\"schemaVersion\":2,\"mediaType\":\"{MediaTypes.OciIndex}\",\"manifests\":[{string.Join(',', children.Select(c => Descriptor(MediaTypes.OciManifest, c, 7)))}]}}", tags);

    public static string Descriptor(string mediaType, Digest digest, long size) => $"{{\"mediaType\":\"{mediaType}\",\"digest\":\"{digest}\",\"size\":{size}}}";

    /// <summary>Writes a link file, with any text in it.</summary>
    public void WriteLink(string folder, string text) => Write(Path.Join(Paths.Repositories, folder, "link"), Encoding.UTF8.GetBytes(text));

    public void Write(string file, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, content);
        File.SetLastWriteTimeUtc(file, Begin.AddSeconds(_files++));
    }

    /// <summary>Every file below <c>docker/</c> with size, time and hash, to see that nothing was changed.</summary>
    public string Listing() => string.Join('\n', Directory.EnumerateFileSystemEntries(Path.Join(Root, "docker"), "*", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal)
        .Select(f => File.Exists(f) ? $"{f} {File.GetLastWriteTimeUtc(f):O} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f)))}" : f));

    /// <summary>Bytes of all contents.</summary>
    public long StoredBytes() => new DirectoryInfo(Paths.Blobs).EnumerateFiles("data", SearchOption.AllDirectories).Sum(f => f.Length);

    /// <summary>A folder with one of each kind; the same each time.</summary>
    public static RegistryLayout OfEveryKind()
    {
        var layout = new RegistryLayout();
        for (var i = 0; i < 8; i++) layout.Image($"team/app-{i % 3}", $"image {i}", $"v{i}");
        layout.Tag("team/app-0", "latest", layout.Image("team/app-0", "image 0"));
        layout.Image("team/app-0", "untagged");
        layout.Index("multi", [layout.Image("multi", "amd64"), layout.Image("multi", "arm64")], "latest");
        layout.Index("multi", [layout.Image("multi", "only child"), Digest.Of("absent"u8)], "sparse");
        var subject = layout.Image("signed", "subject", "v1");
        layout.Manifest("signed", layout.ImageJson("signed", "referrer", subject));
        var old = layout.Image("signed", "old referrer");
        layout.Index("signed", [old], subject.Value.Replace(':', '-'));
        layout.Manifest("signed", layout.ImageJson("signed", "signature"), $"{subject.Value.Replace(':', '-')}.sig");
        layout.Manifest("untyped", layout.ImageJson("untyped", "no type", mediaType: ""), "image");
        layout.Manifest("untyped", $"{{\"schemaVersion\":2,\"manifests\":[{Descriptor(MediaTypes.OciManifest, layout.Image("untyped", "child"), 1)}]}}", "index");
        layout.Manifest("docker", layout.ImageJson("docker", "docker", mediaType: MediaTypes.DockerManifest), "v2");
        layout.Link("docker", layout.Blob("512"u8.ToArray(), DigestAlgorithm.Sha512));
        layout.Blob("nobody links this");
        return layout;
    }
}
