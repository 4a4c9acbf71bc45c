using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Scanning.Sboms;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning;

/// <summary>Harbor's operations on the scan of one artifact: ask for it, stop it, its log, its report.</summary>
internal sealed class ScanApi(Database database, ScanRequests requests, SbomRequests sboms, ArtifactTargets targets)
{
    private const string Artifact = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}";
    private const string Tag = "scan";

    public static IEnumerable<ApiOperation> Operations(ScanApi api) =>
    [
        new(HttpMethods.Post, Artifact + "/scan", "scanArtifact", Tag, ApiNeed.Project(ProjectPermissions.ScanCreate), api.StartAsync)
        {
            Summary = "Scans an artifact; of an index its images.", Body = typeof(ScanRequestJson),
        },
        new(HttpMethods.Post, Artifact + "/scan/stop", "stopScanArtifact", Tag, ApiNeed.Project(ProjectPermissions.ScanStop), api.StopAsync)
        {
            Summary = "Stops the scan of an artifact.", Body = typeof(ScanRequestJson),
        },
        new(HttpMethods.Get, Artifact + "/scan/{report_id}/log", "getReportLog", Tag, ApiNeed.Project(ProjectPermissions.ScanRead), api.GetLogAsync) { Summary = "What a scan wrote down." },
        new(HttpMethods.Get, Artifact + "/additions/vulnerabilities", "getVulnerabilitiesAddition", "artifact", ApiNeed.Project(ProjectPermissions.ArtifactAdditionRead), api.GetReportAsync)
        {
            Summary = "The report of the last good scan, by its media type.",
        },
    ];

    private async Task<ApiResult> StartAsync(ApiCall call, CancellationToken ct)
    {
        var (isSbom, wrong) = await TypeOfAsync(call, ProjectPermissions.SbomCreate, ct).ConfigureAwait(false);
        if (wrong is not null) return wrong;
        var (row, refusal) = await FindAsync(call, ct).ConfigureAwait(false);
        if (row is null) return refusal!;
        var asked = await database.WriteAsync(
            Durability.Full, async (session, token) => isSbom
                ? await sboms.AddAsync(session, row.Id, JobTrigger.Manual, token).ConfigureAwait(false)
                : await requests.AddAsync(session, row.Id, JobTrigger.Manual, null, token).ConfigureAwait(false), ct).ConfigureAwait(false);
        return asked > 0 ? ApiResult.Accepted() : ApiResult.BadRequest($"the configured scanner {BuiltInScanner.Name} does not support scanning artifact with mime type {row.MediaType}");
    }

    private async Task<ApiResult> StopAsync(ApiCall call, CancellationToken ct)
    {
        var (isSbom, wrong) = await TypeOfAsync(call, ProjectPermissions.SbomStop, ct).ConfigureAwait(false);
        if (wrong is not null) return wrong;
        var (row, refusal) = await FindAsync(call, ct).ConfigureAwait(false);
        if (row is null) return refusal!;
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (isSbom) await sboms.StopAsync(session, row.Id, token).ConfigureAwait(false);
            else await requests.StopAsync(session, row.Id, token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return ApiResult.Accepted();
    }

    private async Task<ApiResult> GetLogAsync(ApiCall call, CancellationToken ct)
    {
        var (row, refusal) = await FindAsync(call, ct).ConfigureAwait(false);
        if (row is null) return refusal!;
        var reports = call.Route("report_id").Split(',', '|').Select(static text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0).ToHashSet();
        var lines = await database.ReadAsync((row.Id, reports), static async (session, q, token) =>
        {
            var images = await ScanRequests.ImagesOfAsync(session, q.Id, token).ConfigureAwait(false);
            var scans = await ScanRow.ReadAsync(session, images.Select(static image => image.Id), token).ConfigureAwait(false);
            // Numbers of other jobs are nobody's business here.
            var found = new List<JobLogLine>();
            var jobs = scans.Values.Select(static scan => scan.JobId).ToList();
            jobs.AddRange((await SbomOverviews.ReadRowsAsync(session, images.Select(static image => image.Id), token).ConfigureAwait(false)).Select(static row => row.JobId));
            foreach (var job in jobs.Where(q.reports.Contains)) found.AddRange(await JobViews.LogAsync(session, job, 0, JobRun.MaxLogLines, token).ConfigureAwait(false));
            return jobs.Exists(q.reports.Contains) ? found : null;
        }, ct).ConfigureAwait(false);
        return lines is null ? ApiResult.NotFound($"report with uuid {call.Route("report_id")} does not exist") : ApiResult.Text(JobWords.LogOf(lines));
    }

    private async Task<ApiResult> GetReportAsync(ApiCall call, CancellationToken ct)
    {
        var (row, refusal) = await FindAsync(call, ct).ConfigureAwait(false);
        if (row is null) return refusal!;
        var packed = await database.ReadAsync(row.Id, static async (session, id, token) =>
        {
            var reports = new List<byte[]>();
            foreach (var (image, _) in await ScanRequests.ImagesOfAsync(session, id, token).ConfigureAwait(false))
                if (await ScanRow.ReadReportAsync(session, image, token).ConfigureAwait(false) is { } report) reports.Add(report);
            return reports;
        }, ct).ConfigureAwait(false);
        var type = BuiltInScanner.MediaTypeOf(call.Http.Request.Headers["X-Accept-Vulnerabilities"].ToString());
        var body = packed.Count == 0 ? "{}" : $"{{{JsonValue.Create(type).ToJsonString()}:{StoredReport.Join([.. packed.Select(StoredReport.Unpack)])}}}";
        return ApiResult.Text(body, "application/json; charset=utf-8");
    }

    private async Task<(ArtifactRow? Row, ApiResult? Refusal)> FindAsync(ApiCall call, CancellationToken ct)
    {
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        if (!await targets.MayReadAsync(call, call.Project!, name, ct).ConfigureAwait(false)) return (null, call.Refuse());
        var (repository, row) = await database.ReadAsync((name, reference), static (session, q, token) => ArtifactRows.FindAsync(session, q.name, q.reference, token), ct).ConfigureAwait(false);
        return row is null ? (null, ArtifactApi.NotFound(repository, name, reference)) : (row, null);
    }

    // The body may be missing, as it is with older clients. Bills of materials have a permission of their own besides.
    private static async ValueTask<(bool IsSbom, ApiResult? Wrong)> TypeOfAsync(ApiCall call, Permission ofSboms, CancellationToken ct)
    {
        if (call.Http.Request.ContentLength is null or 0) return (false, null);
        var (isRead, body, refusal) = await call.ReadAsync(ScanApiJson.Default.ScanRequestJson, ct).ConfigureAwait(false);
        if (!isRead) return (false, refusal);
        if (body.ScanType is null or "" or "vulnerability") return (false, null);
        if (body.ScanType != "sbom") return (false, ApiResult.BadRequest($"scan_type {body.ScanType} is not known: vulnerability, sbom"));
        return await call.MayAsync(ofSboms, ct).ConfigureAwait(false) ? (true, null) : (true, call.Refuse());
    }
}

/// <summary>What a scan is asked for with.</summary>
public sealed record ScanRequestJson
{
    /// <summary><c>vulnerability</c>, also when it is left out; or <c>sbom</c>.</summary>
    public string? ScanType { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ScanRequestJson))]
[JsonSerializable(typeof(ScannerJson))]
[JsonSerializable(typeof(List<ScannerJson>))]
[JsonSerializable(typeof(ScannerChoiceJson))]
[JsonSerializable(typeof(ScannerRegistrationJson))]
[JsonSerializable(typeof(ScannerNameJson))]
[JsonSerializable(typeof(ScannerMetadataJson))]
[JsonSerializable(typeof(ScanMetricsJson))]
internal sealed partial class ScanApiJson : JsonSerializerContext;
