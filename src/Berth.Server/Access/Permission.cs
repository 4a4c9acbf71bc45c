namespace Berth.Server.Access;

/// <summary>Where a permission holds.</summary>
public enum PermissionScope
{
    /// <summary>In one project.</summary>
    Project,

    /// <summary>For the whole installation.</summary>
    System,
}

/// <summary>
/// One thing that can be allowed: an action on a kind of resource. All of them stand in <see cref="ProjectPermissions"/> and
/// <see cref="SystemPermissions"/>.
/// </summary>
public sealed class Permission
{
    internal Permission(PermissionScope scope, string resource, string action, int bit)
    {
        if (bit >= PermissionSet.Capacity) throw new InvalidOperationException("a permission set is too small for all permissions");
        (Scope, Resource, Action, Bit) = (scope, resource, action, bit);
    }

    /// <summary>Where it holds.</summary>
    public PermissionScope Scope { get; }

    /// <summary>Kind of resource, such as <c>repository</c>.</summary>
    public string Resource { get; }

    /// <summary>What is done to it, such as <c>push</c>.</summary>
    public string Action { get; }

    /// <summary>Its place in a <see cref="PermissionSet"/>. Not stored anywhere.</summary>
    internal int Bit { get; }

    /// <summary><c>repository:push</c>: also the form in which permissions are stored.</summary>
    public override string ToString() => $"{Resource}:{Action}";
}
