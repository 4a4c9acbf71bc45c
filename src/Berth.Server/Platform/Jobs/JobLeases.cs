using System.Data.Common;
using Berth.Server.Platform.Data;

namespace Berth.Server.Platform.Jobs;

/// <summary>A job that this process has to itself. Owner and number of the try are the proof that the lease is still this one.</summary>
internal sealed record LeasedJob
{
    public required long Id { get; init; }

    public required string Kind { get; init; }

    public required string Owner { get; init; }

    public required string Payload { get; init; }

    public required int Attempts { get; init; }

    public required int Failures { get; init; }

    public required int MaxAttempts { get; init; }

    public required bool CancelRequested { get; init; }

    public required JobTrigger Trigger { get; init; }

    public required long? ProjectId { get; init; }

    public required string? VendorKey { get; init; }

    public required string? GroupKey { get; init; }

    public required long CreatedAt { get; init; }
}

/// <summary>When the next thing is to be done, in Unix milliseconds; null: nothing there.</summary>
/// <param name="Kinds">By kind, in the order in which the kinds were given.</param>
/// <param name="Schedule">The next firing of a schedule.</param>
internal sealed record JobsDue(IReadOnlyList<long?> Kinds, long? Schedule);

/// <summary>
/// The worker's side of the rows of <c>jobs</c>: taking, keeping and giving back. A lease is a time in the row; a process that is killed stops
/// renewing it, and then anybody may take the job. The clocks of replicas must agree within seconds. Nothing a worker writes waits for the disk:
/// what is lost with the machine is run again.
/// </summary>
internal sealed class JobLeases
{
    /// <summary>How long a lease lasts unless it is renewed: how long a killed process holds up its jobs.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(20);

    private readonly Database _database;
    private readonly JobQueue _queue;
    private readonly TimeProvider _time;
    private readonly IReadOnlyList<string> _kinds;
    private readonly Statement _due;
    private readonly Statement _expireAll;

    /// <param name="database">Where the rows are.</param>
    /// <param name="queue">The queue of the same process.</param>
    /// <param name="kinds">The kinds that this process runs.</param>
    /// <param name="owner">Names this process, never again another.</param>
    /// <param name="time">The clock.</param>
    public JobLeases(Database database, JobQueue queue, IReadOnlyList<string> kinds, string owner, TimeProvider time)
    {
        (_database, _queue, _kinds, _time, Owner) = (database, queue, kinds, time, owner);
        var columns = kinds.Select((_, i) =>
            $"(SELECT MIN(due_at) FROM jobs WHERE kind = @{i} AND state IN (0, 2) AND NOT EXISTS (SELECT 1 FROM job_pauses WHERE kind = @{i}))");
        _due = new Statement($"""
            SELECT (SELECT MIN(next_run_at) FROM job_schedules WHERE enabled AND NOT EXISTS (SELECT 1 FROM job_pauses WHERE kind = '{JobPause.Schedules}'))
            {string.Concat(columns.Select(c => "," + c + "\n"))}
            """);
        _expireAll = new Statement($"UPDATE jobs SET due_at = @{kinds.Count} WHERE kind IN ({string.Join(", ", kinds.Select((_, i) => "@" + i))}) AND state = 2");
    }

    /// <summary>Names this process.</summary>
    public string Owner { get; }

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>One query over indexes: what there is to do, and when.</summary>
    public ValueTask<JobsDue> DueAsync(CancellationToken ct) =>
        _database.ReadAsync(this, static async (session, leases, token) =>
        {
            await using var reader = await session.Command(leases._due, [.. leases._kinds]).ExecuteReaderAsync(token).ConfigureAwait(false);
            await reader.ReadAsync(token).ConfigureAwait(false);
            var kinds = Enumerable.Range(1, leases._kinds.Count).Select(i => Number(reader, i)).ToArray();
            return new JobsDue(kinds, Number(reader, 0));
        }, ct);

    /// <summary>Ends all leases: only for a database that no other process uses.</summary>
    public Task ExpireAllAsync(CancellationToken ct) =>
        _kinds.Count == 0
            ? Task.CompletedTask
            : _database.WriteAsync(Durability.Relaxed, (session, token) => session.ExecuteAsync(_expireAll, [.. _kinds, Now], token).AsTask(), ct);

