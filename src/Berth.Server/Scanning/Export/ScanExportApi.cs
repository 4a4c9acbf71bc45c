using System.IO.Compression;
using System.Text.Json.Serialization;
using Berth.Scanner.Reports;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Text;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.Export;

/// <summary>
/// Harbor's operations on exports of findings: ask for one, see how far it is, download the file. Needs <c>export-cve:create</c> in the project, to look and to download <c>export-cve:read</c> and to be the
/// one who asked for it. Unlike Harbor's, the file stays for a day: a download that was cut off may be tried again.
/// </summary>
internal sealed class ScanExportApi(Database database, JobQueue queue, TimeProvider time)
{
    /// <summary>Longest name of an export in characters.</summary>
    public const int MaxNameChars = 255;

    private const string Tag = "scan data export";
    private const int MaxPatterns = 200;

    public static IEnumerable<ApiOperation> Operations(ScanExportApi api) =>
    [
        new(HttpMethods.Post, "/export/cve", "exportScanData", Tag, ApiNeed.SignedIn, api.StartAsync)
        {
            Summary = "Writes the findings of a project's images into a CSV file, in the background.", Body = typeof(ScanExportRequestJson), Answer = typeof(ScanExportJobJson),
        },
        new(HttpMethods.Get, "/export/cve/executions", "getScanDataExportExecutionList", Tag, ApiNeed.SignedIn, api.ListAsync) { Summary = "The caller's own exports.", Answer = typeof(ScanExportListJson) },
        new(HttpMethods.Get, "/export/cve/execution/{execution_id}", "getScanDataExportExecution", Tag, ApiNeed.SignedIn, api.GetAsync) { Summary = "One of the caller's exports.", Answer = typeof(ScanExportExecutionJson) },
        new(HttpMethods.Get, "/export/cve/download/{execution_id}", "downloadScanData", Tag, ApiNeed.SignedIn, api.DownloadAsync) { Summary = "The file of an export.", Query = ["format"] },
    ];

