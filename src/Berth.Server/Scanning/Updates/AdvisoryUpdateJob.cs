using System.Security.Cryptography;
using Berth.Client;
using Berth.Client.Credentials;
using Berth.Scanner.Advisories.Bundle;
using Berth.Scanner.Advisories.Updates;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Scanning.Updates;

/// <summary>What a job of an update is to do.</summary>
public sealed record AdvisoryWork
{
    /// <summary>Asks the sources though none expects to be newer.</summary>
    public bool IsForced { get; init; }
}

/// <summary>
/// Asks the sources of the settings, makes a database of what is new, and puts it in force for all replicas. One runs at a time in the whole installation. Cut off, the next try goes on with the files
/// that were fetched, and publishes what was built.
/// </summary>
internal sealed class AdvisoryUpdateJob(AdvisoryShare share, AdvisoryOptions options, OutgoingOptions outgoing, TimeProvider time) : IJobHandler
{
    /// <summary>Kind of the jobs.</summary>
    public const string JobKind = "advisory_update";

    /// <summary>Tries of a job.</summary>
    public const int MaxAttempts = 5;

    private const string Actor = "update";
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);

    public string Kind => JobKind;

    public int MaxConcurrent => 1;

    public int? MaxConcurrentOverall => 1;

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        var work = run.ReadPayload(AdvisoryJson.Default.AdvisoryWork);
        var sources = SourcesOf(options);
        if (sources.Count == 0) return JobOutcome.Fail("no source is set: advisories.sources");
        var keys = new List<BundleKey>();
        try
        {
            foreach (var file in options.Keys) keys.Add(BundleKey.Parse(await File.ReadAllTextAsync(file, ct).ConfigureAwait(false)));
            using var client = NewClient(sources);
            var result = await new AdvisoryUpdate(share.Folder, client, time).RunAsync(new UpdateRequest
            {
                Sources = sources,
                Keys = keys,
                AllowsUnsigned = options.AllowUnsigned,
                IsForced = work.IsForced,
                Tell = run.Log,
                Progress = (there, all) => run.Report(all == 0 ? 100 : (int)(there * 100 / all), null),
            }, ct).ConfigureAwait(false);
            // A try that was cut off may have built it and not published it.
            if (result.IsNew || (result.IsOfSources && !await share.IsPublishedAsync(result.Path, ct).ConfigureAwait(false)))
            {
                await share.PublishAsync(result.Path, result.Metadata, Actor, ct).ConfigureAwait(false);
                run.Log($"{result.Metadata.Advisories} advisories, built {result.Metadata.BuiltAt:O}, are in force");
            }
            return JobOutcome.Done;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            run.Log(e.Message);
            return JobOutcome.Retry(e.Message);
        }
        catch (Exception e) when (e is InvalidDataException or CryptographicException)
        {
            run.Log(e.Message);
            return JobOutcome.Fail(e.Message);
        }
        finally
        {
            foreach (var key in keys) key.Dispose();
        }
    }

    /// <summary>The sources of the settings, which were checked at the start.</summary>
    public static List<AdvisorySource> SourcesOf(AdvisoryOptions options)
    {
        var sources = new List<AdvisorySource>();
        foreach (var text in options.Sources)
            sources.Add(AdvisorySource.TryParse(text, out var source, out var wrong) ? source : throw new InvalidDataException($"advisories.sources: {wrong}"));
        return sources;
    }

    // Whoever writes the settings names the hosts: those may stand inside. Where a registry sends the client from there is judged as any address that others name.
    private RegistryClient NewClient(List<AdvisorySource> sources)
    {
        var hosts = sources.SelectMany(static source => source.Mirrors).Select(static mirror => new Uri($"https://{mirror.Registry}").IdnHost.Trim('[', ']')).Distinct(StringComparer.OrdinalIgnoreCase);
        var guard = new OutgoingGuard(new OutgoingOptions { Allow = [.. outgoing.Allow, .. hosts] });
        var credential = options.Username is { Length: > 0 } name ? new RegistryCredential { UserName = name, Password = options.Password ?? "" } : null;
        return new RegistryClient(
            new RegistryClientOptions { UserAgent = "berth", IsInsecure = options.Insecure, NewHandler = () => guard.NewHandler(!options.Insecure, ConnectTimeout) }, new GivenCredential(credential), time);
    }
}
