using System.Data.Common;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Retention;

/// <summary>A run with its job, for those who look.</summary>
/// <param name="Run">The run.</param>
/// <param name="Job">Its job; null once it was purged.</param>
internal sealed record RunView(RetentionRun Run, Job? Job)
{
    /// <summary>Harbor's status.</summary>
    public string StatusAt(DateTimeOffset now) => Job is null ? (Run.FinishedAt is null ? "Stopped" : "Success") : JobWords.StatusOf(Job, now);

    /// <summary>Harbor's word for what started it.</summary>
    public string Trigger => Job is null ? "" : JobWords.TriggerOf(Job.Trigger);
}

/// <summary>Looks at runs and their results.</summary>
internal static class RunRows
{
    /// <summary>A page of a policy's runs, the newest first, and how many there are.</summary>
    public static async ValueTask<(List<RunView> Runs, long Total)> ListAsync(DbSession session, long policyId, long offset, int limit, CancellationToken ct)
    {
        var runs = await ReadAsync(session.Command(SelectPage, policyId, (long)limit, offset), ct).ConfigureAwait(false);
        var total = await session.ScalarAsync(Count, [policyId], ct).ConfigureAwait(false) ?? 0;
        var views = new List<RunView>(runs.Count);
        foreach (var run in runs) views.Add(await ViewAsync(session, run, ct).ConfigureAwait(false));
        return (views, total);
    }

    /// <summary>One run of a policy.</summary>
    public static async ValueTask<RunView?> FindAsync(DbSession session, long policyId, long runId, CancellationToken ct)
    {
        var runs = await ReadAsync(session.Command(SelectOne, policyId, runId), ct).ConfigureAwait(false);
        return runs is [var run] ? await ViewAsync(session, run, ct).ConfigureAwait(false) : null;
    }

    // PostgreSQL shows each statement what holds at its own moment: a job that has ended meanwhile comes with what it wrote at its end.
    private static async ValueTask<RunView> ViewAsync(DbSession session, RetentionRun run, CancellationToken ct)
    {
        var job = await JobViews.FindAsync(session, run.JobId, ct).ConfigureAwait(false);
        if (run.FinishedAt is not null || job is not { State: JobState.Succeeded }) return new RunView(run, job);
        return new RunView(await ReadAsync(session.Command(SelectOne, run.PolicyId, run.Id), ct).ConfigureAwait(false) is [var ended] ? ended : run, job);
    }

    /// <summary>Results of a run by repository, without their reports, and how many there are.</summary>
    public static async ValueTask<(List<RetentionResult> Results, long Total)> ResultsAsync(DbSession session, long runId, long offset, int limit, CancellationToken ct)
    {
        var results = new List<RetentionResult>();
        await using (var rows = await session.Command(SelectResults, runId, (long)limit, offset).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                results.Add(new RetentionResult
                {
                    Id = rows.GetInt64(0),
                    Repository = rows.GetString(1),
                    StartedAt = rows.GetInt64(2),
                    FinishedAt = rows.GetInt64(3),
                    Total = rows.GetInt32(4),
                    Kept = rows.GetInt32(5),
                    Report = [],
                });
            }
        }
        return (results, await session.ScalarAsync(CountResults, [runId], ct).ConfigureAwait(false) ?? 0);
    }

    /// <summary>The report of a result, by its number; null for none.</summary>
    public static async ValueTask<(string Repository, byte[] Report)?> ReportAsync(DbSession session, long runId, long resultId, CancellationToken ct)
    {
        await using var row = await session.Command(SelectReport, runId, resultId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (row.GetString(0), row.GetFieldValue<byte[]>(1)) : null;
    }

    private static async ValueTask<List<RetentionRun>> ReadAsync(DbCommand command, CancellationToken ct)
    {
        var runs = new List<RetentionRun>();
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            runs.Add(new RetentionRun
            {
                Id = rows.GetInt64(0),
                PolicyId = rows.GetInt64(1),
                JobId = rows.GetInt64(2),
                IsDryRun = rows.GetBoolean(3),
                StartedAt = rows.GetInt64(4),
                FinishedAt = rows.IsDBNull(5) ? null : rows.GetInt64(5),
                FreedBytes = rows.GetInt64(6),
            });
        }
        return runs;
    }

    private const string Select = "SELECT id, policy_id, job_id, is_dry_run, started_at, finished_at, freed_bytes FROM retention_runs WHERE policy_id = @0 ";
    private static readonly Statement SelectPage = new(Select + "ORDER BY id DESC LIMIT @1 OFFSET @2");
    private static readonly Statement SelectOne = new(Select + "AND id = @1");
    private static readonly Statement Count = new("SELECT COUNT(*) FROM retention_runs WHERE policy_id = @0");
    private static readonly Statement SelectResults = new("SELECT id, repository, started_at, finished_at, total, kept FROM retention_results WHERE run_id = @0 ORDER BY repository LIMIT @1 OFFSET @2");
    private static readonly Statement CountResults = new("SELECT COUNT(*) FROM retention_results WHERE run_id = @0");
    private static readonly Statement SelectReport = new("SELECT repository, report FROM retention_results WHERE run_id = @0 AND id = @1");
}
