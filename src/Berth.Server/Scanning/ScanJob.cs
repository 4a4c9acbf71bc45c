using System.Text.Json.Serialization;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Matching;
using Berth.Scanner.Reports;
using Berth.Scanner.Scan;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Berth.Server.Scanning.Contents;
using Berth.Server.Scanning.Findings;

namespace Berth.Server.Scanning;

/// <summary>What a job of a scan is to do.</summary>
public sealed record ScanWork
{
    public long ManifestId { get; init; }

    /// <summary>Id of the scanner outside that is to do it; null for the built-in one.</summary>
    public string? Scanner { get; init; }
}

/// <summary>
/// Scans one image: 1. what it is, 2. its layers, each read once ever, 3. its packages go into the index and are judged, 4. report and event, in one transaction. Cut off, it begins again and
/// finds the layers that it had read; cut off behind the report, it does nothing more.
/// </summary>
internal sealed class ScanJob(
    Database database, StoredImages images, LayerInventories layers, ScanContents contents, AdvisoryStore advisories, DomainEvents events, TimeProvider time) : IJobHandler
{
    /// <summary>Kind of the jobs; Harbor's name in small letters.</summary>
    public const string JobKind = "image_scan";

    private const int MaxProblemChars = 2000;

    public string Kind => JobKind;

    public int MaxConcurrent => 1;

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        // 1.
        var work = run.ReadPayload(ScanJson.Default.ScanWork);
        if (await images.FindAsync(work.ManifestId, ct).ConfigureAwait(false) is not { } target)
        {
            run.Log("the image is gone");
            return JobOutcome.Done;
        }
        var started = Now;
        if (!await database.WriteAsync(Durability.Relaxed, async (session, token) => await session.ExecuteAsync(Start, [target.Id, run.Id, started], token).ConfigureAwait(false) > 0, ct).ConfigureAwait(false))
        {
            run.Log("an earlier try has written the report, and was cut off behind it");
            return JobOutcome.Done;
        }
        using var loan = advisories.Borrow();
        if (loan is null) return await FailAsync(run, target, "there is no advisory database: put one into the folder advisories of the data folder with \"berth db\"", ct).ConfigureAwait(false);
        try
        {
            // 2.
            var image = await images.OpenAsync(target, ct).ConfigureAwait(false);
            var wanted = await contents.SettingsAsync(target.ProjectId, ct).ConfigureAwait(false);
            var read = await new ImageScan(layers, LayerLimits.Default, wanted.Secrets).ReadAsync(image, (layer, known) => run.Log($"{layer.Digest} {(known ? "is known" : "was read")}"), ct).ConfigureAwait(false);
            var inventory = ImageInventory.Join(read, BuiltInScanner.Sources);
            foreach (var problem in inventory.Problems) run.Log($"not read: {problem.Path}: {problem.Reason}");
            var content = await contents.CompleteAsync(target, image, inventory, wanted, run.Log, ct).ConfigureAwait(false);
            // 3. and 4.
            var report = ScanAssembly.Of(image, content.Inventory, new Matcher(loan.Database), content.Settings, time.GetUtcNow());
            run.Log($"{report.Packages.Count} packages, {report.Findings.Count} findings, advisories of {loan.Database.Metadata.BuiltAt:O}");
            if (report.Secrets.Count + report.Problems.Count > 0) run.Log($"{report.Secrets.Count} secrets, {report.Problems.Count} problems of the configuration");
            var packed = StoredReport.Pack(report);
            await database.WriteAsync(Durability.Full, (session, token) => FinishAsync(session, run, target, content, report, packed, loan.Database.Metadata.BuiltAt, token), ct).ConfigureAwait(false);
            return JobOutcome.Done;
        }
        catch (Exception e) when (e is ImageRefusedException or LayerRefusedException)
        {
            return await FailAsync(run, target, e.Message, ct).ConfigureAwait(false);
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task<bool> FinishAsync(
        DbSession session, JobRun run, ScanTarget target, ScannedContent content, ScanReport report, byte[] packed, DateTimeOffset builtAt, CancellationToken ct)
    {
        var isFirst = await session.ScalarAsync(SelectReported, [target.Id], ct).ConfigureAwait(false) is null;
        // The image may have gone while it was read.
        if (await session.ExecuteAsync(Finish, [target.Id, run.Id, Now, ScanReports.DiffIdsOf(report)], ct).ConfigureAwait(false) == 0) return false;
        await PackageIndex.ReplaceAsync(session, target.Id, content.Inventory, ct).ConfigureAwait(false);
        await ScanContents.WriteAsync(session, target.Id, content, report, Now, ct).ConfigureAwait(false);
        // A replica that has a newer database may have judged the image meanwhile: the content is the same, and its report knows more.
        var changes = await ScanReports.StoreAsync(session, target.Id, report, packed, Now, builtAt, ct).ConfigureAwait(false);
        if (changes is null) run.Log("the report of a newer advisory database stays");
        await events.RaiseAsync(session, ScanEvents.Of(target.ProjectId, ScanEvents.DetailOf(target, report, changes ?? FindingChanges.None, isFirst)), ct).ConfigureAwait(false);
        return true;
    }

    private async Task<JobOutcome> FailAsync(JobRun run, ScanTarget target, string problem, CancellationToken ct)
    {
        var text = problem.Length <= MaxProblemChars ? problem : problem[..MaxProblemChars];
        run.Log(text);
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await session.ExecuteAsync(Fail, [target.Id, run.Id, Now, text], token).ConfigureAwait(false);
            await events.RaiseAsync(session, ScanEvents.Of(target.ProjectId, new ScanDetail(target.Id, target.Repository, target.Digest, ScanEnd.Failed) { Problem = text }), token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return JobOutcome.Fail(text);
    }

    private static readonly Statement Start = new("UPDATE artifact_scans SET started_at = @2, finished_at = NULL, state = 0, problem = NULL WHERE manifest_id = @0 AND job_id = @1 AND state <> 1");

    private static readonly Statement SelectReported = new("SELECT reported_at FROM artifact_scans WHERE manifest_id = @0");

    private static readonly Statement Finish = new("UPDATE artifact_scans SET state = 1, finished_at = @2, problem = NULL, diff_ids = @3 WHERE manifest_id = @0 AND job_id = @1");

    private static readonly Statement Fail = new("UPDATE artifact_scans SET state = 2, finished_at = @2, problem = @3 WHERE manifest_id = @0 AND job_id = @1");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ScanWork))]
[JsonSerializable(typeof(ScanAllPolicy))]
internal sealed partial class ScanJson : JsonSerializerContext;
