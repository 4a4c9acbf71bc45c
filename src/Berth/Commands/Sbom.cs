using System.CommandLine;
using Berth.Client;
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
        var (input, platform, cache, registry) = (Scan.InputOption(), Scan.PlatformOption(), Scan.CacheOption(), new RegistryFlags());
        var name = new Argument<string?>("IMAGE") { Description = "Image of a registry, such as shop/web:1 or registry.example.com/shop/web@sha256:…", Arity = ArgumentArity.ZeroOrOne };
        var rootfs = new Option<string?>("--rootfs") { Description = "Root file system in a directory, in place of an image", HelpName = "DIR" };
        var format = new Option<string>("--format", "-f") { Description = "cyclonedx, spdx-json, or spdx (tag and value)", DefaultValueFactory = static _ => "cyclonedx", HelpName = "FORM" };
        var file = new Option<string?>("--output", "-o") { Description = "File for the document; else standard output", HelpName = "FILE" };
        var verb = new Verb("sbom", "Write the bill of materials of an image or a root file system", """
            berth sbom registry.example.com/shop/web:1
            berth sbom --input image.tar --output bom.cdx.json
            berth sbom --input oci-dir/ --format spdx-json
            berth sbom --rootfs /
            """)
        {
            name, input, rootfs, platform, cache, format, file,
        };
        registry.AddTo(verb);
        verb.SetAction(async (parsed, ct) =>
        {
            var error = parsed.InvocationConfiguration.Error;
            var (image, archive, directory) = (parsed.GetValue(name), parsed.GetValue(input), parsed.GetValue(rootfs));
            var problems = Problems(image, archive, directory, parsed.GetValue(format)!);
            ImageReference? reference = null;
            if (!string.IsNullOrEmpty(image) && !ImageReference.TryParse(image, out reference, out var wrong)) problems.Add(wrong);
            ImagePlatform? wanted = null;
            if (reference is not null && parsed.GetValue(platform) is { } text && !ImagePlatform.TryParse(text, out wanted)) problems.Add($"--platform: \"{text}\" is not of the form os/architecture");
            using var client = reference is null ? null : registry.Open(parsed, environment, reference.Registry, problems);
            foreach (var problem in problems) await error.WriteLineAsync(problem);
            if (problems.Count > 0) return ExitCodes.Usage;
            try
            {
                var request = new ScanRequest { Settings = new ScanSettings(), Format = ScanOutput.Words[parsed.GetValue(format)!], OutputPath = parsed.GetValue(file), Database = "" };
                var folder = Scan.CacheFolder(parsed.GetValue(cache), environment);
                var (content, inventory, type) = client is not null ? await Scan.RemoteAsync(client, image!, reference!, wanted, folder, request, static _ => { }, environment, ct)
                    : archive is not null ? await ArchiveAsync(archive, parsed.GetValue(platform), folder, ct)
                    : new Scan.Subject(new ImageContent(directory!), ImageInventory.Join([new RootFileSystem(AnalyzerSet.All, LayerLimits.Default).Read(directory!, ct)], PackageSources.WithoutLocks), "filesystem");
                var report = ScanAssembly.Of(content, inventory, null, request.Settings, TimeProvider.System.GetUtcNow()) with { ToolVersion = Version.Number(), ArtifactType = type };
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

    private static async Task<Scan.Subject> ArchiveAsync(string path, string? platform, string cache, CancellationToken ct)
    {
        using var archive = await ImageArchive.OpenAsync(path, platform, LayerLimits.Default, ct);
        return new Scan.Subject(archive.Image, await Scan.InventoryAsync(archive.Image, cache, secrets: null, static _ => { }, null, ct), "container_image");
    }

    private static List<string> Problems(string? image, string? archive, string? directory, string format)
    {
        var found = new List<string>();
        if (((string?[])[image, archive, directory]).Count(static one => !string.IsNullOrEmpty(one)) != 1) found.Add("give one of the name of an image, --input and --rootfs");
        if (!string.IsNullOrEmpty(directory) && !Directory.Exists(directory)) found.Add($"there is no directory {directory}");
        if (format is not ("cyclonedx" or "spdx-json" or "spdx")) found.Add($"--format: \"{format}\" is none of cyclonedx, spdx-json, spdx");
        return found;
    }
}
