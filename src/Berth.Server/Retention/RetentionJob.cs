using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Berth.Server.Projects;

namespace Berth.Server.Retention;

/// <summary>What a job of retention is to do.</summary>
public sealed record RetentionWork
{
    public long PolicyId { get; init; }

    /// <summary>Only tell.</summary>
    public bool DryRun { get; init; }

    /// <summary>Full name of the only repository; null for all of the policy.</summary>
    public string? Repository { get; init; }
}

/// <summary>What a run came to, beside the words of every event.</summary>
/// <param name="PolicyId">The policy.</param>
/// <param name="RunId">The run.</param>
/// <param name="IsDryRun">Nothing was deleted.</param>
/// <param name="Total">Tags, and images without one.</param>
/// <param name="Kept">Those that stayed.</param>
/// <param name="FreedBytes">Bytes that nothing names any more once the trash lets go.</param>
/// <param name="Deleted">The first of those that went, as <c>repository:tag</c>.</param>
public sealed record RetentionDetail(long PolicyId, long RunId, bool IsDryRun, long Total, long Kept, long FreedBytes, IReadOnlyList<string> Deleted);

/// <summary>
/// One run of a policy: 1. its row, 2. each repository is decided about and, but in a dry run, what goes is deleted; its report is written, so that a run that was cut off goes
/// on with the next repository, 3. the sum, the event, and old runs go.
/// </summary>
internal sealed class RetentionJob(Database database, RetentionWalk walk, RetentionRemoval removal, DomainEvents events, TimeProvider time) : IJobHandler
{
    /// <summary>Kind of the jobs; Harbor's name in small letters.</summary>
    public const string JobKind = "retention";

    /// <summary>Runs of a policy that are kept.</summary>
    private const int MaxRuns = 50;

    private const int MaxDeletedInEvent = 100;

    public string Kind => JobKind;

    public int MaxConcurrent => 1;

    public int? MaxConcurrentOverall => 1;

    /// <summary>The payload of a job.</summary>
    public static string PayloadOf(RetentionWork work) => JsonSerializer.Serialize(work, RetentionWorkJson.Default.RetentionWork);

    /// <summary>Adds the job of a run and the run's row; the run's number.</summary>
    public static async ValueTask<long> StartAsync(DbSession session, JobQueue queue, RetentionWork work, long? projectId, long now, CancellationToken ct)
    {
        var job = await queue.EnqueueAsync(
            session, new NewJob { Kind = JobKind, Payload = PayloadOf(work), VendorKey = PolicyRows.VendorKey(work.PolicyId), ProjectId = projectId }, ct).ConfigureAwait(false);
        return await AddRunAsync(session, work, job.Id, now, ct).ConfigureAwait(false);
    }

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        var work = run.ReadPayload(RetentionWorkJson.Default.RetentionWork);
        var policy = await database.ReadAsync(work.PolicyId, static (session, id, token) => PolicyRows.FindAsync(session, id, token), ct).ConfigureAwait(false);
        if (policy is null || (policy.IsDisabled && !work.DryRun))
        {
            run.Log(policy is null ? "the policy is gone" : "the policy is switched off");
            return JobOutcome.Done;
        }

        // 1.
        var runId = await database.WriteAsync(
            Durability.Full, async (session, token) => await AddRunAsync(session, work, run.Id, time.GetUtcNow().ToUnixTimeMilliseconds(), token).ConfigureAwait(false), ct).ConfigureAwait(false);
        var done = await database.ReadAsync(runId, static (session, id, token) => DoneAsync(session, id, token), ct).ConfigureAwait(false);
        var (rules, deleted) = (PolicyRows.Compile(policy), new List<string>());

        // 2.
        var sum = await walk.RunAsync(policy, rules, work.Repository, async (repository, plan) =>
        {
            if (done.Contains(repository.Name)) return;
            run.Report(null, repository.Name);
            var started = time.GetUtcNow().ToUnixTimeMilliseconds();
            var gone = work.DryRun || plan.Going == 0 ? [] : await removal.RunAsync(repository, plan, run.Log, ct).ConfigureAwait(false);
            deleted.AddRange(gone.Take(MaxDeletedInEvent - deleted.Count).Select(g => g.Tag is null ? $"{repository.Name}@{plan.Facts.Images[g.Image].Digest}" : $"{repository.Name}:{g.Tag}"));
            var report = RetentionReport.Pack(RetentionReport.LinesOf(rules, plan));
            await database.WriteAsync(Durability.Full, (session, token) =>
                AddResultAsync(session, runId, repository.Name, plan, report, started, time.GetUtcNow().ToUnixTimeMilliseconds(), token), ct).ConfigureAwait(false);
            if (plan.Going > 0) run.Log($"{(work.DryRun ? "[dry run] " : "")}{repository.Name}: {plan.Verdicts.Count} decided about, {plan.Going} {(work.DryRun ? "would go" : "went")}");
        }, !work.DryRun, ct).ConfigureAwait(false);

