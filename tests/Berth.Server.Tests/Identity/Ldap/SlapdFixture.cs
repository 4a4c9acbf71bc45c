using Berth.Server.Identity.Ldap;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Identity.Ldap;

/// <summary>OpenLDAP's slapd with alice (developers, admins), bob (developers) and carol (none); their passwords are NAME-pw.</summary>
public sealed class SlapdFixture : IAsyncLifetime
{
    public ToolServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await ToolServer.StartAsync("start-slapd.sh");

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>Settings that fit the directory.</summary>
    public LdapOptions Options() => new()
    {
        Url = Server["LDAP_URL"],
        SearchDn = Server["LDAP_BIND_DN"],
        SearchPassword = Server["LDAP_BIND_PASSWORD"],
        BaseDn = "ou=people," + Server["LDAP_BASE_DN"],
        Filter = "(objectClass=inetOrgPerson)",
        Uid = "uid",
        GroupBaseDn = "ou=groups," + Server["LDAP_BASE_DN"],
        GroupSearchFilter = "(objectClass=groupOfNames)",
        GroupMembershipAttribute = "memberOf",
        GroupAdminDn = "cn=admins, ou=Groups," + Server["LDAP_BASE_DN"],
    };

    public static LdapDirectory Open(LdapOptions options) => new(options, TimeProvider.System, NullLogger<LdapDirectory>.Instance);
}
