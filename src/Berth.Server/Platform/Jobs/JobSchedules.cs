using System.Data.Common;
using Berth.Server.Platform.Data;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Jobs;

/// <summary>A schedule to be set.</summary>
public sealed record NewSchedule
{
    /// <summary>Kind of the jobs.</summary>
    public required string Kind { get; init; }

    /// <summary>What it belongs to, such as <c>policy:7</c>; there is one schedule for each kind and key.</summary>
    public required string VendorKey { get; init; }

    /// <summary>When it fires.</summary>
    public required CronExpression Cron { get; init; }

    /// <summary>Payload of the jobs, JSON.</summary>
    public string Payload { get; init; } = "{}";

    /// <summary>Project of the jobs.</summary>
    public long? ProjectId { get; init; }

    /// <summary>False: kept, not fired.</summary>
    public bool Enabled { get; init; } = true;
}

/// <summary>
/// The rows of <c>job_schedules</c>. A firing moves <see cref="JobSchedule.NextRunAt"/> from the value it read and adds the job in the same
/// transaction, so of several replicas one makes the job. What was missed while no server ran is fired once. While the job of an earlier firing is
/// unfinished, a firing adds none.
/// </summary>
public sealed class JobSchedules(Database database, JobQueue queue, TimeProvider time, ILogger<JobSchedules> log)
{
    /// <summary>Schedules of one look; the others fire in the next one, at once.</summary>
    private const int BatchSize = 100;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Sets the schedule of a kind and key, new or changed; its next firing is counted from now.</summary>
    /// <returns>Its id.</returns>
    public async ValueTask<long> PutAsync(DbSession session, NewSchedule schedule, CancellationToken ct)
    {
        if (!NewJob.IsKind(schedule.Kind) || schedule.VendorKey.Length > NewJob.MaxKeyLength || schedule.Payload.Length > NewJob.MaxPayloadLength)
            throw new ArgumentException($"a schedule of kind {schedule.Kind} has a bad kind, or too long a key or payload");
        var next = schedule.Cron.NextAfter(time.GetUtcNow());
        var id = await session.ScalarAsync(Put,
        [
            schedule.Kind, schedule.VendorKey, schedule.Cron.ToString(), schedule.Payload, schedule.ProjectId,
            next?.ToUnixTimeMilliseconds() ?? long.MaxValue, schedule.Enabled, Now,
        ], ct).ConfigureAwait(false);
        queue.Announce(session);
        return id ?? throw new InvalidOperationException("the database returned no id");
    }

    /// <summary>Removes the schedule of a kind and key; its jobs stay.</summary>
    public static async ValueTask<bool> DeleteAsync(DbSession session, string kind, string vendorKey, CancellationToken ct) =>
        await session.ExecuteAsync(Delete, [kind, vendorKey], ct).ConfigureAwait(false) > 0;

    /// <summary>The schedule of a kind and key.</summary>
    public static async ValueTask<JobSchedule?> FindAsync(DbSession session, string kind, string vendorKey, CancellationToken ct) =>
        (await ReadAsync(session.Command(SelectOne, kind, vendorKey), ct).ConfigureAwait(false)).FirstOrDefault();

    /// <summary>A page of all schedules, the newest first.</summary>
    public static ValueTask<List<JobSchedule>> ListAsync(DbSession session, long offset, int limit, CancellationToken ct) =>
        ReadAsync(session.Command(SelectPage, (long)limit, offset), ct);

    /// <summary>How many schedules there are.</summary>
    public static async ValueTask<long> CountAsync(DbSession session, CancellationToken ct) =>
        await session.ScalarAsync(Count, [], ct).ConfigureAwait(false) ?? 0;

    /// <summary>Fires what is due.</summary>
    /// <returns>How many jobs were added.</returns>
    internal async Task<int> FireDueAsync(CancellationToken ct)
    {
        var due = await database.ReadAsync(Now, static (session, now, token) => ReadAsync(session.Command(SelectDue, now, (long)BatchSize), token), ct).ConfigureAwait(false);
        var fired = 0;
        foreach (var schedule in due)
        {
            if (await FireAsync(schedule, ct).ConfigureAwait(false)) fired++;
        }
        return fired;
    }

