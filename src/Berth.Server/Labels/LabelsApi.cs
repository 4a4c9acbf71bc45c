using System.Data.Common;
using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Labels;

/// <summary>Labels: those of all projects (scope <c>g</c>), which administrators keep, and those of one project (scope <c>p</c>).</summary>
internal sealed class LabelsApi(Database database, DomainEvents events, TimeProvider time)
{
    private const string Global = "g";
    private const string OfProject = "p";
    private const int MaxNameLength = 128;
    private const int MaxColorLength = 16;
    private const int MaxDescriptionLength = 4096;

    private static readonly ListSql s_list = new(
        "l.id, l.name, l.description, l.color, l.project_id, l.created_at, l.updated_at", "labels l",
        new Dictionary<string, ListColumn>(StringComparer.Ordinal)
        {
            ["id"] = new("l.id", ListColumnKind.Number),
            ["name"] = new("l.name"),
            ["description"] = new("l.description"),
            ["color"] = new("l.color"),
            ["creationtime"] = new("l.created_at", ListColumnKind.Time),
            ["updatetime"] = new("l.updated_at", ListColumnKind.Time),
        },
        "l.id", "l.id");

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(LabelsApi api) =>
    [
        new(HttpMethods.Get, "/labels", "ListLabels", "label", ApiNeed.Inside, api.ListAsync)
        {
            Summary = "Labels of one scope: of all projects for everybody who is signed in, of a project for whoever may list its labels.", Answer = typeof(LabelJson), IsList = true,
            Query = ["name", "scope", "project_id"],
        },
        new(HttpMethods.Post, "/labels", "CreateLabel", "label", ApiNeed.Inside, api.CreateAsync)
        {
            Summary = "Makes a label; one of all projects needs the permission of the installation.", Body = typeof(LabelJson),
        },
        new(HttpMethods.Get, "/labels/{label_id}", "GetLabelByID", "label", ApiNeed.Inside, api.GetAsync) { Summary = "One label.", Answer = typeof(LabelJson) },
        new(HttpMethods.Put, "/labels/{label_id}", "UpdateLabel", "label", ApiNeed.Inside, api.UpdateAsync) { Summary = "Changes name, description and colour of a label.", Body = typeof(LabelJson) },
        new(HttpMethods.Delete, "/labels/{label_id}", "DeleteLabel", "label", ApiNeed.Inside, api.DeleteAsync) { Summary = "Deletes a label and takes it off all artifacts." },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var scope = call.Query("scope");
        if (scope is not (Global or OfProject)) return ApiResult.BadRequest($"invalid scope: {scope}");
        if (scope == Global && call.Caller.IsAnonymous) return call.Refuse();
        long? project = null;
        if (scope == OfProject)
        {
            if (!long.TryParse(call.Query("project_id"), System.Globalization.CultureInfo.InvariantCulture, out var id) || id == 0) return ApiResult.BadRequest("must with project ID when to query project labels");
            if (await RefusalAsync(call, id, ProjectPermissions.LabelList, ct).ConfigureAwait(false) is { } denied) return denied;
            project = id;
        }
        var query = project is null ? s_list.Of("l.project_id IS NULL") : s_list.Of("l.project_id = ?", project);
        if (query.TryAdd(list.Filters) is { } problem) return ApiResult.BadRequest(problem);
        if (call.Query("name") is { Length: > 0 } name) query.AddContains("l.name", name);
        var (total, labels) = await database.ReadAsync((query, list), static async (session, q, token) =>
            (await q.query.CountAsync(session, token).ConfigureAwait(false), await q.query.ReadAsync(session, q.list.Page, q.list.Sort, JsonOf, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List(labels, total, LabelJsonContext.Default.ListLabelJson);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(LabelJsonContext.Default.LabelJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (call.Caller.IsAnonymous) return call.Refuse();
        if (request.Scope is not (Global or OfProject)) return ApiResult.BadRequest("unsupported label scope");
        var project = request.Scope == OfProject ? request.ProjectId ?? 0 : (long?)null;
        if (await RefusalAsync(call, project, CreatePermission(project), ct).ConfigureAwait(false) is { } denied) return denied;
        if (ProblemOf(request) is { } problem) return ApiResult.BadRequest(problem);
        var id = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var made = await session.ScalarAsync(Insert, [request.Name, request.Description ?? "", request.Color ?? "", project, now], token).ConfigureAwait(false);
            if (made is not null) await RaiseAsync(session, call, "create", project, request.Name!, token).ConfigureAwait(false);
            return made;
        }, ct).ConfigureAwait(false);
        return id is null ? ApiResult.Conflict($"label {request.Name} already exists") : ApiResult.Created($"/api/v2.0/labels/{id}");
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (label, refusal) = await FindAsync(call, ProjectPermissions.LabelRead, SystemPermissions.LabelRead, ct).ConfigureAwait(false);
        return refusal ?? ApiResult.Ok(label!, LabelJsonContext.Default.LabelJson);
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, unreadable) = await call.ReadAsync(LabelJsonContext.Default.LabelJson, ct).ConfigureAwait(false);
        if (!isRead) return unreadable!;
        var (label, refusal) = await FindAsync(call, ProjectPermissions.LabelUpdate, SystemPermissions.LabelUpdate, ct).ConfigureAwait(false);
        if (refusal is not null) return refusal;
        if (ProblemOf(request) is { } problem) return ApiResult.BadRequest(problem);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ScalarAsync(SelectTaken, [label!.Id, request.Name, ProjectOf(label)], token).ConfigureAwait(false) is not null)
                return ApiResult.Conflict($"label {request.Name} already exists");
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (await session.ExecuteAsync(Update, [label.Id, request.Name, request.Description ?? "", request.Color ?? "", now], token).ConfigureAwait(false) == 0) return NotFound(call);
            await RaiseAsync(session, call, "update", ProjectOf(label), request.Name!, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        var (label, refusal) = await FindAsync(call, ProjectPermissions.LabelDelete, SystemPermissions.LabelDelete, ct).ConfigureAwait(false);
        if (refusal is not null) return refusal;
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ExecuteAsync(Delete, [label!.Id], token).ConfigureAwait(false) == 0) return NotFound(call);
            await RaiseAsync(session, call, "delete", ProjectOf(label), label.Name!, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    // The label of the path, if the caller may do this with it.
    private async ValueTask<(LabelJson? Label, ApiResult? Refusal)> FindAsync(ApiCall call, Permission inProject, Permission inSystem, CancellationToken ct)
    {
        if (call.Caller.IsAnonymous && call.RouteNumber("label_id") is null) return (null, call.Refuse());
        var label = await database.ReadAsync(call.RouteNumber("label_id") ?? 0, static async (session, id, token) =>
            (await s_list.Of("l.id = ?", id).ReadAsync(session, new ApiPage(1, 1), [], JsonOf, token).ConfigureAwait(false)).FirstOrDefault(), ct).ConfigureAwait(false);
        if (label is null) return (null, call.Caller.IsAnonymous ? call.Refuse() : NotFound(call));
        return (label, await RefusalAsync(call, ProjectOf(label), ProjectOf(label) is null ? inSystem : inProject, ct).ConfigureAwait(false));
    }

    private static async ValueTask<ApiResult?> RefusalAsync(ApiCall call, long? projectId, Permission permission, CancellationToken ct)
    {
        if (projectId is null) return await call.MayAsync(permission, ct).ConfigureAwait(false) ? null : call.Refuse();
        if (await call.FindProjectAsync(projectId.Value, ct).ConfigureAwait(false) is not { } project)
            return call.IsAdmin ? ApiResult.NotFound($"project {projectId} not found") : call.Refuse();
        return await call.MayAsync(project, permission, ct).ConfigureAwait(false) ? null : call.Refuse();
    }

    private static Permission CreatePermission(long? project) => project is null ? SystemPermissions.LabelCreate : ProjectPermissions.LabelCreate;

    private static string? ProblemOf(LabelJson label)
    {
        if (string.IsNullOrEmpty(label.Name)) return "cannot be empty";
        if (label.Name.Length > MaxNameLength) return $"max length is {MaxNameLength}";
        if (label.Color?.Length > MaxColorLength) return $"the color has more than {MaxColorLength} characters";
        return label.Description?.Length > MaxDescriptionLength ? $"the description has more than {MaxDescriptionLength} characters" : null;
    }

    private async ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, long? project, string name, CancellationToken ct) =>
        await events.RaiseAsync(session, new DomainEvent
        {
            Operation = operation,
            ResourceType = "label",
            Resource = name,
            ProjectId = project,
            Actor = call.Actor,
            ProjectName = project is null ? null : (await call.FindProjectAsync(project.Value, ct).ConfigureAwait(false))?.Name,
            Description = $"{operation} label: {name}",
        }, ct).ConfigureAwait(false);

    private static ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"label {call.Route("label_id")} not found");

