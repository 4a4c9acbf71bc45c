using Berth.Server.Identity;
using Berth.Server.Platform.Data;

namespace Berth.Server.Tests.Identity;

public sealed class UsersTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_user_is_added_found_changed_and_removed(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var users = new Users(database.Current, new ManualTime());
        var changed = new List<string>();
        database.Current.Announcements.Subscribe(Topics.Credentials, key => changed.Add(key ?? ""));
        Assert.True(await users.AddAsync("älice", "one", isAdmin: false, CancellationToken.None));
        Assert.False(await users.AddAsync("älice", "two", isAdmin: true, CancellationToken.None));
        var alice = await users.FindAsync("älice", CancellationToken.None);
        Assert.False(alice!.IsAdmin);
        Assert.True(Passwords.Verify(alice, "one"));
        Assert.Null(await users.FindAsync("Älice", CancellationToken.None));
        await Eventually.TrueAsync(() => database.Current.Announcements.IsListening, "listening");
        changed.Clear();
        var key = $"user:{alice.Id}";

        Assert.True(await users.SetPasswordAsync("älice", "two", CancellationToken.None));
        Assert.False(await users.SetPasswordAsync("bob", "two", CancellationToken.None));
        alice = await users.FindAsync("älice", CancellationToken.None);
        Assert.True(Passwords.Verify(alice, "two"));
        Assert.False(Passwords.Verify(alice, "one"));
        Assert.True(await users.RemoveAsync("älice", CancellationToken.None));
        Assert.False(await users.RemoveAsync("älice", CancellationToken.None));
        Assert.Null(await users.FindAsync("älice", CancellationToken.None));
        Assert.Contains(key, changed);
        Assert.All(changed, heard => Assert.Equal(key, heard));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a:b")]
    [InlineData("a\nb")]
    [InlineData(" a")]
    public async Task Names_that_no_header_can_carry_are_refused(string name)
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await Assert.ThrowsAsync<ArgumentException>(() => new Users(database.Current, new ManualTime()).AddAsync(name, "x", false, CancellationToken.None));
        Assert.False(Users.IsName(new string('a', 256)));
    }

    [Fact]
    public void A_name_that_does_not_exist_costs_as_much_as_a_wrong_password()
    {
        Assert.False(Passwords.Verify(null, "right"));
        // The first 13 bytes of a hash hold its version, algorithm, rounds and salt length (ASP.NET Core Identity, format 3).
        var real = Convert.FromBase64String(Passwords.Hash("right"));
        var nobodys = Convert.FromBase64String(Passwords.NobodysHash);
        Assert.Equal(real[..13], nobodys[..13]);
        Assert.Equal(real.Length, nobodys.Length);
    }
}
