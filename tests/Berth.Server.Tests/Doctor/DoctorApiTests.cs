using Berth.Oci;
using Berth.Server.Doctor;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;

namespace Berth.Server.Tests.Doctor;

/// <summary>The checklist as the server answers it.</summary>
public sealed class DoctorApiTests
{
    private const string Path = "/api/berth/v1/doctor";

    [Fact]
    public void Each_line_has_a_name_a_question_a_way_to_decide_and_a_fix()
    {
        Assert.Equal(DoctorChecks.All.Count, DoctorChecks.All.Select(check => check.Id).Distinct().Count());
        Assert.All(DoctorChecks.All, check =>
        {
            Assert.Matches("^[a-z]+(\\.[a-z-]+)$", check.Id);
            Assert.EndsWith("?", check.Question, StringComparison.Ordinal);
            Assert.NotEmpty(check.DecidedBy);
            Assert.NotEmpty(check.Fix);
        });
        Assert.Equal(Enum.GetValues<DoctorArea>(), DoctorChecks.All.Select(check => check.Area).Distinct());
        Approval.Verify(string.Join('\n', DoctorChecks.All.Select(check => $"{check.Id,-32} {(check.Decide is null ? "outside" : "inside "),-8} {check.Question}")), "doctor-checks.txt");
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Administrators_read_what_the_server_knows_of_itself(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        await app.AddUserAsync("alice");
        Assert.Equal(403, (await app.CallAsync("GET", Path, user: "alice")).Status);
        Assert.Equal(401, (await app.CallAsync("GET", Path, user: "")).Status);

        await Eventually.TrueAsync(async () => await StatusAsync(app, "deployment.service") == "pass", "the server is ready");
        var report = await app.GetAsync(Path);
        Assert.Equal(DoctorChecks.All.Select(check => check.Id), report["checks"]!.AsArray().Select(line => (string)line!["id"]!));
        Assert.Equal(report["checks"]!.AsArray().Count, (int)report["passed"]! + (int)report["failed"]! + (int)report["not_configured"]!);
        Assert.Equal("pass", await StatusAsync(app, "access.authentication"));
        Assert.Equal("pass", await StatusAsync(app, "deployment.stores"));
        Assert.Equal("not_configured", await StatusAsync(app, "distribution.redirect"));
        Assert.Equal("not_configured", await StatusAsync(app, "security.encryption"));
        Assert.Equal("pass", await StatusAsync(app, "trouble.damaged-content"));
        Assert.Equal("not_configured", await StatusAsync(app, "access.kubernetes"));
        Assert.Equal("not_configured", await StatusAsync(app, "monitoring.metrics"));
        Assert.Equal(kind == DatabaseKind.Sqlite ? "not_configured" : "fail", await StatusAsync(app, "deployment.availability"));
        Assert.Equal("not_configured", await StatusAsync(app, "access.network"));

        // What somebody sets up shows at once.
        Assert.Equal(200, (await app.CallAsync("GET", "/metrics")).Status);
        await app.CallAsync("PUT", "/api/v2.0/configurations", body: """{"project_creation_restriction":"adminonly"}""");
        var robot = await app.CallAsync("POST", "/api/v2.0/robots", body: """{"name":"k8s","level":"system","duration":-1,"permissions":[{"kind":"project","namespace":"*","access":[{"resource":"repository","action":"pull"}]}]}""");
        Assert.Equal(201, robot.Status);
        Assert.Equal("pass", await StatusAsync(app, "access.kubernetes"));
        Assert.Equal("pass", await StatusAsync(app, "monitoring.metrics"));
        Assert.Equal("pass", await StatusAsync(app, "management.naming"));
        var endless = await LineAsync(app, "security.policy");
        Assert.Equal(("fail", "1 robots never end"), ((string)endless["status"]!, (string)endless["finding"]!));
        Assert.Contains("--days", (string)endless["fix"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_gone_and_blobs_that_are_damaged_or_still_plain_are_told()
    {
        var folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
        var masterKey = Convert.ToBase64String(new byte[32]);
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite, o => o with
        {
            Storage = o.Storage with { Stores = [new() { Name = "second", Root = folder }], Rules = [new() { Projects = "old*", Store = "second" }], Encryption = new() { Enabled = true, MasterKey = new() { Value = masterKey } } },
        });
        Assert.Equal("default, second work; 1 rules send projects elsewhere", (string)(await LineAsync(app, "deployment.stores"))["finding"]!);
        Assert.Equal("pass", await StatusAsync(app, "security.encryption"));
        await app.Database.WriteAsync(Durability.Full, async (session, ct) =>
            await session.ExecuteAsync(InsertBlob, [Digest.Of([1]).Value, 1L, 0L, "third", 5L], ct), TestContext.Current.CancellationToken);
        Directory.Delete(folder, recursive: true);
        var stores = (string)(await LineAsync(app, "deployment.stores"))["finding"]!;
        Assert.Contains("second: ", stores, StringComparison.Ordinal);
        Assert.Contains("third: has blobs and is not in the settings", stores, StringComparison.Ordinal);
        Assert.Equal("1 blobs are from before and not encrypted", (string)(await LineAsync(app, "security.encryption"))["finding"]!);
        Assert.Equal("fail", await StatusAsync(app, "trouble.damaged-content"));
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_robot_that_has_ended_and_a_locked_name_explain_what_is_unauthorized(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        Assert.Equal("pass", await StatusAsync(app, "trouble.unauthorized"));
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        await app.Database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            await session.ExecuteAsync(InsertRobot, ["robot$old", now - 1000], ct);
            return await session.ExecuteAsync(InsertLock, ["mallory", now, now + 600_000], ct);
        }, TestContext.Current.CancellationToken);
        var line = await LineAsync(app, "trouble.unauthorized");
        Assert.Equal("fail", (string)line["status"]!);
        Assert.StartsWith("robots that have ended: robot$old; locked names: mallory; ", (string)line["finding"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_told_with_what_fills_it()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite, o => o with { Storage = o.Storage with { MinFreeBytes = long.MaxValue / 100 } });
        var line = await LineAsync(app, "trouble.storage-full");
        Assert.Equal("fail", (string)line["status"]!);
        Assert.StartsWith("the storage is full: ", (string)line["finding"]!, StringComparison.Ordinal);
        Assert.Contains("garbage-collect", (string)line["fix"]!, StringComparison.Ordinal);
    }

    private static readonly Statement InsertBlob = new("INSERT INTO blobs (digest, size, created_at, store, quarantined_at) VALUES (@0, @1, @2, @3, @4)");
    private static readonly Statement InsertRobot = new(
        "INSERT INTO robots (name, description, is_disabled, expires_at, duration_days, creator_kind, creator_id, created_at, updated_at) VALUES (@0, '', 0, @1, 1, 'user', 1, 0, 0)",
        "INSERT INTO robots (name, description, is_disabled, expires_at, duration_days, creator_kind, creator_id, created_at, updated_at) VALUES (@0, '', false, @1, 1, 'user', 1, 0, 0)");

    private static readonly Statement InsertLock = new("INSERT INTO sign_in_failures (name, count, last_failed_at, locked_until) VALUES (@0, 0, @1, @2)");

    private static async Task<string> StatusAsync(PlatformApp app, string id) => (string)(await LineAsync(app, id))["status"]!;

    private static async Task<System.Text.Json.Nodes.JsonNode> LineAsync(PlatformApp app, string id) =>
        (await app.GetAsync(Path))["checks"]!.AsArray().Single(line => (string)line!["id"]! == id)!;
}
