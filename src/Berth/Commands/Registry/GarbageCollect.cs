using System.CommandLine;
using System.Data.Common;
using Berth.Server;
using Berth.Server.GarbageCollection;
using Berth.Server.Platform.Data;

namespace Berth.Commands.Registry;

/// <summary><c>registry garbage-collect CONFIG</c>, as Docker Registry's program has it.</summary>
internal static class GarbageCollect
{
    public static Command Build(CommandEnvironment environment)
    {
        var config = Serve.ConfigArgument(environment);
        var dryRun = new Option<bool>("--dry-run", "-d") { Description = "Do everything except remove" };
        var deleteUntagged = new Option<bool>("--delete-untagged", "-m") { Description = "Remove manifests that no tag leads to" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print nothing" };
        var grace = new Option<TimeSpan?>("--grace")
        {
            Description = "Keep what was pushed this recently; else 1 hour where a server may be running, nothing otherwise",
            HelpName = "HH:MM:SS",
        };
        var json = Json.Option();
        var verb = new Verb("garbage-collect", "Remove blobs that no manifest refers to", """
            berth registry garbage-collect --dry-run /etc/docker/registry/config.yml
            berth registry garbage-collect --delete-untagged /etc/docker/registry/config.yml
            """)
        {
            dryRun, deleteUntagged, quiet, grace, json, config,
        };
        verb.SetAction((parsed, ct) =>
        {
            var options = new CollectionOptions
            {
                DryRun = parsed.GetValue(dryRun),
                DeleteUntagged = parsed.GetValue(deleteUntagged),
                Quiet = parsed.GetValue(quiet) || parsed.GetValue(json),
            };
            // Whoever starts Berth with berth.yaml has no other way to free space: this verb takes both files.
            var sources = Serve.Sources(parsed.GetValue(config)!, environment) with { RequireDockerRegistryFile = false };
            return RunAsync(parsed, sources, options, parsed.GetValue(grace), parsed.GetValue(json), ct);
        });
        return verb;
    }

    private static async Task<int> RunAsync(
        ParseResult parsed, ConfigurationSources sources, CollectionOptions options, TimeSpan? grace, bool asJson, CancellationToken ct)
    {
        var configuration = BerthConfiguration.Load(sources, out var problems);
        if (configuration is null)
            return CommandLine.Refuse(parsed, problems);
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        try
        {
            await using var storage = await BerthStorage.OpenAsync(configuration.Options, TimeProvider.System, ct);
            var report = await storage.CollectAsync(options, grace, output, ct);
            if (asJson)
                await output.WriteLineAsync(report.ToJson());
            return ExitCodes.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DbException or DatabaseIsNewerException or CollectionRefusedException)
        {
            await error.WriteLineAsync($"failed to garbage collect: {e.Message}");
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await error.WriteLineAsync("interrupted: run it again to go on");
            return ExitCodes.Failed;
        }
    }
}
