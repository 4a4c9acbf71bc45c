using System.Text.Json;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning;

/// <summary>Harbor's operations on scanning all images: now, on a schedule, stopping it, how far it is.</summary>
internal sealed class ScanAllApi(Database database, JobQueue queue, ScanRequests requests, JobSchedules schedules)
{
    private const string Schedule = "/system/scanAll/schedule";
    private const string Tag = "scanAll";
    private const string VendorKey = "scan_all";

    public static IEnumerable<ApiOperation> Operations(ScanAllApi api) =>
    [
        new(HttpMethods.Get, Schedule, "getScanAllSchedule", Tag, ApiNeed.System(SystemPermissions.ScanAllRead), api.GetAsync) { Summary = "The schedule; nothing when there is none.", Answer = typeof(ExecHistory) },
        new(HttpMethods.Post, Schedule, "createScanAllSchedule", Tag, ApiNeed.System(SystemPermissions.ScanAllCreate), api.CreateAsync) { Summary = "Scans all images now (Manual) or sets the schedule.", Body = typeof(RunSchedule) },
        new(HttpMethods.Put, Schedule, "updateScanAllSchedule", Tag, ApiNeed.System(SystemPermissions.ScanAllUpdate), api.UpdateAsync) { Summary = "Changes the schedule, or ends it (None).", Body = typeof(RunSchedule) },
        new(HttpMethods.Post, "/system/scanAll/stop", "stopScanAll", Tag, ApiNeed.System(SystemPermissions.ScanAllStop), api.StopAsync) { Summary = "Stops scanning all images." },
        new(HttpMethods.Get, "/scans/all/metrics", "getLatestScanAllMetrics", Tag, ApiNeed.System(SystemPermissions.ScanAllRead), (call, ct) => api.MetricsAsync(isScheduled: false, ct)) { Summary = "How far the newest run is.", Answer = typeof(ScanMetricsJson) },
        new(HttpMethods.Get, "/scans/schedule/metrics", "getLatestScheduledScanAllMetrics", Tag, ApiNeed.System(SystemPermissions.ScanAllRead), (call, ct) => api.MetricsAsync(isScheduled: true, ct)) { Summary = "How far the newest run of the schedule is.", Answer = typeof(ScanMetricsJson) },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var schedule = await database.ReadAsync(0, static (session, _, token) => JobSchedules.FindAsync(session, ScanAllJob.JobKind, VendorKey, token), ct).ConfigureAwait(false);
        if (schedule is null) return ApiResult.Done;
        var policy = JsonSerializer.Deserialize(schedule.Payload, ScanJson.Default.ScanAllPolicy);
        return ApiResult.Ok(new ExecHistory
        {
            Id = schedule.Id,
            JobKind = schedule.Cron,
            Schedule = new ScheduleObj { Type = policy?.ScheduleType ?? "Custom", Cron = schedule.Cron, NextScheduledTime = JobWords.TimeOf(schedule.NextRunAt) },
            CreationTime = JobWords.TimeOf(schedule.CreatedAt),
            UpdateTime = JobWords.TimeOf(schedule.UpdatedAt),
        }, RunsJson.Default.ExecHistory);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct) => await KickAsync(call, ct).ConfigureAwait(false) ?? ApiResult.Created("/api/v2.0" + Schedule);

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct) => await KickAsync(call, ct).ConfigureAwait(false) ?? ApiResult.Done;

    private async Task<ApiResult?> KickAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(RunsJson.Default.RunSchedule, ct).ConfigureAwait(false);
        if (!isRead) return refusal;
        switch (body.Schedule?.Type)
        {
            case "Manual":
                var isNew = await database.WriteAsync(Durability.Full, async (session, token) =>
                    (await queue.EnqueueAsync(session, new NewJob { Kind = ScanAllJob.JobKind, VendorKey = VendorKey, DedupeKey = VendorKey }, token).ConfigureAwait(false)).IsNew, ct).ConfigureAwait(false);
                return isNew ? null : ApiResult.Conflict("a previous scan all job aren't finished yet");
            case "None":
                await database.WriteAsync(Durability.Full, async (session, token) =>
                    await JobSchedules.DeleteAsync(session, ScanAllJob.JobKind, VendorKey, token).ConfigureAwait(false), ct).ConfigureAwait(false);
                return null;
            case "Hourly" or "Daily" or "Weekly" or "Custom":
                if (!CronExpression.TryParse(body.Schedule.Cron, out var cron, out var wrong)) return ApiResult.BadRequest($"invalid cron string for scheduled scan all: {body.Schedule.Cron}, error: {wrong}");
                var payload = JsonSerializer.Serialize(new ScanAllPolicy { ScheduleType = body.Schedule.Type }, ScanJson.Default.ScanAllPolicy);
                await database.WriteAsync(Durability.Full, async (session, token) =>
                    await schedules.PutAsync(session, new NewSchedule { Kind = ScanAllJob.JobKind, VendorKey = VendorKey, Cron = cron, Payload = payload }, token).ConfigureAwait(false), ct).ConfigureAwait(false);
                return null;
            default:
                return ApiResult.Fail(ApiError.Unprocessable, $"schedule.type: {body.Schedule?.Type} is none of Hourly, Daily, Weekly, Custom, Manual, None");
        }
    }

    private async Task<ApiResult> StopAsync(ApiCall call, CancellationToken ct)
    {
        var stopped = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await NewestAsync(session, isScheduled: false, token).ConfigureAwait(false) is not { } run) return false;
            await queue.CancelAsync(session, run.Id, token).ConfigureAwait(false);
            foreach (var (image, job) in await UnfinishedAsync(session, run.Id, token).ConfigureAwait(false)) await requests.StopAsync(session, image, job, token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return stopped ? ApiResult.Accepted() : ApiResult.BadRequest("no scan all job is found currently");
    }

    private async Task<ApiResult> MetricsAsync(bool isScheduled, CancellationToken ct)
    {
        var metrics = await database.ReadAsync(isScheduled, static async (session, scheduled, token) =>
        {
            if (await NewestAsync(session, scheduled, token).ConfigureAwait(false) is not { } run) return new ScanMetricsJson();
            var counts = new Dictionary<string, long>(StringComparer.Ordinal);
            await using (var rows = await session.Command(CountStates, run.Id).ExecuteReaderAsync(token).ConfigureAwait(false))
            {
                while (await rows.ReadAsync(token).ConfigureAwait(false))
                {
                    var word = ScanRow.StatusOf((ScanState)rows.GetInt32(0), rows.IsDBNull(1) ? null : (JobState)rows.GetInt32(1));
                    counts[word] = counts.GetValueOrDefault(word) + rows.GetInt64(2);
                }
            }
            var ongoing = run.State is JobState.Pending or JobState.Waiting or JobState.Running || counts.ContainsKey("Pending") || counts.ContainsKey("Running");
            return new ScanMetricsJson
            {
                Total = counts.Values.Sum(),
                Completed = counts.Where(static one => one.Key is not ("Pending" or "Running")).Sum(static one => one.Value),
                Metrics = counts,
                Ongoing = ongoing,
                Trigger = run.Trigger == JobTrigger.Schedule ? "Schedule" : "Manual",
            };
        }, ct).ConfigureAwait(false);
        return ApiResult.Ok(metrics, ScanApiJson.Default.ScanMetricsJson);
    }

    private static async ValueTask<Job?> NewestAsync(DbSession session, bool isScheduled, CancellationToken ct)
    {
        const int Looked = 50;
        var jobs = await JobViews.ListAsync(session, new JobFilter { Kind = ScanAllJob.JobKind }, 0, Looked, ct).ConfigureAwait(false);
        return jobs.Find(job => !isScheduled || job.Trigger == JobTrigger.Schedule);
    }

    private static async ValueTask<List<(long Image, long Job)>> UnfinishedAsync(DbSession session, long run, CancellationToken ct)
    {
        var found = new List<(long, long)>();
        await using var rows = await session.Command(SelectUnfinished, run).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add((rows.GetInt64(0), rows.GetInt64(1)));
        return found;
    }

    private static readonly Statement CountStates = new("""
        SELECT s.state, j.state, COUNT(*) FROM artifact_scans s LEFT JOIN jobs j ON j.id = s.job_id WHERE s.run_id = @0 GROUP BY s.state, j.state
        """);

    private static readonly Statement SelectUnfinished = new("SELECT s.manifest_id, j.id FROM artifact_scans s JOIN jobs j ON j.id = s.job_id WHERE s.run_id = @0 AND j.state < 3 ORDER BY j.id");
}

/// <summary>How far a run over all images is.</summary>
public sealed record ScanMetricsJson
{
    public long Total { get; init; }

    public long Completed { get; init; }

    public Dictionary<string, long> Metrics { get; init; } = [];

    public bool Ongoing { get; init; }

    public string Trigger { get; init; } = "";
}
