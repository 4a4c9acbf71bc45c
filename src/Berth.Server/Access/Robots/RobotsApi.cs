using System.Globalization;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Settings;
using Berth.Server.Projects;

namespace Berth.Server.Access.Robots;

/// <summary>
/// Harbor's operations on robot accounts. A robot of the system takes a permission for the installation, a robot of a project one in that project;
/// what may be handed out is limited besides (<see cref="RobotLimits"/>).
/// </summary>
internal sealed class RobotsApi(Database database, DomainEvents events, RuntimeSettings settings, RobotLimits limits, TimeProvider time)
{
    private static readonly ListSql s_list = new(RobotRows.Columns, "robots", new Dictionary<string, ListColumn>(StringComparer.Ordinal)
    {
        ["id"] = new("id", ListColumnKind.Number),
        ["name"] = new("name"),
        ["description"] = new("description"),
        ["duration"] = new("duration_days", ListColumnKind.Number),
        ["disabled"] = new("is_disabled", ListColumnKind.Flag),
        ["disable"] = new("is_disabled", ListColumnKind.Flag),
        ["expiresat"] = new("expires_at", ListColumnKind.Time),
        ["creatortype"] = new("CASE creator_kind WHEN 'user' THEN 'local' ELSE creator_kind END"),
        ["creatorref"] = new("creator_id", ListColumnKind.Number),
        ["creationtime"] = new("created_at", ListColumnKind.Time),
        ["updatetime"] = new("updated_at", ListColumnKind.Time),
    }, defaultOrder: "name", lastOrder: "id");

