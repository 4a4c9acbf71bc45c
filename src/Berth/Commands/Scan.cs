using System.CommandLine;
using System.Text;
using Berth.Client;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Analyzers.Sboms;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Matching;
using Berth.Scanner.Reports;
using Berth.Scanner.Reports.Templates;
using Berth.Scanner.Scan;
using Berth.Scanner.Secrets;

namespace Berth.Commands;

/// <summary><c>berth scan</c>: what is in an image, a root file system, a project or a bill of materials, and what is known about it.</summary>
internal static class Scan
{
    /// <summary>What was read of what is scanned.</summary>
    internal sealed record Subject(ImageContent Image, ImageInventory Inventory, string ArtifactType);

    public static Command Build(CommandEnvironment environment)
    {
        var (flags, registry) = (new ScanFlags(), new RegistryFlags());
        var (input, platform, cache) = (InputOption(), PlatformOption(), CacheOption());
        var name = new Argument<string?>("IMAGE") { Description = "Image of a registry, such as shop/web:1 or registry.example.com/shop/web@sha256:…", Arity = ArgumentArity.ZeroOrOne };
        var source = new Option<string>("--image-src") { Description = "Where images come from: remote, which is a registry", DefaultValueFactory = static _ => "remote", HelpName = "LIST" };
        var verb = new Verb("scan", "Find vulnerable packages, secrets and misconfiguration in an image", """
            berth scan registry.example.com/shop/web:1                     an image of a registry
            berth scan --input image.tar                                   an archive of docker save, or an OCI layout
            berth scan shop/web:1 --severity HIGH,CRITICAL --exit-code 1
            berth scan --input image.tar --format sarif --output scan.sarif
            berth scan rootfs /
            berth scan fs .                                                a project: what its lock files pin
            berth scan sbom bom.cdx.json
            berth scan k8s deployment.yaml
            """)
        {
            name, input, platform, source, cache,
        };
        registry.AddTo(verb);
        flags.AddTo(verb);
        verb.SetAction(async (parsed, ct) =>
        {
            var problems = new List<string>();
            var (image, path) = (parsed.GetValue(name), parsed.GetValue(input));
            if (string.IsNullOrEmpty(image) == string.IsNullOrEmpty(path)) problems.Add("give either the name of an image or --input FILE, or one of rootfs, fs, sbom and k8s");
            ImageReference? reference = null;
            if (!string.IsNullOrEmpty(image) && !ImageReference.TryParse(image, out reference, out var wrong)) problems.Add(wrong);
            if (!parsed.GetValue(source)!.Split(',').Contains("remote")) problems.Add("--image-src: only remote is known, which reads from a registry; an image of a daemon is saved first and given with --input");
            ImagePlatform? wanted = null;
            if (reference is not null && parsed.GetValue(platform) is { } text && !ImagePlatform.TryParse(text, out wanted)) problems.Add($"--platform: \"{text}\" is not of the form os/architecture");
            using var client = reference is null ? null : registry.Open(parsed, environment, reference.Registry, problems);
            return await RunAsync(parsed, environment, flags, problems, async (request, tell, token) =>
            {
                if (client is not null) return await RemoteAsync(client, image!, reference!, wanted, CacheFolder(parsed.GetValue(cache), environment), request, tell, environment, token);
                using var archive = await ImageArchive.OpenAsync(path!, parsed.GetValue(platform), LayerLimits.Default, token);
                return new Subject(archive.Image, await InventoryAsync(archive.Image, CacheFolder(parsed.GetValue(cache), environment), request.SecretScanner, tell, null, token), "container_image");
            }, ct);
        });
        verb.Subcommands.Add(Tree(environment, "rootfs", "Scan a root file system that lies in a directory", "Root file system", static layer => ImageInventory.Join([layer], PackageSources.WithoutLocks), """
            berth scan rootfs /
            berth scan rootfs ./rootfs --scanners vuln --format json
            """));
        var project = Tree(environment, "fs", "Scan a project: what its lock files and manifests pin, and what is installed in it", "Directory of the project", ImageInventory.OfProject, """
            berth scan fs .
            berth scan fs . --scanners vuln --severity HIGH,CRITICAL --exit-code 1
            """);
        project.Aliases.Add("filesystem");
        verb.Subcommands.Add(project);
        verb.Subcommands.Add(SbomFile(environment));
        verb.Subcommands.Add(ScanKubernetes.Build(environment));
        return verb;
    }

