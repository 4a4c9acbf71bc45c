namespace Berth.Server.Access.Robots;

/// <summary>
/// What robots can be given, in Harbor's order: everything of the system, and inside projects Harbor's list, which leaves out what is for people. The API shows it
/// and checks robots against it.
/// </summary>
internal static class RobotPermissionList
{
    /// <summary>In projects.</summary>
    public static readonly IReadOnlyList<Permission> Project = Find("""
        log:list
        project:read project:delete project:update
        metadata:read metadata:create metadata:delete metadata:list metadata:update
        repository:read repository:update repository:delete repository:list repository:pull repository:push
        artifact:read artifact:create artifact:list artifact:delete
        scan:create scan:read scan:stop
        sbom:create sbom:stop sbom:read
        tag:create tag:list tag:delete
        accessory:list
        artifact-addition:read
        artifact-label:create artifact-label:delete
        scanner:create scanner:read
        preheat-policy:read preheat-policy:create preheat-policy:delete preheat-policy:list preheat-policy:update
        immutable-tag:create immutable-tag:delete immutable-tag:list immutable-tag:update
        notification-policy:read notification-policy:create notification-policy:delete notification-policy:list notification-policy:update
        tag-retention:read tag-retention:create tag-retention:delete tag-retention:list tag-retention:update
        label:read label:create label:delete label:list label:update
        quota:read
        robot:create robot:read robot:list robot:delete
        export-cve:create export-cve:read
        member:create member:read member:update member:list member:delete
        """);

    /// <summary>For the installation.</summary>
    public static IReadOnlyList<Permission> System => SystemPermissions.All;

    /// <summary>The permission of two words that a robot can be given, or null.</summary>
    public static Permission? Find(PermissionScope scope, string resource, string action)
    {
        foreach (var permission in scope == PermissionScope.Project ? Project : System)
        {
            if (permission.Resource == resource && permission.Action == action) return permission;
        }
        return null;
    }

    private static Permission[] Find(string words) =>
    [
        .. words.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Select(w => w.Split(':'))
            .Select(w => ProjectPermissions.Find(w[0], w[1]) ?? throw new InvalidOperationException($"no permission {w[0]}:{w[1]}")),
    ];
}
