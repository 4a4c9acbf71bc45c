using System.Collections.Concurrent;
using System.Data.Common;
using Berth.Server.Platform.Data;

namespace Berth.Server.Platform.Jobs;

/// <summary>Which jobs; what is null restricts nothing.</summary>
public sealed record JobFilter
{
    public string? Kind { get; init; }

    /// <summary>Any of these states.</summary>
    public IReadOnlyList<JobState>? States { get; init; }

    public long? ProjectId { get; init; }

    public string? VendorKey { get; init; }

    public long? ScheduleId { get; init; }
}

/// <summary>Unfinished jobs of one kind and state.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="State">Pending, waiting or running.</param>
/// <param name="Count">How many.</param>
/// <param name="OldestAt">When the oldest was enqueued, Unix milliseconds.</param>
public sealed record JobBacklog(string Kind, JobState State, long Count, long OldestAt);

/// <summary>Looks at jobs for lists, pages and metrics; it changes nothing.</summary>
public static class JobViews
{
    private static readonly ConcurrentDictionary<string, Statement> s_statements = new();

    /// <summary>One job.</summary>
    public static async ValueTask<Job?> FindAsync(DbSession session, long id, CancellationToken ct) =>
        (await ReadAsync(session.Command(SelectOne, id), ct).ConfigureAwait(false)).FirstOrDefault();

    /// <summary>A page of jobs, the newest first.</summary>
    public static ValueTask<List<Job>> ListAsync(DbSession session, JobFilter filter, long offset, int limit, CancellationToken ct)
    {
        var (where, values) = Where(filter);
        var statement = s_statements.GetOrAdd($"{Select}{where} ORDER BY id DESC LIMIT @{values.Count} OFFSET @{values.Count + 1}", static sql => new Statement(sql));
        return ReadAsync(session.Command(statement, [.. values, (long)limit, offset]), ct);
    }

    /// <summary>How many jobs there are.</summary>
    public static async ValueTask<long> CountAsync(DbSession session, JobFilter filter, CancellationToken ct)
    {
        var (where, values) = Where(filter);
        var statement = s_statements.GetOrAdd("SELECT count(*) FROM jobs" + where, static sql => new Statement(sql));
        return await session.ScalarAsync(statement, [.. values], ct).ConfigureAwait(false) ?? 0;
    }

    /// <summary>Unfinished jobs by kind and state.</summary>
    public static async ValueTask<IReadOnlyList<JobBacklog>> BacklogAsync(DbSession session, CancellationToken ct)
    {
        var found = new List<JobBacklog>();
        await using var reader = await session.Command(SelectBacklog).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            found.Add(new JobBacklog(reader.GetString(0), (JobState)reader.GetInt32(1), reader.GetInt64(2), reader.GetInt64(3)));
        return found;
    }

    /// <summary>Lines of a job's log behind one.</summary>
    /// <param name="session">Where to read.</param>
    /// <param name="id">The job.</param>
    /// <param name="after">Only lines with a greater <see cref="JobLogLine.Seq"/>; 0: from the start.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="ct">Cancels.</param>
    public static async ValueTask<IReadOnlyList<JobLogLine>> LogAsync(DbSession session, long id, long after, int limit, CancellationToken ct)
    {
        var lines = new List<JobLogLine>();
        await using var reader = await session.Command(SelectLog, id, after, (long)limit).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            lines.Add(new JobLogLine { JobId = id, Seq = reader.GetInt64(0), At = reader.GetInt64(1), Text = reader.GetString(2) });
        return lines;
    }

    /// <summary>Kinds that are paused.</summary>
    public static async ValueTask<IReadOnlySet<string>> PausedAsync(DbSession session, CancellationToken ct)
    {
        var kinds = new HashSet<string>();
        await using var reader = await session.Command(SelectPauses).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) kinds.Add(reader.GetString(0));
        return kinds;
    }

    private static (string Where, List<object?> Values) Where(JobFilter filter)
    {
        var values = new List<object?>();
        var terms = new List<string>();
        // The second half of a term is the filter of its index.
        Add("kind", filter.Kind, "");
        Add("vendor_key", filter.VendorKey, " AND vendor_key IS NOT NULL");
        Add("project_id", filter.ProjectId, " AND project_id IS NOT NULL");
        Add("schedule_id", filter.ScheduleId, "");
        // Few sets of states are ever asked for: the numbers stand in the text.
        if (filter.States is { } states) terms.Add($"state IN ({string.Join(", ", states.Distinct().Select(state => (int)state).Order())})");
        return (terms.Count == 0 ? "" : " WHERE " + string.Join(" AND ", terms), values);

        void Add(string column, object? value, string more)
        {
            if (value is null) return;
            terms.Add($"{column} = @{values.Count}{more}");
            values.Add(value);
        }
    }

    private static async ValueTask<List<Job>> ReadAsync(DbCommand command, CancellationToken ct)
    {
        var found = new List<Job>();
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
            long? Number(int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);
            found.Add(new Job
            {
                Id = reader.GetInt64(0),
                Kind = reader.GetString(1),
                State = (JobState)reader.GetInt32(2),
                Trigger = (JobTrigger)reader.GetInt32(3),
                Payload = reader.GetString(4),
                DueAt = reader.GetInt64(5),
                Attempts = reader.GetInt32(6),
                Failures = reader.GetInt32(7),
                MaxAttempts = reader.GetInt32(8),
                LeaseOwner = Text(9),
                CancelRequested = reader.GetBoolean(10),
                ProgressPercent = (int?)Number(11),
                ProgressText = Text(12),
                Error = Text(13),
                Result = Text(14),
                ProjectId = Number(15),
                VendorKey = Text(16),
                ScheduleId = Number(17),
                DedupeKey = Text(18),
                GroupKey = Text(19),
                CreatedAt = reader.GetInt64(20),
                StartedAt = Number(21),
                FinishedAt = Number(22),
            });
        }
        return found;
    }

    private const string Select = """
        SELECT id, kind, state, trigger_kind, payload, due_at, attempts, failures, max_attempts, lease_owner, cancel_requested, progress_percent, progress_text,
          error, result, project_id, vendor_key, schedule_id, dedupe_key, group_key, created_at, started_at, finished_at
        FROM jobs
        """;

    private static readonly Statement SelectOne = new(Select + " WHERE id = @0");

    private static readonly Statement SelectBacklog = new("SELECT kind, state, count(*), MIN(created_at) FROM jobs WHERE state < 3 GROUP BY kind, state ORDER BY kind, state");

    private static readonly Statement SelectLog = new("SELECT seq, at, text FROM job_logs WHERE job_id = @0 AND seq > @1 ORDER BY seq LIMIT @2");

    private static readonly Statement SelectPauses = new("SELECT kind FROM job_pauses");
}
