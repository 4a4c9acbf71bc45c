using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Registry;

namespace Berth.Server.Scanning;

/// <summary>How all images are to be scanned.</summary>
public sealed record ScanAllPolicy
{
    /// <summary>How the schedule was given; null for a single run.</summary>
    public string? ScheduleType { get; set; }
}

/// <summary>
/// Asks for a scan of every image, a batch a transaction. Cut off, it goes through the images again and passes over those that it had asked for. Stopped, it also stops the scans that have not begun.
/// </summary>
internal sealed class ScanAllJob(Database database, ScanRequests requests) : IJobHandler
{
    /// <summary>Kind of the jobs; Harbor's name in small letters.</summary>
    public const string JobKind = "scan_all";

    private const int Batch = 100;

    public string Kind => JobKind;

    public int MaxConcurrent => 1;

    public int? MaxConcurrentOverall => 1;

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        long after = 0, asked = 0;
        while (true)
        {
            var batch = await database.ReadAsync(after, static async ValueTask<List<long>> (session, from, token) =>
            {
                var found = new List<long>();
                await using var rows = await session.Command(SelectBatch, from, ArtifactKinds.Image, Batch).ExecuteReaderAsync(token).ConfigureAwait(false);
                while (await rows.ReadAsync(token).ConfigureAwait(false)) found.Add(rows.GetInt64(0));
                return found;
            }, ct).ConfigureAwait(false);
            if (batch.Count == 0) break;
            asked += await database.WriteAsync(Durability.Full, async (session, token) =>
            {
                var added = 0;
                foreach (var id in batch) added += await requests.AddAsync(session, id, JobTrigger.Event, run.Id, token).ConfigureAwait(false);
                return added;
            }, ct).ConfigureAwait(false);
            after = batch[^1];
            run.Report(null, $"{asked} images");
        }
        run.Log($"{asked} images are scanned");
        return JobOutcome.Done;
    }

    // Images alone: those of an index are rows of their own.
    private static readonly Statement SelectBatch = new("""
        SELECT m.id FROM manifests m WHERE m.id > @0 AND m.kind = @1 AND m.accessory_kind IS NULL
            AND NOT EXISTS (SELECT 1 FROM manifest_children l WHERE l.manifest_id = m.id) ORDER BY m.id LIMIT @2
        """);
}
