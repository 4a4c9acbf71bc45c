using Berth.Server.Identity.Ldap;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Identity.Ldap;

namespace Berth.Server.Tests.SignIn;

/// <summary>People and groups of a real OpenLDAP who become members of projects before they have ever come.</summary>
public sealed class LdapMemberTests(SlapdFixture slapd) : IClassFixture<SlapdFixture>
{
    private const string Members = "/api/v2.0/projects/team/members";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_person_of_the_directory_becomes_a_user_by_becoming_a_member(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind, slapd.Options());
        await app.AddUserAsync("lead");
        await app.AddMemberAsync("team", "lead", 1);
        await app.CreateAsync(Members, """{"role_id":2,"member_user":{"username":"bob"}}""", "lead");
        var member = (await app.GetAsync(Members + "?entityname=bob")).AsArray().Single()!;
        Assert.Equal(("bob", "developer"), ((string)member["entity_name"]!, (string)member["role_name"]!));
        var user = (await app.GetAsync("/api/v2.0/users?username=bob")).AsArray().Single()!;
        Assert.Equal("bob@example.org", (string)user["email"]!);
        Assert.Equal("ldap", (string)(await app.GetAsync($"/api/berth/v1/users/{user["user_id"]}"))["source"]!);
        // Whoever signs in later is that very user.
        Assert.Equal(200, (await app.CallAsync("GET", "/api/v2.0/projects/team", "", null, PlatformApp.As("bob", "bob-pw"))).Status);
        Assert.Equal(409, (await app.CallAsync("POST", Members, "lead", """{"role_id":2,"member_user":{"username":"bob"}}""")).Status);
        Assert.Equal(404, (await app.CallAsync("POST", Members, "lead", """{"role_id":2,"member_user":{"username":"nobody"}}""")).Status);
        // A filter in a name is a name.
        Assert.Equal(404, (await app.CallAsync("POST", Members, "lead", """{"role_id":2,"member_user":{"username":"al*"}}""")).Status);
        await app.AddUserAsync("outsider");
        Assert.Equal(403, (await app.CallAsync("POST", Members, "outsider", """{"role_id":2,"member_user":{"username":"carol"}}""")).Status);
        Assert.Empty((await app.GetAsync("/api/v2.0/users?username=carol")).AsArray());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_group_of_the_directory_becomes_a_group_by_becoming_a_member(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind, slapd.Options());
        await app.CreateAsync(Members, """{"role_id":3,"member_group":{"ldap_group_dn":"CN=developers, ou=groups,dc=example,dc=org"}}""");
        var group = (await app.GetAsync("/api/v2.0/usergroups")).AsArray().Single()!;
        Assert.Equal(("developers", 1, "cn=developers,ou=groups,dc=example,dc=org"), ((string)group["group_name"]!, (int)group["group_type"]!, (string)group["ldap_group_dn"]!));
        Assert.Equal(200, (await app.CallAsync("GET", "/api/v2.0/projects/team", "", null, PlatformApp.As("bob", "bob-pw"))).Status);
        Assert.Equal(403, (await app.CallAsync("GET", "/api/v2.0/projects/team", "", null, PlatformApp.As("carol", "carol-pw"))).Status);
        // The same group however it is written.
        Assert.Equal(409, (await app.CallAsync("POST", Members, "admin", """{"role_id":3,"member_group":{"ldap_group_dn":"cn=developers,ou=groups,dc=example,dc=org"}}""")).Status);
        Assert.Equal(404, (await app.CallAsync("POST", Members, "admin", """{"role_id":3,"member_group":{"ldap_group_dn":"cn=none,ou=groups,dc=example,dc=org"}}""")).Status);
        Assert.Equal(404, (await app.CallAsync("POST", Members, "admin", """{"role_id":3,"member_group":{"ldap_group_dn":"no dn"}}""")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_group_keeps_the_name_that_it_was_given_and_only_those_of_the_directory_are_made(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind, slapd.Options());
        await app.CreateAsync(Members, """{"role_id":2,"member_group":{"ldap_group_dn":"cn=developers,ou=groups,dc=example,dc=org","group_name":"makers","group_type":1}}""");
        Assert.Equal("makers", (string)(await app.GetAsync("/api/v2.0/usergroups")).AsArray().Single()!["group_name"]!);
        // Nobody here decides over groups of a provider that there is not, nor makes local groups in passing.
        Assert.Equal(404, (await app.CallAsync("POST", Members, "admin", """{"role_id":2,"member_group":{"group_name":"others","group_type":3}}""")).Status);
        Assert.Equal(404, (await app.CallAsync("POST", Members, "admin", """{"role_id":2,"member_group":{"group_name":"others","group_type":0}}""")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_directory_that_is_away_is_said_and_one_that_is_not_configured_knows_nobody(DatabaseKind kind)
    {
        await using var away = await StartAsync(kind, slapd.Options() with { Url = "ldap://127.0.0.1:1" });
        var answer = await away.CallAsync("POST", Members, "admin", """{"role_id":2,"member_user":{"username":"bob"}}""");
        Assert.Equal((503, "the directory does not answer: try again"), (answer.Status, answer.Message));
        await using var none = await StartAsync(kind, new LdapOptions());
        Assert.Equal(404, (await none.CallAsync("POST", Members, "admin", """{"role_id":2,"member_user":{"username":"bob"}}""")).Status);
        Assert.Equal(404, (await none.CallAsync("POST", Members, "admin", """{"role_id":2,"member_group":{"ldap_group_dn":"cn=developers,ou=groups,dc=example,dc=org"}}""")).Status);
    }

    private static async Task<PlatformApp> StartAsync(DatabaseKind kind, LdapOptions ldap)
    {
        var app = await PlatformApp.StartAsync(kind, o => o with { Identity = o.Identity with { Ldap = ldap } });
        await app.AddProjectAsync("team");
        return app;
    }
}
