using System.CommandLine;
using System.Data.Common;
using Berth.Server;
using Berth.Server.Adoption;
using Berth.Server.Platform.Data;
using Spectre.Console;

namespace Berth.Commands;

/// <summary><c>berth adopt</c>: take over what a Docker Registry stored, in place.</summary>
internal static class Adopt
{
    // The report lists all of them as JSON.
    private const int MaxPrinted = 20;

    public static Command Build(CommandEnvironment environment)
    {
        var config = Serve.ConfigOption();
        var data = new Option<string?>("--data", "-d") { Description = "Folder for database, blobs and keys (setting dataFolder)", HelpName = "DIR" };
        var verify = new Option<bool>("--verify") { Description = "Read every blob and compare its digest" };
        var json = Json.Option();
        var verb = new Verb("adopt", "Take over what a Docker Registry stored, in a folder or a bucket, in place", """
            berth adopt --config /etc/docker/registry/config.yml
            berth adopt --config /etc/docker/registry/config.yml --verify --json > report.json
            """)
        {
            config, data, verify, json,
        };
        verb.SetAction((parsed, ct) =>
        {
            var flags = new List<(string, string, IReadOnlyList<string>)>();
            if (parsed.GetValue(data) is { } folder)
                flags.Add(("dataFolder", "--data", [folder]));
            var sources = new ConfigurationSources { File = parsed.GetValue(config), Environment = environment.Variables, Flags = flags };
            return RunAsync(parsed, sources, parsed.GetValue(verify), parsed.GetValue(json), ct);
        });
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, ConfigurationSources sources, bool verify, bool asJson, CancellationToken ct)
    {
        var configuration = BerthConfiguration.Load(sources, out var problems);
        if (configuration is null)
            return CommandLine.Refuse(parsed, problems);
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        try
        {
            await using var storage = await BerthStorage.OpenAsync(configuration.Options, TimeProvider.System, ct);
            var report = await WithBarAsync(error, progress => storage.AdoptAsync(verify, progress, ct));
            await WriteAsync(output, report, asJson);
            return ExitCodes.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DbException or DatabaseIsNewerException)
        {
            await error.WriteLineAsync($"cannot adopt: {e.Message}");
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await error.WriteLineAsync("interrupted: run it again to go on");
            return ExitCodes.Failed;
        }
    }

    /// <summary>On a terminal a bar on standard error; elsewhere nothing but the report.</summary>
    private static async Task<AdoptionReport> WithBarAsync(TextWriter error, Func<IProgress<AdoptionProgress>?, Task<AdoptionReport>> run)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        if (Console.IsErrorRedirected || !ReferenceEquals(error, Console.Error))
            return await run(null);
        return await console.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(context => run(new Bar(context)));
    }

    private static async Task WriteAsync(TextWriter output, AdoptionReport report, bool asJson)
    {
        if (asJson)
        {
            await output.WriteLineAsync(report.ToJson());
            return;
        }
        var (found, added) = (report.Found, report.Added);
        await output.WriteLineAsync($"adopted {report.Root} in {report.ElapsedSeconds:0.0} s{(report.IsVerified ? ", every blob verified" : "")}");
        await output.WriteLineAsync($"  repositories {found.Repositories} ({added.Repositories} new)");
        await output.WriteLineAsync($"  tags         {found.Tags} ({added.Tags} new or moved)");
        await output.WriteLineAsync($"  manifests    {found.Manifests} ({added.Manifests} new), {report.Incomplete} incomplete");
        await output.WriteLineAsync($"  blobs        {found.Blobs} ({added.Blobs} new), {found.Bytes} bytes");
        await output.WriteLineAsync($"  left out     {report.Skipped}");
        foreach (var finding in report.Findings.Take(MaxPrinted))
            await output.WriteLineAsync($"  {(finding.IsAdopted ? "incomplete" : "left out")} {finding.Kind} {finding.Name}: {finding.Reason}");
        if (report.Findings.Count > MaxPrinted)
            await output.WriteLineAsync($"  … {report.Findings.Count - MaxPrinted} more with --json");
    }

    private sealed class Bar(ProgressContext context) : IProgress<AdoptionProgress>
    {
        private readonly ProgressTask _blobs = context.AddTask("blobs", autoStart: true, maxValue: 1);
        private readonly ProgressTask _repositories = context.AddTask("repositories", autoStart: false, maxValue: 1);

        public void Report(AdoptionProgress value)
        {
            if (value.Phase == AdoptionPhase.Done)
            {
                Finish(_blobs);
                Finish(_repositories);
                return;
            }
            var task = value.Phase == AdoptionPhase.Blobs ? _blobs : _repositories;
            if (task == _repositories)
            {
                Finish(_blobs);
                task.StartTask();
            }
            task.MaxValue = Math.Max(1, value.Total);
            task.Value = value.Done;
            task.Description = task == _blobs ? $"blobs {value.Found.Blobs}" : $"repositories {value.Found.Repositories}, manifests {value.Found.Manifests}";
        }

        private static void Finish(ProgressTask task) => task.Value = task.MaxValue;
    }
}
