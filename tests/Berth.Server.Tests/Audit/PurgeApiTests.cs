using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;

namespace Berth.Server.Tests.Audit;

public sealed class PurgeApiTests
{
    private const string Path = "/api/v2.0/system/purgeaudit";

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_run_removes_old_entries_of_the_types_it_names(DatabaseKind kind)
    {
        await using var app = await AuditApiTests.StartAsync(kind);
        await AuditApiTests.AddAsync(app, 2500);

        var dry = await app.CreateAsync(Path + "/schedule", Body("Manual", "other", dryRun: true));
        Assert.Contains("[dry run] would purge 25", await LogAsync(app, dry), StringComparison.Ordinal);
        Assert.Equal(2500, (await AuditApiTests.EntriesAsync(app, e => e.ResourceType == "thing")).Count);

        var none = await app.CreateAsync(Path + "/schedule", Body("Manual", "delete_artifact"));
        Assert.Contains("purged 0 entries", await LogAsync(app, none), StringComparison.Ordinal);

        var real = await app.CreateAsync(Path + "/schedule", Body("Manual", "other,pull_artifact"));
        Assert.Contains("purged 25", await LogAsync(app, real), StringComparison.Ordinal);
        Assert.Empty(await AuditApiTests.EntriesAsync(app, e => e.ResourceType == "thing"));
        // What is younger than the retention stays.
        Assert.NotEmpty(await AuditApiTests.EntriesAsync(app, e => e.ResourceType == "purge_audit"));

        var run = await app.GetAsync(real);
        Assert.Equal(("PURGE_AUDIT_LOG", "MANUAL", "Success"), (run["job_name"]!.GetValue<string>(), run["job_kind"]!.GetValue<string>(), run["job_status"]!.GetValue<string>()));
        var history = await app.CallAsync("GET", Path + "?page_size=2");
        Assert.Equal(("3", 2), (history.Header("X-Total-Count"), history.Json.AsArray().Count));
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task The_schedule_can_be_set_changed_and_ended(DatabaseKind kind)
    {
        await using var app = await AuditApiTests.StartAsync(kind);
        var before = await app.CallAsync("GET", Path + "/schedule");
        Assert.Equal((200, ""), (before.Status, before.Body));

        await app.CreateAsync(Path + "/schedule", Body("Daily", "other", "0 0 0 * * *"));
        Assert.Equal("Daily", (await app.GetAsync(Path + "/schedule"))["schedule"]!["type"]!.GetValue<string>());
        Assert.Equal(200, (await app.CallAsync("PUT", Path + "/schedule", body: Body("Custom", "other", "0 30 2 * * *"))).Status);
        var schedule = await app.GetAsync(Path + "/schedule");
        Assert.Equal(("Custom", "0 30 2 * * *"), (schedule["schedule"]!["type"]!.GetValue<string>(), schedule["schedule"]!["cron"]!.GetValue<string>()));
        Assert.Contains("\"audit_retention_hour\":1", schedule["job_parameters"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Single((await app.GetAsync("/api/v2.0/schedules")).AsArray(), s => s!["vendor_type"]!.GetValue<string>() == "PURGE_AUDIT_LOG");

        Assert.Equal(200, (await app.CallAsync("PUT", Path + "/schedule", body: Body("None", "other"))).Status);
        Assert.Equal("", (await app.CallAsync("GET", Path + "/schedule")).Body);
    }

    [Theory]
    [InlineData("""{}""", 400)]
    [InlineData("""{"schedule":{"type":"Manual"}}""", 400)]
    [InlineData("""{"schedule":{"type":"Manual"},"parameters":{"include_event_types":"other"}}""", 400)]
    [InlineData("""{"schedule":{"type":"Manual"},"parameters":{"audit_retention_hour":1}}""", 400)]
    [InlineData("""{"schedule":{"type":"Manual"},"parameters":{"audit_retention_hour":"1","include_event_types":"other"}}""", 400)]
    [InlineData("""{"schedule":{"type":"Manual"},"parameters":{"audit_retention_hour":240001,"include_event_types":"other"}}""", 400)]
    [InlineData("""{"schedule":{"type":"Manual"},"parameters":{"audit_retention_hour":1,"include_event_types":"x') OR 1=1--"}}""", 400)]
    [InlineData("""{"schedule":{"type":"Daily","cron":"x"},"parameters":{"audit_retention_hour":1,"include_event_types":"other"}}""", 400)]
    [InlineData("""{"schedule":{"type":"Sometimes"},"parameters":{"audit_retention_hour":1,"include_event_types":"other"}}""", 422)]
    [InlineData("""[]""", 422)]
    public async Task A_schedule_that_makes_no_sense_is_refused(string body, int status)
    {
        await using var app = await AuditApiTests.StartAsync(DatabaseKind.Sqlite);
        Assert.Equal(status, (await app.CallAsync("POST", Path + "/schedule", body: body)).Status);
        Assert.Equal(status, (await app.CallAsync("PUT", Path + "/schedule", body: body)).Status);
    }

    [Fact]
    public async Task Runs_that_are_none_are_not_found_and_others_are_denied()
    {
        await using var app = await AuditApiTests.StartAsync(DatabaseKind.Sqlite);
        await app.AddUserAsync("alice");
        foreach (var (method, path) in new[] { ("GET", "/99"), ("PUT", "/99"), ("GET", "/99/log"), ("GET", "/x") })
        {
            Assert.Equal(404, (await app.CallAsync(method, Path + path)).Status);
            Assert.Equal(403, (await app.CallAsync(method, Path + path, "alice")).Status);
            Assert.Equal(401, (await app.CallAsync(method, Path + path, "")).Status);
        }
        foreach (var method in new[] { "GET", "POST", "PUT" })
        {
            Assert.Equal(403, (await app.CallAsync(method, Path + "/schedule", "alice", "{}")).Status);
        }
        Assert.Equal(403, (await app.CallAsync("GET", Path, "alice")).Status);
    }

    [Fact]
    public async Task A_finished_run_may_be_stopped_without_harm()
    {
        await using var app = await AuditApiTests.StartAsync(DatabaseKind.Sqlite);
        var run = await app.CreateAsync(Path + "/schedule", Body("Manual", "other"));
        await LogAsync(app, run);
        Assert.Equal(200, (await app.CallAsync("PUT", run)).Status);
    }

    private static string Body(string type, string types, string cron = "", bool dryRun = false) =>
        $$$"""{"schedule":{"type":"{{{type}}}","cron":"{{{cron}}}"},"parameters":{"audit_retention_hour":1,"include_event_types":"{{{types}}}","dry_run":{{{(dryRun ? "true" : "false")}}}}}""";

    private static async Task<string> LogAsync(PlatformApp app, string run)
    {
        await Eventually.TrueAsync(async () => (await app.GetAsync(run))["job_status"]!.GetValue<string>() is "Success" or "Error", "the run has ended");
        return (await app.CallAsync("GET", run + "/log")).Body;
    }
}
