using Berth.Server.Platform.Options;

namespace Berth.Server.Identity.Ldap;

/// <summary>
/// A directory that people sign in with (section <c>identity.ldap</c>). Each setting is Harbor's <c>ldap_…</c> of the same name;
/// <see cref="StartTls"/> and <see cref="CaPath"/> are ours.
/// </summary>
public sealed record LdapOptions
{
    /// <summary>
    /// Address of the server: <c>ldaps://ldap.example.com</c>, <c>ldap://ldap.example.com:389</c>; several separated by blanks are tried in
    /// turn. Without a scheme it is <c>ldap</c>; port 636 always means <c>ldaps</c>. Empty: no directory.
    /// </summary>
    public string Url { get; init; } = "";

    /// <summary>Distinguished name of the account that searches; empty to search without one.</summary>
    public string SearchDn { get; init; } = "";

    /// <summary>Password of <see cref="SearchDn"/>. Secret.</summary>
    [Secret]
    public string? SearchPassword { get; init; }

    /// <summary>Where users are, such as <c>ou=people,dc=example,dc=org</c>.</summary>
    public string BaseDn { get; init; } = "";

    /// <summary>Filter that users must match, such as <c>(objectClass=person)</c>; empty for all.</summary>
    public string Filter { get; init; } = "";

    /// <summary>Attribute with the sign-in name: <c>uid</c>, <c>cn</c>, <c>sAMAccountName</c>, <c>mail</c>.</summary>
    public string Uid { get; init; } = "cn";

    /// <summary>How deep users lie below <see cref="BaseDn"/>.</summary>
    public LdapScope Scope { get; init; } = LdapScope.Subtree;

    /// <summary>Longest time for connecting and for each request.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether the server must show a certificate that is trusted and its own.</summary>
    public bool VerifyCert { get; init; } = true;

    /// <summary>Begin TLS on an <c>ldap://</c> connection before anything else is said (RFC 4511 section 4.14).</summary>
    public bool StartTls { get; init; }

    /// <summary>PEM file, or folder of PEM files, with the authorities to trust instead of the system's.</summary>
    public string? CaPath { get; init; }

    /// <summary>Where groups are; empty for <see cref="BaseDn"/>.</summary>
    public string GroupBaseDn { get; init; } = "";

    /// <summary>Filter that groups must match, such as <c>(objectClass=groupOfNames)</c>; empty: groups are not read.</summary>
    public string GroupSearchFilter { get; init; } = "";

    /// <summary>Attribute with the name of a group.</summary>
    public string GroupAttributeName { get; init; } = "cn";

    /// <summary>How deep groups lie below <see cref="GroupBaseDn"/>.</summary>
    public LdapScope GroupSearchScope { get; init; } = LdapScope.Subtree;

    /// <summary>Distinguished name of the group whose members are administrators; empty for none.</summary>
    public string GroupAdminDn { get; init; } = "";

    /// <summary>
    /// Attribute of a user with the distinguished names of the groups, <c>memberOf</c> as a rule. Empty: groups are searched that name the
    /// user in <c>member</c>, <c>uniqueMember</c> or <c>memberUid</c>.
    /// </summary>
    public string GroupMembershipAttribute { get; init; } = "";

    /// <summary>Read the groups of a user over several connections at once.</summary>
    public bool GroupAttachParallel { get; init; }

    /// <summary>Whether there is a directory.</summary>
    internal bool IsConfigured => Url.Length > 0;
}

/// <summary>Scope of a search (RFC 4511 section 4.5.1.2); the numbers are the protocol's and Harbor's.</summary>
public enum LdapScope
{
    /// <summary>The entry itself.</summary>
    Base = 0,

    /// <summary>The entries right below it.</summary>
    OneLevel = 1,

    /// <summary>The entry and all below it.</summary>
    Subtree = 2,
}
