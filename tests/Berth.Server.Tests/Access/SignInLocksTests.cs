using System.Net;
using Berth.Server.Access;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Microsoft.Extensions.DependencyInjection;
using static Berth.Server.Tests.Access.AccessApp;

namespace Berth.Server.Tests.Access;

/// <summary>The lock of a name after failed sign-ins, which all replicas keep together.</summary>
public sealed class SignInLocksTests
{
    private readonly ManualTime _time = new();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_name_is_locked_for_a_time_whether_anybody_has_it_or_not(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var app = await StartAsync(database);
        foreach (var name in new[] { "alice", "nobody" })
        {
            for (var i = 0; i < 4; i++) Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(app, name, "guess" + i));
            using var locked = await app.GetAsync("/v2/", Basic(name, "alice-pw"));
            Assert.Equal((HttpStatusCode)429, locked.StatusCode);
            _time.Advance(TimeSpan.FromMinutes(9));
            Assert.Equal((HttpStatusCode)429, await TryAsync(app, name, "alice-pw"));
            _time.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.Equal(HttpStatusCode.OK, await TryAsync(app, "alice", "alice-pw"));
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(app, "nobody", "alice-pw"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Where_the_name_signed_in_before_the_lock_does_not_hold(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        // A second process on the same data: what the first one has in memory it does not know.
        await using var first = await StartAsync(database);
        Assert.Equal(HttpStatusCode.OK, await TryAsync(first, "alice", "alice-pw"));
        for (var i = 0; i < 4; i++) Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(first, "alice", "guess" + i));
        await using var second = await AccessApp.StartAsync(database.Current, _time, Options, identity: Identity);
        Assert.Equal(HttpStatusCode.OK, await TryAsync(second, "alice", "alice-pw"));
        // The owner has come: the count begins anew.
        Assert.Equal((0, (long?)null), await second.Services.GetRequiredService<SignInLocks>().StateOfAsync("alice", CancellationToken.None));
    }

    [Fact]
    public async Task Replicas_count_together()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Postgres);
        await using var one = await StartAsync(database);
        await using var two = await AccessApp.StartAsync(database.Open(), _time, Options, identity: Identity);
        for (var i = 0; i < 4; i++) Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(i % 2 == 0 ? one : two, "alice", "guess" + i));
        Assert.Equal((HttpStatusCode)429, await TryAsync(one, "alice", "alice-pw"));
        Assert.Equal((HttpStatusCode)429, await TryAsync(two, "alice", "alice-pw"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Failures_that_lie_far_apart_do_not_add_up_and_a_success_forgets_them(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var app = await StartAsync(database);
        var locks = app.Services.GetRequiredService<SignInLocks>();
        for (var i = 0; i < 3; i++) await TryAsync(app, "bob", "guess");
        _time.Advance(TimeSpan.FromHours(2));
        await TryAsync(app, "bob", "guess");
        Assert.Equal((1, (long?)null), await locks.StateOfAsync("bob", CancellationToken.None));
        for (var i = 0; i < 3; i++) await TryAsync(app, "alice", "guess");
        Assert.Equal((3, (long?)null), await locks.StateOfAsync("alice", CancellationToken.None));
        Assert.Equal(HttpStatusCode.OK, await TryAsync(app, "alice", "alice-pw"));
        Assert.Equal((0, (long?)null), await locks.StateOfAsync("alice", CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_administrator_releases_a_name_and_tokens_are_not_locked(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(
            kind,
            o => o with
            {
                Access = o.Access with { FailuresBeforeDelay = 1000 },
                Identity = new IdentityOptions { LockAfterFailures = 3, LockTime = TimeSpan.FromHours(1) },
            });
        var id = await app.AddUserAsync("bob");
        var token = await TokenOfAsync(app, id);
        for (var i = 0; i < 3; i++) Assert.Equal(401, (await app.CallAsync("GET", "/v2/", "", null, PlatformApp.As("bob", "guess" + i))).Status);
        Assert.Equal(429, (await app.CallAsync("GET", "/v2/", "bob")).Status);
        Assert.Equal(429, (await app.CallAsync("GET", "/api/v2.0/users/current", "bob")).Status);
        Assert.Equal(200, (await app.CallAsync("GET", "/v2/", "", null, PlatformApp.As("bob", token))).Status);

        Assert.NotNull((await app.GetAsync($"/api/berth/v1/users/{id}"))["locked_until"]);
        Assert.Equal(401, (await app.CallAsync("POST", $"/api/berth/v1/users/{id}/unlock", "")).Status);
        Assert.Equal(404, (await app.CallAsync("POST", "/api/berth/v1/users/99/unlock")).Status);
        Assert.Equal(204, (await app.CallAsync("POST", $"/api/berth/v1/users/{id}/unlock")).Status);
        Assert.Null((await app.GetAsync($"/api/berth/v1/users/{id}"))["locked_until"]);
        Assert.Equal(200, (await app.CallAsync("GET", "/v2/", "bob")).Status);
        Assert.Equal(403, (await app.CallAsync("POST", $"/api/berth/v1/users/{id}/unlock", "bob")).Status);
    }

    private static AccessOptions Options => new() { FailuresBeforeDelay = 1000, SecretKey = Convert.ToBase64String(new byte[32]) };

    private static IdentityOptions Identity => new() { LockAfterFailures = 4, LockTime = TimeSpan.FromMinutes(10) };

    // Written down directly: making it by a sign-in would make this network one that the name is known from.
    private static async Task<string> TokenOfAsync(PlatformApp app, long user)
    {
        var text = Berth.Server.Access.PersonalTokens.PersonalTokenText.New();
        await app.Database.WriteAsync(Durability.Full, async (s, t) =>
            await s.ExecuteAsync(s_insertToken, [user, Berth.Server.Access.PersonalTokens.PersonalTokenText.HashOf(text)], t), CancellationToken.None);
        return text;
    }

    private static async Task<HttpStatusCode> TryAsync(AccessApp app, string name, string password)
    {
        using var response = await app.GetAsync("/v2/", Basic(name, password));
        return response.StatusCode;
    }

    private async Task<AccessApp> StartAsync(TestDatabase database)
    {
        var app = await AccessApp.StartAsync(database.Current, _time, Options, identity: Identity);
        Assert.True(await app.Users.AddAsync("alice", "alice-pw", isAdmin: false, CancellationToken.None));
        return app;
    }

    private static readonly Statement s_insertToken = new(
        "INSERT INTO personal_tokens (user_id, name, token_hash, scopes, created_at) VALUES (@0, 'ci', @1, '', 0)");
}
