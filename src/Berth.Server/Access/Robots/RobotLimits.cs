using Berth.Server.Api;
using Berth.Server.Platform.Data;

namespace Berth.Server.Access.Robots;

/// <summary>
/// Nobody gives a robot more than the giver has: administrators give everything, project administrators everything in their project, all others what they have
/// themselves; a limited token gives no more than its limit. The same holds for taking a robot over by a new secret.
/// </summary>
internal sealed class RobotLimits(RightsCache rights, Database database)
{
    /// <summary>Whether the caller may hand out these rights.</summary>
    public async ValueTask<bool> CoverAsync(ApiCall call, IReadOnlyList<RobotRight> wanted, CancellationToken ct)
    {
        foreach (var right in wanted)
        {
            if (!await CoversAsync(call, right, ct).ConfigureAwait(false)) return false;
        }
        return true;
    }

    private async ValueTask<bool> CoversAsync(ApiCall call, RobotRight right, CancellationToken ct)
    {
        var caller = call.Caller;
        if (right.Scope == PermissionScope.System) return (await rights.OfSystemAsync(caller, ct).ConfigureAwait(false)).Covers(right.Set);
        if (right.ProjectId is null) return (await OfAllProjectsAsync(caller, ct).ConfigureAwait(false)).Covers(right.Set);
        if (caller.Scopes is { } scopes && !scopes.In(right.ProjectName!).Covers(right.Set)) return false;
        if (await call.FindProjectAsync(right.ProjectName!, ct).ConfigureAwait(false) is not { } project) return false;
        var own = await rights.OfAsync(caller, project, ct).ConfigureAwait(false);
        // Harbor's list for robots holds a word or two that its project administrators do not have themselves.
        return own.Set.Covers(right.Set) || own.Roles.Contains(BuiltInRoles.ProjectAdmin);
    }

    private async ValueTask<PermissionSet> OfAllProjectsAsync(Caller caller, CancellationToken ct)
    {
        if (caller.IsAdmin) return caller.Scopes is { } scopes ? scopes.InAllProjects : PermissionSet.All;
        if (caller.Kind != CallerKind.Robot) return PermissionSet.None;
        var own = await database.ReadAsync(caller.SubjectId, static (s, id, t) => RobotRows.ReadRightsAsync(s, id, t), ct).ConfigureAwait(false);
        return own.Where(r => r is { Scope: PermissionScope.Project, ProjectId: null }).Aggregate(PermissionSet.None, static (set, r) => set.Union(r.Set));
    }
}
