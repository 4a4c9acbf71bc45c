namespace Berth.Server.Access;

/// <summary>What one caller may do in one project: what the roles give, and the rules below the project that concern the caller.</summary>
/// <param name="Set">Permissions in the project.</param>
/// <param name="Rules">Rules that concern the caller, the most specific first.</param>
/// <param name="Roles">Roles that the caller has there, for those who ask why.</param>
public sealed record ProjectRights(PermissionSet Set, IReadOnlyList<CompiledRule> Rules, IReadOnlyList<long> Roles)
{
    /// <summary>Nothing.</summary>
    public static readonly ProjectRights None = new(PermissionSet.None, [], []);

    /// <summary>Everything: administrators.</summary>
    public static readonly ProjectRights All = new(PermissionSet.All, [], []);

    /// <summary>Whether a permission is given.</summary>
    public bool May(Permission permission) => Set.Has(permission);

    // Computed each time: a copy with another set must not keep what the first one had.
    /// <summary>What the roles give on every repository, before rules.</summary>
    internal RuleActions Base =>
        (Set.Has(ProjectPermissions.RepositoryPull) ? RuleActions.Pull : 0)
        | (Set.Has(ProjectPermissions.RepositoryPush) ? RuleActions.Push | RuleActions.Create | RuleActions.Retag : 0)
        | (Set.Has(ProjectPermissions.RepositoryDelete) ? RuleActions.Delete : 0);
}