    /// <summary>Reads an image of a registry, and shows how far it is.</summary>
    internal static async Task<Subject> RemoteAsync(
        RegistryClient client, string name, ImageReference reference, ImagePlatform? platform, string cache, ScanRequest request, Action<string> tell, CommandEnvironment environment, CancellationToken ct)
    {
        using var line = new ProgressLine(environment.IsErrorTerminal && request.ShowsProgress ? Console.Error : null);
        long read = 0, total = 0;
        var (done, count) = (0, 0);
        void Watch(int bytes)
        {
            var now = Interlocked.Add(ref read, bytes);
            line.Show(() => $"{Volatile.Read(ref done)} of {count} layers, {ProgressLine.Size(Math.Min(now, total))} of {ProgressLine.Size(total)}");
        }
        var image = await RegistryImage.OpenAsync(client, name, reference, platform, Watch, ct);
        (count, total) = (image.Layers.Count, image.Layers.Sum(static layer => layer.SizeBytes));
        var inventory = await InventoryAsync(image, cache, request.SecretScanner, text =>
        {
            line.Clear();
            tell(text);
        }, (layer, wasKnown) =>
        {
            Interlocked.Increment(ref done);
            if (wasKnown) Interlocked.Add(ref read, layer.SizeBytes);
        }, ct);
        return new Subject(image, inventory, "container_image");
    }

    public static Option<string?> InputOption() => new("--input") { Description = "Archive of docker save, OCI layout or tar of one", HelpName = "PATH" };

    public static Option<string?> PlatformOption() => new("--platform") { Description = "Which image of several platforms, such as linux/arm64; else that of this machine", HelpName = "OS/ARCH" };

    public static Option<string?> CacheOption() => new("--cache-dir") { Description = "Folder in which inventories of layers are kept; else layers/ in the cache of the user", HelpName = "DIR" };

    // Of what is no image nothing is kept.
    private static Option<string?> NoCacheOption() => new("--cache-dir") { Description = "Taken for Trivy's sake", Hidden = true };

    public static string CacheFolder(string? given, CommandEnvironment environment) => given is { Length: > 0 } ? given : Path.Combine(AdvisoryPlace.CacheFolder(environment), "layers");

    /// <summary>Reads what is in an image.</summary>
    public static async Task<ImageInventory> InventoryAsync(ImageContent image, string cache, SecretScanner? secrets, Action<string> tell, Action<ImageLayer, bool>? progress, CancellationToken ct)
    {
        var scan = new ImageScan(new LayerFolder(cache), LayerLimits.Default, secrets);
        var known = 0;
        var layers = await scan.ReadAsync(image, (layer, wasKnown) =>
        {
            Interlocked.Add(ref known, wasKnown ? 1 : 0);
            progress?.Invoke(layer, wasKnown);
        }, ct);
        tell($"{layers.Count} layers, {known} of them known");
        return ImageInventory.Join(layers, PackageSources.WithoutLocks);
    }

    private static Verb Tree(CommandEnvironment environment, string name, string description, string what, Func<LayerInventory, ImageInventory> join, string examples)
    {
        var flags = new ScanFlags();
        var directory = new Argument<string>("DIR") { Description = what };
        var verb = new Verb(name, description, examples)
        {
            directory, NoCacheOption(),
        };
        flags.AddTo(verb);
        verb.SetAction((parsed, ct) => RunAsync(parsed, environment, flags, [], (request, tell, token) =>
        {
            var path = parsed.GetValue(directory)!;
            if (!Directory.Exists(path)) throw new ImageRefusedException($"there is no directory {path}");
            var layer = new RootFileSystem(AnalyzerSet.All, LayerLimits.Default, request.SecretScanner, request.Settings.Skips).Read(path, token);
            tell($"{layer.Entries} entries");
            return Task.FromResult(new Subject(new ImageContent(path), join(layer), "filesystem"));
        }, ct));
        return verb;
    }

