using Berth.Server.Platform.Jobs;

namespace Berth.Server.Integrity;

/// <summary>One move; moves run one after the other.</summary>
internal sealed class StoreMoveJob(StoreMove move) : IJobHandler
{
    /// <summary>Kind of the jobs, and their group.</summary>
    public const string JobKind = "store_move";

    /// <summary>Tries; a store may be away for long.</summary>
    public const int MaxAttempts = 100;

    public string Kind => JobKind;

    public int MaxConcurrent => 1;

    public int? MaxConcurrentOverall => 1;

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        var request = run.ReadPayload(IntegrityJson.Default.StoreMoveRequest);
        var result = await move.RunAsync(request, (done, seen, total) =>
        {
            run.Report(total == 0 ? 100 : (int)Math.Min(100, seen * 100 / total), $"{seen} of {total} blobs looked at, {done.Moved} moved with {done.MovedBytes} bytes, {done.Bad} bad, {done.Failed} failed");
            run.SetResult(done, IntegrityJson.Default.StoreMoveResult);
        }, ct).ConfigureAwait(false);
        run.SetResult(result, IntegrityJson.Default.StoreMoveResult);
        run.Log($"{result.Moved} blobs with {result.MovedBytes} bytes moved from {request.From} to {request.To}; {result.Bad} are quarantined");
        return result.Failed == 0 ? JobOutcome.Done : JobOutcome.Retry($"{result.Failed} blobs were not moved since a store failed, the log of the server says which");
    }
}
