using System.Globalization;
using Berth.Server.Api;
using Berth.Server.Identity.Ldap;
using Berth.Server.Platform.Data;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Access.Members;

/// <summary>Members of projects as Harbor's clients know them: users and groups.</summary>
internal sealed class MembersApi(Database database, MemberChanges changes, IMemberSource source)
{
    private const string All = "/projects/{project_name_or_id}/members";
    private const string One = "/projects/{project_name_or_id}/members/{mid}";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(MembersApi api) =>
    [
        new(HttpMethods.Get, All, "listProjectMembers", "member", ApiNeed.Project(ProjectPermissions.MemberList), api.ListAsync)
        {
            Summary = "Users and groups with a role in the project, by name.", Answer = typeof(MemberEntity), IsList = true, Query = ["entityname"],
        },
        new(HttpMethods.Post, All, "createProjectMember", "member", ApiNeed.Project(ProjectPermissions.MemberCreate), api.CreateAsync)
        {
            Summary = "Gives a user or a group a role in the project, at most one that allows what the caller may do.", Body = typeof(MemberRequest),
        },
        new(HttpMethods.Get, One, "getProjectMember", "member", ApiNeed.Project(ProjectPermissions.MemberRead), api.GetAsync)
        {
            Summary = "One member.", Answer = typeof(MemberEntity),
        },
        new(HttpMethods.Put, One, "updateProjectMember", "member", ApiNeed.Project(ProjectPermissions.MemberUpdate), api.UpdateAsync)
        {
            Summary = "Gives a member another role.", Body = typeof(MemberRoleRequest),
        },
        new(HttpMethods.Delete, One, "deleteProjectMember", "member", ApiNeed.Project(ProjectPermissions.MemberDelete), api.DeleteAsync)
        {
            Summary = "Ends a membership.",
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal)) return refusal!;
        var query = MemberRows.List(call.Project!.Id, withRobots: false, call.Query("entityname"));
        var (total, rows) = await database.ReadAsync((query, page), static async (session, q, token) =>
            (await q.query.CountAsync(session, token).ConfigureAwait(false), await MemberRows.ReadAsync(session, q.query, q.page, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List([.. rows.Select(EntityOf)], total, MemberJsonContext.Default.ListMemberEntity);
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        if (IdOf(call) is not { } id) return BadId();
        var member = await database.ReadAsync((call.Project!.Id, id), static (s, q, t) => MemberRows.FindAsync(s, q.Id, q.id, t), ct).ConfigureAwait(false);
        // A robot is no member in Harbor's words.
        return member is null || member.Subject.Kind == SubjectKind.Robot ? MemberChanges.NotFound(call, id) : ApiResult.Ok(EntityOf(member), MemberJsonContext.Default.MemberEntity);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(MemberJsonContext.Default.MemberRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var (known, unavailable) = await KnowAsync(call, request, ct).ConfigureAwait(false);
        if (unavailable is not null) return unavailable;
        var role = (request.RoleId ?? 0).ToString(CultureInfo.InvariantCulture);
        var (id, failure) = await changes.AddAsync(call, (session, token) => FindAsync(session, known, token), role, ct).ConfigureAwait(false);
        return failure ?? ApiResult.Created($"/api/v2.0/projects/{call.Route("project_name_or_id")}/members/{id}");
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        if (IdOf(call) is not { } id) return BadId();
        var (isRead, request, refusal) = await call.ReadAsync(MemberJsonContext.Default.MemberRoleRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (request.RoleId is not { } role) return ApiResult.BadRequest("role can not be empty");
        return await changes.SetRoleAsync(call, id, role.ToString(CultureInfo.InvariantCulture), ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct) => IdOf(call) is { } id ? await changes.DeleteAsync(call, id, ct).ConfigureAwait(false) : BadId();

    // Whom nobody here has the name of is asked for elsewhere, outside of any transaction; the request then names the number of what was made.
    private async Task<(MemberRequest Request, ApiResult? Refusal)> KnowAsync(ApiCall call, MemberRequest request, CancellationToken ct)
    {
        var (user, group) = (request.MemberUser, request.MemberGroup);
        if (user?.UserId > 0 || group?.Id > 0) return (request, null);
        if (await database.ReadAsync(request, static async (s, r, t) => (await FindAsync(s, r, t).ConfigureAwait(false)).Item1, ct).ConfigureAwait(false) is not null) return (request, null);
        var isUser = user?.Username is { Length: > 0 };
        if (!isUser && group is null) return (request, null);
        var answer = isUser ? await source.AddUserAsync(user!.Username!, call.Actor, ct).ConfigureAwait(false) : await source.AddGroupAsync(group!, call.Actor, ct).ConfigureAwait(false);
        if (answer.Problem is { } problem) return (request, ApiResult.Fail(ApiError.Unavailable, problem));
        if (answer.Id is not { } id) return (request, null);
        return (isUser ? request with { MemberUser = new MemberUser { UserId = id } } : request with { MemberGroup = new MemberGroup { Id = id } }, null);
    }

    // In Harbor's order: number of the user, number of the group, name of the user, distinguished name, name of the group.
    private static async ValueTask<(Subject?, ApiResult?)> FindAsync(DbSession session, MemberRequest request, CancellationToken ct)
    {
        var (user, group) = (request.MemberUser, request.MemberGroup);
        if (user?.UserId > 0)
            return await ReadAsync(session, SubjectKind.User, SelectUserById, user.UserId, ApiResult.BadRequest($"User {user.UserId} not found"), ct).ConfigureAwait(false);
        if (group?.Id > 0)
            return await ReadAsync(session, SubjectKind.Group, SelectGroupById, group.Id, ApiResult.BadRequest($"Group {group.Id} not found"), ct).ConfigureAwait(false);
        if (user?.Username is { Length: > 0 } name)
            return await ReadAsync(session, SubjectKind.User, SelectUserByName, name, ApiResult.NotFound($"user {name} is not found"), ct).ConfigureAwait(false);
        if (group?.LdapGroupDn is { Length: > 0 } dn)
            return await ReadAsync(session, SubjectKind.Group, SelectGroupByDn, LdapDn.Normalize(dn) ?? dn, ApiResult.NotFound($"group {dn} is not found"), ct).ConfigureAwait(false);
        if (group?.GroupName is { Length: > 0 } groupName)
            return await FindGroupAsync(session, groupName, group.GroupType, ct).ConfigureAwait(false);
        return (null, ApiResult.BadRequest("at least one of member_user or member_group must be provided"));
    }

    private static async ValueTask<(Subject?, ApiResult?)> FindGroupAsync(DbSession session, string name, int? kind, CancellationToken ct)
    {
        var refusal = ApiResult.NotFound($"group {name} is not found");
        await using var row = await session.Command(SelectGroupByName, name, (long)(kind ?? -1)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (new Subject(SubjectKind.Group, row.GetInt64(0), row.GetString(1)), null) : (null, refusal);
    }

    private static async ValueTask<(Subject?, ApiResult?)> ReadAsync(DbSession session, SubjectKind kind, Statement statement, object? key, ApiResult refusal, CancellationToken ct)
    {
        await using var row = await session.Command(statement, key).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (new Subject(kind, row.GetInt64(0), row.GetString(1)), null) : (null, refusal);
    }

    private static MemberEntity EntityOf(MemberRow member) => new()
    {
        Id = member.Id,
        ProjectId = member.ProjectId,
        EntityName = member.Subject.Name,
        EntityId = member.Subject.Id,
        EntityType = member.Subject.Kind == SubjectKind.Group ? "g" : "u",
        RoleId = member.RoleId,
        RoleName = member.RoleName,
    };

    private static long? IdOf(ApiCall call) => call.RouteNumber("mid") is { } id and > 0 ? id : null;

    private static ApiResult BadId() => ApiResult.BadRequest("the project member id is required.");

    private static readonly Statement SelectUserById = new("SELECT id, name FROM users WHERE id = @0");
    private static readonly Statement SelectUserByName = new("SELECT id, name FROM users WHERE name = @0");
    private static readonly Statement SelectGroupById = new("SELECT id, name FROM user_groups WHERE id = @0");
    private static readonly Statement SelectGroupByDn = new("SELECT id, name FROM user_groups WHERE ldap_dn = @0");
    private static readonly Statement SelectGroupByName = new("SELECT id, name FROM user_groups WHERE name = @0 AND (@1 < 0 OR kind = @1) ORDER BY kind LIMIT 1");
}
