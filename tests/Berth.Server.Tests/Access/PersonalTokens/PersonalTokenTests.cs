using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Access.PersonalTokens;

/// <summary>Personal access tokens: what they are made of, what they open, and that they give no more than they have.</summary>
public sealed class PersonalTokenTests
{
    private const string Tokens = "/api/berth/v1/users/current/tokens";
    private readonly ManualTime _time = new();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_token_is_shown_once_serves_everywhere_and_ends_when_revoked(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddUserAsync("bob");
        var made = await app.CallAsync("POST", Tokens, "bob", """{"name":"laptop"}""");
        Assert.True(made.Status == 201, made.Body);
        var text = (string)made.Json["token"]!;
        Assert.Matches("^berth_pat_[A-Za-z0-9_-]{43}$", text);
        Assert.Equal($"{Tokens}/{made.Json["id"]}", made.Header("Location"));
        var listed = Assert.Single((await app.GetAsync(Tokens, "bob")).AsArray())!;
        Assert.Equal(("laptop", null), ((string?)listed["name"], (string?)listed["token"]));

        // As the password of any name, and as a bearer token.
        foreach (var header in new[] { PlatformApp.As("bob", text), PlatformApp.As("whoever", text), ("Authorization", "Bearer " + text) })
        {
            Assert.Equal(200, (await app.CallAsync("GET", "/v2/", "", null, header)).Status);
            Assert.Equal("bob", (string?)(await app.CallAsync("GET", "/api/v2.0/users/current", "", null, header)).Json["username"]);
        }
        var bearer = (string)(await app.CallAsync("GET", "/service/token", "", null, PlatformApp.As("bob", text))).Json["token"]!;
        Assert.Equal(200, (await app.CallAsync("GET", "/v2/", "", null, ("Authorization", "Bearer " + bearer))).Status);
        Assert.NotNull((await app.GetAsync(Tokens, "bob"))[0]!["last_used_at"]);

        // It is not the password: it outlives it, and cannot change it.
        var id = (int)(await app.GetAsync("/api/v2.0/users/current", "bob"))["user_id"]!;
        var change = await app.CallAsync("PUT", $"/api/v2.0/users/{id}/password", "", $$"""{"old_password":"{{text}}","new_password":"NewPassword1"}""", PlatformApp.As("bob", text));
        Assert.Equal((403, "Current password is incorrect"), (change.Status, change.Message));
        Assert.Equal(200, (await app.CallAsync("PUT", $"/api/v2.0/users/{id}/password", "admin", """{"new_password":"NewPassword1"}""")).Status);
        Assert.Equal(200, (await app.CallAsync("GET", "/v2/", "", null, PlatformApp.As("bob", text))).Status);

        Assert.Equal(204, (await app.CallAsync("DELETE", made.Header("Location")!, "", null, PlatformApp.As("bob", "NewPassword1"))).Status);
        foreach (var header in new[] { PlatformApp.As("bob", text), ("Authorization", "Bearer " + text), ("Authorization", "Bearer " + bearer) })
            Assert.Equal(401, (await app.CallAsync("GET", "/v2/", "", null, header)).Status);
        Assert.Equal(404, (await app.CallAsync("DELETE", made.Header("Location")!, "", null, PlatformApp.As("bob", "NewPassword1"))).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_token_ends_on_its_day_exactly(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind, services: s => s.AddSingleton<TimeProvider>(_time));
        await app.AddUserAsync("bob");
        var text = (string)(await app.CallAsync("POST", Tokens, "bob", """{"name":"short","duration_days":1}""")).Json["token"]!;
        _time.Advance(TimeSpan.FromDays(1) - TimeSpan.FromSeconds(2));
        var bearer = (string)(await app.CallAsync("GET", "/service/token", "", null, PlatformApp.As("bob", text))).Json["token"]!;
        var headers = new[] { PlatformApp.As("bob", text), ("Authorization", "Bearer " + text), ("Authorization", "Bearer " + bearer) };
        foreach (var header in headers) Assert.Equal(200, (await app.CallAsync("GET", "/v2/", "", null, header)).Status);
        _time.Advance(TimeSpan.FromSeconds(2));
        foreach (var header in headers) Assert.Equal(401, (await app.CallAsync("GET", "/v2/", "", null, header)).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Scopes_cut_what_the_user_may_do(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddUserAsync("bob");
        foreach (var project in new[] { "one", "two" })
        {
            await app.AddProjectAsync(project);
            await app.AddMemberAsync(project, "bob", 1);
        }
        async Task<string> Granted(string scopes)
        {
            var text = await MakeAsync(app, "bob", $"t{scopes.GetHashCode():x}", scopes);
            var answer = await app.CallAsync("GET", "/service/token?scope=repository:one/x:pull,push,delete%20repository:two/x:pull,push,delete", "", null, PlatformApp.As("bob", text));
            return (string)answer.Json["scope"]!;
        }

        Assert.Equal("repository:one/x:pull,push,delete repository:two/x:pull,push,delete", await Granted(""));
        Assert.Equal("repository:one/x:pull", await Granted("one:read"));
        Assert.Equal("repository:one/x:pull,push", await Granted("one:push"));
        Assert.Equal("repository:one/x:pull,push,delete repository:two/x:pull", await Granted("one:write,*:read"));
        Assert.Equal("", await Granted("three:admin"));
        Assert.Equal("", await Granted("system:read"));
        // Straight at the registry, and by the API.
        var reader = PlatformApp.As("bob", await MakeAsync(app, "bob", "reader", "one:read"));
        Assert.Equal(404, (await app.CallAsync("GET", "/v2/one/x/tags/list", "", null, reader)).Status);
        Assert.Equal(403, (await app.CallAsync("GET", "/v2/two/x/tags/list", "", null, reader)).Status);
        Assert.Equal(403, (await app.CallAsync("POST", "/v2/one/x/blobs/uploads/", "", null, reader)).Status);
        Assert.Equal(200, (await app.CallAsync("GET", "/api/v2.0/projects/one", "", null, reader)).Status);
        Assert.Equal(403, (await app.CallAsync("GET", "/api/v2.0/projects/two", "", null, reader)).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_limited_token_makes_nothing_that_can_do_more(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("one");
        await app.AddProjectAsync("two");
        // An administrator's token for one project.
        var limited = PlatformApp.As("admin", await MakeAsync(app, "admin", "one", "one:admin"));
        Task<ApiAnswer> Try(string method, string path, string? body = null) => app.CallAsync(method, path, "", body, limited);

        Assert.Equal(403, (await Try("POST", Tokens, """{"name":"all"}""")).Status);
        Assert.Equal(403, (await Try("POST", Tokens, """{"name":"all","scopes":["*:read"]}""")).Status);
        Assert.Equal(403, (await Try("POST", Tokens, """{"name":"all","scopes":["one:read","system:read"]}""")).Status);
        Assert.Equal(201, (await Try("POST", Tokens, """{"name":"part","scopes":["one:read"]}""")).Status);
        var users = """{"username":"eve","email":"eve@example.com","realname":"Eve","password":"Harbor12345"}""";
        Assert.Equal(403, (await Try("POST", "/api/v2.0/users", users)).Status);
        Assert.Equal(403, (await Try("GET", "/api/v2.0/users")).Status);
        Assert.Equal(403, (await Try("PUT", "/api/v2.0/users/1/password", """{"old_password":"Harbor12345","new_password":"NewPassword1"}""")).Status);
        Assert.Equal(403, (await Try("PUT", "/api/v2.0/users/1", """{"email":"a@b.de","realname":"x"}""")).Status);
        Assert.Equal(403, (await Try("POST", "/api/berth/v1/keys/rotate")).Status);
        Assert.Equal(403, (await Try("GET", "/api/berth/v1/keys")).Status);
        Assert.Equal(403, (await Try("GET", "/api/berth/v1/users/1/tokens")).Status);
        Assert.Equal(201, (await Try("POST", "/api/v2.0/robots", Robots.RobotsApiTests.OfProject("ci", "one", "repository:push metadata:list"))).Status);
        Assert.Equal(403, (await Try("POST", "/api/v2.0/robots", Robots.RobotsApiTests.OfProject("ci", "two", "repository:pull"))).Status);
        Assert.Equal(403, (await Try("POST", "/api/v2.0/robots", Robots.RobotsApiTests.OfSystem("ci", "one", "repository:pull"))).Status);
        // It does not revoke others, but itself.
        var all = (await app.GetAsync(Tokens)).AsArray();
        var own = all.Single(t => (string)t!["name"]! == "one")!["id"];
        var other = all.Single(t => (string)t!["name"]! == "part")!["id"];
        Assert.Equal(403, (await Try("DELETE", $"{Tokens}/{other}")).Status);
        Assert.Equal(204, (await Try("DELETE", $"{Tokens}/{own}")).Status);
        Assert.Equal(401, (await Try("GET", Tokens)).Status);

        // One of the whole system without projects gives no rights in projects away.
        var system = PlatformApp.As("admin", await MakeAsync(app, "admin", "sys", "system:admin"));
        Assert.Equal(403, (await app.CallAsync("POST", "/api/v2.0/robots", "", Robots.RobotsApiTests.OfSystem("wide", "*", "repository:pull"), system)).Status);
        // A token with an end makes none without, or with a later one.
        var month = (string)(await app.CallAsync("POST", Tokens, "admin", """{"name":"month","duration_days":30}""")).Json["token"]!;
        Assert.Equal(403, (await app.CallAsync("POST", Tokens, "", """{"name":"ever"}""", PlatformApp.As("admin", month))).Status);
        Assert.Equal(403, (await app.CallAsync("POST", Tokens, "", """{"name":"ever","duration_days":31}""", PlatformApp.As("admin", month))).Status);
        Assert.Equal(201, (await app.CallAsync("POST", Tokens, "", """{"name":"less","duration_days":29}""", PlatformApp.As("admin", month))).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Tokens_are_the_owners_and_administrators_revoke_them(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var bob = await app.AddUserAsync("bob");
        await app.AddUserAsync("eve");
        var made = await app.CallAsync("POST", Tokens, "bob", """{"name":"ci","scopes":["library:read"]}""");
        var id = (int)made.Json["id"]!;
        Assert.Equal(409, (await app.CallAsync("POST", Tokens, "bob", """{"name":"ci"}""")).Status);
        Assert.Equal(201, (await app.CallAsync("POST", Tokens, "eve", """{"name":"ci"}""")).Status);
        Assert.Equal(404, (await app.CallAsync("DELETE", $"{Tokens}/{id}", "eve")).Status);
        Assert.Equal(401, (await app.CallAsync("DELETE", $"{Tokens}/{id}", "")).Status);
        Assert.Equal(401, (await app.CallAsync("GET", Tokens, "")).Status);
        Assert.Equal(401, (await app.CallAsync("POST", Tokens, "", """{"name":"x"}""")).Status);
        Assert.Equal(403, (await app.CallAsync("GET", $"/api/berth/v1/users/{bob}/tokens", "eve")).Status);
        Assert.Equal(403, (await app.CallAsync("DELETE", $"/api/berth/v1/users/{bob}/tokens/{id}", "eve")).Status);
        var list = await app.CallAsync("GET", $"/api/berth/v1/users/{bob}/tokens");
        Assert.Equal(("1", "library:read"), (list.Header("X-Total-Count"), (string?)list.Json[0]!["scopes"]![0]));
        Assert.Equal(204, (await app.CallAsync("DELETE", $"/api/berth/v1/users/{bob}/tokens/{id}")).Status);
        Assert.Equal(404, (await app.CallAsync("DELETE", $"/api/berth/v1/users/{bob}/tokens/{id}")).Status);
        Assert.Equal(401, (await app.CallAsync("GET", "/v2/", "", null, PlatformApp.As("bob", (string)made.Json["token"]!))).Status);

        foreach (var body in new[] { "{}", """{"name":""}""", """{"name":"x","scopes":["nonsense"]}""", """{"name":"x","scopes":["a:fly"]}""", """{"name":"x","scopes":["a:read,*:admin"]}""", """{"name":"x","duration_days":0}""", """{"name":"x","duration_days":99999}""" })
            Assert.Equal(400, (await app.CallAsync("POST", Tokens, "bob", body)).Status);
        Assert.Equal(422, (await app.CallAsync("POST", Tokens, "bob", "not json")).Status);

        var robot = (await app.CallAsync("POST", "/api/v2.0/robots", "admin", Robots.RobotsApiTests.OfSystem("ci", "*", "repository:pull"))).Json;
        var asRobot = PlatformApp.As("robot$ci", (string)robot["secret"]!);
        Assert.Equal(412, (await app.CallAsync("POST", Tokens, "", """{"name":"x"}""", asRobot)).Status);
        Assert.Equal(412, (await app.CallAsync("GET", Tokens, "", null, asRobot)).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Keys_are_rotated_over_the_API_by_administrators(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddUserAsync("bob");
        var token = (string)(await app.CallAsync("GET", "/service/token", "bob")).Json["token"]!;
        var first = (string)(await app.GetAsync("/api/berth/v1/keys"))[0]!["id"]!;
        var second = await app.CallAsync("POST", "/api/berth/v1/keys/rotate");
        Assert.True((bool)second.Json["is_signing"]!);
        var keys = (await app.GetAsync("/api/berth/v1/keys")).AsArray();
        Assert.Equal([(string)second.Json["id"]!, first], keys.Select(k => (string)k!["id"]!));
        Assert.Equal(200, (await app.CallAsync("GET", "/v2/", "", null, ("Authorization", "Bearer " + token))).Status);
        Assert.Equal(200, (await app.CallAsync("POST", "/api/berth/v1/keys/rotate", "admin", """{"revoke_others":true}""")).Status);
        Assert.Equal(401, (await app.CallAsync("GET", "/v2/", "", null, ("Authorization", "Bearer " + token))).Status);
        Assert.Single((await app.GetAsync("/api/berth/v1/keys")).AsArray());
        foreach (var (user, status) in new[] { ("bob", 403), ("", 401) })
        {
            Assert.Equal(status, (await app.CallAsync("GET", "/api/berth/v1/keys", user)).Status);
            Assert.Equal(status, (await app.CallAsync("POST", "/api/berth/v1/keys/rotate", user)).Status);
        }
    }

    private static async Task<string> MakeAsync(PlatformApp app, string user, string name, string scopes)
    {
        var words = new JsonArray([.. scopes.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(w => (JsonNode)w)]);
        var made = await app.CallAsync("POST", Tokens, user, new JsonObject { ["name"] = name, ["scopes"] = words }.ToJsonString());
        Assert.True(made.Status == 201, made.Body);
        return (string)made.Json["token"]!;
    }
}