    private static Verb SbomFile(CommandEnvironment environment)
    {
        var flags = new ScanFlags();
        var file = new Argument<string>("FILE") { Description = "CycloneDX or SPDX document, or an attestation of one" };
        var verb = new Verb("sbom", "Judge the packages of a bill of materials", """
            berth scan sbom bom.cdx.json
            berth scan sbom bom.spdx.json --format json
            """)
        {
            file, NoCacheOption(),
        };
        flags.AddTo(verb);
        verb.SetAction((parsed, ct) => RunAsync(parsed, environment, flags, [], async (_, tell, token) =>
        {
            var bytes = await File.ReadAllBytesAsync(parsed.GetValue(file)!, token);
            var packages = SbomPackages.Read(bytes);
            tell($"{packages.Count} packages");
            var type = SbomPackages.IsSpdx(bytes) ? "spdx" : "cyclonedx";
            return new Subject(new ImageContent(parsed.GetValue(file)!), new ImageInventory(SbomPackages.ReadDistribution(bytes), packages, []), type);
        }, ct));
        return verb;
    }

    /// <summary>1. the flags, 2. the database, 3. what is scanned, 4. the report.</summary>
    private static async Task<int> RunAsync(
        ParseResult parsed, CommandEnvironment environment, ScanFlags flags, List<string> problems,
        Func<ScanRequest, Action<string>, CancellationToken, Task<Subject>> read, CancellationToken ct)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        // 1.
        var request = flags.Read(parsed, environment, problems);
        foreach (var problem in problems) await error.WriteLineAsync(problem);
        if (problems.Count > 0) return ExitCodes.Usage;
        void Tell(string text)
        {
            if (!request.IsQuiet) error.WriteLine(text);
        }
        using var timer = new CancellationTokenSource(request.Timeout, TimeProvider.System);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        try
        {
            // 2.
            var path = request.IsJudged ? AdvisoryPlace.Find(request.Database) : null;
            if (request.IsJudged && path is null)
            {
                await error.WriteLineAsync(AdvisoryPlace.Missing(request.Database));
                return ExitCodes.Failed;
            }
            using var database = path is null ? null : AdvisoryDatabase.Open(path);
            var now = TimeProvider.System.GetUtcNow();
            if (database is not null) Tell($"advisory database of {database.Metadata.BuiltAt:yyyy-MM-dd HH:mm} UTC, {(int)(now - database.Metadata.BuiltAt).TotalDays} days old");
            // 3.
            var (image, inventory, artifactType) = await read(request, Tell, limit.Token);
            foreach (var problem in inventory.Problems) Tell($"not read: {problem.Path}: {problem.Reason}");
            // 4.
            var report = ScanAssembly.Of(image, inventory, database is null ? null : new Matcher(database), request.Settings, now) with { ArtifactType = artifactType, ToolVersion = Version.Number() };
            await WriteAsync(report, request, output, ct);
            return ExitCodeOf(report, request, Tell);
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            await error.WriteLineAsync($"cannot scan: it was not done within {request.Timeout}");
            return ExitCodes.Failed;
        }
        catch (Exception e) when (e is ImageRefusedException or LayerRefusedException or IOException or UnauthorizedAccessException or InvalidDataException or TemplateException)
        {
            await error.WriteLineAsync($"cannot scan: {e.Message}");
            return ExitCodes.Failed;
        }
    }

    private static int ExitCodeOf(ScanReport report, ScanRequest request, Action<string> tell)
    {
        if (report.Findings.Count + report.Secrets.Count + report.Problems.Count > 0 && request.ExitCode != ExitCodes.Ok) return request.ExitCode;
        if (report.Distribution is not { } distribution || DistributionSupport.EndOf(distribution) is not { } end || end > report.CreatedAt) return ExitCodes.Ok;
        tell($"{distribution.Family} {distribution.Version} gets no security updates any more since {end:yyyy-MM-dd}");
        return request.ExitCodeAtEndOfLife;
    }

    /// <summary>Writes a report where the flags say.</summary>
    /// <exception cref="TemplateException">The template cannot be carried out.</exception>
    public static async Task WriteAsync(ScanReport report, ScanRequest request, TextWriter output, CancellationToken ct)
    {
        using var written = new MemoryStream();
        if (request.Template is { } template) template.Write(written, report, request.Variables);
        else ScanOutput.Write(written, report, request.Format, request.ListPackages, request.ShowSuppressed, request.IsJudged, request.Variables);
        if (request.OutputPath is { } path) await File.WriteAllBytesAsync(path, written.ToArray(), ct);
        else await output.WriteAsync(Encoding.UTF8.GetString(written.GetBuffer().AsSpan(0, (int)written.Length)));
    }
}
