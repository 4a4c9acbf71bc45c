using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Berth.Server.Scanning.Scanners;

namespace Berth.Server.Scanning.Adapters;

/// <summary>
/// Has one image scanned by a scanner outside, step by step; between the steps the job waits and keeps no worker busy. 1. What is to be scanned, by whom. 2. A ticket with a secret that pulls the image,
/// and the request; what the scanner calls it is written down. 3. Looking for the report. 4. Report, counts and event, in one transaction with the end of the ticket. Cut off at any of them it goes on
/// from the ticket; only a scanner that has taken a request which could not be written down is asked twice.
/// </summary>
internal sealed class OutsideScanJob(Database database, StoredImages images, ScannerDirectory scanners, ScanPasses passes, OutsideScanEnd end, OutsideScanSettings settings) : IJobHandler
{
    /// <summary>Kind of the jobs.</summary>
    public const string JobKind = "image_scan_outside";

    /// <summary>Failures after which a scan is given up.</summary>
    public const int MaxAttempts = 6;

    private static readonly TimeSpan s_firstLook = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(200);

    public string Kind => JobKind;

    public int MaxConcurrent => settings.Options.MaxConcurrent;

    public JobBackoff Backoff { get; } = new(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(2));

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        // 1.
        var work = run.ReadPayload(ScanJson.Default.ScanWork);
        if (await images.FindAsync(work.ManifestId, ct).ConfigureAwait(false) is not { } target)
        {
            run.Log("the image is gone");
            return JobOutcome.Done;
        }
        if (await end.OfAsync(target, run, ct).ConfigureAwait(false) is { } ended) return ended;
        var (scanner, ticket) = await database.ReadAsync((work, run.Id), static async (session, q, token) =>
            (await ScannerRows.FindAsync(session, q.work.Scanner ?? "", token).ConfigureAwait(false),
                await ScanTickets.FindAsync(session, q.Id, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        if (scanner is null) return await end.FailAsync(run, target, "the scanner is gone: scan again with another one", ct).ConfigureAwait(false);
        if (scanner.IsDisabled) return await end.FailAsync(run, target, $"the scanner {scanner.Name} is switched off", ct).ConfigureAwait(false);
        if (ticket is not null && settings.Now >= ticket.EndsAt)
            return await end.FailAsync(run, target, $"{scanner.Name} has made no report within {settings.Options.MaxDuration}", ct).ConfigureAwait(false);
        var description = await scanners.DescribeAsync(scanner, isHurried: false, ct).ConfigureAwait(false);
        if (description.Metadata is not { } metadata) return await AgainAsync(run, target, $"{scanner.Name} does not answer: {description.Problem}", null, ct).ConfigureAwait(false);
        // 2. and 3.
        var step = ticket?.RequestId is { } request
            ? await scanners.Of(scanner.Kind).LookAsync(scanners.EndpointOf(scanner), target, request, ct).ConfigureAwait(false)
            : await AskAsync(run, target, scanner, metadata, ticket, ct).ConfigureAwait(false);
        return await TakeAsync(run, target, scanner, metadata, ticket, step, ct).ConfigureAwait(false);
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
        var secret = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await session.ExecuteAsync(Start, [target.Id, run.Id, now], token).ConfigureAwait(false);
            return await ScanTickets.IssueAsync(session, ticket, token).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
        run.Log($"asks {scanner.Name} at {scanner.Url} to scan {target.Repository}@{target.Digest}");
        return await scanners.Of(scanner.Kind).AskAsync(
            scanners.EndpointOf(scanner), metadata, new PulledImage(target, settings.Address.For(scanner), passes.PassOf(run.Id, target, secret)), ct).ConfigureAwait(false);
    }

    private async Task<JobOutcome> TakeAsync(JobRun run, ScanTarget target, ScannerRegistration scanner, ScannerMetadataJson metadata, ScanTicket? ticket, ScanStep step, CancellationToken ct)
    {
        switch (step)
        {
            case ScanStep.Waiting waiting:
                var isNew = ticket?.RequestId != waiting.RequestId;
                await database.WriteAsync(Durability.Full, async (session, token) =>
                {
                    if (isNew) await ScanTickets.SetRequestAsync(session, run.Id, waiting.RequestId, token).ConfigureAwait(false);
                    else await ScanTickets.CountLookAsync(session, run.Id, token).ConfigureAwait(false);
                    return true;
                }, ct).ConfigureAwait(false);
                if (isNew) run.Log($"{scanner.Name} has taken it as {waiting.RequestId}");
                run.Report(null, $"{scanner.Name} works on it");
                return JobOutcome.Wait(PauseOf(waiting.After, isNew ? 0 : ticket!.Looks + 1));
            case ScanStep.Reported reported:
                // 4.
                return await end.FinishAsync(run, target, reported.Report, metadata, ct).ConfigureAwait(false);
            case ScanStep.Lost lost:
                await database.WriteAsync(Durability.Full, async (session, token) =>
                {
                    await ScanTickets.SetRequestAsync(session, run.Id, null, token).ConfigureAwait(false);
                    return true;
                }, ct).ConfigureAwait(false);
                return await AgainAsync(run, target, lost.Why, null, ct).ConfigureAwait(false);
            case ScanStep.Unavailable unavailable:
                return await AgainAsync(run, target, unavailable.Why, unavailable.After, ct).ConfigureAwait(false);
            case ScanStep.Refused refused:
                return await end.FailAsync(run, target, $"{scanner.Name}: {refused.Why}", ct).ConfigureAwait(false);
            default:
                throw new InvalidOperationException($"unknown step {step}");
        }
    }

    // A scan that is given up has failed for whoever looks at the image, not only as a job.
    private async Task<JobOutcome> AgainAsync(JobRun run, ScanTarget target, string why, TimeSpan? after, CancellationToken ct)
    {
        if (run.IsLastAttempt) return await end.FailAsync(run, target, why, ct).ConfigureAwait(false);
        run.Log(why);
        return JobOutcome.Retry(why, after is { } pause ? Within(pause) : null);
    }

    /// <summary>How long to wait for a scanner: what it asks for, within reason; without a word one second, then longer and longer.</summary>
    internal static TimeSpan PauseOf(TimeSpan? wanted, int looks) => Within(wanted ?? s_firstLook * Math.Pow(1.5, Math.Min(looks, 20)));

    private static TimeSpan Within(TimeSpan pause) => pause < s_shortestPause ? s_shortestPause : pause > s_longestPause ? s_longestPause : pause;

    private static readonly Statement Start = new("""
        UPDATE artifact_scans SET started_at = COALESCE(started_at, @2), finished_at = NULL, state = 0, problem = NULL WHERE manifest_id = @0 AND job_id = @1
        """);
}

/// <summary>What holds for all scans by scanners outside.</summary>
internal sealed class OutsideScanSettings(ScannersOptions options, RegistryAddress address, TimeProvider time)
{
    public ScannersOptions Options => options;

    public RegistryAddress Address => address;

    /// <summary>Unix milliseconds.</summary>
    public long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}

/// <summary>Ends scans by scanners outside: with their report in the place of a report of our own, or with why there is none.</summary>
internal sealed class OutsideScanEnd(Database database, DomainEvents events, TimeProvider time)
{
    private const int MaxProblemChars = 2000;

    // Harbor's own property: of when the scanner's advisories are.
    private const string AdvisoriesProperty = "harbor.scanner-adapter/vulnerability-database-updated-at";

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The outcome of a job that had come to its end when its process was killed; null for one that has not.</summary>
    public ValueTask<JobOutcome?> OfAsync(ScanTarget target, JobRun run, CancellationToken ct) => database.ReadAsync((target.Id, Job: run.Id), static async ValueTask<JobOutcome?> (session, q, token) =>
    {
        await using var row = await session.Command(SelectEnd, q.Id, q.Job).ExecuteReaderAsync(token).ConfigureAwait(false);
        if (!await row.ReadAsync(token).ConfigureAwait(false)) return null;
        return (ScanState)row.GetInt32(0) == ScanState.Done ? JobOutcome.Done : JobOutcome.Fail(row.IsDBNull(1) ? "the scan has failed" : row.GetString(1));
    }, ct);

    /// <summary>Keeps a report.</summary>
    public async Task<JobOutcome> FinishAsync(JobRun run, ScanTarget target, OutsideReport report, ScannerMetadataJson metadata, CancellationToken ct)
    {
        var name = metadata.Scanner;
        run.Log($"{name.Name} {name.Version}: {report.Total} findings, advisories of {metadata.Properties?.GetValueOrDefault(AdvisoriesProperty) ?? "unknown age"}");
        var packed = StoredReport.Pack(report.Json);
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await ScanTickets.EndAsync(session, run.Id, token).ConfigureAwait(false);
            var isFirst = await session.ScalarAsync(SelectReported, [target.Id], token).ConfigureAwait(false) is null;
            // The image may have gone meanwhile.
            if (await session.ExecuteAsync(Finish, [target.Id, run.Id, Now], token).ConfigureAwait(false) == 0) return false;
            var changes = await ScanReports.StoreOutsideAsync(session, target.Id, report, packed, JsonSerializer.Serialize(name, ScanApiJson.Default.ScannerNameJson), Now, token).ConfigureAwait(false);
            await events.RaiseAsync(session, ScanEvents.Of(target.ProjectId, ScanEvents.DetailOf(target, report, changes, isFirst)), token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return JobOutcome.Done;
    }

    /// <summary>Notes that there is no report; the one from before stays.</summary>
    public async Task<JobOutcome> FailAsync(JobRun run, ScanTarget target, string problem, CancellationToken ct)
    {
        var text = problem.Replace('\0', ' ');
        if (text.Length > MaxProblemChars) text = text[..MaxProblemChars];
        run.Log(text);
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await ScanTickets.EndAsync(session, run.Id, token).ConfigureAwait(false);
            await session.ExecuteAsync(Fail, [target.Id, run.Id, Now, text], token).ConfigureAwait(false);
            await events.RaiseAsync(session, ScanEvents.Of(target.ProjectId, new ScanDetail(target.Id, target.Repository, target.Digest, ScanEnd.Failed) { Problem = text }), token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return JobOutcome.Fail(text);
    }

    private static readonly Statement SelectEnd = new("SELECT state, problem FROM artifact_scans WHERE manifest_id = @0 AND job_id = @1 AND state <> 0");

    private static readonly Statement SelectReported = new("SELECT reported_at FROM artifact_scans WHERE manifest_id = @0");

    private static readonly Statement Finish = new("UPDATE artifact_scans SET state = 1, finished_at = @2, problem = NULL WHERE manifest_id = @0 AND job_id = @1");

    private static readonly Statement Fail = new("UPDATE artifact_scans SET state = 2, finished_at = @2, problem = @3 WHERE manifest_id = @0 AND job_id = @1");
}
