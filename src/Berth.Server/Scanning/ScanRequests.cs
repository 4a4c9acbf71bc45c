using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Berth.Server.Registry;
using Berth.Server.Scanning.Adapters;
using Berth.Server.Scanning.Scanners;

namespace Berth.Server.Scanning;

/// <summary>Asks the project's scanner for scans and stops them, in the caller's transaction. An index stands for its images; what is no image is passed over.</summary>
internal sealed class ScanRequests(JobQueue queue, DomainEvents events, TimeProvider time)
{
    /// <summary>Asks for a scan.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="manifestId">The image or index.</param>
    /// <param name="trigger">What asks.</param>
    /// <param name="runId">The job of a run over all images; null when it is asked for alone.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>How many images are scanned for it; those that the same run asked for before are not counted.</returns>
    public async ValueTask<int> AddAsync(DbSession session, long manifestId, JobTrigger trigger, long? runId, CancellationToken ct)
    {
        var added = 0;
        foreach (var image in await ImagesOfAsync(session, manifestId, ct).ConfigureAwait(false))
        {
            if (runId is { } run && await session.ScalarAsync(SelectRun, [image.Id], ct).ConfigureAwait(false) == run) continue;
            var outside = await ScannerRows.OfProjectAsync(session, image.ProjectId, ct).ConfigureAwait(false);
            var job = await queue.EnqueueAsync(session, new NewJob
            {
                Kind = outside is null ? ScanJob.JobKind : OutsideScanJob.JobKind,
                Payload = JsonSerializer.Serialize(new ScanWork { ManifestId = image.Id, Scanner = outside?.Id }, ScanJson.Default.ScanWork),
                VendorKey = $"scan:{image.Id}",
                DedupeKey = $"scan:{image.Id}",
                // What waits for a scanner outside reads no layers, and keeps nobody waiting.
                GroupKey = outside is null ? GroupOf(image.Id) : null,
                ProjectId = image.ProjectId,
                Trigger = trigger,
                MaxAttempts = outside is null ? 3 : OutsideScanJob.MaxAttempts,
            }, ct).ConfigureAwait(false);
            await session.ExecuteAsync(job.IsNew ? Request : Adopt, [image.Id, job.Id, runId, time.GetUtcNow().ToUnixTimeMilliseconds()], ct).ConfigureAwait(false);
            added++;
        }
        return added;
    }

    /// <summary>Stops the scans of an image, or of an index's images.</summary>
    public async ValueTask<int> StopAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        var stopped = 0;
        foreach (var image in await ImagesOfAsync(session, manifestId, ct).ConfigureAwait(false))
        {
            if (await session.ScalarAsync(SelectJob, [image.Id], ct).ConfigureAwait(false) is not { } job) continue;
            if (await StopAsync(session, image.Id, job, ct).ConfigureAwait(false)) stopped++;
        }
        return stopped;
    }

    /// <summary>Jobs that read the layers of one image run one after the other, so that each layer is read once.</summary>
    public static string GroupOf(long manifestId) => $"image:{manifestId}";

    /// <summary>Stops the scan of an image, and tells of it; false when it had ended.</summary>
    public async ValueTask<bool> StopAsync(DbSession session, long image, long job, CancellationToken ct)
    {
        if (await queue.CancelAsync(session, job, ct).ConfigureAwait(false) is not (JobCancellation.Cancelled or JobCancellation.Requested)) return false;
        if (await TargetAsync(session, image, ct).ConfigureAwait(false) is var (project, repository, digest))
            await events.RaiseAsync(session, ScanEvents.Of(project, new ScanDetail(image, repository, digest, ScanEnd.Stopped)), ct).ConfigureAwait(false);
        return true;
    }

    private static async ValueTask<(long Project, string Repository, string Digest)?> TargetAsync(DbSession session, long image, CancellationToken ct)
    {
        await using var row = await session.Command(SelectTarget, image).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (row.GetInt64(0), row.GetString(1), row.GetString(2)) : null;
    }

    /// <summary>The image itself, or those of an index and the indexes in it.</summary>
    public static async ValueTask<List<(long Id, long ProjectId)>> ImagesOfAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        var found = new List<(long, long)>();
        await using var rows = await session.Command(SelectImages, manifestId, ArtifactKinds.Image).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add((rows.GetInt64(0), rows.GetInt64(1)));
        return found;
    }

    // An index has children, an image has none.
    private static readonly Statement SelectImages = new("""
        WITH RECURSIVE tree(id, depth) AS (
            SELECT CAST(@0 AS bigint), 0
            UNION
            SELECT c.id, t.depth + 1 FROM tree t JOIN manifest_children l ON l.manifest_id = t.id JOIN manifests c ON c.repository_id = l.repository_id AND c.digest = l.child_digest WHERE t.depth < 4
        )
        SELECT DISTINCT m.id, r.project_id FROM tree t JOIN manifests m ON m.id = t.id JOIN repositories r ON r.id = m.repository_id
        WHERE m.kind = @1 AND m.accessory_kind IS NULL AND NOT EXISTS (SELECT 1 FROM manifest_children l WHERE l.manifest_id = m.id) ORDER BY m.id
        """);

    private static readonly Statement SelectTarget = new("SELECT r.project_id, r.name, m.digest FROM manifests m JOIN repositories r ON r.id = m.repository_id WHERE m.id = @0");

    private static readonly Statement SelectRun = new("SELECT run_id FROM artifact_scans WHERE manifest_id = @0");
    private static readonly Statement SelectJob = new("SELECT job_id FROM artifact_scans WHERE manifest_id = @0");

    private static readonly Statement Request = new("""
        INSERT INTO artifact_scans (manifest_id, state, job_id, run_id, requested_at, critical, high, medium, low, unknown, fixable) VALUES (@0, 0, @1, @2, @3, 0, 0, 0, 0, 0, 0)
        ON CONFLICT (manifest_id) DO UPDATE SET state = 0, job_id = excluded.job_id, run_id = excluded.run_id, requested_at = excluded.requested_at, started_at = NULL, finished_at = NULL, problem = NULL
        """);

    // A scan waits or runs already: it serves this request too.
    private static readonly Statement Adopt = new("""
        INSERT INTO artifact_scans (manifest_id, state, job_id, run_id, requested_at, critical, high, medium, low, unknown, fixable) VALUES (@0, 0, @1, @2, @3, 0, 0, 0, 0, 0, 0)
        ON CONFLICT (manifest_id) DO UPDATE SET run_id = excluded.run_id
        """);
}
