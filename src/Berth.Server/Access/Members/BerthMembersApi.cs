using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Access.Members;

/// <summary>Members of projects in our own words: robots too, roles by name, custom ones among them.</summary>
internal sealed class BerthMembersApi(Database database, MemberChanges changes)
{
    private const string All = "/projects/{project_name_or_id}/members";
    private const string One = "/projects/{project_name_or_id}/members/{id}";

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(BerthMembersApi api) =>
    [
        new(HttpMethods.Get, All, "listMembers", "member", ApiNeed.Project(ProjectPermissions.MemberList), api.ListAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Users, groups and robots with a role in the project, by name.", Answer = typeof(BerthMember), IsList = true, Query = ["name"],
        },
        new(HttpMethods.Post, All, "createMember", "member", ApiNeed.Project(ProjectPermissions.MemberCreate), api.CreateAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Gives a user, a group or a robot a role in the project.", Body = typeof(BerthMemberRequest),
        },
        new(HttpMethods.Put, One, "updateMember", "member", ApiNeed.Project(ProjectPermissions.MemberUpdate), api.UpdateAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Gives a member another role; kind and name are not read.", Body = typeof(BerthMemberRequest),
        },
        new(HttpMethods.Delete, One, "deleteMember", "member", ApiNeed.Project(ProjectPermissions.MemberDelete), api.DeleteAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Ends a membership.",
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal)) return refusal!;
        var query = MemberRows.List(call.Project!.Id, withRobots: true, call.Query("name"));
        var (total, rows) = await database.ReadAsync((query, page), static async (session, q, token) =>
            (await q.query.CountAsync(session, token).ConfigureAwait(false), await MemberRows.ReadAsync(session, q.query, q.page, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List(
            [.. rows.Select(m => new BerthMember(m.Id, Subjects.WordOf(m.Subject.Kind), m.Subject.Name, m.RoleId, m.RoleName))], total, MemberJsonContext.Default.ListBerthMember);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(MemberJsonContext.Default.BerthMemberRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (Subjects.KindOf(request.Kind) is not (SubjectKind.User or SubjectKind.Group or SubjectKind.Robot) || Subjects.KindOf(request.Kind) is not { } kind)
            return ApiResult.BadRequest("kind must be user, group or robot");
        if (string.IsNullOrEmpty(request.Name) || string.IsNullOrEmpty(request.Role)) return ApiResult.BadRequest("name and role are needed");
        var (id, failure) = await changes.AddAsync(call, async (session, token) =>
        {
            var subject = await Subjects.FindAsync(session, kind, request.Name, call.Project!.Id, token).ConfigureAwait(false);
            return (subject, subject is null ? ApiResult.NotFound($"{request.Kind} {request.Name} is not found") : null);
        }, request.Role, ct).ConfigureAwait(false);
        return failure ?? ApiResult.Created($"/api/berth/v1/projects/{call.Route("project_name_or_id")}/members/{id}");
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(MemberJsonContext.Default.BerthMemberRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (call.RouteNumber("id") is not { } id) return ApiResult.NotFound("there is no such member");
        return string.IsNullOrEmpty(request.Role) ? ApiResult.BadRequest("role is needed") : await changes.SetRoleAsync(call, id, request.Role, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("id") is not { } id) return ApiResult.NotFound("there is no such member");
        var done = await changes.DeleteAsync(call, id, ct).ConfigureAwait(false);
        return done.Failure is null ? ApiResult.NoContent : done;
    }
}
