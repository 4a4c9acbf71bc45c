using System.CommandLine;
using Berth.Client;
using Berth.Kubernetes;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Matching;
using Berth.Scanner.Scan;

namespace Berth.Commands;

/// <summary><c>berth scan k8s</c>: what is in the images that a cluster runs, or that documents of Kubernetes name.</summary>
internal sealed class ScanKubernetes
{
    private const string Standard = "-";
    private static readonly string[] Formats = ["table", "json"];
    private static readonly string[] Reports = ["summary", "all"];

    private readonly Argument<string[]> files = new("FILE") { Description = "Documents with pods, deployments … in YAML or JSON; - for standard input. Without any the cluster is asked", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> kubeconfig = new("--kubeconfig") { Description = "How to ask the cluster; else $KUBECONFIG, else ~/.kube/config", HelpName = "FILE" };
    private readonly Option<string?> context = new("--context") { Description = "Context of the kubeconfig; else the current one", HelpName = "NAME" };
    private readonly Option<string?> space = new("--namespace", "-n") { Description = "Only this namespace; else all", HelpName = "NAME" };
    private readonly Option<string> report = new("--report") { Description = "summary, or all with every finding", DefaultValueFactory = static _ => "summary", HelpName = "KIND" };
    private readonly Option<string?> platform = Scan.PlatformOption();
    private readonly Option<string?> cache = Scan.CacheOption();
    private readonly RegistryFlags registry = new();
    private readonly ScanFlags flags = new();
    private readonly CommandEnvironment environment;

    private ScanKubernetes(CommandEnvironment environment) => this.environment = environment;

    public static Command Build(CommandEnvironment environment)
    {
        var command = new ScanKubernetes(environment);
        var verb = new Verb("k8s", "Scan the images that a cluster runs, or that documents of Kubernetes name", """
            berth scan k8s                                     the cluster of the current context
            berth scan k8s --namespace shop --report all
            berth scan k8s deployment.yaml --severity CRITICAL --exit-code 1
            helm template . | berth scan k8s - --format json
            """)
        {
            command.files, command.kubeconfig, command.context, command.space, command.report, command.platform, command.cache,
        };
        command.registry.AddTo(verb);
        command.flags.AddTo(verb);
        verb.SetAction(command.RunAsync);
        return verb;
    }

    /// <summary>1. the flags, 2. the advisory database, 3. the workloads, 4. their images, each once, 5. the report.</summary>
    private async Task<int> RunAsync(ParseResult parsed, CancellationToken ct)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        // 1.
        var problems = new List<string>();
        var request = flags.Read(parsed, environment, problems);
        var isJson = request.Format == ScanFormat.Json;
        if (!isJson && (request.Format != ScanFormat.Table || request.Template is not null)) problems.Add($"--format: only {string.Join(" and ", Formats)} are known for clusters");
        if (!Reports.Contains(parsed.GetValue(report)!)) problems.Add($"--report: \"{parsed.GetValue(report)}\" is none of {string.Join(", ", Reports)}");
        ImagePlatform? wanted = null;
        if (parsed.GetValue(platform) is { } text && !ImagePlatform.TryParse(text, out wanted)) problems.Add($"--platform: \"{text}\" is not of the form os/architecture");
        if (problems.Count > 0) return await RefuseAsync(error, problems);
        void Tell(string line)
        {
            if (!request.IsQuiet) error.WriteLine(line);
        }
        try
        {
            // 2.
            if (request.IsJudged && AdvisoryPlace.Find(request.Database) is null)
            {
                await error.WriteLineAsync(AdvisoryPlace.Missing(request.Database));
                return ExitCodes.Failed;
            }
            using var database = request.IsJudged ? AdvisoryDatabase.Open(AdvisoryPlace.Find(request.Database)!) : null;
            // 3.
            var (cluster, workloads) = await WorkloadsAsync(parsed, Tell, ct);
            var names = workloads.SelectMany(static workload => workload.Images).Distinct(StringComparer.Ordinal).ToList();
            using var client = registry.Open(parsed, environment, OnlyRegistryOf(names), problems);
            if (client is null) return await RefuseAsync(error, problems);
            // 4.
            var matcher = database is null ? null : new Matcher(database);
            var images = new Dictionary<string, ScannedImage>(StringComparer.Ordinal);
            foreach (var name in names)
            {
                Tell($"{images.Count + 1} of {names.Count}: {name}");
                images[name] = await ScanAsync(client, name, wanted, request, matcher, parsed, ct);
            }
            // 5.
            var isFull = parsed.GetValue(report) == "all";
            var written = isJson ? ClusterReport.Json(cluster, workloads, images, isFull) : ClusterReport.Table(workloads, images, isFull);
            if (request.OutputPath is { } path) await File.WriteAllTextAsync(path, written, ct);
            else await output.WriteAsync(written);
            if (images.Values.Any(static image => image.Report is { } one && one.Findings.Count + one.Secrets.Count + one.Problems.Count > 0) && request.ExitCode != ExitCodes.Ok) return request.ExitCode;
            return images.Values.Any(static image => image.Report is null) ? ExitCodes.Failed : ExitCodes.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            await error.WriteLineAsync($"cannot scan: {e.Message}");
            return ExitCodes.Failed;
        }
    }

