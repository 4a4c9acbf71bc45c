using Berth.Server.Platform.Data;

namespace Berth.Server.Platform.Jobs;

/// <summary>What came of a request to stop a job.</summary>
public enum JobCancellation
{
    /// <summary>There is no such job.</summary>
    NotFound,

    /// <summary>It had ended before.</summary>
    AlreadyFinished,

    /// <summary>It had not started, and never will.</summary>
    Cancelled,

    /// <summary>It runs; its handler is told within seconds, in whichever process it is.</summary>
    Requested,
}

/// <summary>
/// The durable queue: the rows of <c>jobs</c>. Everything here happens in the caller's transaction: a job exists if and only if what asked for it
/// is committed. The order within a group is kept by one rule: of the unfinished jobs of a group only the first is <see cref="JobState.Pending"/> or
/// <see cref="JobState.Running"/>, the others are <see cref="JobState.Waiting"/>, and whoever ends a job makes the next one pending. On
/// PostgreSQL a lock of the group makes adding and ending take turns.
/// </summary>
public sealed class JobQueue(TimeProvider time)
{
    private const int MaxTries = 3;

    /// <summary>Wakes the workers of this process.</summary>
    internal WakeSignal Wake { get; } = new();

    /// <summary>Called after a commit that asks a running job to stop.</summary>
    internal Action<long>? CancelRequested { get; set; }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Adds a job to the transaction.</summary>
    /// <exception cref="ArgumentException">A key is too long, the kind is not well formed: a bug of the caller.</exception>
    public async ValueTask<EnqueuedJob> EnqueueAsync(DbSession session, NewJob job, CancellationToken ct)
    {
        job.Check();
        var state = JobState.Pending;
        if (job.GroupKey is { } group)
        {
            await LockGroupAsync(session, group, ct).ConfigureAwait(false);
            if (await session.ScalarAsync(FirstOfGroup, [group], ct).ConfigureAwait(false) is not null) state = JobState.Waiting;
        }
        for (var attempt = 1; ; attempt++)
        {
            if (await InsertAsync(session, job, state, ct).ConfigureAwait(false) is { } id)
            {
                if (state == JobState.Pending) Announce(session);
                return new EnqueuedJob(id, IsNew: true);
            }
            // The other job may end between the two statements: then there is room for this one.
            if (await session.ScalarAsync(ByDedupeKey, [job.DedupeKey], ct).ConfigureAwait(false) is { } other) return new EnqueuedJob(other, IsNew: false);
            if (attempt == MaxTries) throw new InvalidOperationException($"jobs with the key {job.DedupeKey} come and go too fast");
        }
    }

    /// <summary>Stops a job: at once when it does not run, else its handler is told.</summary>
    public async ValueTask<JobCancellation> CancelAsync(DbSession session, long id, CancellationToken ct)
    {
        if (await GroupOfAsync(session, id, ct).ConfigureAwait(false) is not (true, var group)) return JobCancellation.NotFound;
        if (group is not null) await LockGroupAsync(session, group, ct).ConfigureAwait(false);
        if (await session.ExecuteAsync(CancelIdle, [id, Now], ct).ConfigureAwait(false) == 1)
        {
            await EndedAsync(session, group, ct).ConfigureAwait(false);
            return JobCancellation.Cancelled;
        }
        if (await session.ExecuteAsync(CancelRunning, [id], ct).ConfigureAwait(false) == 0) return JobCancellation.AlreadyFinished;
        session.AfterCommit(() => CancelRequested?.Invoke(id));
        return JobCancellation.Requested;
    }

    /// <summary>
    /// Removes all jobs of what is itself removed, with their logs; one that runs is told to stop and leaves no trace. Only for jobs whose groups, if
    /// any, are that vendor's alone.
    /// </summary>
    /// <returns>How many.</returns>
    public static async ValueTask<int> DeleteAsync(DbSession session, string vendorKey, CancellationToken ct) =>
        await session.ExecuteAsync(DeleteOfVendor, [vendorKey], ct).ConfigureAwait(false);

    /// <summary>Starts no more jobs of a kind (or, with <see cref="JobPause.Schedules"/>, fires no schedule) in any replica until <see cref="ResumeAsync"/>.</summary>
    public async ValueTask PauseAsync(DbSession session, string kind, CancellationToken ct) =>
        await session.ExecuteAsync(Pause, [kind, Now], ct).ConfigureAwait(false);

