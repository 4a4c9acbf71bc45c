using Berth.Server.Identity;
using Berth.Server.Platform.Data;

namespace Berth.Server.Tests.Identity;

public sealed class FirstAdminTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_first_start_creates_an_administrator_and_tells_the_password_once(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var users = new Users(database.Current, new ManualTime());
        var first = await new FirstAdmin(users).EnsureAsync(null, CancellationToken.None);
        Assert.True(first.IsCreated);
        Assert.Matches("^[a-zA-Z2-9]{24}$", first.GeneratedPassword);
        var admin = await users.FindAsync("admin", CancellationToken.None);
        Assert.True(admin!.IsAdmin);
        Assert.Equal(new ManualTime().GetUtcNow().ToUnixTimeMilliseconds(), admin.CreatedAt);
        Assert.True(Passwords.Verify(admin, first.GeneratedPassword!));
        Assert.False(Passwords.Verify(admin, first.GeneratedPassword + "x"));

        Assert.Equal(new FirstAdminResult(false, null), await new FirstAdmin(users).EnsureAsync("another", CancellationToken.None));
        Assert.Equal(admin.PasswordHash, (await users.FindAsync("admin", CancellationToken.None))!.PasswordHash);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_given_password_is_used_and_not_told(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var users = new Users(database.Current, new ManualTime());
        Assert.Equal(new FirstAdminResult(true, null), await new FirstAdmin(users).EnsureAsync("given", CancellationToken.None));
        Assert.True(Passwords.Verify(await users.FindAsync("admin", CancellationToken.None), "given"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Replicas_that_start_together_create_one_administrator(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var replicas = Enumerable.Range(0, 6)
            .Select(i => kind == DatabaseKind.Sqlite || i == 0 ? database.Current : database.Open())
            .Select(d => new FirstAdmin(new Users(d, new ManualTime())))
            .ToList();
        var results = await Task.WhenAll(replicas.Select(r => Task.Run(() => r.EnsureAsync(null, CancellationToken.None))));
        var winner = Assert.Single(results, r => r.IsCreated);
        Assert.All(results.Where(r => r != winner), r => Assert.Null(r.GeneratedPassword));
        var admin = await new Users(database.Current, new ManualTime()).FindAsync("admin", CancellationToken.None);
        Assert.True(Passwords.Verify(admin, winner.GeneratedPassword!));
    }

    [Fact]
    public async Task Where_users_exist_no_administrator_is_made_up()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        var users = new Users(database.Current, new ManualTime());
        await users.AddAsync("root", "x", isAdmin: true, CancellationToken.None);
        Assert.False((await new FirstAdmin(users).EnsureAsync(null, CancellationToken.None)).IsCreated);
        Assert.Null(await users.FindAsync("admin", CancellationToken.None));
    }
}
