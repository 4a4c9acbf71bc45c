namespace Berth.Server.Access;

/// <summary>
/// The five roles in a project that every installation has, with Harbor's ids and rights, and what a public project allows anybody.
/// </summary>
public static class BuiltInRoles
{
    /// <summary>Id of the first role that people make.</summary>
    public const long FirstCustomId = 100;

    public const long ProjectAdmin = 1;
    public const long Developer = 2;
    public const long Guest = 3;
    public const long Maintainer = 4;
    public const long LimitedGuest = 5;

    /// <summary>What anybody may do in a public project.</summary>
    public static readonly PermissionSet PublicProject = Set("""
        project:read, label:read, label:list, repository:list, repository:pull, scan:read, scanner:read,
        artifact:read, artifact:list, artifact-addition:read, tag:list, accessory:list
        """);

    private static readonly PermissionSet s_limitedGuest = Set("""
        project:read, quota:read, repository:list, repository:read, repository:pull, configuration:read, scan:read, sbom:read, scanner:read,
        tag:list, accessory:list, artifact:read, artifact:list, artifact-addition:read
        """);

    private static readonly PermissionSet s_guest = s_limitedGuest.Union(Set(
        "member:read, member:list, label:read, label:list, robot:read, robot:list"));

    private static readonly PermissionSet s_developer = s_guest.Union(Set("""
        repository:create, repository:update, repository:push,
        tag-retention:create, tag-retention:read, tag-retention:update, tag-retention:delete, tag-retention:list, tag-retention:operate,
        artifact:create, tag:create, artifact-label:create, artifact-label:delete, export-cve:create, export-cve:read, export-cve:list
        """));

    private static readonly PermissionSet s_maintainer = s_developer.Union(Set("""
        metadata:read, label:create, label:update, label:delete, repository:delete,
        immutable-tag:create, immutable-tag:update, immutable-tag:delete, immutable-tag:list,
        notification-policy:read, notification-policy:list, scan:create, scan:stop, sbom:create, sbom:stop, artifact:delete, tag:delete
        """));

    private static readonly PermissionSet s_projectAdmin = s_maintainer.Union(Set("""
        project:update, project:delete, member:create, member:update, member:delete, metadata:create, metadata:update, metadata:delete,
        log:list, configuration:update, robot:create, robot:update, robot:delete,
        notification-policy:create, notification-policy:update, notification-policy:delete, scanner:create,
        preheat-policy:create, preheat-policy:read, preheat-policy:update, preheat-policy:delete, preheat-policy:list
        """));

    /// <summary>All of them, by falling rights.</summary>
    public static IReadOnlyList<BuiltInRole> All { get; } =
    [
        new(ProjectAdmin, "projectAdmin", s_projectAdmin),
        new(Maintainer, "maintainer", s_maintainer),
        new(Developer, "developer", s_developer),
        new(Guest, "guest", s_guest),
        new(LimitedGuest, "limitedGuest", s_limitedGuest),
    ];

    /// <summary>The role of an id, or null.</summary>
    public static BuiltInRole? Find(long id)
    {
        foreach (var role in All)
        {
            if (role.Id == id) return role;
        }
        return null;
    }

    private static PermissionSet Set(string permissions) => PermissionSet.Parse(permissions, PermissionScope.Project);
}

/// <summary>A role that cannot be changed.</summary>
/// <param name="Id">As in Harbor.</param>
/// <param name="Name">As in Harbor.</param>
/// <param name="Rights">What it allows in its project.</param>
public sealed record BuiltInRole(long Id, string Name, PermissionSet Rights);
