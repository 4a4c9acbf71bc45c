namespace Berth.Server.Identity.Proxy;

/// <summary>
/// Sign-in by a proxy that has checked the person already and says who it is in a header (section <c>identity.proxyHeader</c>).
/// </summary>
public sealed record ProxyHeaderOptions
{
    /// <summary>Header with the user name, such as <c>X-Forwarded-User</c>; empty: no sign-in by header.</summary>
    public string UserHeader { get; init; } = "";

    /// <summary>Header with the e-mail address; empty for none.</summary>
    public string EmailHeader { get; init; } = "";

    /// <summary>Header with the groups; empty for none.</summary>
    public string GroupsHeader { get; init; } = "";

    /// <summary>What stands between two groups.</summary>
    public string GroupSeparator { get; init; } = ",";

    /// <summary>Group whose members are administrators; empty for none.</summary>
    public string AdminGroup { get; init; } = "";

    /// <summary>
    /// Addresses or networks (CIDR) of the proxies, or <c>unix</c> for the peer of a Unix socket. Headers of anybody else are ignored. The
    /// connection itself counts, never <c>X-Forwarded-For</c>.
    /// </summary>
    public IReadOnlyList<string> TrustedNetworks { get; init; } = [];

    /// <summary>Whether a header signs in at all.</summary>
    internal bool IsConfigured => UserHeader.Length > 0;
}
