using System.CommandLine;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Scan;

namespace Berth.Commands;

/// <summary><c>berth sbom</c>: the bill of materials of an image or a root file system.</summary>
internal static class Sbom
{
    public static Command Build(CommandEnvironment environment)
    {
        var (input, platform, cache) = (Scan.InputOption(), Scan.PlatformOption(), Scan.CacheOption());
        var rootfs = new Option<string?>("--rootfs") { Description = "Root file system in a directory, in place of an image", HelpName = "DIR" };
        var format = new Option<string>("--format", "-f") { Description = "cyclonedx or spdx-json", DefaultValueFactory = static _ => "cyclonedx", HelpName = "FORM" };
        var file = new Option<string?>("--output", "-o") { Description = "File for the document; else standard output", HelpName = "FILE" };
        var verb = new Verb("sbom", "Write the bill of materials of an image or a root file system", """
            berth sbom --input image.tar --output bom.cdx.json
            berth sbom --input oci-dir/ --format spdx-json
            berth sbom --rootfs /
            """)
        {
            input, rootfs, platform, cache, format, file,
        };
        verb.SetAction(async (parsed, ct) =>
        {
            var error = parsed.InvocationConfiguration.Error;
            var (image, directory) = (parsed.GetValue(input), parsed.GetValue(rootfs));
            if (ProblemOf(image, directory, parsed.GetValue(format)!) is { } problem)
            {
                await error.WriteLineAsync(problem);
                return ExitCodes.Usage;
            }
            try
            {
                var settings = new ScanSettings();
                var (content, inventory) = image is not null
                    ? await ImageAsync(image, parsed.GetValue(platform), Scan.CacheFolder(parsed.GetValue(cache), environment), ct)
                    : (new ImageContent(directory!), ImageInventory.Join([new RootFileSystem(AnalyzerSet.All, LayerLimits.Default).Read(directory!, ct)], PackageSources.WithoutLocks));
                var report = ScanAssembly.Of(content, inventory, null, settings, TimeProvider.System.GetUtcNow()) with { ToolVersion = Version.Number(), ArtifactType = image is null ? "filesystem" : "container_image" };
                var request = new ScanRequest { Settings = settings, Format = ScanOutput.Words[parsed.GetValue(format)!], OutputPath = parsed.GetValue(file), Database = "" };
                await Scan.WriteAsync(report, request, parsed.InvocationConfiguration.Output, ct);
                return ExitCodes.Ok;
            }
            catch (Exception e) when (e is ImageRefusedException or LayerRefusedException or IOException or UnauthorizedAccessException)
            {
                await error.WriteLineAsync($"cannot read: {e.Message}");
                return ExitCodes.Failed;
            }
        });
        return verb;
    }

    private static async Task<(ImageContent, ImageInventory)> ImageAsync(string path, string? platform, string cache, CancellationToken ct)
    {
        using var archive = await ImageArchive.OpenAsync(path, platform, LayerLimits.Default, ct);
        return (archive.Image, await Scan.InventoryAsync(archive.Image, cache, secrets: null, static _ => { }, null, ct));
    }

    private static string? ProblemOf(string? image, string? directory, string format)
    {
        if ((image is null) == (directory is null)) return "give either --input or --rootfs";
        if (directory is not null && !Directory.Exists(directory)) return $"there is no directory {directory}";
        return format is "cyclonedx" or "spdx-json" ? null : $"--format: \"{format}\" is none of cyclonedx, spdx-json";
    }
}
