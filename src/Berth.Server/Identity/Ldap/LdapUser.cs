namespace Berth.Server.Identity.Ldap;

/// <summary>A person in the directory.</summary>
/// <param name="Dn">Distinguished name.</param>
/// <param name="Name">Value of <see cref="LdapOptions.Uid"/>: the sign-in name.</param>
/// <param name="RealName">Value of <c>cn</c>, or of <c>uid</c>.</param>
/// <param name="Email">Value of <c>mail</c>, or of <c>email</c>.</param>
public sealed record LdapUser(string Dn, string Name, string? RealName, string? Email);

/// <summary>A group in the directory.</summary>
/// <param name="Dn">Distinguished name.</param>
/// <param name="Name">Value of <see cref="LdapOptions.GroupAttributeName"/>.</param>
public sealed record LdapGroup(string Dn, string Name);

/// <summary>Outcome of a sign-in.</summary>
public abstract record LdapSignIn
{
    private LdapSignIn()
    {
    }

    /// <summary>The password is right.</summary>
    /// <param name="User">Who it is.</param>
    /// <param name="Groups">The groups that match the settings; null when groups are not read.</param>
    /// <param name="IsAdmin">Member of <see cref="LdapOptions.GroupAdminDn"/>; null when none is set.</param>
    public sealed record Accepted(LdapUser User, IReadOnlyList<LdapGroup>? Groups, bool? IsAdmin) : LdapSignIn;

    /// <summary>No such user, several of that name, or a wrong password: they look alike.</summary>
    public sealed record Refused : LdapSignIn
    {
        public static readonly Refused Instance = new();
    }

    /// <summary>The directory cannot tell; <paramref name="Reason"/> is for the operator, not for the caller.</summary>
    public sealed record Unavailable(string Reason) : LdapSignIn;
}
