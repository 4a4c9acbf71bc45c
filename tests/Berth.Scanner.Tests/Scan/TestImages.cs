using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Scanner.Tests.Scan;

/// <summary>Makes small images: layers of texts, as an archive of docker save or an OCI layout.</summary>
internal static class TestImages
{
    /// <summary>A layer; names that end with <c>!</c> get the setuid bit.</summary>
    public static byte[] Layer(params (string Path, string Text)[] files)
    {
        var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (path, text) in files)
            {
                var mode = path.EndsWith('!') ? UnixFileMode.SetUser | UnixFileMode.UserExecute : UnixFileMode.UserRead;
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, path.TrimEnd('!')) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)), Mode = mode });
            }
        }
        return buffer.ToArray();
    }

    public static string Sha256(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>A configuration for layers.</summary>
    public static byte[] Config(params byte[][] layers) => Encoding.UTF8.GetBytes(
        $$$"""{"architecture":"amd64","os":"linux","config":{"User":"app"},"rootfs":{"type":"layers","diff_ids":[{{{string.Join(',', layers.Select(l => $"\"{Sha256(l)}\""))}}}]}}""");

    /// <summary>An archive of docker save.</summary>
    public static void DockerArchive(string path, params byte[][] layers)
    {
        using var tar = new TarWriter(File.Create(path), TarEntryFormat.Ustar);
        Add(tar, "config.json", Config(layers));
        for (var i = 0; i < layers.Length; i++) Add(tar, $"{i}/layer.tar", layers[i]);
        var names = string.Join(',', layers.Select((_, i) => $"\"{i}/layer.tar\""));
        Add(tar, "manifest.json", Encoding.UTF8.GetBytes($$"""[{"Config":"config.json","RepoTags":["shop/web:1"],"Layers":[{{names}}]}]"""));
    }

    /// <summary>An OCI layout in a folder with one image a platform; layers packed with gzip.</summary>
    public static void Layout(string folder, params (string Architecture, byte[][] Layers)[] images)
    {
        Directory.CreateDirectory(Path.Combine(folder, "blobs", "sha256"));
        var entries = images.Select(image =>
        {
            var layers = image.Layers.Select(layer => Blob(folder, Gzip(layer))).ToList();
            var config = Blob(folder, Config(image.Layers));
            var manifest = Blob(folder, Encoding.UTF8.GetBytes(
                $$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"digest":"{{config.Digest}}","size":{{config.Size}}},"layers":[{{string.Join(',', layers.Select(l => $$"""{"digest":"{{l.Digest}}","size":{{l.Size}}}"""))}}]}"""));
            return $$$"""{"digest":"{{{manifest.Digest}}}","size":{{{manifest.Size}}},"platform":{"os":"linux","architecture":"{{{image.Architecture}}}"}}""";
        });
        File.WriteAllText(Path.Combine(folder, "index.json"), $$"""{"schemaVersion":2,"manifests":[{{string.Join(',', entries)}}]}""");
        File.WriteAllText(Path.Combine(folder, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
    }

    private static (string Digest, int Size) Blob(string folder, byte[] bytes)
    {
        var digest = Sha256(bytes);
        File.WriteAllBytes(Path.Combine(folder, "blobs", "sha256", digest[7..]), bytes);
        return (digest, bytes.Length);
    }

    private static byte[] Gzip(byte[] bytes)
    {
        var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        return buffer.ToArray();
    }

    private static void Add(TarWriter tar, string name, byte[] bytes) => tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) });
}
