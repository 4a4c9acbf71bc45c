using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Scanning.Contents;
using Berth.Server.Scanning.Sboms;
using Berth.Server.Scanning.Scanners;

namespace Berth.Server.Scanning.Adapters;

/// <summary>
/// Has the bill of materials of an image made by the project's scanner, where that is one outside that can (capability <c>sbom</c> of the pluggable API). It goes like a scan: a ticket, the request, looking
/// for the document with pauses between. Whatever a scanner outside does not give, Berth makes itself: then there is no outcome here.
/// </summary>
internal sealed class OutsideSboms(Database database, ScannerDirectory scanners, HarborAdapter adapter, ScanPasses passes, OutsideScanSettings settings, ImageReports reports, SbomStore store)
{
    /// <summary>One step for a job.</summary>
    /// <returns>How it went; null when Berth is to make the document itself.</returns>
    public async Task<JobOutcome?> RunAsync(JobRun run, ScanTarget target, CancellationToken ct)
    {
        var (scanner, ticket) = await database.ReadAsync((target.ProjectId, run.Id), static async (session, q, token) =>
            (await ScannerRows.OfProjectAsync(session, q.ProjectId, token).ConfigureAwait(false), await ScanTickets.FindAsync(session, q.Id, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        if (scanner is not { IsDisabled: false, Kind: ScannerRules.HarborKind } || scanner.Id != (ticket?.ScannerId ?? scanner.Id)) return await GiveUpAsync(run, ticket, null, ct).ConfigureAwait(false);
        if (ticket is not null && settings.Now >= ticket.EndsAt) return await GiveUpAsync(run, ticket, $"{scanner.Name} has made no bill of materials within {settings.Options.MaxDuration}", ct).ConfigureAwait(false);
        var description = await scanners.DescribeAsync(scanner, isHurried: false, ct).ConfigureAwait(false);
        if (description.Metadata is not { } metadata) return await AgainAsync(run, ticket, $"{scanner.Name} does not answer: {description.Problem}", ct).ConfigureAwait(false);
        if (!HarborAdapter.MakesSbom(metadata, target.MediaType)) return await GiveUpAsync(run, ticket, null, ct).ConfigureAwait(false);
        var step = ticket?.RequestId is { } request
            ? await adapter.LookForSbomAsync(scanners.EndpointOf(scanner), request, ct).ConfigureAwait(false)
            : await AskAsync(run, target, scanner, metadata, ticket, ct).ConfigureAwait(false);
        return step switch
        {
            ScanStep.Waiting waiting => await WaitAsync(run, ticket, waiting, ct).ConfigureAwait(false),
            ScanStep.Listed listed => await AttachAsync(run, target, scanner, listed.Document, ct).ConfigureAwait(false),
            ScanStep.Unavailable unavailable => await AgainAsync(run, ticket, unavailable.Why, ct).ConfigureAwait(false),
            ScanStep.Lost lost => await GiveUpAsync(run, ticket, lost.Why, ct).ConfigureAwait(false),
            ScanStep.Refused refused => await GiveUpAsync(run, ticket, refused.Why, ct).ConfigureAwait(false),
            _ => throw new InvalidOperationException($"unknown step {step}"),
        };
    }

    private async Task<ScanStep> AskAsync(JobRun run, ScanTarget target, ScannerRegistration scanner, ScannerMetadataJson metadata, ScanTicket? ticket, CancellationToken ct)
    {
        var now = settings.Now;
        ticket ??= new ScanTicket
        {
            ManifestId = target.Id,
            JobId = run.Id,
            ScannerId = scanner.Id,
            SecretHash = [],
            BeganAt = now,
            EndsAt = now + (long)settings.Options.MaxDuration.TotalMilliseconds,
        };
        var secret = await database.WriteAsync(Durability.Full, async (session, token) => await ScanTickets.IssueAsync(session, ticket, token).ConfigureAwait(false), ct).ConfigureAwait(false);
        run.Log($"asks {scanner.Name} at {scanner.Url} for the bill of materials of {target.Repository}@{target.Digest}");
        return await adapter.AskForSbomAsync(
            scanners.EndpointOf(scanner), metadata, new PulledImage(target, settings.Address.For(scanner), passes.PassOf(run.Id, target, secret)), ct).ConfigureAwait(false);
    }

    private async Task<JobOutcome> WaitAsync(JobRun run, ScanTicket? ticket, ScanStep.Waiting waiting, CancellationToken ct)
    {
        var isNew = ticket?.RequestId != waiting.RequestId;
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (isNew) await ScanTickets.SetRequestAsync(session, run.Id, waiting.RequestId, token).ConfigureAwait(false);
            else await ScanTickets.CountLookAsync(session, run.Id, token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return JobOutcome.Wait(OutsideScanJob.PauseOf(waiting.After, isNew ? 0 : ticket!.Looks + 1));
    }

    private async Task<JobOutcome?> AttachAsync(JobRun run, ScanTarget target, ScannerRegistration scanner, byte[] document, CancellationToken ct)
    {
        var (digest, problem) = await store.AttachAsync(target, document, await reports.PushedAsync(target.Id, ct).ConfigureAwait(false), run.Id, ct).ConfigureAwait(false);
        await EndAsync(run, ct).ConfigureAwait(false);
        if (problem is not null) return JobOutcome.Retry(problem);
        run.Log(digest is { } attached ? $"the bill of materials of {scanner.Name} is attached as {attached}" : "the image is gone");
        return JobOutcome.Done;
    }

    // A scanner that is away may come back; when the tries are used up, Berth makes it.
    private async Task<JobOutcome?> AgainAsync(JobRun run, ScanTicket? ticket, string why, CancellationToken ct)
    {
        if (run.IsLastAttempt || ticket is null) return await GiveUpAsync(run, ticket, why, ct).ConfigureAwait(false);
        run.Log(why);
        return JobOutcome.Retry(why);
    }

    private async Task<JobOutcome?> GiveUpAsync(JobRun run, ScanTicket? ticket, string? why, CancellationToken ct)
    {
        if (why is not null) run.Log($"{why}; it is made here");
        if (why is not null || ticket is not null) await EndAsync(run, ct).ConfigureAwait(false);
        return null;
    }

    private Task EndAsync(JobRun run, CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
    {
        await ScanTickets.EndAsync(session, run.Id, token).ConfigureAwait(false);
        return true;
    }, ct);
}
