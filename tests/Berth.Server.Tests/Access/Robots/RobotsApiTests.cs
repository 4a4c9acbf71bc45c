using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;

namespace Berth.Server.Tests.Access.Robots;

/// <summary>Harbor's operations on robots, over HTTP.</summary>
public sealed class RobotsApiTests
{
    private const string Robots = "/api/v2.0/robots";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_robot_of_a_project_is_made_listed_changed_and_removed(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("team");
        var made = await app.CallAsync("POST", Robots, "admin", OfProject("ci", "team", "repository:pull repository:push", days: 30));
        Assert.True(made.Status == 201, made.Body);
        Assert.Equal("robot$team+ci", (string?)made.Json["name"]);
        Assert.Matches("^[a-zA-Z0-9]{32}$", (string)made.Json["secret"]!);
        var location = made.Header("Location")!;
        Assert.Equal($"{Robots}/{made.Json["id"]}", location);

        var robot = await app.GetAsync(location);
        Assert.Equal("project", (string?)robot["level"]);
        Assert.Equal(30, (int)robot["duration"]!);
        Assert.True((bool)robot["editable"]!);
        Assert.False((bool)robot["disable"]!);
        Assert.Equal("local", (string?)robot["creator_type"]);
        Assert.Equal(1, (int)robot["creator_ref"]!);
        Assert.Null(robot["secret"]);
        Assert.Equal((long)made.Json["expires_at"]!, (long)robot["expires_at"]!);
        Assert.Equal(DateTimeOffset.Parse((string)robot["creation_time"]!).ToUnixTimeSeconds() + (30 * 86400), (long)robot["expires_at"]!);
        var grant = Assert.Single(robot["permissions"]!.AsArray())!;
        Assert.Equal(("project", "team"), ((string?)grant["kind"], (string?)grant["namespace"]));
        Assert.Equal("repository:pull repository:push", Words(grant));

        var project = (int)(await app.GetAsync("/api/v2.0/projects/team"))["project_id"]!;
        var list = await app.CallAsync("GET", Robots + "?q=" + Uri.EscapeDataString($"Level=project,ProjectID={project}"));
        Assert.Equal("1", list.Header("X-Total-Count"));
        Assert.Equal(robot.ToJsonString(), Assert.Single(list.Json.AsArray())!.ToJsonString());
        Assert.Empty((await app.GetAsync(Robots)).AsArray());

        robot["description"] = "builds";
        robot["disable"] = true;
        robot["duration"] = -1;
        robot["permissions"] = new JsonArray(JsonNode.Parse("""{"kind":"project","namespace":"team","access":[{"resource":"artifact","action":"list"}]}"""));
        Assert.Equal(200, (await app.CallAsync("PUT", location, "admin", robot.ToJsonString())).Status);
        var changed = await app.GetAsync(location);
        Assert.Equal(("builds", true, -1, -1), ((string?)changed["description"], (bool)changed["disable"]!, (int)changed["duration"]!, (int)changed["expires_at"]!));
        Assert.Equal("artifact:list", Words(changed["permissions"]![0]!));
        robot["name"] = "robot$team+other";
        Assert.Equal(400, (await app.CallAsync("PUT", location, "admin", robot.ToJsonString())).Status);

        Assert.Equal(200, (await app.CallAsync("DELETE", location)).Status);
        Assert.Equal(404, (await app.CallAsync("GET", location)).Status);
        Assert.Equal(404, (await app.CallAsync("DELETE", location)).Status);
        Assert.Equal(404, (await app.CallAsync("PUT", location, "admin", robot.ToJsonString())).Status);
        Assert.Equal(404, (await app.CallAsync("PATCH", location, "admin", "{}")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_robot_of_the_system_may_span_projects_and_the_installation(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("team");
        var made = await app.CallAsync("POST", Robots, "admin", """
            {"name":"ops","level":"system","duration":-1,"permissions":[
              {"kind":"system","namespace":"/","access":[{"resource":"project","action":"list"},{"resource":"user","action":"list","effect":"allow"}]},
              {"kind":"project","namespace":"*","access":[{"resource":"repository","action":"pull"}]},
              {"kind":"project","namespace":"team","access":[{"resource":"repository","action":"push"}]}]}
            """);
        Assert.True(made.Status == 201, made.Body);
        Assert.Equal(("robot$ops", -1), ((string?)made.Json["name"], (int)made.Json["expires_at"]!));
        var robot = await app.GetAsync(made.Header("Location")!);
        Assert.Equal("system", (string?)robot["level"]);
        Assert.Equal("system / | project * | project team", string.Join(" | ", robot["permissions"]!.AsArray().Select(p => $"{p!["kind"]} {p["namespace"]}")));
        Assert.Equal("robot$ops", (string?)Assert.Single((await app.GetAsync(Robots + "?q=name%3D~op")).AsArray())!["name"]);

        var header = PlatformApp.As("robot$ops", (string)made.Json["secret"]!);
        Assert.Equal(200, (await app.CallAsync("GET", "/api/v2.0/users", "", null, header)).Status);
        Assert.Equal(403, (await app.CallAsync("GET", "/api/v2.0/usergroups", "", null, header)).Status);
        Assert.Equal(412, (await app.CallAsync("GET", "/api/v2.0/users/current", "", null, header)).Status);
        Assert.Equal(404, (await app.CallAsync("GET", "/v2/team/x/tags/list", "", null, header)).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_robot_without_a_duration_lasts_as_long_as_the_setting_says(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        const string permissions = """ "permissions":[{"kind":"project","namespace":"library","access":[{"resource":"repository","action":"pull"}]}] """;
        var byDefault = await app.GetAsync(await app.CreateAsync(Robots, $$"""{"name":"one","level":"system",{{permissions}}}"""));
        Assert.Equal(30, (int)byDefault["duration"]!);
        await app.SetAsync("""{"robot_token_duration":7}""");
        var made = await app.CallAsync("POST", Robots, "admin", $$"""{"name":"two","level":"system",{{permissions}}}""");
        var ends = DateTimeOffset.FromUnixTimeSeconds((long)made.Json["expires_at"]!);
        Assert.InRange(ends, TimeProvider.System.GetUtcNow().AddDays(7).AddMinutes(-5), TimeProvider.System.GetUtcNow().AddDays(7).AddMinutes(5));
        await app.SetAsync("""{"robot_token_duration":9999999999}""");
        await app.CreateAsync(Robots, $$"""{"name":"three","level":"system",{{permissions}}}""");
    }

    [Theory]
    [InlineData("""{"name":"Upper","level":"system","duration":-1,"permissions":[P]}""", "robot name is not in lower case or contains illegal characters")]
    [InlineData("""{"name":"a+b","level":"system","duration":-1,"permissions":[P]}""", "robot name is not in lower case or contains illegal characters")]
    [InlineData("""{"name":"ci","level":"system","duration":0,"permissions":[P]}""", "bad request error duration input: 0, duration must be either -1(Never) or a positive integer")]
    [InlineData("""{"name":"ci","level":"system","duration":-2,"permissions":[P]}""", "bad request error duration input: -2, duration must be either -1(Never) or a positive integer")]
    [InlineData("""{"name":"ci","level":"galaxy","duration":-1,"permissions":[P]}""", "bad request error level input: galaxy")]
    [InlineData("""{"name":"ci","level":"system","duration":-1,"permissions":[]}""", "bad request empty permission")]
    [InlineData("""{"name":"ci","level":"system","duration":-1,"permissions":[{"kind":"project","namespace":"library","access":[]}]}""", "bad request empty access")]
    [InlineData("""{"name":"ci","level":"project","duration":-1,"permissions":[P,P]}""", "bad request permission")]
    [InlineData("""{"name":"ci","level":"project","duration":-1,"permissions":[{"kind":"project","namespace":"*","access":[{"resource":"tag","action":"list"}]}]}""", "bad request permission")]
    [InlineData("""{"name":"ci","level":"system","duration":-1,"permissions":[{"kind":"project","namespace":"library","access":[{"resource":"repository","action":"fly"}]}]}""", "bad request permission: repository:fly")]
    [InlineData("""{"name":"ci","level":"system","duration":-1,"permissions":[{"kind":"project","namespace":"library","access":[{"resource":"configuration","action":"update"}]}]}""", "bad request permission: configuration:update")]
    [InlineData("""{"name":"ci","level":"system","duration":-1,"permissions":[{"kind":"system","namespace":"/","access":[{"resource":"configuration","action":"update"}]}]}""", "bad request permission: configuration:update")]
    [InlineData("""{"name":"ci","level":"system","duration":-1,"permissions":[{"kind":"planet","namespace":"/","access":[{"resource":"tag","action":"list"}]}]}""", "bad request permission level: planet")]
    [InlineData("""{"name":"ci","level":"system","duration":-1,"permissions":[{"kind":"system","namespace":"x","access":[{"resource":"user","action":"list"}]}]}""", "unknown namespace")]
    public async Task A_robot_must_be_described_well(string body, string message)
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        const string P = """{"kind":"project","namespace":"library","access":[{"resource":"tag","action":"list"}]}""";
        var answer = await app.CallAsync("POST", Robots, "admin", body.Replace("P]", P + "]", StringComparison.Ordinal).Replace("[P,", $"[{P},", StringComparison.Ordinal));
        Assert.Equal((400, message), (answer.Status, answer.Message));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Names_are_taken_once_a_project_and_projects_must_be_there(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("team");
        await app.AddProjectAsync("other");
        Assert.Equal(201, (await app.CallAsync("POST", Robots, "admin", OfProject("ci", "team", "tag:list"))).Status);
        Assert.Equal(409, (await app.CallAsync("POST", Robots, "admin", OfProject("ci", "team", "tag:list"))).Status);
        Assert.Equal(201, (await app.CallAsync("POST", Robots, "admin", OfProject("ci", "other", "tag:list"))).Status);
        Assert.Equal(404, (await app.CallAsync("POST", Robots, "admin", OfProject("ci", "missing", "tag:list"))).Status);
        Assert.Equal(400, (await app.CallAsync("GET", Robots + "?q=Level%3Dgalaxy")).Status);
        Assert.Equal(400, (await app.CallAsync("GET", Robots + "?q=Level%3Dproject")).Status);
        Assert.Equal(400, (await app.CallAsync("GET", Robots + "?q=Level%3Dproject,ProjectID%3Dx")).Status);
        Assert.Equal(404, (await app.CallAsync("GET", Robots + "?q=Level%3Dproject,ProjectID%3D999")).Status);
        Assert.Equal(422, (await app.CallAsync("GET", Robots + "/x")).Status);
        Assert.Equal(404, (await app.CallAsync("GET", Robots + "/999")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Project_administrators_have_robots_in_their_project_only(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddUserAsync("boss");
        await app.AddUserAsync("dev");
        await app.AddProjectAsync("team");
        await app.AddProjectAsync("other");
        await app.AddMemberAsync("team", "boss", 1);
        await app.AddMemberAsync("team", "dev", 2);
        var mine = await app.CallAsync("POST", Robots, "boss", OfProject("ci", "team", "repository:pull repository:push metadata:list member:create"));
        Assert.True(mine.Status == 201, mine.Body);
        var location = mine.Header("Location")!;
        var robot = await app.GetAsync(location, "boss");
        Assert.Equal(403, (await app.CallAsync("POST", Robots, "boss", OfProject("ci", "other", "repository:pull"))).Status);
        Assert.Equal(403, (await app.CallAsync("POST", Robots, "boss", OfProject("ci", "missing", "repository:pull"))).Status);
        Assert.Equal(403, (await app.CallAsync("POST", Robots, "boss", OfSystem("all", "*", "repository:pull"))).Status);
        Assert.Equal(403, (await app.CallAsync("GET", Robots, "boss")).Status);
        Assert.Equal(200, (await app.CallAsync("PATCH", location, "boss", "{}")).Status);

        // A developer sees robots; a stranger and nobody see none.
        var project = (int)(await app.GetAsync("/api/v2.0/projects/team"))["project_id"]!;
        var list = Robots + "?q=" + Uri.EscapeDataString($"Level=project,ProjectID={project}");
        Assert.Equal(200, (await app.CallAsync("GET", list, "dev")).Status);
        await app.AddUserAsync("eve");
        foreach (var (user, status) in new[] { ("dev", 403), ("eve", 403), ("", 401) })
        {
            Assert.Equal(status, (await app.CallAsync("POST", Robots, user, OfProject("x", "team", "repository:pull"))).Status);
            Assert.Equal(status, (await app.CallAsync("PUT", location, user, robot.ToJsonString())).Status);
            Assert.Equal(status, (await app.CallAsync("PATCH", location, user, "{}")).Status);
            Assert.Equal(status, (await app.CallAsync("DELETE", location, user)).Status);
            Assert.Equal(status, (await app.CallAsync("POST", $"/api/berth/v1/robots/{mine.Json["id"]}/rotate", user)).Status);
            if (user != "dev") Assert.Equal(status, (await app.CallAsync("GET", list, user)).Status);
            if (user != "dev") Assert.Equal(status, (await app.CallAsync("GET", location, user)).Status);
        }
        Assert.Equal(200, (await app.CallAsync("DELETE", location, "boss")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_robot_makes_only_robots_that_can_do_no_more(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddProjectAsync("team");
        await app.AddProjectAsync("other");
        var parent = (await app.CallAsync("POST", Robots, "admin", OfProject("parent", "team", "repository:pull robot:create robot:read robot:list robot:delete"))).Json;
        var header = PlatformApp.As("robot$team+parent", (string)parent["secret"]!);
        Task<ApiAnswer> Make(string body) => app.CallAsync("POST", Robots, "", body, header);

        var child = await Make(OfProject("child", "team", "repository:pull"));
        Assert.True(child.Status == 201, child.Body);
        Assert.Equal(("robot", (int)parent["id"]!), ((string?)(await app.GetAsync(child.Header("Location")!))["creator_type"], (int)(await app.GetAsync(child.Header("Location")!))["creator_ref"]!));
        var beyond = await Make(OfProject("greedy", "team", "repository:pull repository:push"));
        Assert.Equal((403, "DENIED"), (beyond.Status, beyond.Code));
        Assert.Equal(403, (await Make(OfProject("greedy", "other", "repository:pull"))).Status);
        Assert.Equal(403, (await Make(OfSystem("greedy", "team", "repository:pull"))).Status);
        // Neither may it take over one that can do more.
        var strong = (await app.CallAsync("POST", Robots, "admin", OfProject("strong", "team", "repository:push"))).Header("Location")!;
        Assert.Equal(403, (await app.CallAsync("PATCH", strong, "", "{}", header)).Status);
        Assert.Equal(403, (await app.CallAsync("PATCH", child.Header("Location")!, "", "{}", header)).Status);

        var system = (await app.CallAsync("POST", Robots, "admin", """
            {"name":"factory","level":"system","duration":-1,"permissions":[
              {"kind":"system","namespace":"/","access":[{"resource":"robot","action":"create"},{"resource":"project","action":"list"}]},
              {"kind":"project","namespace":"*","access":[{"resource":"repository","action":"pull"}]}]}
            """)).Json;
        header = PlatformApp.As("robot$factory", (string)system["secret"]!);
        Assert.Equal(201, (await Make(OfSystem("one", "team", "repository:pull"))).Status);
        Assert.Equal(201, (await Make(OfSystem("two", "*", "repository:pull"))).Status);
        Assert.Equal(403, (await Make(OfSystem("three", "*", "repository:push"))).Status);
        Assert.Equal(403, (await Make("""{"name":"four","level":"system","duration":-1,"permissions":[{"kind":"system","namespace":"/","access":[{"resource":"user","action":"update"}]}]}""")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_robot_that_manages_users_gets_no_administrator(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var admin = await app.AddUserAsync("second", isAdmin: true);
        var bob = await app.AddUserAsync("bob");
        var robot = (await app.CallAsync("POST", Robots, "admin", """
            {"name":"people","level":"system","duration":-1,"permissions":[
              {"kind":"system","namespace":"/","access":[{"resource":"user","action":"update"},{"resource":"user","action":"delete"},{"resource":"user","action":"create"}]}]}
            """)).Json;
        var header = PlatformApp.As("robot$people", (string)robot["secret"]!);
        foreach (var id in new[] { 1, admin })
        {
            Assert.Equal(403, (await app.CallAsync("PUT", $"/api/v2.0/users/{id}/password", "", """{"new_password":"NewPassword1"}""", header)).Status);
            Assert.Equal(403, (await app.CallAsync("PUT", $"/api/v2.0/users/{id}", "", """{"email":"a@b.de","realname":"x"}""", header)).Status);
            Assert.Equal(403, (await app.CallAsync("DELETE", $"/api/v2.0/users/{id}", "", null, header)).Status);
            Assert.Equal(403, (await app.CallAsync("PATCH", $"/api/berth/v1/users/{id}", "", """{"is_disabled":true}""", header)).Status);
        }
        Assert.Equal(403, (await app.CallAsync("PUT", $"/api/v2.0/users/{bob}/sysadmin", "", """{"sysadmin_flag":true}""", header)).Status);
        Assert.Equal(200, (await app.CallAsync("PUT", $"/api/v2.0/users/{bob}/password", "", """{"new_password":"NewPassword1"}""", header)).Status);
        Assert.Equal(200, (await app.CallAsync("DELETE", $"/api/v2.0/users/{bob}", "", null, header)).Status);
    }

    [Fact]
    public async Task The_table_of_permissions_is_Harbors_and_for_administrators()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        await app.AddUserAsync("boss");
        await app.AddUserAsync("dev");
        await app.AddProjectAsync("team");
        await app.AddMemberAsync("team", "boss", 1);
        await app.AddMemberAsync("team", "dev", 2);
        var all = await app.GetAsync("/api/v2.0/permissions");
        Assert.Equal((70, 70), (all["system"]!.AsArray().Count, all["project"]!.AsArray().Count));
        Assert.Equal("audit-log:list", $"{all["system"]![0]!["resource"]}:{all["system"]![0]!["action"]}");
        Assert.Equal("member:delete", $"{all["project"]![69]!["resource"]}:{all["project"]![69]!["action"]}");
        var boss = await app.GetAsync("/api/v2.0/permissions", "boss");
        Assert.Null(boss["system"]);
        Assert.Equal(70, boss["project"]!.AsArray().Count);
        Assert.Equal(403, (await app.CallAsync("GET", "/api/v2.0/permissions", "dev")).Status);
        Assert.Equal(401, (await app.CallAsync("GET", "/api/v2.0/permissions", "")).Status);

        var id = (int)(await app.GetAsync("/api/v2.0/projects/team"))["project_id"]!;
        async Task<string> Mine(string scope, string user, bool isRelative) => string.Join(
            ' ', (await app.GetAsync($"/api/v2.0/users/current/permissions?scope={scope}&relative={(isRelative ? "true" : "false")}", user)).AsArray().Select(p => $"{p!["resource"]}:{p["action"]}"));
        var dev = await Mine($"/project/{id}", "dev", true);
        Assert.Contains("repository:push", dev, StringComparison.Ordinal);
        Assert.StartsWith(".:read ", dev, StringComparison.Ordinal);
        Assert.DoesNotContain("member:create", dev, StringComparison.Ordinal);
        Assert.StartsWith($"/project/{id}:read ", await Mine($"/project/{id}", "dev", false), StringComparison.Ordinal);
        Assert.Contains($"/project/{id}/member:create", await Mine($"/project/{id}", "boss", false), StringComparison.Ordinal);
        Assert.Equal("", await Mine("/project/999", "dev", true));
        Assert.Equal("", await Mine("/system", "dev", true));
        Assert.Contains("configuration:update", await Mine("/system", "admin", true), StringComparison.Ordinal);
        Assert.Equal("", await Mine("", "admin", true));
        Assert.Equal(401, (await app.CallAsync("GET", "/api/v2.0/users/current/permissions", "")).Status);
    }

    internal static string OfProject(string name, string project, string words, int days = -1) => Body(name, "project", project, words, days);

    internal static string OfSystem(string name, string project, string words) => Body(name, "system", project, words, -1);

    private static string Body(string name, string level, string project, string words, int days) => $$"""
        {"name":"{{name}}","level":"{{level}}","duration":{{days}},"permissions":[{"kind":"project","namespace":"{{project}}","access":[
        {{string.Join(',', words.Split(' ').Select(w => w.Split(':')).Select(w => $$"""{"resource":"{{w[0]}}","action":"{{w[1]}}"}"""))}}]}]}
        """;

    private static string Words(JsonNode grant) => string.Join(' ', grant["access"]!.AsArray().Select(a => $"{a!["resource"]}:{a["action"]}"));
}
