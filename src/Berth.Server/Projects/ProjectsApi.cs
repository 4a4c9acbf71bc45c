using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Projects;

/// <summary>Reading projects: the list, one of them, its summary, whether it can be deleted.</summary>
internal sealed class ProjectsApi(Database database)
{
    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(ProjectsApi api) =>
    [
        new(HttpMethods.Get, "/projects", "listProjects", "project", ApiNeed.Anybody, api.ListAsync)
        {
            Summary = "The projects that the caller may see: public ones, and those in which the caller is a member; all of them for administrators.",
            Answer = typeof(ProjectJson), IsList = true, Query = ["name", "public", "owner", "with_detail"],
        },
        new(HttpMethods.Head, "/projects", "headProject", "project", ApiNeed.SignedIn, api.HeadAsync)
        {
            Summary = "Whether there is a project of a name.", Query = ["project_name"],
        },
        new(HttpMethods.Get, "/projects/{project_name_or_id}", "getProject", "project", ApiNeed.Project(ProjectPermissions.ProjectRead), api.GetAsync)
        {
            Summary = "A project.", Answer = typeof(ProjectJson),
        },
        new(HttpMethods.Get, "/projects/{project_name_or_id}/_deletable", "getProjectDeletable", "project", ApiNeed.Project(ProjectPermissions.ProjectDelete), api.GetDeletableAsync)
        {
            Summary = "Whether a project can be deleted.", Answer = typeof(ProjectDeletable),
        },
        new(HttpMethods.Get, "/projects/{project_name_or_id}/summary", "getProjectSummary", "project", ApiNeed.Project(ProjectPermissions.ProjectRead), api.GetSummaryAsync)
        {
            Summary = "A project at a glance: repositories, members by role, quota.", Answer = typeof(ProjectSummary),
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        if (call.Query("public") is { Length: > 0 } text && text is not ("true" or "false" or "1" or "0"))
            return ApiResult.Fail(ApiError.Unprocessable, "public in query must be of type boolean");
        bool? isPublic = call.Query("public").Length > 0 ? call.Flag("public") : null;
        var query = ProjectLists.All();
        if (query.TryAdd(list.Filters) is { } problem) return ApiResult.BadRequest(problem);
        if (call.Query("name") is { Length: > 0 } name) query.AddContains("p.name", name);
        if (call.Query("owner") is { Length: > 0 } owner) query.Add("u.name = ?", owner);
        if (isPublic is not null) query.Add("p.is_public = ?", isPublic.Value);
        await AddVisibleAsync(call, query, isPublic ?? PublicOf(list), ct).ConfigureAwait(false);
        var withDetail = call.Flag("with_detail", whenMissing: true);
        var (total, items) = await database.ReadAsync((query, list, call.Caller, withDetail), static async (session, q, token) =>
            (await q.query.CountAsync(session, token).ConfigureAwait(false),
             await ProjectLists.ReadAsync(session, q.Caller, q.query, q.list.Page, q.list.Sort, q.withDetail, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List(items, total, ProjectJsonContext.Default.ListProjectJson);
    }

    // Harbor looks at this only to know whether public projects of others belong in the list.
    private static bool? PublicOf(ApiList list) => list.Find("public") is { Kind: FilterKind.Exact } filter ? filter.Value is "true" or "1" : null;

    private static async ValueTask AddVisibleAsync(ApiCall call, ListSql.Query query, bool? isPublic, CancellationToken ct)
    {
        var caller = call.Caller;
        // A limited token sees no more than it is good for, whoever its owner is.
        if (await call.MayAsync(SystemPermissions.ProjectList, ct).ConfigureAwait(false)) return;
        if (caller.Scopes is { } scopes) AddNames(query, scopes.Projects);
        if (caller.IsAdmin) return;
        var orPublic = isPublic == false ? "" : "p.is_public OR ";
        switch (caller.Kind)
        {
            case CallerKind.User:
                query.Add($"""
                    ({orPublic}p.id IN (SELECT project_id FROM project_members WHERE subject_kind = 1 AND subject_id = ?
                        UNION SELECT m.project_id FROM user_group_members g JOIN project_members m ON m.subject_kind = 2 AND m.subject_id = g.group_id WHERE g.user_id = ?))
                    """, caller.SubjectId, caller.SubjectId);
                break;
            case CallerKind.Robot:
                query.Add($"""
                    ({orPublic}EXISTS (SELECT 1 FROM robot_permissions r WHERE r.robot_id = ? AND r.scope = 0 AND (r.project_id IS NULL OR r.project_id = p.id))
                        OR p.id IN (SELECT project_id FROM project_members WHERE subject_kind = 3 AND subject_id = ?))
                    """, caller.SubjectId, caller.SubjectId);
                break;
            default:
                query.Add(isPublic == false ? "1 = 0" : "p.is_public");
                break;
        }
    }

    private static void AddNames(ListSql.Query query, IReadOnlyCollection<string> names)
    {
        if (names.Contains("*")) return;
        if (names.Count == 0) query.Add("1 = 0");
        else query.Add($"p.name IN ({string.Join(", ", names.Select(_ => "?"))})", [.. names]);
    }

    private async Task<ApiResult> HeadAsync(ApiCall call, CancellationToken ct)
    {
        var name = call.Query("project_name");
        if (name.Length == 0) return ApiResult.Fail(ApiError.Unprocessable, "project_name in query is required");
        return await call.FindProjectAsync(name, ct).ConfigureAwait(false) is null ? ApiResult.NotFound($"project {name} not found") : ApiResult.Done;
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var project = await database.ReadAsync((call.Caller, call.Project!.Id), static (s, q, t) => ProjectLists.ReadOneAsync(s, q.Caller, q.Id, t), ct).ConfigureAwait(false);
        return project is null ? ApiResult.NotFound($"project {call.Project.Name} not found") : ApiResult.Ok(project, ProjectJsonContext.Default.ProjectJson);
    }

    private async Task<ApiResult> GetDeletableAsync(ApiCall call, CancellationToken ct)
    {
        var repositories = await database.ReadAsync(call.Project!.Id, static (s, id, t) => s.ScalarAsync(SelectRepositoryCount, [id], t), ct).ConfigureAwait(false);
        return ApiResult.Ok(new ProjectDeletable(repositories == 0, repositories == 0 ? null : ProjectChangesApi.HoldsRepositories), ProjectJsonContext.Default.ProjectDeletable);
    }

    private async Task<ApiResult> GetSummaryAsync(ApiCall call, CancellationToken ct)
    {
        var mayQuota = await call.MayAsync(ProjectPermissions.QuotaRead, ct).ConfigureAwait(false);
        var mayMembers = await call.MayAsync(ProjectPermissions.MemberList, ct).ConfigureAwait(false);
        var summary = await database.ReadAsync((call.Project!.Id, mayQuota, mayMembers), static (s, q, t) => ReadSummaryAsync(s, q.Id, q.mayQuota, q.mayMembers, t), ct).ConfigureAwait(false);
        return summary is null ? ApiResult.NotFound($"project {call.Project.Name} not found") : ApiResult.Ok(summary, ProjectJsonContext.Default.ProjectSummary);
    }

    private static async ValueTask<ProjectSummary?> ReadSummaryAsync(DbSession session, long id, bool withQuota, bool withMembers, CancellationToken ct)
    {
        ProjectSummary summary;
        await using (var row = await session.Command(SelectUsage, id).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
            summary = new ProjectSummary
            {
                RepoCount = row.GetInt64(0),
                Quota = withQuota ? new ProjectQuota(Storage(row.GetInt64(1)), Storage(row.GetInt64(2))) : null,
            };
        }
        if (!withMembers) return summary;
        var members = new Dictionary<long, long>();
        await using var rows = await session.Command(SelectMemberCounts, id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) members[rows.GetInt64(0)] = rows.GetInt64(1);
        return summary with
        {
            ProjectAdminCount = members.GetValueOrDefault(BuiltInRoles.ProjectAdmin),
            MaintainerCount = members.GetValueOrDefault(BuiltInRoles.Maintainer),
            DeveloperCount = members.GetValueOrDefault(BuiltInRoles.Developer),
            GuestCount = members.GetValueOrDefault(BuiltInRoles.Guest),
            LimitedGuestCount = members.GetValueOrDefault(BuiltInRoles.LimitedGuest),
        };
    }

    private static Dictionary<string, long> Storage(long bytes) => new() { ["storage"] = bytes };

    private static readonly Statement SelectRepositoryCount = new("SELECT repository_count FROM projects WHERE id = @0");
    private static readonly Statement SelectUsage = new("SELECT repository_count, quota_bytes, used_bytes FROM projects WHERE id = @0");

    private static readonly Statement SelectMemberCounts = new(
        "SELECT role_id, COUNT(*) FROM project_members WHERE project_id = @0 AND subject_kind IN (1, 2) GROUP BY role_id");
}