    /// <summary>Ends a pause.</summary>
    public async ValueTask ResumeAsync(DbSession session, string kind, CancellationToken ct)
    {
        if (await session.ExecuteAsync(Resume, [kind], ct).ConfigureAwait(false) > 0) Announce(session);
    }

    /// <summary>
    /// Says that there is something to do, once the transaction is committed. The workers of this process look at once; those of other
    /// replicas find it when they look next (<see cref="JobWorkers.Poll"/>): this is the place to tell them sooner.
    /// </summary>
    internal void Announce(DbSession session) => session.AfterCommit(Wake.Set);

    /// <summary>After a job of a group ended in this transaction: the next one's turn. The group must be locked.</summary>
    internal async ValueTask EndedAsync(DbSession session, string? group, CancellationToken ct)
    {
        if (group is null) return;
        if (await session.ExecuteAsync(ReleaseNext, [group], ct).ConfigureAwait(false) > 0) Announce(session);
    }

    /// <summary>Nobody else adds to the group or ends a job of it until the transaction ends. SQLite has one writer anyway.</summary>
    internal static async ValueTask LockGroupAsync(DbSession session, string group, CancellationToken ct) =>
        await session.Command(LockGroup, group).ExecuteScalarAsync(ct).ConfigureAwait(false);

    private async ValueTask<long?> InsertAsync(DbSession session, NewJob job, JobState state, CancellationToken ct)
    {
        var now = Now;
        return await session.ScalarAsync(Insert,
        [
            job.Kind, (int)state, (int)job.Trigger, job.Payload, job.RunAt?.ToUnixTimeMilliseconds() ?? now, job.MaxAttempts,
            job.ProjectId, job.VendorKey, job.ScheduleId, job.DedupeKey, job.GroupKey, now,
        ], ct).ConfigureAwait(false);
    }

    private static async ValueTask<(bool Exists, string? Group)> GroupOfAsync(DbSession session, long id, CancellationToken ct)
    {
        await using var reader = await session.Command(SelectGroup, id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await reader.ReadAsync(ct).ConfigureAwait(false)) return (false, null);
        return (true, reader.IsDBNull(0) ? null : reader.GetString(0));
    }

    private static readonly Statement LockGroup = new("SELECT @0", "SELECT pg_advisory_xact_lock(hashtextextended('jobs:' || @0, 0))");

    private static readonly Statement FirstOfGroup = new(
        "SELECT id FROM jobs WHERE group_key = @0 AND group_key IS NOT NULL AND state < 3 ORDER BY id LIMIT 1");

    private static readonly Statement Insert = new("""
        INSERT INTO jobs (kind, state, trigger_kind, payload, due_at, max_attempts, project_id, vendor_key, schedule_id, dedupe_key, group_key, created_at,
          attempts, failures, cancel_requested)
        VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, @9, @10, @11, 0, 0, FALSE)
        ON CONFLICT (dedupe_key) WHERE dedupe_key IS NOT NULL AND state < 3 DO NOTHING
        RETURNING id
        """);

    private static readonly Statement ByDedupeKey = new("SELECT id FROM jobs WHERE dedupe_key = @0 AND dedupe_key IS NOT NULL AND state < 3");

    private static readonly Statement SelectGroup = new("SELECT group_key FROM jobs WHERE id = @0");

    private static readonly Statement CancelIdle = new(
        "UPDATE jobs SET state = 5, cancel_requested = TRUE, finished_at = @1 WHERE id = @0 AND state IN (0, 1)");

    private static readonly Statement CancelRunning = new("UPDATE jobs SET cancel_requested = TRUE WHERE id = @0 AND state = 2");

    private static readonly Statement ReleaseNext = new("""
        UPDATE jobs SET state = 0
        WHERE id = (SELECT id FROM jobs WHERE group_key = @0 AND group_key IS NOT NULL AND state < 3 ORDER BY id LIMIT 1) AND state = 1
        """);

    private static readonly Statement DeleteOfVendor = new("DELETE FROM jobs WHERE vendor_key = @0 AND vendor_key IS NOT NULL");

    private static readonly Statement Pause = new("INSERT INTO job_pauses (kind, since) VALUES (@0, @1) ON CONFLICT (kind) DO NOTHING");

    private static readonly Statement Resume = new("DELETE FROM job_pauses WHERE kind = @0");
}