    public static IEnumerable<ApiOperation> Operations(RobotsApi api) =>
    [
        new("GET", "/robots", "ListRobot", "robot", ApiNeed.Inside, api.ListAsync)
        {
            Summary = "List robots of the system, or of a project: q=Level=project,ProjectID=1; needs robot:list there", Answer = typeof(RobotAnswer), IsList = true,
        },
        new("POST", "/robots", "CreateRobot", "robot", ApiNeed.Inside, api.CreateAsync)
        {
            Summary = "Make a robot; needs robot:create in the project or the system; its secret is shown this once", Body = typeof(RobotRequest), Answer = typeof(RobotCreated),
        },
        new("GET", "/robots/{robot_id}", "GetRobotByID", "robot", ApiNeed.Inside, api.GetAsync)
        {
            Summary = "Look at a robot; needs robot:read where it belongs", Answer = typeof(RobotAnswer),
        },
        new("PUT", "/robots/{robot_id}", "UpdateRobot", "robot", ApiNeed.Inside, api.UpdateAsync)
        {
            Summary = "Change description, duration, state and permissions of a robot; needs robot:update where it belongs", Body = typeof(RobotRequest),
        },
        new("DELETE", "/robots/{robot_id}", "DeleteRobot", "robot", ApiNeed.Inside, api.DeleteAsync)
        {
            Summary = "Remove a robot; needs robot:delete where it belongs",
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Caller.IsAnonymous) return call.Refuse();
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var level = Exact(list, "level");
        if (level is not (null or RobotWishes.System or RobotWishes.Project)) return ApiResult.BadRequest("bad request error level input");
        ProjectFacts? project = null;
        if (level == RobotWishes.Project)
        {
            if (Exact(list, "projectid") is not { } text) return ApiResult.BadRequest("must with project ID when to query project robots");
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id <= 0) return ApiResult.BadRequest("ProjectID must be a positive integer");
            project = await database.ReadAsync(id, static (s, i, t) => ProjectRows.ReadAsync(s, i, t), ct).ConfigureAwait(false);
            if (project is null) return call.IsAdmin ? ApiResult.NotFound($"project {id} not found") : call.Refuse();
        }
        if (!await MayAsync(call, project, ProjectPermissions.RobotList, SystemPermissions.RobotList, ct).ConfigureAwait(false)) return call.Refuse();
        var query = project is null ? s_list.Of("project_id IS NULL") : s_list.Of("project_id = ?", project.Id);
        if (query.TryAdd(list.Filters, "level", "projectid") is { } problem) return ApiResult.BadRequest(problem);
        var (total, robots) = await database.ReadAsync((query, list), static async (s, q, t) =>
        {
            var total = await q.query.CountAsync(s, t).ConfigureAwait(false);
            var page = await q.query.ReadAsync(s, q.list.Page, q.list.Sort, RobotRows.Read, t).ConfigureAwait(false);
            var all = new List<(Robot Robot, List<RobotRight> Rights)>(page.Count);
            foreach (var robot in page) all.Add((robot, await RobotRows.ReadRightsAsync(s, robot.Id, t).ConfigureAwait(false)));
            return (total, all);
        }, ct).ConfigureAwait(false);
        var prefix = await PrefixAsync(ct).ConfigureAwait(false);
        return ApiResult.List(robots.ConvertAll(r => AnswerOf(r.Robot, prefix, r.Rights)), total, RobotJson.Default.ListRobotAnswer);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Caller.IsAnonymous) return call.Refuse();
        var (isRead, wish, refusal) = await call.ReadAsync(RobotJson.Default.RobotRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (!RobotNames.IsValid(wish.Name ?? "")) return ApiResult.BadRequest("robot name is not in lower case or contains illegal characters");
        var duration = wish.Duration ?? Math.Min(RobotWishes.MaxDays, await settings.ReadAsync(RuntimeSettingTable.RobotTokenDuration, ct).ConfigureAwait(false));
        if (RobotWishes.ProblemOf(wish.Level, duration, wish.Permissions) is { } problem) return ApiResult.BadRequest(problem);

        ProjectFacts? project = null;
        if (wish.Level == RobotWishes.Project)
        {
            project = await call.FindProjectAsync(wish.Permissions![0]!.Namespace!, ct).ConfigureAwait(false);
            if (project is null) return call.IsAdmin ? ApiResult.NotFound($"project {wish.Permissions[0]!.Namespace} not found") : call.Refuse();
        }
        if (!await MayAsync(call, project, ProjectPermissions.RobotCreate, SystemPermissions.RobotCreate, ct).ConfigureAwait(false)) return call.Refuse();
        var (rights, missing) = await RobotWishes.ReadAsync(call, wish.Permissions!, ct).ConfigureAwait(false);
        if (missing is not null) return missing;
        if (!await limits.CoverAsync(call, rights, ct).ConfigureAwait(false)) return Beyond(call);

        var secret = RobotSecrets.New();
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var robot = new Robot
        {
            Name = project is null ? wish.Name! : $"{project.Name}+{wish.Name}",
            ProjectId = project?.Id,
            Description = wish.Description ?? "",
            SecretHash = RobotSecrets.HashOfRandom(secret),
            IsDisabled = wish.Disable,
            DurationDays = (int)duration,
            ExpiresAt = RobotWishes.EndOf(now, duration),
            CreatorKind = call.Caller.Kind == CallerKind.Robot ? "robot" : "user",
            CreatorId = call.Caller.SubjectId,
            CreatedAt = now,
        };
        var id = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await RobotRows.AddAsync(session, robot, token).ConfigureAwait(false) is not { } added) return 0L;
            await RobotRows.WriteRightsAsync(session, added, rights, token).ConfigureAwait(false);
            await RobotRows.AnnounceAsync(session, added, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "create", robot, project?.Name, "was made", token).ConfigureAwait(false);
            return added;
        }, ct).ConfigureAwait(false);
        return id == 0
            ? ApiResult.Conflict($"robot account {robot.ProjectId ?? 0}:{robot.Name} already exists")
            : ApiResult.Created($"{call.Http.Request.PathBase}{call.Operation.Route}/{id}",
                new RobotCreated(id, await NameOfAsync(robot, ct).ConfigureAwait(false), secret, ApiTime.Text(now), SecondsOf(robot.ExpiresAt)), RobotJson.Default.RobotCreated);
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (robot, rights, _, refusal) = await FindAsync(call, ProjectPermissions.RobotRead, SystemPermissions.RobotRead, ct).ConfigureAwait(false);
        return refusal ?? ApiResult.Ok(AnswerOf(robot, await PrefixAsync(ct).ConfigureAwait(false), rights), RobotJson.Default.RobotAnswer);
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Caller.IsAnonymous) return call.Refuse();
        var (robot, before, project, refusal) = await FindAsync(call, ProjectPermissions.RobotUpdate, null, ct).ConfigureAwait(false);
        if (refusal is not null) return refusal;
        var (isRead, wish, unread) = await call.ReadAsync(RobotJson.Default.RobotRequest, ct).ConfigureAwait(false);
        if (!isRead) return unread!;
        var duration = wish.Duration ?? robot.DurationDays;
        if (RobotWishes.ProblemOf(wish.Level, duration, wish.Permissions) is { } problem) return ApiResult.BadRequest(problem);
        var (rights, missing) = await RobotWishes.ReadAsync(call, wish.Permissions!, ct).ConfigureAwait(false);
        if (missing is not null) return missing;
        if (wish.Level != LevelOf(robot) || wish.Name != await NameOfAsync(robot, ct).ConfigureAwait(false)) return ApiResult.BadRequest("cannot update the level or name of robot");
        if (robot.ProjectId is { } home && rights[0].ProjectId != home) return ApiResult.BadRequest("cannot update the project id of robot");
        if (!await limits.CoverAsync(call, rights, ct).ConfigureAwait(false) || !await limits.CoverAsync(call, before, ct).ConfigureAwait(false)) return Beyond(call);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await RobotRows.FindAsync(session, robot.Id, token).ConfigureAwait(false) is not { } current) return Missing(robot.Id);
            if (duration != current.DurationDays) current.ExpiresAt = RobotWishes.EndOf(current.CreatedAt, duration);
            (current.DurationDays, current.Description, current.IsDisabled) = ((int)duration, wish.Description ?? "", wish.Disable);
            current.UpdatedAt = time.GetUtcNow().ToUnixTimeMilliseconds();
            await RobotRows.UpdateAsync(session, current, token).ConfigureAwait(false);
            await RobotRows.WriteRightsAsync(session, robot.Id, rights, token).ConfigureAwait(false);
            await RobotRows.AnnounceAsync(session, robot.Id, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "update", current, project?.Name, "was changed", token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        var (robot, _, project, refusal) = await FindAsync(call, ProjectPermissions.RobotDelete, SystemPermissions.RobotDelete, ct).ConfigureAwait(false);
        if (refusal is not null) return refusal;
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await RobotRows.FindAsync(session, robot.Id, token).ConfigureAwait(false) is null) return Missing(robot.Id);
            await RobotRows.DeleteAsync(session, robot.Id, token).ConfigureAwait(false);
            await RobotRows.AnnounceAsync(session, robot.Id, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "delete", robot, project?.Name, "was removed", token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    /// <summary>The robot of the path with its rights and its project, for a caller with the permission; the answer when there is none.</summary>
    /// <param name="call">The call.</param>
    /// <param name="inProject">What is needed for a robot of a project.</param>
    /// <param name="inSystem">What is needed for a robot of the system; null where only administrators may.</param>
    /// <param name="ct">Cancels.</param>
    internal async ValueTask<(Robot Robot, List<RobotRight> Rights, ProjectFacts? Project, ApiResult? Refusal)> FindAsync(
        ApiCall call, Permission inProject, Permission? inSystem, CancellationToken ct)
    {
        if (call.Caller.IsAnonymous) return (null!, null!, null, call.Refuse());
        if (call.RouteNumber("robot_id") is not { } id) return (null!, null!, null, ApiResult.Fail(ApiError.Unprocessable, "robot_id in path must be a whole number"));
        var (robot, rights, project) = await database.ReadAsync(id, static async (s, i, t) =>
        {
            var robot = await RobotRows.FindAsync(s, i, t).ConfigureAwait(false);
            if (robot is null) return (robot, new List<RobotRight>(), (ProjectFacts?)null);
            return (robot, await RobotRows.ReadRightsAsync(s, i, t).ConfigureAwait(false),
                robot.ProjectId is { } p ? await ProjectRows.ReadAsync(s, p, t).ConfigureAwait(false) : null);
        }, ct).ConfigureAwait(false);
        if (robot is null) return (null!, null!, null, Missing(id));
        return await MayAsync(call, project, inProject, inSystem, ct).ConfigureAwait(false) ? (robot, rights, project, null) : (null!, null!, null, call.Refuse());
    }

    /// <summary>Name with the prefix.</summary>
    internal async ValueTask<string> NameOfAsync(Robot robot, CancellationToken ct) => await PrefixAsync(ct).ConfigureAwait(false) + robot.Name;

    private ValueTask<string> PrefixAsync(CancellationToken ct) => settings.ReadAsync(RuntimeSettingTable.RobotNamePrefix, ct);

    internal static ApiResult Missing(long id) => ApiResult.NotFound($"robot {id} not found");

    /// <summary>The answer for somebody who would hand out more than there is to give.</summary>
    internal static ApiResult Beyond(ApiCall call) => ApiResult.Fail(
        ApiError.Denied, $"permission scope is invalid. It must be equal to or more restrictive than the creator's permissions: {call.Caller.Name}");

    internal async ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, Robot robot, string? project, string what, CancellationToken ct)
    {
        var name = await NameOfAsync(robot, ct).ConfigureAwait(false);
        await events.RaiseAsync(session, new DomainEvent
        {
            Operation = operation,
            ResourceType = "robot",
            Resource = name,
            ProjectId = robot.ProjectId,
            ProjectName = project,
            Actor = call.Actor,
            Description = $"robot {name} {what}",
        }, ct).ConfigureAwait(false);
    }

    private static async ValueTask<bool> MayAsync(ApiCall call, ProjectFacts? project, Permission inProject, Permission? inSystem, CancellationToken ct) =>
        project is not null ? await call.MayAsync(project, inProject, ct).ConfigureAwait(false)
        : inSystem is not null ? await call.MayAsync(inSystem, ct).ConfigureAwait(false)
        : call.IsAdmin;

    private static string? Exact(ApiList list, string key)
    {
        foreach (var filter in list.Filters)
        {
            if (filter.Kind == FilterKind.Exact && string.Equals(filter.Key.Replace("_", "", StringComparison.Ordinal), key, StringComparison.OrdinalIgnoreCase)) return filter.Value;
        }
        return null;
    }

    private static RobotAnswer AnswerOf(Robot robot, string prefix, List<RobotRight> rights) => new()
    {
        Id = robot.Id,
        Name = prefix + robot.Name,
        Description = robot.Description.Length == 0 ? null : robot.Description,
        Level = LevelOf(robot),
        Duration = robot.DurationDays,
        Editable = true,
        Disable = robot.IsDisabled,
        ExpiresAt = SecondsOf(robot.ExpiresAt),
        Permissions = rights.ConvertAll(r => new RobotGrant(
            r.Scope == PermissionScope.System ? RobotWishes.System : RobotWishes.Project,
            r.Scope == PermissionScope.System ? "/" : r.ProjectName ?? "*",
            [.. r.Set.Members(r.Scope).Select(p => new RobotAccess(p.Resource, p.Action, "allow"))])),
        CreatorType = robot.CreatorKind == "user" ? "local" : robot.CreatorKind,
        CreatorRef = robot.CreatorId,
        CreationTime = ApiTime.Text(robot.CreatedAt),
        UpdateTime = ApiTime.Text(robot.UpdatedAt),
    };

    private static string LevelOf(Robot robot) => robot.ProjectId is null ? RobotWishes.System : RobotWishes.Project;

    private static long SecondsOf(long? milliseconds) => milliseconds is { } at ? at / 1000 : -1;
}
