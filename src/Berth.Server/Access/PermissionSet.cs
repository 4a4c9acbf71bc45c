namespace Berth.Server.Access;

/// <summary>A set of permissions of one scope; asking it costs one shift.</summary>
public readonly record struct PermissionSet
{
    /// <summary>How many permissions a scope can have.</summary>
    internal const int Capacity = 128;

    private readonly UInt128 _bits;

    private PermissionSet(UInt128 bits) => _bits = bits;

    /// <summary>Nothing.</summary>
    public static PermissionSet None => default;

    /// <summary>Everything, permissions of later versions too.</summary>
    public static PermissionSet All => new(UInt128.MaxValue);

    /// <summary>Whether nothing is in it.</summary>
    public bool IsEmpty => _bits == UInt128.Zero;

    /// <summary>The set of some permissions.</summary>
    public static PermissionSet Of(params IEnumerable<Permission> permissions)
    {
        var bits = UInt128.Zero;
        foreach (var permission in permissions) bits |= UInt128.One << permission.Bit;
        return new PermissionSet(bits);
    }

    /// <summary>Reads the stored form: <c>resource:action</c>, separated by commas; <c>*</c> alone is everything. Words that no version knows are left out.</summary>
    public static PermissionSet Parse(string text, PermissionScope scope)
    {
        if (text == "*") return All;
        var bits = UInt128.Zero;
        foreach (var word in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var colon = word.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0) continue;
            foreach (var permission in scope == PermissionScope.Project ? ProjectPermissions.All : SystemPermissions.All)
            {
                if (Matches(word.AsSpan(0, colon), permission.Resource) && Matches(word.AsSpan(colon + 1), permission.Action)) bits |= UInt128.One << permission.Bit;
            }
        }
        return new PermissionSet(bits);
    }

    /// <summary>Whether a permission is in it.</summary>
    public bool Has(Permission permission) => (_bits >> permission.Bit & UInt128.One) != UInt128.Zero;

    /// <summary>Whether all of another set is in it.</summary>
    public bool Covers(PermissionSet other) => (other._bits & ~_bits) == UInt128.Zero;

    /// <summary>What is in either.</summary>
    public PermissionSet Union(PermissionSet other) => new(_bits | other._bits);

    /// <summary>What is in both.</summary>
    public PermissionSet Intersect(PermissionSet other) => new(_bits & other._bits);

    /// <summary>The members, in the order of the table.</summary>
    public IEnumerable<Permission> Members(PermissionScope scope)
    {
        var bits = _bits;
        return (scope == PermissionScope.Project ? ProjectPermissions.All : SystemPermissions.All).Where(p => (bits >> p.Bit & UInt128.One) != UInt128.Zero);
    }

    // A robot may be given all actions of a resource, or an action on all resources.
    private static bool Matches(ReadOnlySpan<char> word, string name) => word is "*" || word.SequenceEqual(name);
}