    /// <summary>Takes due jobs of a kind, the longest due first.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="most">How many at most.</param>
    /// <param name="mostOverall">How many may run in all replicas together; null: any number.</param>
    /// <param name="ct">Cancels.</param>
    public Task<IReadOnlyList<LeasedJob>> ClaimAsync(string kind, int most, int? mostOverall, CancellationToken ct) =>
        _database.WriteAsync<IReadOnlyList<LeasedJob>>(Durability.Relaxed, async (session, token) =>
        {
            var now = Now;
            var room = most;
            if (mostOverall is { } overall)
            {
                // Replicas count one after the other. A job whose lease has ended does not count: taking it adds nothing.
                await session.Command(LockKind, kind).ExecuteScalarAsync(token).ConfigureAwait(false);
                var running = await session.ScalarAsync(CountLive, [kind, now], token).ConfigureAwait(false) ?? 0;
                room = (int)Math.Min(room, overall - running);
            }
            return room > 0 ? await ClaimAsync(session, kind, room, now, token).ConfigureAwait(false) : [];
        }, ct);

    /// <summary>Makes a lease longer.</summary>
    /// <returns>Whether somebody wants the job to stop; null when the lease was lost.</returns>
    public Task<bool?> RenewAsync(LeasedJob job, CancellationToken ct) =>
        _database.WriteAsync<bool?>(Durability.Relaxed, async (session, token) =>
        {
            await using var reader = await session.Command(Renew, job.Id, job.Owner, job.Attempts, Now + (long)LeaseTime.TotalMilliseconds)
                .ExecuteReaderAsync(token).ConfigureAwait(false);
            bool? cancelRequested = null;
            while (await reader.ReadAsync(token).ConfigureAwait(false)) cancelRequested = reader.GetBoolean(0);
            return cancelRequested;
        }, ct);

    /// <summary>Writes down what the handler noted.</summary>
    /// <returns>False when the lease was lost.</returns>
    public Task<bool> NoteAsync(LeasedJob job, JobNotes notes, CancellationToken ct) =>
        _database.WriteAsync(Durability.Relaxed, (session, token) => NoteAsync(session, job, notes, token), ct);

