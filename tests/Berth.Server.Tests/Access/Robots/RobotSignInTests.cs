using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Access.Robots;

/// <summary>How robots sign in: names, secrets, rotation, expiry.</summary>
public sealed class RobotSignInTests
{
    private const string Robots = "/api/v2.0/robots";
    private readonly ManualTime _time = new();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Names_are_taken_with_the_prefix_without_the_dollar_sign_and_bare(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("team");
        var (_, secret) = await MakeAsync(app, "ci", "repository:pull");
        foreach (var name in new[] { "robot$team+ci", "robot_team+ci", "team+ci" }) Assert.Equal(200, await StatusAsync(app, name, secret));
        foreach (var name in new[] { "robot$ci", "robot_ci", "ci", "robot$other+ci", "ROBOT$team+ci", "robot$robot$team+ci" }) Assert.Equal(401, await StatusAsync(app, name, secret));
        Assert.Equal(401, await StatusAsync(app, "robot$team+ci", secret + "x"));
        Assert.Equal(401, await StatusAsync(app, "robot$team+ci", ""));

        // A user of the bare name keeps it; the robot still has its full one.
        await app.AddUserAsync("team+own");
        var (_, other) = await MakeAsync(app, "own", "repository:pull");
        Assert.Equal(200, await StatusAsync(app, "team+own", PlatformApp.Password));
        Assert.Equal(401, await StatusAsync(app, "team+own", other));
        Assert.Equal(200, await StatusAsync(app, "robot$team+own", other));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_prefix_is_a_setting(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind, o => o with { Access = o.Access with { RobotNamePrefix = "bot-" } });
        await app.AddProjectAsync("team");
        var made = await app.CallAsync("POST", Robots, "admin", RobotsApiTests.OfProject("ci", "team", "repository:pull"));
        Assert.Equal("bot-team+ci", (string?)made.Json["name"]);
        foreach (var name in new[] { "bot-team+ci", "robot$team+ci", "robot_team+ci", "team+ci" }) Assert.Equal(200, await StatusAsync(app, name, (string)made.Json["secret"]!));
        var user = """{"username":"bot-x","email":"x@example.com","realname":"X","password":"Harbor12345"}""";
        Assert.Equal(400, (await app.CallAsync("POST", "/api/v2.0/users", "admin", user)).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_disabled_or_expired_or_removed_robot_stays_out_with_all_its_tokens(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.AddProjectAsync("team");
        foreach (var end in new[] { "disable", "expire", "remove" })
        {
            var (location, secret) = await MakeAsync(app, end, "repository:pull", days: 10);
            var name = "robot$team+" + end;
            var token = (await app.CallAsync("GET", "/service/token?offline_token=true&scope=repository:team/x:pull", "", null, PlatformApp.As(name, secret))).Json;
            Assert.Equal("repository:team/x:pull", (string?)token["scope"]);
            Assert.Equal(200, await StatusOfTokenAsync(app, token));
            Assert.Equal(404, (await app.CallAsync("GET", "/v2/team/x/tags/list", "", null, ("Authorization", "Bearer " + token["token"]))).Status);
            switch (end)
            {
                case "disable":
                    var robot = await app.GetAsync(location);
                    robot["disable"] = true;
                    Assert.Equal(200, (await app.CallAsync("PUT", location, "admin", robot.ToJsonString())).Status);
                    break;
                case "expire":
                    _time.Advance(TimeSpan.FromDays(10));
                    break;
                default:
                    Assert.Equal(200, (await app.CallAsync("DELETE", location)).Status);
                    break;
            }
            Assert.Equal(401, await StatusAsync(app, name, secret));
            Assert.Equal(401, await StatusOfTokenAsync(app, token));
            var refreshed = await app.Registry.SendAsync(
                HttpMethod.Post, "/service/token", new FormUrlEncodedContent([new("grant_type", "refresh_token"), new("refresh_token", (string)token["refresh_token"]!)]));
            Assert.Equal(401, refreshed.Status);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_refresh_ends_the_secret_before_at_once(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("team");
        var (location, first) = await MakeAsync(app, "ci", "repository:pull");
        Assert.Equal(200, await StatusAsync(app, "robot$team+ci", first));
        var refreshed = await app.CallAsync("PATCH", location, "admin", "{}");
        var second = (string)refreshed.Json["secret"]!;
        Assert.Equal(401, await StatusAsync(app, "robot$team+ci", first));
        Assert.Equal(200, await StatusAsync(app, "robot$team+ci", second));

        Assert.Equal(400, (await app.CallAsync("PATCH", location, "admin", """{"secret":"weak"}""")).Status);
        var chosen = await app.CallAsync("PATCH", location, "admin", """{"secret":"Chosen12345"}""");
        Assert.Equal((200, ""), (chosen.Status, (string?)chosen.Json["secret"]));
        Assert.Equal(401, await StatusAsync(app, "robot$team+ci", second));
        Assert.Equal(200, await StatusAsync(app, "robot$team+ci", "Chosen12345"));
        Assert.Equal(401, await StatusAsync(app, "robot$team+ci", "Chosen12346"));
        // A chosen one is good on the way out of a rotation too.
        var rotated = (string)(await app.CallAsync("POST", Rotate(location))).Json["secret"]!;
        Assert.Equal(200, await StatusAsync(app, "robot$team+ci", "Chosen12345"));
        Assert.Equal(200, await StatusAsync(app, "robot$team+ci", rotated));
        Assert.Equal(401, await StatusAsync(app, "robot$team+ci", "Chosen12346"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_rotation_keeps_both_secrets_until_the_grace_ends(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.AddProjectAsync("team");
        var (location, first) = await MakeAsync(app, "ci", "repository:pull");
        async Task<System.Text.Json.Nodes.JsonNode> Token(string secret) =>
            (await app.CallAsync("GET", "/service/token?offline_token=true", "", null, PlatformApp.As("robot$team+ci", secret))).Json;
        var before = await Token(first);
        var rotation = (await app.CallAsync("POST", Rotate(location), "admin", """{"grace_seconds":3600}""")).Json;
        var second = (string)rotation["secret"]!;
        var (byFirst, bySecond) = (await Token(first), await Token(second));
        foreach (var secret in new[] { first, second }) Assert.Equal(200, await StatusAsync(app, "robot$team+ci", secret));
        foreach (var token in new[] { before, byFirst, bySecond }) Assert.Equal(200, await StatusOfTokenAsync(app, token));
        var state = $"/api/berth/v1/robots/{location.Split('/')[^1]}";
        Assert.Equal((string?)rotation["previous_secret_ends_at"], (string?)(await app.GetAsync(state))["previous_secret_ends_at"]);

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(401, await StatusAsync(app, "robot$team+ci", first));
        Assert.Equal(200, await StatusAsync(app, "robot$team+ci", second));
        Assert.Null((await app.GetAsync(state))["previous_secret_ends_at"]);
        // Refresh tokens end with the secret that bought them.
        foreach (var (token, status) in new[] { (before, 401), (byFirst, 401), (bySecond, 200) })
        {
            var refreshed = await app.Registry.SendAsync(
                HttpMethod.Post, "/service/token", new FormUrlEncodedContent([new("grant_type", "refresh_token"), new("refresh_token", (string)token["refresh_token"]!)]));
            Assert.Equal(status, refreshed.Status);
        }

        // The secret before can be ended early; and there are never three.
        var third = (string)(await app.CallAsync("POST", Rotate(location))).Json["secret"]!;
        Assert.Equal(204, (await app.CallAsync("DELETE", state + "/previous-secret")).Status);
        Assert.Equal(401, await StatusAsync(app, "robot$team+ci", second));
        var fourth = (string)(await app.CallAsync("POST", Rotate(location))).Json["secret"]!;
        await app.CallAsync("POST", Rotate(location));
        Assert.Equal(401, await StatusAsync(app, "robot$team+ci", third));
        Assert.Equal(200, await StatusAsync(app, "robot$team+ci", fourth));
        Assert.Equal(400, (await app.CallAsync("POST", Rotate(location), "admin", """{"grace_seconds":-1}""")).Status);
        Assert.Equal(404, (await app.CallAsync("POST", "/api/berth/v1/robots/99/rotate")).Status);
        Assert.Equal(404, (await app.CallAsync("GET", "/api/berth/v1/robots/99")).Status);
        Assert.Equal(401, (await app.CallAsync("GET", state, "")).Status);
        Assert.Equal(401, (await app.CallAsync("DELETE", state + "/previous-secret", "")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_last_use_is_known_to_the_minute(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.AddProjectAsync("team");
        var (location, secret) = await MakeAsync(app, "ci", "repository:pull");
        var state = $"/api/berth/v1/robots/{location.Split('/')[^1]}";
        Assert.Null((await app.GetAsync(state))["last_used_at"]);
        async Task<string?> UseAsync()
        {
            Assert.Equal(200, await StatusAsync(app, "robot$team+ci", secret));
            return (string?)(await app.GetAsync(state))["last_used_at"];
        }

        var first = await UseAsync();
        Assert.NotNull(first);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(first, await UseAsync());
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.NotEqual(first, await UseAsync());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_robot_of_a_project_that_may_push_may_pull(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("team");
        var (_, secret) = await MakeAsync(app, "ci", "repository:push");
        var token = (await app.CallAsync("GET", "/service/token?scope=repository:team/x:pull,push,delete", "", null, PlatformApp.As("robot$team+ci", secret))).Json;
        Assert.Equal("repository:team/x:pull,push", (string?)token["scope"]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Robots_open_no_browser_session(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("team");
        var (_, secret) = await MakeAsync(app, "ci", "repository:pull");
        var login = await app.Registry.SendAsync(HttpMethod.Post, "/c/login", new FormUrlEncodedContent([new("principal", "robot$team+ci"), new("password", secret)]));
        Assert.True(login.Status is 401 or 403, $"{login.Status} {login.Text}");
        Assert.Null(login.Header("Set-Cookie"));
    }

    private static string Rotate(string location) => $"/api/berth/v1/robots/{location.Split('/')[^1]}/rotate";

    private Task<PlatformApp> StartAsync(DatabaseKind kind) => PlatformApp.StartAsync(kind, services: s => s.AddSingleton<TimeProvider>(_time));

    private static async Task<(string Location, string Secret)> MakeAsync(PlatformApp app, string name, string words, int days = -1)
    {
        var made = await app.CallAsync("POST", Robots, "admin", RobotsApiTests.OfProject(name, "team", words, days));
        Assert.True(made.Status == 201, made.Body);
        return (made.Header("Location")!, (string)made.Json["secret"]!);
    }

    private static async Task<int> StatusAsync(PlatformApp app, string name, string secret) => (await app.CallAsync("GET", "/v2/", "", null, PlatformApp.As(name, secret))).Status;

    private static async Task<int> StatusOfTokenAsync(PlatformApp app, System.Text.Json.Nodes.JsonNode token) =>
        (await app.CallAsync("GET", "/v2/", "", null, ("Authorization", "Bearer " + token["token"]))).Status;
}