        // 3.
        run.Log($"{(work.DryRun ? "[dry run] " : "")}{sum.Repositories} repositories, {sum.Total} tags and untagged images, {sum.Going} go, {sum.FreedBytes} bytes freed");
        var detail = new RetentionDetail(policy.Id, runId, work.DryRun, sum.Total, sum.Total - sum.Going, sum.FreedBytes, deleted);
        await database.WriteAsync(Durability.Full, (session, token) => FinishAsync(session, policy, detail, token), ct).ConfigureAwait(false);
        run.SetResult(detail, RetentionWorkJson.Default.RetentionDetail);
        return JobOutcome.Done;
    }

    private async Task<bool> FinishAsync(DbSession session, RetentionPolicy policy, RetentionDetail detail, CancellationToken ct)
    {
        await session.ExecuteAsync(FinishRun, [detail.RunId, time.GetUtcNow().ToUnixTimeMilliseconds(), detail.FreedBytes], ct).ConfigureAwait(false);
        await session.ExecuteAsync(DeleteOldRuns, [policy.Id, (long)MaxRuns], ct).ConfigureAwait(false);
        var project = policy.ProjectId is { } id ? await ProjectRows.ReadAsync(session, id, ct).ConfigureAwait(false) : null;
        await events.RaiseAsync(session, EventOf(policy, project?.Name, detail), ct).ConfigureAwait(false);
        return true;
    }

    /// <summary>What is told at the end of a run.</summary>
    public static DomainEvent EventOf(RetentionPolicy policy, string? project, RetentionDetail detail) => new()
    {
        Operation = "execute",
        ResourceType = "tag-retention",
        Resource = project is null ? "registry" : policy.Repository.Length > 0 ? $"{project}/{policy.Repository}" : project,
        ProjectId = policy.ProjectId,
        ProjectName = project,
        Actor = EventActor.System,
        Description = $"{(policy.Id == 0 ? "clean-up" : $"retention policy {policy.Id}")} {(detail.IsDryRun ? "tried out" : "run")}: {detail.Total - detail.Kept} of {detail.Total} {(detail.IsDryRun ? "would go" : "went")}, {detail.FreedBytes} bytes",
        Detail = detail,
    };

    private static async ValueTask<long> AddRunAsync(DbSession session, RetentionWork work, long jobId, long now, CancellationToken ct) =>
        await session.ScalarAsync(InsertRun, [work.PolicyId, jobId, work.DryRun, now], ct).ConfigureAwait(false)
        ?? throw new InvalidOperationException($"the run of job {jobId} can neither be found nor made");

    private static async Task<bool> AddResultAsync(DbSession session, long runId, string repository, RepositoryPlan plan, byte[] report, long started, long now, CancellationToken ct) =>
        await session.ExecuteAsync(InsertResult, [runId, repository, started, now, plan.Verdicts.Count, plan.Verdicts.Count - plan.Going, report], ct).ConfigureAwait(false) > 0;

    private static async ValueTask<HashSet<string>> DoneAsync(DbSession session, long runId, CancellationToken ct)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        await using var rows = await session.Command(SelectDone, runId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) names.Add(rows.GetString(0));
        return names;
    }

    private static readonly Statement InsertRun = new("""
        INSERT INTO retention_runs (policy_id, job_id, is_dry_run, started_at, freed_bytes) VALUES (@0, @1, @2, @3, 0)
        ON CONFLICT (job_id) DO UPDATE SET policy_id = excluded.policy_id RETURNING id
        """);

    private static readonly Statement InsertResult = new("""
        INSERT INTO retention_results (run_id, repository, started_at, finished_at, total, kept, report) VALUES (@0, @1, @2, @3, @4, @5, @6) ON CONFLICT (run_id, repository) DO NOTHING
        """);

    private static readonly Statement SelectDone = new("SELECT repository FROM retention_results WHERE run_id = @0");
    private static readonly Statement FinishRun = new("UPDATE retention_runs SET finished_at = @1, freed_bytes = @2 WHERE id = @0");

    private static readonly Statement DeleteOldRuns = new("""
        DELETE FROM retention_runs WHERE policy_id = @0 AND id < (SELECT MIN(id) FROM (SELECT id FROM retention_runs WHERE policy_id = @0 ORDER BY id DESC LIMIT @1) AS newest)
        """);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RetentionWork))]
[JsonSerializable(typeof(RetentionDetail))]
internal sealed partial class RetentionWorkJson : JsonSerializerContext;
