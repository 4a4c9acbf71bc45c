using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Text;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Retention;

/// <summary>What a run came to: the same table as the simulator's, from the rows that the run wrote; and stopping one.</summary>
internal sealed class RetentionReportApi(Database database, JobQueue queue, TimeProvider time)
{
    private const string OfProject = "/projects/{project_name_or_id}/retention/runs/{run_id}";
    private const string OfRegistry = "/retention/runs/{run_id}";

    /// <summary>Most lines in one answer; counts hold all.</summary>
    private const int MaxLines = 10_000;

    /// <summary>Most repositories in one answer.</summary>
    private const int MaxRepositories = 10_000;

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(RetentionReportApi api) =>
        Below(api, OfProject, "Project", ApiNeed.Project).Concat(Below(api, OfRegistry, "Registry", _ => ApiNeed.Admin));

    private static IEnumerable<ApiOperation> Below(RetentionReportApi api, string path, string word, Func<Permission, ApiNeed> need) =>
    [
        new(HttpMethods.Get, path, $"get{word}RetentionRun", "retention", need(ProjectPermissions.TagRetentionRead), api.GetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "What a run did, or would have done, tag by tag with the reason.", Answer = typeof(RetentionRunReportJson),
            Query = ["repository", "going", "limit", "offset"],
        },
        new(HttpMethods.Post, path + "/stop", $"stop{word}RetentionRun", "retention", need(ProjectPermissions.TagRetentionOperate), api.StopAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Stops a run after the repository that it is at.", Query = ["repository"],
        },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (limit, offset) = (MaxLines, 0L);
        if (call.Query("limit") is { Length: > 0 } text && (!int.TryParse(text, out limit) || limit is < 0 or > MaxLines)) return ApiResult.BadRequest($"limit must be between 0 and {MaxLines}");
        if (call.Query("offset") is { Length: > 0 } start && (!long.TryParse(start, out offset) || offset < 0)) return ApiResult.BadRequest("offset must be a number");
        if (await FindAsync(call, ct).ConfigureAwait(false) is not { } view) return NotFound(call);
        var onlyGoing = call.Flag("going");
        var (results, count) = await database.ReadAsync(view.Run.Id, static (session, id, token) => RunRows.ResultsAsync(session, id, 0, MaxRepositories, token), ct).ConfigureAwait(false);
        var (repositories, lines) = (new List<RetentionRepositoryJson>(results.Count), 0);
        foreach (var result in results)
        {
            // What lies before the page is skipped by its count, without reading its report.
            var meant = onlyGoing ? result.Total - result.Kept : result.Total;
            IReadOnlyList<RetentionLine> shown = [];
            if (offset < meant && lines < limit)
            {
                var report = await database.ReadAsync((view.Run.Id, result.Id), static (session, q, token) => RunRows.ReportAsync(session, q.Item1, q.Item2, token), ct).ConfigureAwait(false);
                shown = report is not { } found ? [] : [.. RetentionReport.Unpack(found.Report).Where(l => !onlyGoing || l.Goes).Skip((int)offset).Take(limit - lines)];
            }
            (offset, lines) = (Math.Max(0, offset - meant), lines + shown.Count);
            repositories.Add(new RetentionRepositoryJson { Repository = result.Repository, Total = result.Total, Going = result.Total - result.Kept, Tags = shown });
        }
        var (total, kept) = (results.Sum(r => (long)r.Total), results.Sum(r => (long)r.Kept));
        return ApiResult.Ok(new RetentionRunReportJson
        {
            Run = JsonOf(view, time.GetUtcNow()),
            Report = new RetentionSimulationJson
            {
                Total = total,
                Kept = kept,
                Going = total - kept,
                FreedBytes = view.Run.FreedBytes,
                RepositoryCount = (int)count,
                Repositories = repositories,
            },
        }, RetentionReportApiJson.Default.RetentionRunReportJson);
    }

    private async Task<ApiResult> StopAsync(ApiCall call, CancellationToken ct)
    {
        if (await FindAsync(call, ct).ConfigureAwait(false) is not { } view) return NotFound(call);
        await database.WriteAsync(Durability.Full, async (session, token) => await queue.CancelAsync(session, view.Run.JobId, token).ConfigureAwait(false), ct).ConfigureAwait(false);
        return ApiResult.Accepted();
    }

    private async ValueTask<RunView?> FindAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("run_id") is not { } id) return null;
        return await database.ReadAsync((call.Project?.Id, call.Query("repository"), id), static async (session, q, token) =>
            await PolicyRows.FindAsync(session, q.Item1, q.Item2, token).ConfigureAwait(false) is { } policy
                ? await RunRows.FindAsync(session, policy.Id, q.id, token).ConfigureAwait(false)
                : null, ct).ConfigureAwait(false);
    }

    /// <summary>A run as the API shows it.</summary>
    public static RetentionRunJson JsonOf(RunView view, DateTimeOffset now) => new()
    {
        Id = view.Run.Id,
        Status = view.StatusAt(now),
        Trigger = view.Trigger,
        DryRun = view.Run.IsDryRun,
        StartedAt = UtcText.Of(view.Run.StartedAt),
        FinishedAt = view.Run.FinishedAt is { } at ? UtcText.Of(at) : null,
        FreedBytes = view.Run.FreedBytes,
        JobId = view.Run.JobId,
    };

    private static ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"there is no run {call.Route("run_id")} here");
}

/// <summary>A run with its table.</summary>
public sealed record RetentionRunReportJson
{
    public RetentionRunJson Run { get; init; } = new();

    public RetentionSimulationJson Report { get; init; } = new();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RetentionRunReportJson))]
internal sealed partial class RetentionReportApiJson : JsonSerializerContext;