    private async Task<ApiResult> StartAsync(ApiCall call, CancellationToken ct)
    {
        var type = call.Http.Request.Headers["X-Scan-Data-Type"].ToString();
        if (type != HarborReport.MediaType) return ApiResult.BadRequest($"the header X-Scan-Data-Type must be {HarborReport.MediaType}");
        var (isRead, body, refusal) = await call.ReadAsync(ScanExportJson.Default.ScanExportRequestJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (body.Projects is not { Count: 1 } projects) return ApiResult.BadRequest("one project is exported at a time: projects must have one number");
        var (name, problem) = (body.JobName ?? "", "");
        if (name.Length > MaxNameChars || name.Contains('\0', StringComparison.Ordinal)) return ApiResult.BadRequest($"job_name has at most {MaxNameChars} characters");
        if (!TryReadPatterns("repositories", body.Repositories, out var repositories, ref problem) || !TryReadPatterns("tags", body.Tags, out var tags, ref problem)
            || !TryReadList("cveIds", body.CveIds, out var flaws, ref problem)) return ApiResult.BadRequest(problem);
        if (await call.FindProjectAsync(projects[0], ct).ConfigureAwait(false) is not { } project) return ApiResult.NotFound($"project {projects[0]} not found");
        if (!await call.MayAsync(project, ProjectPermissions.ExportCveCreate, ct).ConfigureAwait(false)) return call.Refuse();
        var work = new ScanExportWork { ProjectId = project.Id, Repositories = repositories, Tags = tags, Vulnerabilities = flaws, Labels = body.Labels };
        var id = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var job = NewJob.Of(ScanExportJob.JobKind, work, ScanExportJson.Default.ScanExportWork) with { VendorKey = ScanExportJob.JobKind, ProjectId = project.Id, MaxAttempts = 3 };
            var queued = await queue.EnqueueAsync(session, job, token).ConfigureAwait(false);
            await ScanExports.AddAsync(session, queued.Id, project.Id, call.Caller.SubjectId, call.Caller.Name, name, token).ConfigureAwait(false);
            return queued.Id;
        }, ct).ConfigureAwait(false);
        return ApiResult.Ok(new ScanExportJobJson { Id = id }, ScanExportJson.Default.ScanExportJobJson);
    }

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        var exports = await database.ReadAsync(call.Caller.Name, static (session, name, token) => ScanExports.ListAsync(session, name, token), ct).ConfigureAwait(false);
        var items = new List<ScanExportExecutionJson>();
        foreach (var export in exports)
            if (await MayReadAsync(call, export, ct).ConfigureAwait(false)) items.Add(JsonOf(export));
        return ApiResult.Ok(new ScanExportListJson { Items = items }, ScanExportJson.Default.ScanExportListJson);
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (export, refusal) = await FindAsync(call, ct).ConfigureAwait(false);
        return export is null ? refusal! : ApiResult.Ok(JsonOf(export), ScanExportJson.Default.ScanExportExecutionJson);
    }

    private async Task<ApiResult> DownloadAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Query("format") is { Length: > 0 } format && !format.Equals("csv", StringComparison.OrdinalIgnoreCase)) return ApiResult.BadRequest("format must be csv");
        var (export, refusal) = await FindAsync(call, ct).ConfigureAwait(false);
        if (export is null) return refusal!;
        if (!IsThere(export)) return ApiResult.NotFound($"the file of execution {export.Id} is not there: it is not done yet, failed, or its day is over");
        return ApiResult.Stream("text/csv", async (context, token) =>
        {
            context.Response.Headers.ContentDisposition = $"attachment; filename=\"scandata_export_{export.Id}.csv\"";
            for (var part = 0; ; part++)
            {
                var packed = await database.ReadAsync((export.Id, part), static (session, q, t) => ScanExports.ReadPartAsync(session, q.Id, q.part, t), token).ConfigureAwait(false);
                if (packed is null) return;
                using var brotli = new BrotliStream(new MemoryStream(packed, writable: false), CompressionMode.Decompress);
                await brotli.CopyToAsync(context.Response.Body, token).ConfigureAwait(false);
            }
        });
    }

    private async Task<(ExportExecution? Export, ApiResult? Refusal)> FindAsync(ApiCall call, CancellationToken ct)
    {
        var export = call.RouteNumber("execution_id") is { } id
            ? await database.ReadAsync(id, static (session, i, token) => ScanExports.FindAsync(session, i, token), ct).ConfigureAwait(false) : null;
        if (export is null) return (null, ApiResult.NotFound($"execution {call.Route("execution_id")} not found"));
        return await MayReadAsync(call, export, ct).ConfigureAwait(false) ? (export, null) : (null, call.Refuse());
    }

    // Only the one who asked for it, and only while the project may be read.
    private static async ValueTask<bool> MayReadAsync(ApiCall call, ExportExecution export, CancellationToken ct) =>
        export.UserName == call.Caller.Name && export.UserId == call.Caller.SubjectId && await call.FindProjectAsync(export.ProjectId, ct).ConfigureAwait(false) is { } project
        && await call.MayAsync(project, ProjectPermissions.ExportCveRead, ct).ConfigureAwait(false);

    private bool IsThere(ExportExecution export) => export.HasFile && export.ExpiresAt > time.GetUtcNow().ToUnixTimeMilliseconds();

    private ScanExportExecutionJson JsonOf(ExportExecution export) => new()
    {
        Id = export.Id,
        UserId = export.UserId,
        UserName = export.UserName,
        Status = JobWords.StatusOf(export.Job, time.GetUtcNow()),
        StatusText = export.Job.Error ?? "",
        Trigger = JobWords.TriggerOf(export.Job.Trigger),
        StartTime = JobWords.TimeOf(export.Job.StartedAt ?? export.Job.CreatedAt),
        EndTime = JobWords.TimeOf(export.Job.FinishedAt),
        FilePresent = IsThere(export),
    };

    private static bool TryReadPatterns(string parameter, string? text, out IReadOnlyList<string>? patterns, ref string problem)
    {
        if (!TryReadList(parameter, text, out patterns, ref problem)) return false;
        foreach (var pattern in patterns ?? [])
        {
            if (Glob.TryParse(pattern, out _, out var wrong)) continue;
            problem = $"invalid {parameter}: {wrong}";
            return false;
        }
        return true;
    }

    // Names with commas between, all of them in braces or not.
    private static bool TryReadList(string parameter, string? text, out IReadOnlyList<string>? list, ref string problem)
    {
        list = null;
        if (string.IsNullOrEmpty(text)) return true;
        if (text.Any(static c => char.IsWhiteSpace(c) || c == '\0'))
        {
            problem = $"invalid {parameter}: leave out the spaces";
            return false;
        }
        var inner = text.StartsWith('{') && text.EndsWith('}') ? text[1..^1] : text;
        list = inner.Split(',', StringSplitOptions.RemoveEmptyEntries);
        if (list.Count <= MaxPatterns) return true;
        problem = $"invalid {parameter}: at most {MaxPatterns}";
        return false;
    }
}

/// <summary>What an export is asked for with.</summary>
public sealed record ScanExportRequestJson
{
    public string? JobName { get; init; }

    /// <summary>The one project.</summary>
    public IReadOnlyList<long>? Projects { get; init; }

    public IReadOnlyList<long>? Labels { get; init; }

    /// <summary>Globs with commas between.</summary>
    public string? Repositories { get; init; }

    /// <summary>Ids with commas between.</summary>
    [JsonPropertyName("cveIds")]
    public string? CveIds { get; init; }

    /// <summary>Globs with commas between.</summary>
    public string? Tags { get; init; }
}

/// <summary>The number of an export.</summary>
public sealed record ScanExportJobJson
{
    public long Id { get; init; }
}

/// <summary>How far an export is.</summary>
public sealed record ScanExportExecutionJson
{
    public long Id { get; init; }

    public long UserId { get; init; }

    public required string Status { get; init; }

    public required string Trigger { get; init; }

    public required string StartTime { get; init; }

    public required string EndTime { get; init; }

    public required string StatusText { get; init; }

    public required string UserName { get; init; }

    public bool FilePresent { get; init; }
}

/// <summary>Exports of the caller.</summary>
public sealed record ScanExportListJson
{
    public required IReadOnlyList<ScanExportExecutionJson> Items { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ScanExportWork))]
[JsonSerializable(typeof(ScanExportRequestJson))]
[JsonSerializable(typeof(ScanExportJobJson))]
[JsonSerializable(typeof(ScanExportExecutionJson))]
[JsonSerializable(typeof(ScanExportListJson))]
internal sealed partial class ScanExportJson : JsonSerializerContext;
