using System.Data.Common;
using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Quotas;

/// <summary>Quotas of projects. The number of a quota is the number of its project.</summary>
internal sealed class QuotasApi(Database database, DomainEvents events, TimeProvider time)
{
    private const string Reference = "project";
    private const string Storage = "storage";

    // Without a quota comes after every quota, as in Harbor.
    private static readonly ListSql s_list = new(
        "p.id, p.name, u.name, p.quota_bytes, p.used_bytes, p.created_at, p.updated_at", "projects p LEFT JOIN users u ON u.id = p.owner_id",
        new Dictionary<string, ListColumn>(StringComparer.Ordinal)
        {
            ["hard.storage"] = new("CASE WHEN p.quota_bytes < 0 THEN 9223372036854775807 ELSE p.quota_bytes END", ListColumnKind.Number),
            ["used.storage"] = new("p.used_bytes", ListColumnKind.Number),
            ["creationtime"] = new("p.created_at", ListColumnKind.Time),
            ["updatetime"] = new("p.updated_at", ListColumnKind.Time),
        },
        "p.created_at DESC", "p.id");

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(QuotasApi api) =>
    [
        new(HttpMethods.Get, "/quotas", "listQuotas", "quota", ApiNeed.System(SystemPermissions.QuotaList), api.ListAsync)
        {
            Summary = "Quotas of projects, by hard.storage, used.storage or time.", Answer = typeof(QuotaJson), IsList = true, Query = ["reference", "reference_id"],
        },
        new(HttpMethods.Get, "/quotas/{id}", "getQuota", "quota", ApiNeed.System(SystemPermissions.QuotaRead), api.GetAsync) { Summary = "One quota.", Answer = typeof(QuotaJson) },
        new(HttpMethods.Put, "/quotas/{id}", "updateQuota", "quota", ApiNeed.System(SystemPermissions.QuotaUpdate), api.UpdateAsync)
        {
            Summary = "Sets a quota; one below what is used keeps the project from growing.", Body = typeof(QuotaUpdate),
        },
        new(HttpMethods.Post, "/quotas/recount", "recountQuotas", "quota", ApiNeed.Admin, api.RecountAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Counts what a project, or every project, uses again from its manifests, and says by how much the count was off.",
            Answer = typeof(RecountJson), IsList = true, Query = ["project"],
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal)) return refusal!;
        var query = s_list.Of();
        if (call.Query("reference") is not ("" or Reference)) query.Add("1 = 0");
        if (call.Query("reference_id") is { Length: > 0 } text)
        {
            if (long.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var id)) query.Add("p.id = ?", id);
            else query.Add("1 = 0");
        }
        var (total, quotas) = await database.ReadAsync((query, page, sort: ApiQuery.ParseSort(call.Query("sort"))), static async (session, q, token) =>
            (await q.query.CountAsync(session, token).ConfigureAwait(false), await q.query.ReadAsync(session, q.page, q.sort, JsonOf, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List(quotas, total, QuotaJsonContext.Default.ListQuotaJson);
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var quotas = await database.ReadAsync(call.RouteNumber("id") ?? 0, static (session, id, token) =>
            s_list.Of("p.id = ?", id).ReadAsync(session, new ApiPage(1, 1), [], JsonOf, token), ct).ConfigureAwait(false);
        return quotas.Count == 0 ? NotFound(call) : ApiResult.Ok(quotas[0], QuotaJsonContext.Default.QuotaJson);
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(QuotaJsonContext.Default.QuotaUpdate, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (request.Hard is not { Count: > 0 } hard) return ApiResult.BadRequest("hard required in body");
        if (call.RouteNumber("id") is not { } id || await call.FindProjectAsync(id, ct).ConfigureAwait(false) is not { } project) return NotFound(call);
        if (hard.Keys.FirstOrDefault(k => k != Storage) is { } unknown) return ApiResult.BadRequest($"resource {unknown} not support");
        if (ProjectRules.ProblemOfQuota(hard[Storage]) is { } problem) return ApiResult.BadRequest(problem);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ExecuteAsync(SetQuota, [id, hard[Storage], time.GetUtcNow().ToUnixTimeMilliseconds()], token).ConfigureAwait(false) == 0) return NotFound(call);
            await session.AnnounceAsync(Topics.Access, "", token).ConfigureAwait(false);
            await events.RaiseAsync(session, new DomainEvent
            {
                Operation = "update",
                ResourceType = QuotaEvents.ResourceType,
                Resource = project.Name,
                ProjectId = project.Id,
                ProjectName = project.Name,
                Actor = call.Actor,
                Description = $"set quota of project {project.Name} to {hard[Storage]} bytes",
            }, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> RecountAsync(ApiCall call, CancellationToken ct)
    {
        var projects = await ProjectsToCountAsync(call, ct).ConfigureAwait(false);
        if (projects is null) return ApiResult.NotFound($"project {call.Query("project")} not found");
        var counts = new List<RecountJson>(projects.Count);
        // A transaction each: pushes to other projects go on meanwhile.
        foreach (var (id, name) in projects)
        {
            var count = await database.WriteAsync(Durability.Full, async (session, token) =>
            {
                var (before, after) = await ProjectUsage.RecountAsync(session, id, token).ConfigureAwait(false);
                if (before != after) await events.RaiseAsync(session, RecountEvent(call, id, name, before, after), token).ConfigureAwait(false);
                return new RecountJson(id, name, before, after, after - before);
            }, ct).ConfigureAwait(false);
            counts.Add(count);
        }
        return ApiResult.List(counts, counts.Count, QuotaJsonContext.Default.ListRecountJson);
    }

    private async ValueTask<List<(long Id, string Name)>?> ProjectsToCountAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Query("project") is { Length: > 0 } name)
            return await call.FindProjectAsync(name, ct).ConfigureAwait(false) is { } project ? [(project.Id, project.Name)] : null;
        return await database.ReadAsync(0, static async (session, _, token) =>
        {
            var all = new List<(long, string)>();
            await using var rows = await session.Command(SelectAll).ExecuteReaderAsync(token).ConfigureAwait(false);
            while (await rows.ReadAsync(token).ConfigureAwait(false)) all.Add((rows.GetInt64(0), rows.GetString(1)));
            return all;
        }, ct).ConfigureAwait(false);
    }

    private static DomainEvent RecountEvent(ApiCall call, long id, string name, long before, long after) => new()
    {
        Operation = "recount",
        ResourceType = QuotaEvents.ResourceType,
        Resource = name,
        ProjectId = id,
        ProjectName = name,
        Actor = call.Actor,
        Description = $"usage of project {name} was counted as {before} bytes and is {after} bytes",
    };

    private static ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"quota {call.Route("id")} not found");

    private static QuotaJson JsonOf(DbDataReader row) => new()
    {
        Id = row.GetInt64(0),
        Ref = new QuotaReference(row.GetInt64(0), row.GetString(1), row.IsDBNull(2) ? "" : row.GetString(2)),
        Hard = new Dictionary<string, long> { [Storage] = row.GetInt64(3) },
        Used = new Dictionary<string, long> { [Storage] = row.GetInt64(4) },
        CreationTime = ApiTime.Text(row.GetInt64(5)),
        UpdateTime = ApiTime.Text(row.GetInt64(6)),
    };

    private static readonly Statement SetQuota = new("UPDATE projects SET quota_bytes = @1, updated_at = @2 WHERE id = @0");
    private static readonly Statement SelectAll = new("SELECT id, name FROM projects ORDER BY id");
}

