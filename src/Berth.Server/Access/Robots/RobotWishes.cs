using Berth.Server.Api;

namespace Berth.Server.Access.Robots;

/// <summary>Reads what somebody wants a robot to be, with Harbor's checks in Harbor's order and words.</summary>
internal static class RobotWishes
{
    public const string System = "system";
    public const string Project = "project";
    public const long NoEnd = -1;

    /// <summary>Longest duration in days.</summary>
    public const long MaxDays = int.MaxValue - 1;

    // The last second of the year 9999, which is as far as times go.
    private const long LastMillisecond = 253_402_300_799_000;
    private const int MaxGrants = 1000;

    /// <summary>What is wrong with level, duration and permissions, or null.</summary>
    public static string? ProblemOf(string? level, long duration, IReadOnlyList<RobotGrant?>? permissions)
    {
        if (duration != NoEnd && duration is <= 0 or > MaxDays)
            return $"bad request error duration input: {duration}, duration must be either -1(Never) or a positive integer";
        if (level is not (System or Project)) return $"bad request error level input: {level}";
        if (permissions is null || permissions.Count == 0) return "bad request empty permission";
        if (permissions.Count > MaxGrants) return "bad request permission";
        foreach (var grant in permissions)
        {
            if (grant is null) return "bad request empty permission";
            if (grant.Access is null || grant.Access.Count == 0 || grant.Access.Any(a => a is null)) return "bad request empty access";
        }
        // A robot of a project lives in that project alone.
        if (level == Project && (permissions.Count > 1 || permissions[0]!.Kind != Project || permissions[0]!.Namespace is null or "*" or "/")) return "bad request permission";
        return permissions.Select(p => ProblemOf(p!)).FirstOrDefault(p => p is not null);
    }

    /// <summary>The rights that a wish names; an answer instead when one of its projects is not there.</summary>
    public static async ValueTask<(List<RobotRight> Rights, ApiResult? Missing)> ReadAsync(ApiCall call, IReadOnlyList<RobotGrant?> permissions, CancellationToken ct)
    {
        var rights = new List<RobotRight>();
        foreach (var grant in permissions)
        {
            var scope = grant!.Kind == System ? PermissionScope.System : PermissionScope.Project;
            var set = PermissionSet.Of(grant.Access!.Select(a => RobotPermissionList.Find(scope, a!.Resource!, a.Action!)!));
            if (scope == PermissionScope.System || grant.Namespace == "*")
            {
                Add(rights, new RobotRight(scope, null, null, set));
                continue;
            }
            if (await call.FindProjectAsync(grant.Namespace ?? "", ct).ConfigureAwait(false) is not { } project)
                return (rights, ApiResult.NotFound($"project {grant.Namespace} not found"));
            Add(rights, new RobotRight(scope, project.Id, project.Name, set));
        }
        return (rights, null);
    }

    /// <summary>When a robot that was made at a time ends; null for never.</summary>
    public static long? EndOf(long createdAt, long days) => days == NoEnd ? null : Math.Min(LastMillisecond, createdAt + (days * 86_400_000));

    private static string? ProblemOf(RobotGrant grant)
    {
        if (grant.Kind is not (System or Project)) return $"bad request permission level: {grant.Kind}";
        var scope = grant.Kind == System ? PermissionScope.System : PermissionScope.Project;
        foreach (var access in grant.Access!)
        {
            if (RobotPermissionList.Find(scope, access!.Resource ?? "", access.Action ?? "") is null || access.Effect is not (null or "" or "allow"))
                return $"bad request permission: {access.Resource}:{access.Action}";
        }
        return scope == PermissionScope.System && grant.Namespace != "/" ? "unknown namespace" : null;
    }

    private static void Add(List<RobotRight> rights, RobotRight right)
    {
        var known = rights.FindIndex(r => r.Scope == right.Scope && r.ProjectId == right.ProjectId);
        if (known < 0) rights.Add(right);
        else rights[known] = right with { Set = rights[known].Set.Union(right.Set) };
    }
}
