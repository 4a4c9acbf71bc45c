using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Audit;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Administration;

/// <summary>System information, health, statistics, search, background jobs, and what is not there yet.</summary>
public sealed class OverviewTests
{
    [Fact]
    public async Task The_system_information_tells_more_to_those_who_are_signed_in()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        await app.AddUserAsync("alice");

        var anybody = (await app.GetAsync("/api/v2.0/systeminfo", "")).AsObject();
        var known = (await app.GetAsync("/api/v2.0/systeminfo", "alice")).AsObject();

        Assert.Equal(["banner_message", "auth_mode", "primary_auth_mode", "self_registration", "oidc_provider_name"], anybody.Select(p => p.Key));
        Assert.StartsWith("v2.15.0-berth-", known["harbor_version"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(app.Registry.Address.Authority, known["registry_url"]!.GetValue<string>());
        Assert.Equal("everyone", known["project_creation_restriction"]!.GetValue<string>());
        Assert.False(known["has_ca_root"]!.GetValue<bool>());
        Assert.False(known["read_only"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Volumes_certificate_ping_version_and_health_answer_as_Harbors()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        await app.AddUserAsync("alice");

        var volume = (await app.GetAsync("/api/v2.0/systeminfo/volumes"))["storage"]![0]!;
        Assert.InRange(volume["free"]!.GetValue<long>(), 1, volume["total"]!.GetValue<long>());
        Assert.Equal(403, (await app.CallAsync("GET", "/api/v2.0/systeminfo/volumes", "alice")).Status);
        Assert.Equal(401, (await app.CallAsync("GET", "/api/v2.0/systeminfo/volumes", "")).Status);
        Assert.Equal(404, (await app.CallAsync("GET", "/api/v2.0/systeminfo/getcert", "")).Status);
        Assert.Equal("Pong", (await app.CallAsync("GET", "/api/v2.0/ping", "")).Body);
        Assert.Equal("""{"version":"v2.0"}""", (await app.CallAsync("GET", "/api/version", "")).Body);
        var health = await app.GetAsync("/api/v2.0/health", "");
        Assert.Equal("healthy", health["status"]!.GetValue<string>());
        Assert.Contains(health["components"]!.AsArray(), c => c!["name"]!.GetValue<string>() == "core");
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Statistics_and_search_show_what_the_caller_sees(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        var alice = await app.AddUserAsync("alice");
        await app.AddUserAsync("bob");
        var secret = await AuditApiTests.MakeProjectAsync(app, "secret-one");
        await AuditApiTests.MakeProjectAsync(app, "secret-two");
        await AuditApiTests.JoinAsync(app, secret, alice, 5);
        foreach (var name in new[] { "library/web_app", "secret-one/web/app", "secret-two/app" }) await app.PushAsync(name, "v1", TestImage.New());

        var all = await app.GetAsync("/api/v2.0/statistics");
        Assert.Equal((3, 3, 1, 1, 2, 2), (Count(all, "total_project_count"), Count(all, "total_repo_count"), Count(all, "public_project_count"), Count(all, "public_repo_count"), Count(all, "private_project_count"), Count(all, "private_repo_count")));
        Assert.InRange(Count(all, "total_storage_consumption"), 80_000, 90_000);
        var hers = await app.GetAsync("/api/v2.0/statistics", "alice");
        Assert.Equal((0, 1, 1, 1, 1), (Count(hers, "total_project_count"), Count(hers, "public_project_count"), Count(hers, "public_repo_count"), Count(hers, "private_project_count"), Count(hers, "private_repo_count")));
        Assert.Equal(401, (await app.CallAsync("GET", "/api/v2.0/statistics", "")).Status);

        Assert.Equal(["secret-one", "secret-two"], (await SearchAsync(app, "secret-", "admin")).Projects);
        Assert.Equal(["library/web_app", "secret-one/web/app"], (await SearchAsync(app, "app", "alice")).Repositories);
        Assert.Equal(["library/web_app"], (await SearchAsync(app, "app", "bob")).Repositories);
        Assert.Equal(["library/web_app"], (await SearchAsync(app, "app", "")).Repositories);
        Assert.Equal(["library/web_app"], (await SearchAsync(app, "b_a", "admin")).Repositories);
        Assert.Empty((await SearchAsync(app, "%", "admin")).Repositories);
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Queues_can_be_paused_and_resumed(DatabaseKind kind)
    {
        await using var app = await PlatformApp.StartAsync(kind);
        const string Queue = "/api/v2.0/jobservice/queues/PURGE_AUDIT_LOG";
        Assert.Equal(200, (await app.CallAsync("PUT", Queue, body: """{"action":"pause"}""")).Status);
        var run = await app.CreateAsync("/api/v2.0/system/purgeaudit/schedule", """{"schedule":{"type":"Manual"},"parameters":{"audit_retention_hour":1,"include_event_types":"other"}}""");
        var queue = (await app.GetAsync("/api/v2.0/jobservice/queues")).AsArray().Single(q => q!["job_type"]!.GetValue<string>() == "PURGE_AUDIT_LOG")!;
        Assert.Equal((1, true), (queue["count"]!.GetValue<int>(), queue["paused"]!.GetValue<bool>()));

        Assert.Equal(200, (await app.CallAsync("PUT", Queue, body: """{"action":"stop"}""")).Status);
        Assert.Equal("Stopped", (await app.GetAsync(run))["job_status"]!.GetValue<string>());
        Assert.Equal(200, (await app.CallAsync("PUT", Queue, body: """{"action":"resume"}""")).Status);
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/jobservice/queues/scheduler", body: """{"action":"pause"}""")).Status);
        Assert.True((await app.GetAsync("/api/v2.0/schedules/all/paused"))["paused"]!.GetValue<bool>());

        Assert.Equal(400, (await app.CallAsync("PUT", Queue, body: """{"action":"dance"}""")).Status);
        Assert.Equal(404, (await app.CallAsync("PUT", "/api/v2.0/jobservice/queues/nothing", body: """{"action":"stop"}""")).Status);
        Assert.Equal(400, (await app.CallAsync("GET", "/api/v2.0/schedules/one/paused")).Status);
        Assert.Equal(404, (await app.CallAsync("PUT", "/api/v2.0/jobservice/jobs/999")).Status);
        Assert.Equal(404, (await app.CallAsync("GET", "/api/v2.0/jobservice/jobs/999/log")).Status);
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/jobservice/jobs/all")).Status);
        var pool = (await app.GetAsync("/api/v2.0/jobservice/pools"))[0]!;
        Assert.Equal(Environment.ProcessId, pool["pid"]!.GetValue<int>());
        Assert.Empty((await app.GetAsync($"/api/v2.0/jobservice/pools/{pool["worker_pool_id"]}/workers")).AsArray());
        Assert.Equal(404, (await app.CallAsync("GET", "/api/v2.0/jobservice/pools/none/workers")).Status);
    }

    [Fact]
    public async Task What_is_not_there_yet_says_so_to_those_who_could_call_it()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        var admin = await app.CallAsync("GET", "/api/v2.0/replication/policies");
        Assert.Equal((501, "NOT_IMPLEMENTED"), (admin.Status, admin.Code));
        Assert.Equal(401, (await app.CallAsync("GET", "/api/v2.0/replication/policies", "")).Status);
        Assert.Equal(501, (await app.CallAsync("PUT", "/api/v2.0/projects/library/preheat/policies/one", body: "{}")).Status);
    }

    private static long Count(System.Text.Json.Nodes.JsonNode node, string name) => node[name]!.GetValue<long>();

    private static async Task<(string[] Projects, string[] Repositories)> SearchAsync(PlatformApp app, string text, string user)
    {
        var found = await app.GetAsync($"/api/v2.0/search?q={Uri.EscapeDataString(text)}", user);
        Assert.Empty(found["chart"]!.AsArray());
        return (
            [.. found["project"]!.AsArray().Select(p => p!["name"]!.GetValue<string>())],
            [.. found["repository"]!.AsArray().Select(r => r!["repository_name"]!.GetValue<string>())]);
    }
}