    private async Task<bool> FireAsync(JobSchedule schedule, CancellationToken ct)
    {
        var next = CronExpression.TryParse(schedule.Cron, out var cron, out var problem) ? cron.NextAfter(time.GetUtcNow()) : null;
        if (problem is not null) log.ScheduleUnreadable(schedule.Id, schedule.Kind, problem);
        var job = await database.WriteAsync<EnqueuedJob?>(Durability.Full, async (session, token) =>
        {
            var moved = await session.ExecuteAsync(Move, [schedule.Id, schedule.NextRunAt, next?.ToUnixTimeMilliseconds() ?? long.MaxValue], token).ConfigureAwait(false);
            if (moved == 0 || cron is null) return null;
            return await queue.EnqueueAsync(session, new NewJob
            {
                Kind = schedule.Kind,
                Payload = schedule.Payload,
                ProjectId = schedule.ProjectId,
                VendorKey = schedule.VendorKey,
                ScheduleId = schedule.Id,
                Trigger = JobTrigger.Schedule,
                DedupeKey = $"schedule:{schedule.Id}",
            }, token).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
        if (job is { IsNew: false }) log.StillUnfinished(schedule.Id, schedule.Kind, job.Value.Id);
        return job is { IsNew: true };
    }

    private static async ValueTask<List<JobSchedule>> ReadAsync(DbCommand command, CancellationToken ct)
    {
        var found = new List<JobSchedule>();
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            found.Add(new JobSchedule
            {
                Id = reader.GetInt64(0),
                Kind = reader.GetString(1),
                VendorKey = reader.GetString(2),
                Cron = reader.GetString(3),
                Payload = reader.GetString(4),
                ProjectId = reader.IsDBNull(5) ? null : reader.GetInt64(5),
                NextRunAt = reader.GetInt64(6),
                Enabled = reader.GetBoolean(7),
                CreatedAt = reader.GetInt64(8),
                UpdatedAt = reader.GetInt64(9),
            });
        }
        return found;
    }

    private const string Select = "SELECT id, kind, vendor_key, cron, payload, project_id, next_run_at, enabled, created_at, updated_at FROM job_schedules ";

    private static readonly Statement SelectOne = new(Select + "WHERE kind = @0 AND vendor_key = @1");

    private static readonly Statement SelectPage = new(Select + "ORDER BY id DESC LIMIT @0 OFFSET @1");

    private static readonly Statement SelectDue = new(
        Select + $"WHERE enabled AND next_run_at <= @0 AND NOT EXISTS (SELECT 1 FROM job_pauses WHERE kind = '{JobPause.Schedules}') ORDER BY next_run_at LIMIT @1");

    private static readonly Statement Count = new("SELECT count(*) FROM job_schedules");

    private static readonly Statement Put = new("""
        INSERT INTO job_schedules (kind, vendor_key, cron, payload, project_id, next_run_at, enabled, created_at, updated_at)
        VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @7)
        ON CONFLICT (kind, vendor_key) DO UPDATE SET cron = excluded.cron, payload = excluded.payload, project_id = excluded.project_id,
          next_run_at = excluded.next_run_at, enabled = excluded.enabled, updated_at = excluded.updated_at
        RETURNING id
        """);

    private static readonly Statement Move = new("UPDATE job_schedules SET next_run_at = @2 WHERE id = @0 AND next_run_at = @1 AND enabled");

    private static readonly Statement Delete = new("DELETE FROM job_schedules WHERE kind = @0 AND vendor_key = @1");
}

internal static partial class JobSchedulesLog
{
    [LoggerMessage(255, LogLevel.Error, "schedule {Schedule} of kind {Kind} cannot be read and fires no more: {Problem}")]
    public static partial void ScheduleUnreadable(this ILogger log, long schedule, string kind, string problem);

    [LoggerMessage(256, LogLevel.Information, "schedule {Schedule} of kind {Kind} fired, its job {Job} is not finished: no second one is added")]
    public static partial void StillUnfinished(this ILogger log, long schedule, string kind, long job);
}
