using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using Berth.Oci;
using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Shelf;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Scanning;

/// <summary>Images with known packages, and advisories that name them.</summary>
internal static class ScannedImages
{
    /// <summary>Gives a server the advisory CVE-2020-1 on left-pad before 1.3.1.</summary>
    public static void AddAdvisories(PlatformApp app)
    {
        var shelf = new AdvisoryShelf(Path.Join(app.Registry.Folder, "data", "advisories"));
        var path = shelf.NewPath(DateTimeOffset.UnixEpoch);
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            builder.Add(new AdvisoryBucket("npm::test", "test"), "left-pad", new Advisory("CVE-2020-1") { VulnerableVersions = ["<1.3.1"], PatchedVersions = ["1.3.1"] });
            builder.Complete(DateTimeOffset.UnixEpoch, CancellationToken.None);
        }
        shelf.Use(path);
    }

    /// <summary>An image with one npm package.</summary>
    public static TestImage WithPackage(string name, string version)
    {
        var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, $"app/node_modules/{name}/package.json")
            {
                DataStream = new MemoryStream(Encoding.UTF8.GetBytes($$"""{"name":"{{name}}","version":"{{version}}"}""")),
            });
        }
        var layer = buffer.ToArray();
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:{{{Convert.ToHexStringLower(SHA256.HashData(layer))}}}"]}}""");
        var manifest = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Describe(MediaTypes.OciConfig, config)}},"layers":[{{Describe("application/vnd.oci.image.layer.v1.tar", layer)}}]}""";
        return new TestImage(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest), [config, layer]);
    }

    private static string Describe(string type, byte[] bytes) => $$"""{"mediaType":"{{type}}","digest":"{{Digest.Of(bytes)}}","size":{{bytes.Length}}}""";
}
