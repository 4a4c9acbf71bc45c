using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;
using Berth.Server.Tests.Api;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Identity;

/// <summary>Harbor's operations on users, over HTTP.</summary>
public sealed class UsersApiTests
{
    private const string Users = "/api/v2.0/users";
    private const string Bob = """{"username":"bob","email":"bob@example.com","realname":"Bob","comment":"a colleague","password":"Harbor12345"}""";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_user_is_made_found_changed_and_removed(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var location = await app.CreateAsync(Users, Bob);
        Assert.Matches("^/api/v2.0/users/[0-9]+$", location);
        var bob = await app.GetAsync(location);
        Assert.Equal("bob", (string?)bob["username"]);
        Assert.Equal("bob@example.com", (string?)bob["email"]);
        Assert.Equal("Bob", (string?)bob["realname"]);
        Assert.Equal("a colleague", (string?)bob["comment"]);
        Assert.False((bool)bob["sysadmin_flag"]!);
        Assert.Matches("^[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}Z$", (string)bob["creation_time"]!);
        Assert.Null(bob["password"]);
        Assert.Equal(bob.ToJsonString(), (await app.GetAsync("/api/v2.0/users/current", "bob")).ToJsonString());
        Assert.Equal(bob.ToJsonString(), (await app.GetAsync(location, "bob")).ToJsonString());

        Assert.Equal(200, (await app.CallAsync("PUT", location, "bob", """{"email":"b@example.com","realname":"Robert","comment":""}""")).Status);
        var changed = await app.GetAsync(location);
        Assert.Equal("b@example.com", (string?)changed["email"]);
        Assert.Null(changed["comment"]);

        Assert.Equal(200, (await app.CallAsync("DELETE", location)).Status);
        Assert.Equal(404, (await app.CallAsync("GET", location)).Status);
        Assert.Equal("NOT_FOUND", (await app.CallAsync("DELETE", location)).Code);
        Assert.Equal(404, (await app.CallAsync("PUT", location, "admin", """{"email":"b@example.com","realname":"Robert"}""")).Status);
        Assert.Equal(401, (await app.CallAsync("GET", "/api/v2.0/users/current", "bob")).Status);
        // The name is free again.
        Assert.NotEqual(location, await app.CreateAsync(Users, Bob));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Lists_are_paged_filtered_and_sorted_and_leave_the_first_administrator_out(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        foreach (var name in new[] { "carol", "alice", "bob" }) await app.CreateAsync(Users, Bob.Replace("bob", name, StringComparison.Ordinal));
        await app.AddUserAsync("dave", isAdmin: true);

        async Task<(string Names, ApiAnswer Answer)> List(string query)
        {
            var answer = await app.CallAsync("GET", Users + query);
            Assert.True(answer.Status == 200, answer.Body);
            return (string.Join(' ', answer.Json.AsArray().Select(u => (string?)u!["username"])), answer);
        }

        var (all, answer) = await List("");
        Assert.Equal("alice bob carol dave", all);
        Assert.Equal("4", answer.Header("X-Total-Count"));
        Assert.Null(answer.Header("Link"));
        var (page, first) = await List("?page_size=2&sort=-username");
        Assert.Equal("dave carol", page);
        Assert.Contains("page=2&page_size=2>; rel=\"next\"", first.Header("Link"), StringComparison.Ordinal);
        Assert.Equal("bob alice", (await List("?page=2&page_size=2&sort=-username")).Names);
        Assert.Equal("bob carol", (await List("?q=" + Uri.EscapeDataString("username={bob carol}"))).Names);
        Assert.Equal("alice carol", (await List("?q=" + Uri.EscapeDataString("username=~A,email=~EXAMPLE"))).Names);
        Assert.Equal("dave", (await List("?q=sysadmin_flag%3Dtrue")).Names);
        Assert.Equal("bob", (await List("?username=OB")).Names);
        Assert.Equal("carol", (await List("?email=carol%40")).Names);
        Assert.Equal("", (await List("?q=username%3D~%25")).Names);
        Assert.Equal("alice bob carol dave", (await List("?q=no_such_key%3Dx&sort=no_such_key")).Names);
        Assert.Equal(400, (await app.CallAsync("GET", Users + "?q=nonsense")).Status);
        Assert.Equal(400, (await app.CallAsync("GET", Users + "?q=user_id%3Dx")).Status);
        Assert.Equal(422, (await app.CallAsync("GET", Users + "?page_size=101")).Status);

        var found = await app.CallAsync("GET", Users + "/search?username=a", "bob");
        Assert.Equal("3", found.Header("X-Total-Count"));
        Assert.Equal("dave alice carol", string.Join(' ', found.Json.AsArray().Select(u => (string?)u!["username"])));
        Assert.Equal(422, (await app.CallAsync("GET", Users + "/search", "bob")).Status);
        Assert.Equal(401, (await app.CallAsync("GET", Users + "/search?username=a", "")).Status);
    }

    [Theory]
    [InlineData("password", "short1A", "the password or secret must be 8-128")]
    [InlineData("password", "nouppercase1", "the password or secret")]
    [InlineData("password", "NOLOWERCASE1", "the password or secret")]
    [InlineData("password", "NoDigitInHere", "the password or secret")]
    [InlineData("email", "", "email can't be empty")]
    [InlineData("email", "bob@", "email with illegal format")]
    [InlineData("realname", "", "realname with illegal length")]
    [InlineData("realname", "Bob, Esquire", "realname contains illegal characters")]
    [InlineData("comment", "more than the thirty letters that fit", "comment with illegal length")]
    [InlineData("username", "", "username with illegal length")]
    [InlineData("username", "bob$", "username contains illegal characters")]
    [InlineData("username", "bob:b", "username contains illegal characters")]
    public async Task A_user_must_be_described_well(string field, string value, string message)
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        var body = System.Text.Json.Nodes.JsonNode.Parse(Bob)!;
        body[field] = value;
        var answer = await app.CallAsync("POST", Users, "admin", body.ToJsonString());
        Assert.Equal((400, "BAD_REQUEST"), (answer.Status, answer.Code));
        Assert.StartsWith(message, answer.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Names_and_addresses_are_taken_once(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.CreateAsync(Users, Bob);
        var sameName = await app.CallAsync("POST", Users, "admin", Bob.Replace("bob@", "other@", StringComparison.Ordinal));
        Assert.Equal((409, "CONFLICT"), (sameName.Status, sameName.Code));
        Assert.Equal(409, (await app.CallAsync("POST", Users, "admin", Bob.Replace("\"bob\"", "\"rob\"", StringComparison.Ordinal))).Status);
        var alice = await app.CreateAsync(Users, Bob.Replace("bob", "alice", StringComparison.Ordinal));
        Assert.Equal(409, (await app.CallAsync("PUT", alice, "alice", """{"email":"bob@example.com","realname":"A"}""")).Status);
        Assert.Equal(400, (await app.CallAsync("PUT", alice, "alice", """{"email":"","realname":"A"}""")).Status);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => app.CallAsync("POST", Users, "admin", Bob.Replace("bob", "zoe", StringComparison.Ordinal))));
        Assert.Equal(1, answers.Count(a => a.Status == 201));
        Assert.Equal(7, answers.Count(a => a.Status == 409));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Users_see_and_change_only_themselves(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var bob = await app.CreateAsync(Users, Bob);
        var alice = await app.CreateAsync(Users, Bob.Replace("bob", "alice", StringComparison.Ordinal));
        const string Profile = """{"email":"x@example.com","realname":"X"}""";
        foreach (var (user, status) in new[] { ("bob", 403), ("", 401) })
        {
            Assert.Equal(status, (await app.CallAsync("GET", Users, user)).Status);
            Assert.Equal(status, (await app.CallAsync("POST", Users, user, Bob.Replace("bob", "eve", StringComparison.Ordinal))).Status);
            Assert.Equal(status, (await app.CallAsync("GET", alice, user)).Status);
            Assert.Equal(status, (await app.CallAsync("PUT", alice, user, Profile)).Status);
            Assert.Equal(status, (await app.CallAsync("DELETE", alice, user)).Status);
            Assert.Equal(status, (await app.CallAsync("PUT", alice + "/sysadmin", user, """{"sysadmin_flag":true}""")).Status);
            Assert.Equal(status, (await app.CallAsync("PUT", alice + "/password", user, """{"old_password":"Harbor12345","new_password":"Harbor123456"}""")).Status);
            Assert.Equal(status, (await app.CallAsync("PUT", alice + "/cli_secret", user, """{"secret":"Harbor123456"}""")).Status);
        }
        Assert.Equal(403, (await app.CallAsync("DELETE", bob, "bob")).Status);
        Assert.Equal(403, (await app.CallAsync("PUT", bob + "/sysadmin", "bob", """{"sysadmin_flag":true}""")).Status);
        Assert.Equal(422, (await app.CallAsync("GET", Users + "/bob")).Status);
        Assert.Equal(401, (await app.CallAsync("GET", Users + "/current", "")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Administrators_are_made_and_unmade_but_the_first_one_stays(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var bob = await app.CreateAsync(Users, Bob);
        Assert.Equal(200, (await app.CallAsync("PUT", bob + "/sysadmin", "admin", """{"sysadmin_flag":true}""")).Status);
        Assert.True((bool)(await app.GetAsync(bob, "bob"))["sysadmin_flag"]!);
        Assert.Equal(200, (await app.CallAsync("GET", Users, "bob")).Status);
        Assert.Equal(1, (int)(await app.GetAsync(Users + "/current"))["user_id"]!);
        foreach (var user in new[] { "admin", "bob" })
        {
            Assert.Equal(403, (await app.CallAsync("DELETE", Users + "/1", user)).Status);
            Assert.Equal(403, (await app.CallAsync("PUT", Users + "/1/sysadmin", user, """{"sysadmin_flag":false}""")).Status);
            Assert.Equal(403, (await app.CallAsync("PATCH", "/api/berth/v1/users/1", user, """{"is_disabled":true}""")).Status);
        }
        Assert.Equal(200, (await app.CallAsync("PUT", bob + "/sysadmin", "admin", """{"sysadmin_flag":false}""")).Status);
        Assert.Equal(403, (await app.CallAsync("GET", Users, "bob")).Status);
        Assert.Equal(404, (await app.CallAsync("PUT", Users + "/99/sysadmin", "admin", """{"sysadmin_flag":true}""")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Self_registration_is_off_and_then_for_the_sign_in_page_only(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        Assert.Equal(401, (await app.CallAsync("POST", Users, "", Bob)).Status);
        var settings = app.Services.GetRequiredService<RuntimeSettings>();
        await app.Database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            await settings.SetAsync(session, new Dictionary<RuntimeSetting, string> { [RuntimeSettingTable.SelfRegistration] = "true" }, 0, ct);
            return true;
        }, CancellationToken.None);
        var byApi = await app.CallAsync("POST", Users, "", Bob);
        Assert.Equal((403, "self-registration cannot be triggered via API"), (byApi.Status, byApi.Message));
        foreach (var elsewhere in new[] { ("Cookie", "sid=anything"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "none"), ("Origin", "https://evil.example"), ("Origin", "null") })
            Assert.Equal(403, (await app.CallAsync("POST", Users, "", Bob, elsewhere, ("Cookie", "sid=anything"))).Status);
        Assert.Equal(201, (await app.CallAsync("POST", Users, "", Bob, ("Sec-Fetch-Site", "same-origin"), ("Origin", "https://proxied.example"))).Status);
        Assert.Equal(201, (await app.CallAsync("POST", Users, "", Bob.Replace("bob", "old", StringComparison.Ordinal), ("Origin", app.Registry.Url.ToString()))).Status);
        Assert.False((bool)(await app.GetAsync(Users + "/current", "bob"))["sysadmin_flag"]!);
        Assert.Equal(403, (await app.CallAsync("POST", Users, "bob", Bob.Replace("bob", "eve", StringComparison.Ordinal))).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_removed_user_loses_roles_tokens_and_groups(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var bob = await app.CreateAsync(Users, Bob);
        await app.AddProjectAsync("team");
        await app.AddMemberAsync("team", "bob", 2);
        await app.CreateAsync("/api/berth/v1/users/current/tokens", """{"name":"ci"}""", "bob");
        Assert.Equal(200, (await app.CallAsync("DELETE", bob)).Status);
        var left = await app.Database.ReadAsync(0, static (s, _, t) => s.ScalarAsync(s_left, [], t), CancellationToken.None);
        Assert.Equal(0, left);
    }

    private static readonly Statement s_left = new("""
        SELECT (SELECT COUNT(*) FROM personal_tokens) + (SELECT COUNT(*) FROM project_members m WHERE m.subject_kind = 1 AND m.subject_id NOT IN (SELECT id FROM users))
        """);
}