    private async Task<(string Cluster, IReadOnlyList<Workload> Workloads)> WorkloadsAsync(ParseResult parsed, Action<string> tell, CancellationToken ct)
    {
        var only = parsed.GetValue(space);
        if (parsed.GetValue(files) is { Length: > 0 } paths)
        {
            var found = new List<Workload>();
            foreach (var path in paths)
            {
                try
                {
                    found.AddRange(WorkloadDocuments.Read(path == Standard ? await environment.Input.ReadToEndAsync(ct) : await File.ReadAllTextAsync(path, ct)));
                }
                catch (InvalidDataException e)
                {
                    throw new InvalidDataException($"{path}: {e.Message}", e);
                }
            }
            return ("", [.. found.Where(workload => only is null || workload.Namespace == only)]);
        }
        var config = parsed.GetValue(kubeconfig) ?? environment.Variables.GetValueOrDefault("KUBECONFIG")?.Split(Path.PathSeparator).FirstOrDefault(static one => one.Length > 0)
            ?? Path.Combine(environment.Variables.GetValueOrDefault("HOME", ""), ".kube", "config");
        if (!File.Exists(config)) throw new InvalidDataException($"there is no kubeconfig {config}: give --kubeconfig, or documents to read");
        using var cluster = await KubeConfig.ReadAsync(config, parsed.GetValue(context), environment.Variables, ct);
        return (cluster.Context, await ClusterWorkloads.ListAsync(cluster, only ?? "", tell, ct));
    }

    private async Task<ScannedImage> ScanAsync(RegistryClient client, string name, ImagePlatform? wanted, ScanRequest request, Matcher? matcher, ParseResult parsed, CancellationToken ct)
    {
        if (!ImageReference.TryParse(name, out var reference, out var wrong)) return new ScannedImage(name, null, wrong);
        try
        {
            var image = await RegistryImage.OpenAsync(client, name, reference, wanted, null, ct);
            var inventory = await Scan.InventoryAsync(image, Scan.CacheFolder(parsed.GetValue(cache), environment), request.SecretScanner, static _ => { }, null, ct);
            return new ScannedImage(name, ScanAssembly.Of(image, inventory, matcher, request.Settings, TimeProvider.System.GetUtcNow()) with { ToolVersion = Version.Number() }, "");
        }
        catch (Exception e) when (e is RegistryException or ImageRefusedException or LayerRefusedException or InvalidDataException)
        {
            // The others are scanned all the same; what is missing is told.
            return new ScannedImage(name, null, e.Message);
        }
    }

    // Name and password are for one registry; where there are several, each has its own from docker login.
    private static string? OnlyRegistryOf(List<string> names)
    {
        var registries = names.Select(static name => ImageReference.TryParse(name, out var reference, out _) ? reference.Registry : "").Where(static one => one.Length > 0).Distinct(StringComparer.Ordinal).Take(2).ToList();
        return registries.Count == 1 ? registries[0] : "";
    }

    private static async Task<int> RefuseAsync(TextWriter error, List<string> problems)
    {
        foreach (var problem in problems) await error.WriteLineAsync(problem);
        return ExitCodes.Usage;
    }
}
