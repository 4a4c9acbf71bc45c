using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Scan;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Scanning.Adapters;
using Berth.Server.Scanning.Contents;

namespace Berth.Server.Scanning.Sboms;

/// <summary>
/// Makes the bill of materials of one image, unless the project's scanner does (<see cref="OutsideSboms"/>): 1. what it is, 2. its layers, from what is kept of them, 3. the document, 4. its manifest as a referrer of the image. Cut off, it begins again and
/// comes to the same bytes.
/// </summary>
internal sealed class SbomJob(Database database, StoredImages images, LayerInventories layers, ImageReports reports, SbomStore store, OutsideSboms outside, TimeProvider time) : IJobHandler
{
    /// <summary>Kind of the jobs; Harbor's name in small letters.</summary>
    public const string JobKind = "sbom";

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
        await database.WriteAsync(
            Durability.Relaxed, async (session, token) => await session.ExecuteAsync(Start, [target.Id, run.Id, Now], token).ConfigureAwait(false) > 0, ct).ConfigureAwait(false);
        if (await outside.RunAsync(run, target, ct).ConfigureAwait(false) is { } outcome) return outcome;
        try
        {
            // 2.
            var image = await images.OpenAsync(target, ct).ConfigureAwait(false);
            var read = await new ImageScan(layers, LayerLimits.Default).ReadAsync(image, (layer, known) => run.Log($"{layer.Digest} {(known ? "is known" : "was read")}"), ct).ConfigureAwait(false);
            var inventory = ImageInventory.Join(read, PackageSources.WithoutLocks);
            // 3.
            var created = await reports.PushedAsync(target.Id, ct).ConfigureAwait(false);
            var document = SbomDocuments.Write(ImageReports.ListOf(image, inventory, created), SbomFormat.Spdx);
            run.Log($"{inventory.Packages.Count} packages, {document.Length} bytes");
            // 4.
            var (digest, problem) = await store.AttachAsync(target, document, created, run.Id, ct).ConfigureAwait(false);
            if (problem is not null) return await FailAsync(run, target.Id, problem, ct).ConfigureAwait(false);
            run.Log(digest is { } attached ? $"attached as {attached}" : "the image is gone");
            return JobOutcome.Done;
        }
        catch (Exception e) when (e is ImageRefusedException or LayerRefusedException)
        {
            return await FailAsync(run, target.Id, e.Message, ct).ConfigureAwait(false);
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task<JobOutcome> FailAsync(JobRun run, long manifestId, string problem, CancellationToken ct)
    {
        var text = problem.Length <= MaxProblemChars ? problem : problem[..MaxProblemChars];
        run.Log(text);
        await database.WriteAsync(
            Durability.Full, async (session, token) => await session.ExecuteAsync(Fail, [manifestId, run.Id, Now, text], token).ConfigureAwait(false) > 0, ct).ConfigureAwait(false);
        return JobOutcome.Fail(text);
    }

    private static readonly Statement Start = new("UPDATE artifact_sboms SET started_at = @2, finished_at = NULL, state = 0, problem = NULL WHERE manifest_id = @0 AND job_id = @1");

    private static readonly Statement Fail = new("UPDATE artifact_sboms SET state = 2, finished_at = @2, problem = @3 WHERE manifest_id = @0 AND job_id = @1");
}
