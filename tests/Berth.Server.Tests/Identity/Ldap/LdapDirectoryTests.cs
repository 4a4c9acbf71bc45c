using System.Net;
using System.Net.Sockets;
using Berth.Server.Identity.Ldap;

namespace Berth.Server.Tests.Identity.Ldap;

/// <summary>Against a real OpenLDAP server.</summary>
public sealed class LdapDirectoryTests(SlapdFixture slapd) : IClassFixture<SlapdFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_right_password_brings_the_user_the_groups_and_the_admin_flag()
    {
        var directory = SlapdFixture.Open(slapd.Options());
        var alice = Assert.IsType<LdapSignIn.Accepted>(await directory.SignInAsync("alice", "alice-pw", Ct));
        Assert.Equal(new LdapUser("uid=alice,ou=people,dc=example,dc=org", "alice", "Alice Adams", "alice@example.org"), alice.User);
        Assert.Equal(["admins", "developers"], alice.Groups!.Select(g => g.Name).Order());
        Assert.True(alice.IsAdmin);
        var carol = Assert.IsType<LdapSignIn.Accepted>(await directory.SignInAsync("carol", "carol-pw", Ct));
        Assert.Equal("Carol Ünïcode", carol.User.RealName);
        Assert.Empty(carol.Groups!);
        Assert.False(carol.IsAdmin);
    }

    [Theory]
    [InlineData("alice", "wrong")]
    [InlineData("alice", "")]
    [InlineData("alice", "\0")]
    [InlineData("nobody", "alice-pw")]
    [InlineData("*", "alice-pw")]
    [InlineData("ali*", "alice-pw")]
    [InlineData("alice)(uid=*", "alice-pw")]
    [InlineData("alice\\2a", "alice-pw")]
    [InlineData("", "alice-pw")]
    [InlineData("uid=alice,ou=people,dc=example,dc=org", "alice-pw")]
    public async Task Everything_but_the_exact_name_and_password_is_refused_alike(string name, string password)
    {
        var directory = SlapdFixture.Open(slapd.Options());
        Assert.IsType<LdapSignIn.Refused>(await directory.SignInAsync(name, password, Ct));
    }

    [Fact]
    public async Task A_name_that_fits_several_entries_is_refused()
    {
        var directory = SlapdFixture.Open(slapd.Options() with { Uid = "objectClass" });
        Assert.IsType<LdapSignIn.Refused>(await directory.SignInAsync("inetOrgPerson", "alice-pw", Ct));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Groups_are_found_by_searching_too_when_users_do_not_name_them(bool isParallel)
    {
        var options = slapd.Options() with { GroupMembershipAttribute = "", GroupAttachParallel = isParallel };
        var directory = SlapdFixture.Open(options);
        var alice = Assert.IsType<LdapSignIn.Accepted>(await directory.SignInAsync("alice", "alice-pw", Ct));
        Assert.Equal(["admins", "developers"], alice.Groups!.Select(g => g.Name).Order());
        Assert.True(alice.IsAdmin);
        var narrower = SlapdFixture.Open(options with { GroupSearchFilter = "(&(objectClass=groupOfNames)(cn=dev*))" });
        var again = Assert.IsType<LdapSignIn.Accepted>(await narrower.SignInAsync("alice", "alice-pw", Ct));
        Assert.Equal("cn=developers,ou=groups,dc=example,dc=org", Assert.Single(again.Groups!).Dn);
    }

    [Fact]
    public async Task Without_a_group_filter_groups_are_not_read_but_the_admin_group_counts()
    {
        var directory = SlapdFixture.Open(slapd.Options() with { GroupSearchFilter = "" });
        var alice = Assert.IsType<LdapSignIn.Accepted>(await directory.SignInAsync("alice", "alice-pw", Ct));
        Assert.Null(alice.Groups);
        Assert.True(alice.IsAdmin);
    }

    [Fact]
    public async Task Tls_from_the_start_and_begun_later_work_with_a_private_authority()
    {
        var tls = slapd.Options() with { Url = slapd.Server["LDAPS_URL"], CaPath = slapd.Server["LDAP_CA_FILE"] };
        foreach (var options in new[] { tls, tls with { Url = slapd.Server["LDAP_URL"], StartTls = true }, tls with { CaPath = null, VerifyCert = false } })
        {
            var directory = SlapdFixture.Open(options);
            Assert.IsType<LdapSignIn.Accepted>(await directory.SignInAsync("bob", "bob-pw", Ct));
            Assert.Null(await directory.PingAsync(Ct));
        }
    }

    [Fact]
    public async Task A_server_that_is_not_trusted_is_told_no_password()
    {
        foreach (var url in new[] { slapd.Server["LDAPS_URL"], slapd.Server["LDAP_URL"] })
        {
            var directory = SlapdFixture.Open(slapd.Options() with { Url = url, StartTls = url.StartsWith("ldap:", StringComparison.Ordinal) });
            Assert.IsType<LdapSignIn.Unavailable>(await directory.SignInAsync("bob", "bob-pw", Ct));
        }
    }

    [Fact]
    public async Task A_directory_that_cannot_tell_is_no_wrong_password()
    {
        var options = slapd.Options() with { Timeout = TimeSpan.FromMilliseconds(300) };
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        foreach (var (url, wrong) in new[]
        {
            ("ldap://127.0.0.1:1", options),
            ($"ldap://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}", options),
            (options.Url, options with { SearchPassword = "wrong" }),
            (options.Url, options with { SearchPassword = null }),
        })
        {
            var directory = SlapdFixture.Open(wrong with { Url = url });
            Assert.NotEmpty(Assert.IsType<LdapSignIn.Unavailable>(await directory.SignInAsync("bob", "bob-pw", Ct)).Reason);
            Assert.NotNull(await directory.PingAsync(Ct));
        }
    }

    [Fact]
    public async Task The_next_server_of_a_list_stands_in_for_one_that_is_down()
    {
        var directory = SlapdFixture.Open(slapd.Options() with { Url = "ldap://127.0.0.1:1 " + slapd.Server["LDAP_URL"] });
        Assert.IsType<LdapSignIn.Accepted>(await directory.SignInAsync("bob", "bob-pw", Ct));
    }

    [Fact]
    public async Task Users_and_groups_are_searched_by_name_and_by_dn()
    {
        var directory = SlapdFixture.Open(slapd.Options());
        Assert.Equal(["alice", "bob", "carol"], (await directory.SearchUsersAsync("", Ct)).Select(u => u.Name).Order());
        Assert.Equal("bob@example.org", Assert.Single(await directory.SearchUsersAsync("bob", Ct)).Email);
        Assert.Equal(["admins", "developers"], (await directory.SearchGroupsAsync("", Ct)).Select(g => g.Name).Order());
        Assert.Single(await directory.SearchGroupsAsync("admins", Ct));
        Assert.Equal("admins", (await directory.FindGroupAsync("CN=admins,ou=groups,dc=example,dc=org", Ct))!.Name);
        Assert.Null(await directory.FindGroupAsync("cn=none,ou=groups,dc=example,dc=org", Ct));
        Assert.Null(await directory.FindGroupAsync("uid=alice,ou=people,dc=example,dc=org", Ct));
        Assert.Null(await directory.FindGroupAsync("no name", Ct));
        Assert.NotNull(await directory.LookUpAsync("carol", Ct));
        Assert.Null(await directory.LookUpAsync("nobody", Ct));
    }

    [Fact]
    public async Task Many_sign_ins_at_once_all_get_their_turn()
    {
        var directory = SlapdFixture.Open(slapd.Options());
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => directory.SignInAsync("bob", i % 2 == 0 ? "bob-pw" : "wrong", Ct)));
        Assert.Equal(30, outcomes.OfType<LdapSignIn.Accepted>().Count());
        Assert.Equal(30, outcomes.OfType<LdapSignIn.Refused>().Count());
    }
}