/// <summary>A quota as Harbor's JSON has it.</summary>
public sealed record QuotaJson
{
    public long Id { get; init; }

    public required QuotaReference Ref { get; init; }

    /// <summary>Under <c>storage</c>: bytes that may be used; -1 for no limit.</summary>
    public required IReadOnlyDictionary<string, long> Hard { get; init; }

    /// <summary>Under <c>storage</c>: bytes that are used.</summary>
    public required IReadOnlyDictionary<string, long> Used { get; init; }

    public required string CreationTime { get; init; }

    public required string UpdateTime { get; init; }
}

/// <summary>Whose quota it is.</summary>
public sealed record QuotaReference(long Id, string Name, string OwnerName);

/// <summary>The limits that a quota gets.</summary>
public sealed record QuotaUpdate
{
    public IReadOnlyDictionary<string, long>? Hard { get; init; }
}

/// <summary>What counting again has found. Bytes.</summary>
/// <param name="ProjectId">The project.</param>
/// <param name="ProjectName">Its name.</param>
/// <param name="UsedBefore">What was kept.</param>
/// <param name="UsedNow">What is true, and kept from now on.</param>
/// <param name="Difference">By how much it was off.</param>
public sealed record RecountJson(long ProjectId, string ProjectName, long UsedBefore, long UsedNow, long Difference);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(QuotaJson))]
[JsonSerializable(typeof(List<QuotaJson>))]
[JsonSerializable(typeof(QuotaUpdate))]
[JsonSerializable(typeof(List<RecountJson>))]
internal sealed partial class QuotaJsonContext : JsonSerializerContext;