    /// <summary>Ends a job for good, and lets the next of its group begin.</summary>
    /// <returns>False when the lease was lost: then nothing is written.</returns>
    public Task<bool> FinishAsync(LeasedJob job, JobState state, string? error, JobNotes? notes, CancellationToken ct) =>
        _database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            if (job.GroupKey is not null) await JobQueue.LockGroupAsync(session, job.GroupKey, token).ConfigureAwait(false);
            if (notes is not null && !await NoteAsync(session, job, notes, token).ConfigureAwait(false)) return false;
            var failures = state == JobState.Failed ? 1 : 0;
            if (await session.ExecuteAsync(Finish, [job.Id, job.Owner, job.Attempts, (int)state, error, Now, failures], token).ConfigureAwait(false) == 0) return false;
            await _queue.EndedAsync(session, job.GroupKey, token).ConfigureAwait(false);
            return true;
        }, ct);

    /// <summary>Counts a failure; the job is run again after a pause.</summary>
    public Task<bool> RetryAsync(LeasedJob job, TimeSpan pause, string error, JobNotes? notes, CancellationToken ct) =>
        _database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            if (notes is not null && !await NoteAsync(session, job, notes, token).ConfigureAwait(false)) return false;
            return await session.ExecuteAsync(Retry, [job.Id, job.Owner, job.Attempts, Now + (long)pause.TotalMilliseconds, error], token).ConfigureAwait(false) == 1;
        }, ct);

    /// <summary>The job is run again after a pause, which counts as no failure: what it may fail grows with what it has waited.</summary>
    public Task<bool> WaitAsync(LeasedJob job, TimeSpan pause, JobNotes? notes, CancellationToken ct) =>
        _database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            if (notes is not null && !await NoteAsync(session, job, notes, token).ConfigureAwait(false)) return false;
            return await session.ExecuteAsync(Wait, [job.Id, job.Owner, job.Attempts, Now + (long)pause.TotalMilliseconds], token).ConfigureAwait(false) == 1;
        }, ct);

    /// <summary>Gives a job back unfinished, as if it had not been started: this process stops.</summary>
    public Task<bool> ReleaseAsync(LeasedJob job, JobNotes? notes, CancellationToken ct) =>
        _database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            if (notes is not null && !await NoteAsync(session, job, notes, token).ConfigureAwait(false)) return false;
            return await session.ExecuteAsync(Release, [job.Id, job.Owner, job.Attempts, Now], token).ConfigureAwait(false) == 1;
        }, ct);

    private async Task<IReadOnlyList<LeasedJob>> ClaimAsync(DbSession session, string kind, int most, long now, CancellationToken ct)
    {
        var jobs = new List<LeasedJob>();
        await using var reader = await session.Command(Claim, kind, now, now + (long)LeaseTime.TotalMilliseconds, Owner, (long)most).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            jobs.Add(new LeasedJob
            {
                Id = reader.GetInt64(0),
                Kind = kind,
                Owner = Owner,
                Payload = reader.GetString(1),
                Attempts = reader.GetInt32(2),
                Failures = reader.GetInt32(3),
                MaxAttempts = reader.GetInt32(4),
                CancelRequested = reader.GetBoolean(5),
                Trigger = (JobTrigger)reader.GetInt32(6),
                ProjectId = Number(reader, 7),
                VendorKey = reader.IsDBNull(8) ? null : reader.GetString(8),
                GroupKey = reader.IsDBNull(9) ? null : reader.GetString(9),
                CreatedAt = reader.GetInt64(10),
            });
        }
        return jobs;
    }

    private static async Task<bool> NoteAsync(DbSession session, LeasedJob job, JobNotes notes, CancellationToken ct)
    {
        if (await session.ScalarAsync(Hold, [job.Id, job.Owner, job.Attempts], ct).ConfigureAwait(false) is null) return false;
        foreach (var line in notes.Lines) await session.ExecuteAsync(InsertLine, [line.JobId, line.Seq, line.At, line.Text], ct).ConfigureAwait(false);
        if (notes.HasProgress) await session.ExecuteAsync(SetProgress, [job.Id, notes.Percent, notes.Text], ct).ConfigureAwait(false);
        if (notes.Result is not null) await session.ExecuteAsync(SetResult, [job.Id, notes.Result], ct).ConfigureAwait(false);
        return true;
    }

    private static long? Number(DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);

    private static readonly Statement LockKind = new("SELECT @0", "SELECT pg_advisory_xact_lock(hashtextextended('jobs of kind:' || @0, 0))");

    private static readonly Statement CountLive = new("SELECT count(*) FROM jobs WHERE kind = @0 AND state IN (0, 2) AND due_at > @1 AND state = 2");

    private const string Taken = """
        id, payload, attempts, failures, max_attempts, cancel_requested, trigger_kind, project_id, vendor_key, group_key, created_at
        """;

    // On PostgreSQL the rows are chosen once (MATERIALIZED), and those that another replica is taking are left to it.
    private static readonly Statement Claim = new($"""
        UPDATE jobs SET state = 2, due_at = @2, lease_owner = @3, attempts = attempts + 1, started_at = @1
        WHERE id IN (SELECT id FROM jobs WHERE kind = @0 AND state IN (0, 2) AND due_at <= @1
          AND NOT EXISTS (SELECT 1 FROM job_pauses WHERE kind = @0) ORDER BY due_at, id LIMIT @4)
        RETURNING {Taken}
        """, $"""
        WITH next AS MATERIALIZED (SELECT j.id AS next_id FROM jobs j WHERE j.kind = @0 AND j.state IN (0, 2) AND j.due_at <= @1
          AND NOT EXISTS (SELECT 1 FROM job_pauses WHERE kind = @0) ORDER BY j.due_at, j.id LIMIT @4 FOR UPDATE SKIP LOCKED)
        UPDATE jobs SET state = 2, due_at = @2, lease_owner = @3, attempts = attempts + 1, started_at = @1
        FROM next WHERE id = next_id
        RETURNING {Taken}
        """);

    private const string Held = "id = @0 AND lease_owner = @1 AND attempts = @2 AND state = 2";

    private static readonly Statement Renew = new($"UPDATE jobs SET due_at = @3 WHERE {Held} RETURNING cancel_requested");

    private static readonly Statement Hold = new($"SELECT id FROM jobs WHERE {Held}", $"SELECT id FROM jobs WHERE {Held} FOR NO KEY UPDATE");

    private static readonly Statement Finish = new(
        $"UPDATE jobs SET state = @3, error = @4, finished_at = @5, failures = failures + @6 WHERE {Held}");

    private static readonly Statement Retry = new($"UPDATE jobs SET state = 0, due_at = @3, error = @4, failures = failures + 1 WHERE {Held}");

    private static readonly Statement Wait = new($"UPDATE jobs SET state = 0, due_at = @3, error = NULL, failures = failures + 1, max_attempts = max_attempts + 1 WHERE {Held}");

    private static readonly Statement Release = new($"UPDATE jobs SET state = 0, due_at = @3, attempts = attempts - 1 WHERE {Held}");

    // Written before and not confirmed: the same line again.
    private static readonly Statement InsertLine = new("INSERT INTO job_logs (job_id, seq, at, text) VALUES (@0, @1, @2, @3) ON CONFLICT DO NOTHING");

    private static readonly Statement SetProgress = new("UPDATE jobs SET progress_percent = @1, progress_text = @2 WHERE id = @0");

    private static readonly Statement SetResult = new("UPDATE jobs SET result = @1 WHERE id = @0");
}
