using Berth.Server.Identity;
using Berth.Server.Identity.Sessions;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Secrets;
using Berth.Server.Platform.Settings;
using Berth.Server.SignIn;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Identity;

/// <summary>What is kept of people whom others vouch for, on both databases.</summary>
public sealed class OutsideUsersTests
{
    private static readonly OutsidePerson Alice = new(
        "ldap", "cn=alice", "alice", "a@example.org", "Alice", GroupKind.Ldap, [new("dev", "CN=dev,DC=x"), new("dev", "cn=dev,dc=y"), new("ops", "cn=ops,dc=x")], true, TakesOverByName: true);

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_person_becomes_a_user_once_and_stays_up_to_date(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var outside = Open(database);
        var first = (await outside.EnsureAsync(Alice, EventActor.System, Ct))!;
        Assert.Equal(("alice", "ldap", "cn=alice", "a@example.org", true), (first.Name, first.Source, first.ExternalId, first.Email, first.IsAdminBySource));
        Assert.Equal(["cn=dev,dc=x", "cn=dev,dc=y", "cn=ops,dc=x"], await GroupsAsync(database));
        Assert.Equal(first.Id, (await outside.EnsureAsync(Alice with { ExternalId = "cn=alice,ou=moved", Email = null, IsAdmin = null, Groups = [new("ops", "cn=ops,dc=x")] }, EventActor.System, Ct))!.Id);
        var moved = (await outside.EnsureAsync(Alice with { ExternalId = "cn=alice,ou=moved", Groups = null, IsAdmin = null }, EventActor.System, Ct))!;
        Assert.Equal(("cn=alice,ou=moved", "a@example.org", true), (moved.ExternalId, moved.Email, moved.IsAdminBySource));
        Assert.Equal(["cn=ops,dc=x"], await GroupsAsync(database));
        Assert.True(await outside.ForgetAsync(moved.Id, Ct));
        Assert.Empty(await GroupsAsync(database));
        Assert.False((await new Users(database.Current, TimeProvider.System).FindAsync("alice", Ct))!.IsAdminBySource);
        Assert.Equal(first.Id, (await outside.EnsureAsync(Alice, EventActor.System, Ct))!.Id);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_name_of_another_source_is_never_taken_over(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await new Users(database.Current, TimeProvider.System).AddAsync("alice", "Local12345", isAdmin: true, Ct);
        var outside = Open(database);
        Assert.Null(await outside.EnsureAsync(Alice, EventActor.System, Ct));
        Assert.NotNull(await outside.EnsureAsync(Alice with { Source = "oidc:a", ExternalId = "1", Name = "bob", TakesOverByName = false }, EventActor.System, Ct));
        Assert.Null(await outside.EnsureAsync(Alice with { Source = "oidc:a", ExternalId = "2", Name = "bob", TakesOverByName = false }, EventActor.System, Ct));
        Assert.Null(await outside.EnsureAsync(Alice with { Source = "oidc:b", ExternalId = "1", Name = "bob", TakesOverByName = false }, EventActor.System, Ct));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_group_is_made_once_and_is_the_one_that_people_bring(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var outside = Open(database);
        var groups = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => outside.EnsureGroupAsync(GroupKind.Ldap, new("makers", "CN=ops, DC=x"), EventActor.System, Ct)));
        Assert.Single(groups.Distinct());
        var claimed = await outside.EnsureGroupAsync(GroupKind.Oidc, new("makers"), EventActor.System, Ct);
        Assert.NotEqual(groups[0], claimed);
        Assert.Equal(claimed, await outside.EnsureGroupAsync(GroupKind.Oidc, new("makers"), EventActor.System, Ct));
        Assert.NotNull(await outside.EnsureAsync(Alice with { Groups = [new("ops", "cn=ops,dc=x")] }, EventActor.System, Ct));
        Assert.Equal(groups[0], await outside.EnsureGroupAsync(GroupKind.Ldap, new("ops", "cn=ops,dc=x"), EventActor.System, Ct));
        Assert.Equal(["cn=ops,dc=x"], await GroupsAsync(database));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Many_first_sign_ins_at_once_make_one_user(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var outside = Open(database);
        var users = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => outside.EnsureAsync(Alice, EventActor.System, Ct)));
        Assert.Single(users.Select(u => u!.Id).Distinct());
        Assert.Equal(3, (await GroupsAsync(database)).Count);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Sessions_and_trusts_are_kept_by_both_databases(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var user = (await Open(database).EnsureAsync(Alice, EventActor.System, Ct))!;
        var time = new ManualTime();
        var sessions = new BrowserSessions(database.Current, new SessionOptions(), RuntimeSettings.Constant(new Dictionary<string, string>()), new InstallationSecret(Convert.ToBase64String(new byte[32]), null, "", NullLogger<InstallationSecret>.Instance), time);
        var token = await sessions.BeginAsync(user.Id, "::1", new string('x', 900), new SessionProvider("main", "token"), Ct);
        await sessions.BeginAsync(user.Id, "", "", null, Ct);
        var found = (await sessions.FindAsync(token, Ct))!;
        Assert.Equal(("main", "token"), (sessions.ProviderOf(found)!.Name, sessions.ProviderOf(found)!.IdToken));
        Assert.Equal(1, await sessions.EndOthersAsync(user.Id, found.Id, Ct));
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(found.LastSeenAt, (await sessions.FindAsync(token, Ct))!.LastSeenAt);
        Assert.Equal(time.GetUtcNow().ToUnixTimeMilliseconds(), Assert.Single(await sessions.ListAsync(null, 10, Ct)).LastSeenAt);
        Assert.False(await sessions.EndAsync(found.Id, user.Id + 1, Ct));
        Assert.True(await sessions.EndAsync(found.Id, user.Id, Ct));
        Assert.Null(await sessions.FindAsync(token, Ct));

        var robotId = await database.Current.WriteAsync(Durability.Full, async (s, t) => await s.ScalarAsync(AddRobot, ["ci"], t), Ct);
        var trusts = new RobotTrusts(database.Current, new DomainEvents([], database.Current), time);
        var robot = (await trusts.FindRobotAsync(robotId!.Value, Ct))!;
        var trust = new RobotTrust { RobotId = robot.Id, Name = "t", Issuer = "https://i", Audience = "a", Claims = "{}", ExpiresAt = 5 };
        trust.Id = (await trusts.AddAsync(trust, robot, EventActor.System, Ct))!.Value;
        Assert.Null(await trusts.AddAsync(trust, robot, EventActor.System, Ct));
        Assert.Equal(5, Assert.Single(await trusts.OfIssuerAsync("https://i", Ct)).ExpiresAt);
        Assert.True(await trusts.RemoveAsync(trust, robot, EventActor.System, Ct));
        Assert.Empty(await trusts.OfRobotAsync(robot.Id, Ct));
    }

    private static OutsideUsers Open(TestDatabase database) => new(
        database.Current, new Users(database.Current, TimeProvider.System), new DomainEvents([], database.Current), TimeProvider.System);

    private static async Task<List<string>> GroupsAsync(TestDatabase database) => await database.Current.ReadAsync(0, static async (session, _, ct) =>
    {
        var names = new List<string>();
        await using var row = await session.Command(Groups).ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) names.Add(row.GetString(0));
        return names;
    }, Ct);

    private static readonly Statement Groups = new("SELECT g.ldap_dn FROM user_group_members m JOIN user_groups g ON g.id = m.group_id ORDER BY g.ldap_dn");
    private static readonly Statement AddRobot = new("""
        INSERT INTO robots (name, description, is_disabled, duration_days, creator_kind, creator_id, created_at, updated_at) VALUES (@0, '', FALSE, -1, 'user', 1, 0, 0) RETURNING id
        """);
}
