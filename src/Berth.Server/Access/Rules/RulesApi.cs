using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Access.Rules;

/// <summary>
/// Rules below a project: who may do what with which repositories and tags, beside the roles (<see cref="AccessRules"/> says which one decides). They are about access, so
/// whoever manages members manages them; nobody allows by a rule what they may not do themselves.
/// </summary>
internal sealed class RulesApi(Database database, DomainEvents events, TimeProvider time)
{
    private const int MaxRules = 1000;
    private const string All = "/projects/{project_name_or_id}/access-rules";
    private const string One = "/projects/{project_name_or_id}/access-rules/{id}";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(RulesApi api) =>
    [
        new(HttpMethods.Get, All, "listAccessRules", "access", ApiNeed.Project(ProjectPermissions.MemberList), api.ListAsync)
        {
            Surface = ApiSurface.Berth, Summary = "The access rules of a project.", Answer = typeof(RuleJson), IsList = true,
        },
        new(HttpMethods.Post, All, "createAccessRule", "access", ApiNeed.Project(ProjectPermissions.MemberCreate), api.CreateAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Makes a rule that allows or denies actions on repositories and tags.", Body = typeof(RuleJson),
        },
        new(HttpMethods.Get, One, "getAccessRule", "access", ApiNeed.Project(ProjectPermissions.MemberRead), api.GetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "One access rule.", Answer = typeof(RuleJson),
        },
        new(HttpMethods.Put, One, "updateAccessRule", "access", ApiNeed.Project(ProjectPermissions.MemberUpdate), api.UpdateAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Changes an access rule; the body is the whole rule.", Body = typeof(RuleJson),
        },
        new(HttpMethods.Delete, One, "deleteAccessRule", "access", ApiNeed.Project(ProjectPermissions.MemberDelete), api.DeleteAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Deletes an access rule.",
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal)) return refusal!;
        var (total, rules) = await database.ReadAsync((query: RuleRows.List(call.Project!.Id), page), static async (session, q, token) =>
            (await q.query.CountAsync(session, token).ConfigureAwait(false), await RuleRows.ReadAsync(session, q.query, q.page, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List(rules, total, RuleJsonContext.Default.ListRuleJson);
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var rule = await database.ReadAsync((call.Project!.Id, id: call.RouteNumber("id") ?? 0), static (s, q, t) => RuleRows.FindAsync(s, q.Id, q.id, t), ct).ConfigureAwait(false);
        return rule is null ? NotFound(call) : ApiResult.Ok(rule, RuleJsonContext.Default.RuleJson);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(RuleJsonContext.Default.RuleJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (RuleRows.TryRead(request, call.Project!.Id, out var problem) is not { } rule) return ApiResult.BadRequest(problem);
        var own = await call.RightsInAsync(call.Project, ct).ConfigureAwait(false);
        if (!own.Set.Covers(RuleRows.GivenBy(rule))) return call.Refuse("forbidden: the rule allows what you may not do yourself");
        var (id, failure) = await database.WriteAsync<(long?, ApiResult?)>(Durability.Full, async (session, token) =>
        {
            if (await FindSubjectAsync(session, request, rule.ProjectId, token).ConfigureAwait(false) is not { } subject) return (null, UnknownSubject(request));
            if (await session.ScalarAsync(Count, [rule.ProjectId], token).ConfigureAwait(false) >= MaxRules) return (null, ApiResult.Conflict($"the project has {MaxRules} access rules: delete some"));
            var made = await session.ScalarAsync(Insert, [.. ValuesOf(rule, subject), rule.ProjectId, time.GetUtcNow().ToUnixTimeMilliseconds()], token).ConfigureAwait(false);
            await RaiseAsync(session, call, "create", made ?? 0, token).ConfigureAwait(false);
            return (made, null);
        }, ct).ConfigureAwait(false);
        return failure ?? ApiResult.Created($"/api/berth/v1/projects/{call.Route("project_name_or_id")}/access-rules/{id}");
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(RuleJsonContext.Default.RuleJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (call.RouteNumber("id") is not { } id) return NotFound(call);
        if (RuleRows.TryRead(request, call.Project!.Id, out var problem) is not { } rule) return ApiResult.BadRequest(problem);
        var own = await call.RightsInAsync(call.Project, ct).ConfigureAwait(false);
        if (!own.Set.Covers(RuleRows.GivenBy(rule))) return call.Refuse("forbidden: the rule allows what you may not do yourself");
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await FindSubjectAsync(session, request, rule.ProjectId, token).ConfigureAwait(false) is not { } subject) return UnknownSubject(request);
            if (await session.ExecuteAsync(Update, [.. ValuesOf(rule, subject), rule.ProjectId, id], token).ConfigureAwait(false) == 0) return NotFound(call);
            await RaiseAsync(session, call, "update", id, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("id") is not { } id) return NotFound(call);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ExecuteAsync(Delete, [call.Project!.Id, id], token).ConfigureAwait(false) == 0) return NotFound(call);
            await RaiseAsync(session, call, "delete", id, token).ConfigureAwait(false);
            return ApiResult.NoContent;
        }, ct).ConfigureAwait(false);
    }

    private static ValueTask<Subject?> FindSubjectAsync(DbSession session, RuleJson request, long projectId, CancellationToken ct) =>
        Subjects.FindAsync(session, Subjects.KindOf(request.Subject!.Kind)!.Value, request.Subject.Name ?? "", projectId, ct);

    private static object?[] ValuesOf(AccessRule rule, Subject subject) =>
        [(int)subject.Kind, subject.Id, rule.RepositoryPattern, rule.TagPattern, (int)rule.Actions, rule.IsAllowed, rule.Description];

    private async ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, long id, CancellationToken ct)
    {
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
        await events.RaiseAsync(session, new DomainEvent
        {
            Operation = operation,
            ResourceType = "access-rule",
            Resource = id.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ProjectId = call.Project!.Id,
            ProjectName = call.Project.Name,
            Actor = call.Actor,
            Description = $"{operation} access rule {id} of project {call.Project.Name}",
        }, ct).ConfigureAwait(false);
    }

    private static ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"access rule {call.Route("id")} not found");

    private static ApiResult UnknownSubject(RuleJson request) => ApiResult.BadRequest($"there is no {request.Subject!.Kind} {request.Subject.Name}");

    private static readonly Statement Count = new("SELECT COUNT(*) FROM access_rules WHERE project_id = @0");

    private static readonly Statement Insert = new("""
        INSERT INTO access_rules (subject_kind, subject_id, repository_pattern, tag_pattern, actions, is_allowed, description, project_id, created_at)
        VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8) RETURNING id
        """);

    private static readonly Statement Update = new("""
        UPDATE access_rules SET subject_kind = @0, subject_id = @1, repository_pattern = @2, tag_pattern = @3, actions = @4, is_allowed = @5, description = @6
        WHERE project_id = @7 AND id = @8
        """);

    private static readonly Statement Delete = new("DELETE FROM access_rules WHERE project_id = @0 AND id = @1");
}
