using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;

namespace Berth.EndToEnd.Images;

/// <summary>The images of a test run: each is built when a test first asks for it and kept until the run ends.</summary>
public sealed class ImageFixtures : IAsyncLifetime
{
    /// <summary>Content bytes of the big layer: 2 GiB, more than a signed 32-bit length can say.</summary>
    public const long BigLayerBytes = 2L << 30;

    private readonly TemporaryFolder folder = new("images");
    private readonly Dictionary<string, OciLayout> built = [];
    private string? busybox;

    public ValueTask InitializeAsync()
    {
        TemporaryFolder.RemoveLeftovers();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>One gzip layer with a static busybox: an image that runs.</summary>
    public async Task<OciLayout> Busybox()
    {
        var program = await BusyboxProgram();
        return Build("busybox", layout => layout.AddImage(ImageFormat.Oci, "amd64", [BusyboxLayer(layout, ImageFormat.Oci, program)], RunSettings()));
    }

    /// <summary>The same as <see cref="Busybox"/> with Docker's media types.</summary>
    public async Task<OciLayout> DockerSchema2()
    {
        var program = await BusyboxProgram();
        return Build("schema2", layout => layout.AddImage(ImageFormat.Docker, "amd64", [BusyboxLayer(layout, ImageFormat.Docker, program)], RunSettings()));
    }

    /// <summary>A small image of files only.</summary>
    public OciLayout Small() => Build("small", layout => layout.AddImage(ImageFormat.Oci, "amd64", [TextLayer(layout, ImageFormat.Oci, "etc/small", "small")]));

    /// <summary>Twenty gzip layers.</summary>
    public OciLayout TwentyLayers() => Build("twenty-layers", layout => layout.AddImage(
        ImageFormat.Oci, "amd64", [.. Enumerable.Range(1, 20).Select(number => TextLayer(layout, ImageFormat.Oci, $"layers/{number}", $"layer {number}"))]));

    /// <summary>An OCI index over amd64 and arm64.</summary>
    public OciLayout MultiArch() => Build("multi-arch", layout => TwoArchitectures(layout, ImageFormat.Oci));

    /// <summary>A Docker manifest list over amd64 and arm64.</summary>
    public OciLayout DockerManifestList() => Build("manifest-list", layout => TwoArchitectures(layout, ImageFormat.Docker));

    /// <summary>Two zstd layers.</summary>
    public OciLayout Zstd() => Build("zstd", layout => layout.AddImage(
        ImageFormat.Oci, "amd64", [Layers.Zstd(layout, LayerFile.Text("zstd/a", new string('a', 100_000))), Layers.Zstd(layout, LayerFile.Text("zstd/b", "b"))]));

    /// <summary>One uncompressed layer of 2 GiB of random bytes.</summary>
    public OciLayout Big() => Build("big", layout => layout.AddImage(
        ImageFormat.Oci, "amd64", [Layers.Incompressible(layout, folder.File("big.tar"), BigLayerBytes)]));

    /// <summary>The static busybox program, from Debian's package.</summary>
    public async Task<string> BusyboxProgram()
    {
        if (busybox is null)
        {
            using var shell = new ClientShell("busybox");
            busybox = CachedFile.PathOf("busybox") is { } cached && File.Exists(cached) ? cached : await Download(shell);
        }

        return busybox;
    }

    private async Task<string> Download(ClientShell shell)
    {
        shell.Folder.Folder("download");
        await shell.Run("sh", "-c", "cd download && apt-get download -q busybox-static && dpkg -x *.deb unpacked");
        var program = shell.Folder.File("download", "unpacked", "bin", "busybox");
        return CachedFile.Keep(program, "busybox", folder);
    }

    private OciLayout Build(string name, Func<OciLayoutWriter, ContentReference> build)
    {
        if (!built.TryGetValue(name, out var layout))
        {
            var writer = new OciLayoutWriter(folder.Folder("oci", name));
            layout = writer.Finish(build(writer));
            built[name] = layout;
        }

        return layout;
    }

    private static ContentReference TwoArchitectures(OciLayoutWriter layout, ImageFormat format) => layout.AddIndex(
        format,
        ("amd64", layout.AddImage(format, "amd64", [TextLayer(layout, format, "etc/architecture", "amd64")])),
        ("arm64", layout.AddImage(format, "arm64", [TextLayer(layout, format, "etc/architecture", "arm64")])));

    private static Layer TextLayer(OciLayoutWriter layout, ImageFormat format, string path, string text) => Layers.Gzip(layout, format, LayerFile.Text(path, text));

    private static Layer BusyboxLayer(OciLayoutWriter layout, ImageFormat format, string program) =>
        Layers.Gzip(layout, format, new LayerFile("bin/busybox", File.ReadAllBytes(program), IsExecutable: true), LayerFile.Text("etc/passwd", "root:x:0:0:root:/:/bin/busybox\n"));

    private static JsonObject RunSettings() => new()
    {
        ["Env"] = new JsonArray("PATH=/bin"),
        ["Cmd"] = new JsonArray("/bin/busybox", "echo", "hello from busybox"),
    };
}
