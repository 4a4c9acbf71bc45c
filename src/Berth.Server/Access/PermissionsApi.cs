using Berth.Server.Access.Robots;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;

namespace Berth.Server.Access;

/// <summary>What permissions there are for robots, and which the caller has in a project or for the installation.</summary>
internal sealed class PermissionsApi(Database database, RightsCache rights)
{
    // What Harbor's web page asks about; some of these are for administrators only and stand in no permission set.
    private static readonly string[] s_systemWords =
    [
        "catalog:read", "audit-log:list", "project:create", "project:read", "project:update", "project:delete", "project:list",
        "user:create", "user:read", "user:update", "user:delete", "user:list",
        "user-group:create", "user-group:read", "user-group:update", "user-group:delete", "user-group:list",
        "registry:create", "registry:read", "registry:update", "registry:delete", "registry:list",
        "replication:create", "replication:read", "replication:update", "replication:list", "replication:delete",
        "distribution:create", "distribution:read", "distribution:update", "distribution:delete", "distribution:list",
        "garbage-collection:create", "garbage-collection:read", "garbage-collection:update", "garbage-collection:delete", "garbage-collection:list",
        "scan-all:create", "scan-all:read", "scan-all:update", "scan-all:delete", "scan-all:list", "scan-all:stop",
        "system-volumes:read", "ldap-user:create", "ldap-user:list", "configuration:read", "configuration:update",
        "jobservice-monitor:read", "jobservice-monitor:list", "jobservice-monitor:stop", "security-hub:read", "security-hub:list",
    ];

    public static IEnumerable<ApiOperation> Operations(PermissionsApi api) =>
    [
        new("GET", "/permissions", "getPermissions", "permissions", ApiNeed.Inside, api.ListAsync)
        {
            Summary = "What robots can be given; for administrators, and without the system's part for administrators of a project", Answer = typeof(PermissionTable),
        },
        new("GET", "/users/current/permissions", "getCurrentUserPermissions", "user", ApiNeed.SignedIn, api.CurrentAsync)
        {
            Summary = "What the caller may do in a scope: /project/1 or /system", Answer = typeof(PermissionWords), IsList = true, Query = ["scope", "relative"],
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Caller.IsAnonymous) return call.Refuse();
        var isAdministrator = call.IsAdmin;
        if (!isAdministrator && !await IsProjectAdminAsync(call.Caller, ct).ConfigureAwait(false))
            return ApiResult.Forbidden("only admins(system and project) can access permissions");
        var table = new PermissionTable(isAdministrator ? WordsOf(RobotPermissionList.System) : null, WordsOf(RobotPermissionList.Project));
        return ApiResult.Ok(table, RobotJson.Default.PermissionTable);
    }

    private async ValueTask<bool> IsProjectAdminAsync(Caller caller, CancellationToken ct) =>
        caller is { Kind: CallerKind.User, Scopes: null }
        && await database.ReadAsync(caller.SubjectId, static (s, id, t) => s.ScalarAsync(SelectAdminRole, [id, BuiltInRoles.ProjectAdmin], t), ct).ConfigureAwait(false) is not null;

    private async Task<ApiResult> CurrentAsync(ApiCall call, CancellationToken ct)
    {
        var scope = call.Query("scope");
        var isRelative = call.Flag("relative");
        var list = new List<PermissionWords>();
        if (scope.StartsWith("/project/", StringComparison.Ordinal))
        {
            var id = scope["/project/".Length..].Split('/')[0];
            if (long.TryParse(id, out var number) && await database.ReadAsync(number, static (s, i, t) => ProjectRows.ReadAsync(s, i, t), ct).ConfigureAwait(false) is { } project)
            {
                var own = await rights.OfAsync(call.Caller, project, ct).ConfigureAwait(false);
                list.AddRange(ProjectPermissions.All.Where(own.May).Select(p => new PermissionWords(PathOf($"/project/{id}", p.Resource, isRelative), p.Action)));
            }
        }
        else if (scope.StartsWith("/system", StringComparison.Ordinal))
        {
            var own = await rights.OfSystemAsync(call.Caller, ct).ConfigureAwait(false);
            foreach (var word in s_systemWords)
            {
                var (resource, action) = (word[..word.IndexOf(':')], word[(word.IndexOf(':') + 1)..]);
                if (call.IsAdmin || SystemPermissions.Find(resource, action) is { } known && own.Has(known))
                    list.Add(new PermissionWords(isRelative ? resource : $"/system/{resource}", action));
            }
        }
        return ApiResult.Ok(list, RobotJson.Default.ListPermissionWords);
    }

    // The project itself is the empty resource below its path.
    private static string PathOf(string project, string resource, bool isRelative) => (resource == "project", isRelative) switch
    {
        (true, true) => ".",
        (true, false) => project,
        (false, true) => resource,
        (false, false) => $"{project}/{resource}",
    };

    private static PermissionWords[] WordsOf(IReadOnlyList<Permission> permissions) => [.. permissions.Select(p => new PermissionWords(p.Resource, p.Action))];

    private static readonly Statement SelectAdminRole = new("""
        SELECT 1 FROM project_members m WHERE m.role_id = @1 AND (m.subject_kind = 1 AND m.subject_id = @0
          OR m.subject_kind = 2 AND m.subject_id IN (SELECT group_id FROM user_group_members WHERE user_id = @0)) LIMIT 1
        """);
}
