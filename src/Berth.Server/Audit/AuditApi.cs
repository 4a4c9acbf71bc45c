using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Text;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Audit;

/// <summary>
/// Harbor's lists of audit entries, the older form and the one of now, of the installation and of a project; and our export. Who may list the audit log of the
/// installation sees all of it, everybody else the entries of the projects whose log they may list.
/// </summary>
internal sealed class AuditApi(Database database, AuditExport export)
{
    internal static IEnumerable<ApiOperation> Operations(AuditApi api) =>
    [
        new(HttpMethods.Get, "/audit-logs", "listAuditLogs", "auditlog", ApiNeed.SignedIn, api.ListAsync) { Answer = typeof(AuditLog), IsList = true, Summary = "Audit entries, Harbor's older form; those of the projects whose log the caller may list" },
        new(HttpMethods.Get, "/auditlog-exts", "listAuditLogExts", "auditlog", ApiNeed.SignedIn, api.ListExtsAsync) { Answer = typeof(AuditLogExt), IsList = true, Summary = "Audit entries; those of the projects whose log the caller may list" },
        new(HttpMethods.Get, "/auditlog-exts/events", "listAuditLogEventTypes", "auditlog", ApiNeed.System(SystemPermissions.AuditLogList), ListEventTypesAsync) { Answer = typeof(AuditLogEventType), IsList = true, Summary = "Types of events" },
        new(HttpMethods.Get, "/projects/{project_name}/logs", "getLogs", "project", ApiNeed.Project(ProjectPermissions.LogList), api.ListAsync) { Answer = typeof(AuditLog), IsList = true, Summary = "Audit entries of a project, Harbor's older form" },
        new(HttpMethods.Get, "/projects/{project_name}/auditlog-exts", "getLogExts", "project", ApiNeed.Project(ProjectPermissions.LogList), api.ListExtsAsync) { Answer = typeof(AuditLogExt), IsList = true, Summary = "Audit entries of a project" },
        new(HttpMethods.Get, "/audit/export", "exportAudit", "audit", ApiNeed.System(SystemPermissions.AuditLogList), api.ExportAsync) { Surface = ApiSurface.Berth, Query = ["from", "to", "format"], Answer = typeof(AuditRecord), Summary = "All audit entries of a time, one a line: format=jsonl or csv" },
    ];

    private Task<ApiResult> ExportAsync(ApiCall call, CancellationToken ct) => export.RunAsync(call, ct);

    private Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct) => ReadAsync(call, static (page, total) => ApiResult.List(
        [.. page.Select(e => new AuditLog { Id = e.Id, Username = e.Actor, Resource = e.Resource, ResourceType = e.ResourceType, Operation = e.Operation, OpTime = UtcText.Of(e.At) })],
        total, AuditJson.Default.ListAuditLog), ct);

    private Task<ApiResult> ListExtsAsync(ApiCall call, CancellationToken ct) => ReadAsync(call, static (page, total) => ApiResult.List(
        [.. page.Select(e => new AuditLogExt
        {
            Id = e.Id, Username = e.Actor, Resource = e.Resource, ResourceType = e.ResourceType, Operation = e.Operation, OpTime = UtcText.Of(e.At),
            OperationDescription = e.Description, OperationResult = e.IsSuccessful,
        })],
        total, AuditJson.Default.ListAuditLogExt), ct);

    private async Task<ApiResult> ReadAsync(ApiCall call, Func<List<AuditEntry>, long, ApiResult> answer, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var query = new AuditQuery();
        if (call.Project is { } project) query.In([project.Id]);
        else if (!await call.MayAsync(SystemPermissions.AuditLogList, ct).ConfigureAwait(false)) query.In(await ReadableAsync(call, ct).ConfigureAwait(false));
        if (query.TryAdd(list) is { } problem) return ApiResult.BadRequest(problem);
        var (page, total) = await database.ReadAsync((query, list.Page), static (session, q, token) => q.query.ReadAsync(session, q.Page, token), ct).ConfigureAwait(false);
        return answer(page, total);
    }

    private static Task<ApiResult> ListEventTypesAsync(ApiCall call, CancellationToken ct) => Task.FromResult(
        ApiResult.Ok([.. AuditWords.EventTypes.Select(t => new AuditLogEventType { EventType = t })], AuditJson.Default.ListAuditLogEventType));

    // Projects in which the caller is a member, of those the ones whose log the role, or the limit of the credentials, lets them list.
    private async Task<List<long>> ReadableAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Caller.Kind == CallerKind.Anonymous) return [];
        var names = await database.ReadAsync(call.Caller, static (session, caller, token) => ReadProjectsAsync(session, caller, token), ct).ConfigureAwait(false);
        var readable = new List<long>();
        foreach (var name in names)
        {
            if (await call.FindProjectAsync(name, ct).ConfigureAwait(false) is { } project && await call.MayAsync(project, ProjectPermissions.LogList, ct).ConfigureAwait(false)) readable.Add(project.Id);
        }
        return readable;
    }

    private static async ValueTask<List<string>> ReadProjectsAsync(DbSession session, Caller caller, CancellationToken ct)
    {
        var names = new List<string>();
        var statement = caller.Kind == CallerKind.Robot ? SelectProjectsOfRobot : SelectProjectsOfUser;
        await using var reader = await session.Command(statement, caller.SubjectId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) names.Add(reader.GetString(0));
        return names;
    }

    private static readonly Statement SelectProjectsOfUser = new("""
        SELECT p.name FROM projects p WHERE p.id IN (
          SELECT project_id FROM project_members WHERE subject_kind = 1 AND subject_id = @0
          UNION SELECT m.project_id FROM project_members m JOIN user_group_members g ON g.group_id = m.subject_id AND g.user_id = @0 WHERE m.subject_kind = 2)
        """);

    private static readonly Statement SelectProjectsOfRobot = new("""
        SELECT p.name FROM projects p WHERE p.id IN (
          SELECT project_id FROM project_members WHERE subject_kind = 3 AND subject_id = @0
          UNION SELECT project_id FROM robot_permissions WHERE robot_id = @0 AND project_id IS NOT NULL)
          OR EXISTS (SELECT 1 FROM robot_permissions WHERE robot_id = @0 AND scope = 0 AND project_id IS NULL)
        """);
}
