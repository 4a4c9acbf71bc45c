using System.Text;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;
using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Shelf;

namespace Berth.Torture.Crash;

/// <summary>
/// Images of one repository that share layers: all of them a base with packages of Debian, twelve at a time a layer with an npm package, and each has one of its own. What a scan must find in each is
/// known without one.
/// </summary>
internal sealed class ManyImages
{
    /// <summary>More than a scan of all images asks for in one transaction.</summary>
    public const int Count = 110;

    /// <summary>Layers of all images, each counted once.</summary>
    public const int Layers = 1 + Shared + Count;

    public const string Repository = "web";
    private const int Shared = 9;
    private const int BasePackages = 60;

    // What is not read for packages, but has to be unpacked and hashed: so that a scan takes a while.
    private const int FillBytes = 4 << 20;

    private readonly List<OciLayout> _images = [];

    public ManyImages(string folder)
    {
        for (var image = 0; image < Count; image++)
        {
            var layout = new OciLayoutWriter(folder);
            _images.Add(layout.Finish(layout.AddImage(ImageFormat.Oci, "amd64",
            [
                EndToEnd.Images.Layers.Gzip(layout, ImageFormat.Oci, LayerFile.Text("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n"), LayerFile.Text("var/lib/dpkg/status", Status())),
                EndToEnd.Images.Layers.Gzip(layout, ImageFormat.Oci, Npm("shared", $"1.{SharedOf(image)}.0")),
                EndToEnd.Images.Layers.Gzip(layout, ImageFormat.Oci, Npm("own", $"2.{image}.0"), new LayerFile("srv/fill.bin", new byte[FillBytes])),
            ])));
        }
    }

    /// <summary>Findings of all images together.</summary>
    public static int AllFindings => Enumerable.Range(0, Count).Sum(static image => FindingsOf(image).Count());

    /// <summary>Packages of all images together.</summary>
    public static int AllPackages => Count * (BasePackages + 2);

    /// <summary>The tag of an image.</summary>
    public static string TagOf(int image) => $"v{image}";

    /// <summary>What is to be found in an image, as <c>id package version</c>, in order.</summary>
    public static IEnumerable<string> FindingsOf(int image)
    {
        var found = new List<string> { "CVE-2031-1001 tool7 1.7-1", "CVE-2031-1002 tool41 1.41-1" };
        if (SharedOf(image) < 5) found.Add($"CVE-2031-2001 shared 1.{SharedOf(image)}.0");
        if (image >= 40) found.Add($"CVE-2031-3001 own 2.{image}.0");
        return found.Order(StringComparer.Ordinal);
    }

    /// <summary>The advisories by which they are found, in the data folder of a server.</summary>
    public static void WriteAdvisories(string dataFolder)
    {
        var shelf = new AdvisoryShelf(Path.Join(dataFolder, "advisories"));
        var builtAt = new DateTimeOffset(2031, 5, 1, 0, 0, 0, TimeSpan.Zero);
        var path = shelf.NewPath(builtAt);
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            var debian = new AdvisoryBucket("debian 12", "debian") { SourceId = "debian" };
            builder.Add(debian, "tool7", new Advisory("CVE-2031-1001") { FixedVersion = "1.7-2" });
            builder.Add(debian, "tool8", new Advisory("CVE-2031-1003") { FixedVersion = "1.8-1" });
            builder.Add(debian, "tool41", new Advisory("CVE-2031-1002"));
            var npm = new AdvisoryBucket("npm::test", "test");
            builder.Add(npm, "shared", new Advisory("CVE-2031-2001") { VulnerableVersions = ["<1.5.0"], PatchedVersions = ["1.5.0"] });
            builder.Add(npm, "own", new Advisory("CVE-2031-3001") { VulnerableVersions = [">=2.40.0"] });
            builder.Complete(builtAt, CancellationToken.None);
        }
        shelf.Use(path);
    }

    /// <summary>Pushes all of them: each blob once, then the manifests.</summary>
    public async Task PushAsync(RegistryHttp registry, CancellationToken ct)
    {
        var most = new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = ct };
        var blobs = _images.SelectMany(static image => image.Blobs().Select(blob => (blob.Digest, File: image.BlobFile(blob.Digest)))).DistinctBy(static blob => blob.Digest);
        await Parallel.ForEachAsync(blobs, most, async (blob, token) => await registry.PushBlob($"library/{Repository}", blob.Digest, await File.ReadAllBytesAsync(blob.File, token), token));
        await Parallel.ForEachAsync(_images.Select(static (image, number) => (image, number)), most, async (one, token) =>
            await registry.PushManifest($"library/{Repository}", TagOf(one.number), one.image.Root.MediaType, one.image.RootBytes(), token));
    }

    private static int SharedOf(int image) => image % Shared;

    private static LayerFile Npm(string name, string version) => LayerFile.Text($"app/node_modules/{name}/package.json", $$"""{"name":"{{name}}","version":"{{version}}"}""");

    private static string Status()
    {
        var text = new StringBuilder();
        for (var package = 0; package < BasePackages; package++)
            text.Append($"Package: tool{package}\nStatus: install ok installed\nArchitecture: amd64\nMaintainer: Debian Tools <tools@example.org>\nVersion: 1.{package}-1\nDescription: a tool\n\n");
        return text.ToString();
    }
}