    private static long? ProjectOf(LabelJson label) => label.Scope == Global ? null : label.ProjectId;

    private static LabelJson JsonOf(DbDataReader row) => new()
    {
        Id = row.GetInt64(0),
        Name = row.GetString(1),
        Description = row.GetString(2) is { Length: > 0 } description ? description : null,
        Color = row.GetString(3) is { Length: > 0 } color ? color : null,
        Scope = row.IsDBNull(4) ? Global : OfProject,
        ProjectId = row.IsDBNull(4) ? null : row.GetInt64(4),
        CreationTime = ApiTime.Text(row.GetInt64(5)),
        UpdateTime = ApiTime.Text(row.GetInt64(6)),
    };

    private static readonly Statement Insert = new("""
        INSERT INTO labels (name, description, color, project_id, created_at, updated_at) VALUES (@0, @1, @2, @3, @4, @4) ON CONFLICT DO NOTHING RETURNING id
        """, """
        INSERT INTO labels (name, description, color, project_id, created_at, updated_at) VALUES (@0, @1, @2, @3::bigint, @4, @4) ON CONFLICT DO NOTHING RETURNING id
        """);

    private static readonly Statement SelectTaken = new(
        "SELECT 1 FROM labels WHERE name = @1 AND id <> @0 AND (project_id = @2 OR project_id IS NULL AND @2 IS NULL)",
        "SELECT 1 FROM labels WHERE name = @1 AND id <> @0 AND (project_id = @2::bigint OR project_id IS NULL AND @2::bigint IS NULL)");

    private static readonly Statement Update = new("UPDATE labels SET name = @1, description = @2, color = @3, updated_at = @4 WHERE id = @0");
    private static readonly Statement Delete = new("DELETE FROM labels WHERE id = @0");
}

/// <summary>A label as Harbor's JSON has it.</summary>
public sealed record LabelJson
{
    public long? Id { get; init; }

    public string? Name { get; init; }

    public string? Description { get; init; }

    public string? Color { get; init; }

    /// <summary><c>g</c>: of all projects; <c>p</c>: of one.</summary>
    public string? Scope { get; init; }

    public long? ProjectId { get; init; }

    public string? CreationTime { get; init; }

    public string? UpdateTime { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LabelJson))]
[JsonSerializable(typeof(List<LabelJson>))]
internal sealed partial class LabelJsonContext : JsonSerializerContext;
