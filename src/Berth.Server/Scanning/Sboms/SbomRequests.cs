using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Scanning.Sboms;

/// <summary>Asks for bills of materials and stops that, in the caller's transaction. An index stands for its images.</summary>
internal sealed class SbomRequests(JobQueue queue, TimeProvider time)
{
    /// <summary>Asks for the bill of materials of an image, or of each image of an index.</summary>
    /// <returns>How many there will be; 0 for what is no image.</returns>
    public async ValueTask<int> AddAsync(DbSession session, long manifestId, JobTrigger trigger, CancellationToken ct)
    {
        var images = await ScanRequests.ImagesOfAsync(session, manifestId, ct).ConfigureAwait(false);
        foreach (var (id, projectId) in images)
        {
            var job = await queue.EnqueueAsync(session, new NewJob
            {
                Kind = SbomJob.JobKind,
                Payload = JsonSerializer.Serialize(new ScanWork { ManifestId = id }, ScanJson.Default.ScanWork),
                VendorKey = $"sbom:{id}",
                DedupeKey = $"sbom:{id}",
                // After a scan that was asked for at the same time: each layer is read once.
                GroupKey = ScanRequests.GroupOf(id),
                ProjectId = projectId,
                Trigger = trigger,
                MaxAttempts = 3,
            }, ct).ConfigureAwait(false);
            if (job.IsNew) await session.ExecuteAsync(Request, [id, job.Id, time.GetUtcNow().ToUnixTimeMilliseconds()], ct).ConfigureAwait(false);
        }
        return images.Count;
    }

    /// <summary>Stops what was asked for and has not ended.</summary>
    public async ValueTask StopAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        foreach (var (id, _) in await ScanRequests.ImagesOfAsync(session, manifestId, ct).ConfigureAwait(false))
        {
            if (await session.ScalarAsync(SelectJob, [id], ct).ConfigureAwait(false) is { } job) await queue.CancelAsync(session, job, ct).ConfigureAwait(false);
        }
    }

    private static readonly Statement SelectJob = new("SELECT job_id FROM artifact_sboms WHERE manifest_id = @0");

    private static readonly Statement Request = new("""
        INSERT INTO artifact_sboms (manifest_id, state, job_id, requested_at) VALUES (@0, 0, @1, @2)
        ON CONFLICT (manifest_id) DO UPDATE SET state = 0, job_id = excluded.job_id, requested_at = excluded.requested_at, started_at = NULL, finished_at = NULL, problem = NULL
        """);
}
