using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Berth.Server.Retention;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Berth.Server.Trash;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Retention;

public sealed class RetentionRunTests
{
    private const string Ours = "/api/berth/v1/projects/p/retention";
    private static readonly (string, string) s_admin = PlatformApp.As("admin");

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_policy_is_made_tried_and_run_through_Harbor_s_API(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await PushAsync(app, "p/app", "v1", 1);
        await PushAsync(app, "p/app", "v2", 2);
        await PushAsync(app, "p/app", "dev", 3);
        await PushAsync(app, "p/other", "x", 4);
        var id = (await app.GetAsync("/api/v2.0/projects/p"))["project_id"]!.GetValue<long>();
        var location = await app.CreateAsync("/api/v2.0/retentions", Policy(id, "latestPushedK", 1, "v*", "app"));
        Assert.Equal(location.Split('/')[^1], (await app.GetAsync("/api/v2.0/projects/p"))["metadata"]!["retention_id"]!.GetValue<string>());
        Assert.Equal(400, (await app.CallAsync("POST", "/api/v2.0/retentions", body: Policy(id, "always", null, "**", "**"))).Status);
        var shown = await app.GetAsync(location);
        Assert.Equal("latestPushedK", shown["rules"]![0]!["template"]!.GetValue<string>());
        Assert.Equal(id, shown["scope"]!["ref"]!.GetValue<long>());
        Assert.Equal(5, (await app.GetAsync("/api/v2.0/retentions/metadatas"))["templates"]!.AsArray().Count);

        var (dry, dryTasks) = await ExecuteAsync(app, location, isDry: true);
        Assert.Equal((3, 1), (dryTasks[0]!["total"]!.GetValue<int>(), dryTasks[0]!["retained"]!.GetValue<int>()));
        Assert.Equal(["dev", "v1", "v2"], await TagsAsync(app, "p/app"));
        var (run, tasks) = await ExecuteAsync(app, location, isDry: false);
        Assert.Equal(["v2"], await TagsAsync(app, "p/app"));
        Assert.Equal(["x"], await TagsAsync(app, "p/other"));
        Assert.Equal("app", tasks[0]!["repository"]!.GetValue<string>());

        // The run's report is the simulation's table.
        var (simulated, done) = (await LogAsync(app, dry, dryTasks), await LogAsync(app, run, tasks));
        Assert.Equal(simulated.Replace("would go", "went    ", StringComparison.Ordinal), done);
        Assert.Contains("kept     p/app:v2  kept by rule rule 1: among the 1 most recently pushed", done, StringComparison.Ordinal);
        Assert.Contains("went     p/app:dev  no rule keeps it", done, StringComparison.Ordinal);
        Assert.Equal(["v1", "dev"], (await app.GetAsync("/api/berth/v1/projects/p/trash"))["items"]!.AsArray().Select(i => i!["tag"]!.GetValue<string>()).OrderDescending());

        Assert.Equal(200, (await app.CallAsync("PUT", location, body: Policy(id, "always", null, "**", "**"))).Status);
        Assert.Equal(400, (await app.CallAsync("PUT", location, body: Policy(id, "nothing", null, "**", "**"))).Status);
        Assert.Equal(400, (await app.CallAsync("PATCH", run, body: """{"action":"go"}""")).Status);
        Assert.Equal(200, (await app.CallAsync("PATCH", run, body: """{"action":"stop"}""")).Status);
        await app.AddUserAsync("dev");
        await app.AddMemberAsync("p", "dev", 2);
        Assert.Equal(200, (await app.CallAsync("GET", location, "dev")).Status);
        await app.AddUserAsync("guest");
        await app.AddMemberAsync("p", "guest", 3);
        foreach (var (method, path) in new[] { ("GET", location), ("DELETE", location), ("GET", location + "/executions") }) Assert.Equal(403, (await app.CallAsync(method, path, "guest")).Status);
        Assert.Equal(200, (await app.CallAsync("DELETE", location)).Status);
        Assert.Equal(404, (await app.CallAsync("GET", location)).Status);
        Assert.Null((await app.GetAsync("/api/v2.0/projects/p"))["metadata"]!["retention_id"]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_simulator_says_line_by_line_what_goes_and_how_many_bytes_that_frees(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var (own, shared) = (TestImage.New(11), TestImage.New(12));
        await app.PushAsync("p/app", "old", own);
        await app.PushAsync("p/app", "copy", shared);
        await app.PushAsync("p/app", "keep", TestImage.New(13));
        await app.AddProjectAsync("q");
        await app.PushAsync("q/app", "v", shared);
        var simulated = await app.CallAsync("POST", Ours + "/simulate", body: """{"dialect":"quay","policy":{"method":"creation_date","value":"0s","tagPattern":"^(old|copy)$"}}""");
        Assert.Equal(200, simulated.Status);
        Assert.Equal(own.Blobs.Sum(b => (long)b.Length), simulated.Json["freed_bytes"]!.GetValue<long>());
        Assert.Equal((3, 2), (simulated.Json["total"]!.GetValue<long>(), simulated.Json["going"]!.GetValue<long>()));
        var lines = simulated.Json["repositories"]![0]!["tags"]!.AsArray();
        Assert.Equal("deleted by rule policy 1: pushed more than 00:00:00 ago", lines.Single(l => l!["tag"]!.GetValue<string>() == "old")!["because"]!.GetValue<string>());
        Assert.Equal("no rule lets it go", lines.Single(l => l!["tag"]!.GetValue<string>() == "keep")!["because"]!.GetValue<string>());
        Assert.Equal(["copy", "keep", "old"], await TagsAsync(app, "p/app"));
        var refused = await app.CallAsync("POST", Ours + "/simulate", body: """{"dialect":"ecr","policy":{"rules":[]}}""");
        Assert.Equal(400, refused.Status);
        Assert.Contains("1 to 50 rules", refused.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_push_asks_for_a_run_that_begins_behind_its_minute(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await PushAsync(app, "p/app", "before", 15);
        Assert.Equal(200, (await app.CallAsync("PUT", Ours, body: """{"dialect":"quay","policy":{"method":"creation_date","value":"9w"},"on_push":true}""")).Status);
        var before = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        await PushAsync(app, "p/app", "a", 16);
        await PushAsync(app, "p/other", "a", 17);
        await PushAsync(app, "p/app", "b", 18);
        var after = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var runs = await app.Database.ReadAsync(0, static async (session, _, ct) =>
        {
            var found = new List<(string Key, long RunAt)>();
            await using var rows = await session.Command(new Statement("SELECT dedupe_key, due_at FROM jobs WHERE kind = 'retention' AND dedupe_key IS NOT NULL ORDER BY id")).ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct)) found.Add((rows.GetString(0), rows.GetInt64(1)));
            return found;
        }, TestContext.Current.CancellationToken);
        // One for each repository and minute; the pushes may stand on both sides of a full minute.
        Assert.InRange(runs.Count(static run => run.Key.Contains(":p/app:", StringComparison.Ordinal)), 1, 2);
        Assert.Single(runs, static run => run.Key.Contains(":p/other:", StringComparison.Ordinal));
        Assert.All(runs, run => Assert.InRange(run.RunAt, before + 60_000, after + 120_000));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_nearest_policy_decides_alone(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await PushAsync(app, "p/app", "a", 21);
        await PushAsync(app, "p/special", "a", 22);
        await app.AddProjectAsync("q");
        await PushAsync(app, "q/app", "a", 23);
        const string All = """{"dialect":"quay","policy":{"method":"creation_date","value":"0s"}}""";
        const string None = """{"dialect":"quay","policy":{"method":"creation_date","value":"9w"}}""";
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/berth/v1/retention", body: All)).Status);
        Assert.Equal(200, (await app.CallAsync("PUT", Ours, body: None)).Status);
        Assert.Equal(200, (await app.CallAsync("PUT", Ours + "?repository=special", body: All)).Status);
        Assert.Equal("""[{"method":"creation_date","value":"9w"}]""", (await app.GetAsync(Ours))["policy"]!.ToJsonString());
        Assert.Equal(409, (await app.CallAsync("GET", Ours + "?dialect=harbor")).Status);
        Assert.Equal(1, await GoingAsync(app, "/api/berth/v1/retention"));
        Assert.Equal(0, await GoingAsync(app, Ours));
        Assert.Equal(1, await GoingAsync(app, Ours, "?repository=special"));
        Assert.Equal(204, (await app.CallAsync("DELETE", Ours)).Status);
        Assert.Equal(2, await GoingAsync(app, "/api/berth/v1/retention"));
        Assert.Equal(404, (await app.CallAsync("GET", Ours)).Status);
        await app.AddUserAsync("dev");
        Assert.Equal(403, (await app.CallAsync("GET", "/api/berth/v1/retention", "dev")).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_run_deletes_an_index_with_its_images_and_signatures_and_leaves_locked_tags(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var child = TestImage.New(31);
        var index = TestImage.Index([child]);
        await app.PushAsync("p/app", child.Digest.Value, child);
        await app.PushAsync("p/app", "multi", index);
        var referrer = TestImage.Artifact(index.Descriptor, "application/vnd.example.signature", seed: 32);
        await app.PushAsync("p/app", referrer.Digest.Value, referrer);
        await PushAsync(app, "p/app", "locked", 33);
        await app.CreateAsync("/api/v2.0/projects/p/immutabletagrules", """
            {"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"**"}]},"tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"locked"}]}
            """);
        Assert.Equal(200, (await app.CallAsync("PUT", Ours, body: """{"dialect":"acr-purge","policy":"acr purge --filter 'app:.*' --ago 0d --untagged"}""")).Status);
        var run = await app.CallAsync("POST", Ours + "/runs");
        Assert.Equal(200, run.Status);
        await Eventually.TrueAsync(async () => (await app.GetAsync(Ours + "/runs"))[0]!["finished_at"] is not null, "the run has ended");
        Assert.Equal(["locked"], await TagsAsync(app, "p/app"));
        foreach (var gone in new[] { index, child, referrer }) Assert.Equal(404, (await app.Registry.GetAsync($"/v2/p/app/manifests/{gone.Digest}", s_admin)).Status);
        var entry = (await app.GetAsync("/api/berth/v1/projects/p/trash"))["items"]!.AsArray().Single(i => i!["tag"]?.GetValue<string>() == "multi")!["id"]!.GetValue<long>();
        Assert.Equal(200, (await app.CallAsync("POST", $"/api/berth/v1/projects/p/trash/{entry}/restore")).Status);
        foreach (var back in new[] { index, child, referrer }) Assert.Equal(back.Manifest, (await app.Registry.GetAsync($"/v2/p/app/manifests/{back.Digest}", s_admin)).MustBe(200).Body);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_a_cluster_has_pulled_lately_stays(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        var child = TestImage.New(41);
        await app.PushAsync("p/app", child.Digest.Value, child);
        await app.PushAsync("p/app", "used", TestImage.Index([child]));
        await PushAsync(app, "p/app", "unused", 42);
        // A node pulls the image of its platform by digest.
        (await app.Registry.GetAsync($"/v2/p/app/manifests/{child.Digest}", s_admin, ("User-Agent", "containerd/2.1.4"))).MustBe(200);
        (await app.Registry.GetAsync("/v2/p/app/manifests/unused", s_admin, ("User-Agent", "docker/28.0"))).MustBe(200);
        await app.Services.GetRequiredService<ClusterUse>().FlushAsync(CancellationToken.None);
        var simulated = await app.CallAsync("POST", Ours + "/simulate", body: """{"dialect":"quay","policy":{"method":"creation_date","value":"0s"}}""");
        var lines = simulated.Json["repositories"]![0]!["tags"]!.AsArray();
        Assert.Equal("a cluster has used it lately", lines.Single(l => l!["tag"]!.GetValue<string>() == "used")!["because"]!.GetValue<string>());
        Assert.True(lines.Single(l => l!["tag"]!.GetValue<string>() == "unused")!["goes"]!.GetValue<bool>());
    }

    private static async Task<PlatformApp> StartAsync(DatabaseKind kind)
    {
        var app = await PlatformApp.StartAsync(kind, o => o with { Trash = new TrashOptions() });
        await app.AddProjectAsync("p");
        return app;
    }

    private static Task PushAsync(PlatformApp app, string repository, string tag, int seed) => app.PushAsync(repository, tag, TestImage.New(seed));

    private static async Task<long> GoingAsync(PlatformApp app, string path, string query = "")
    {
        var simulated = await app.CallAsync("POST", path + "/simulate" + query, body: "{}");
        Assert.Equal(200, simulated.Status);
        return simulated.Json["going"]!.GetValue<long>();
    }

    private static async Task<(string Location, JsonArray Tasks)> ExecuteAsync(PlatformApp app, string policy, bool isDry)
    {
        var location = await app.CreateAsync(policy + "/executions", $$"""{"dry_run":{{(isDry ? "true" : "false")}}}""");
        var id = location.Split('/')[^1];
        await Eventually.TrueAsync(async () =>
        {
            var execution = (await app.GetAsync(policy + "/executions")).AsArray().Single(e => e!["id"]!.ToString() == id)!;
            return execution["status"]!.GetValue<string>() == "Success" && execution["dry_run"]!.GetValue<bool>() == isDry;
        }, "the execution has ended");
        return (location, (await app.GetAsync(location + "/tasks")).AsArray());
    }

    private static async Task<string> LogAsync(PlatformApp app, string execution, JsonArray tasks) => (await app.CallAsync("GET", $"{execution}/tasks/{tasks[0]!["id"]}")).Body;

    private static async Task<List<string>> TagsAsync(PlatformApp app, string repository)
    {
        var answer = await app.Registry.GetAsync($"/v2/{repository}/tags/list", s_admin);
        return [.. JsonNode.Parse(answer.Body)!["tags"]!.AsArray().Select(t => t!.GetValue<string>())];
    }

    private static string Policy(long project, string template, int? count, string tags, string repositories) => $$$"""
        {"algorithm":"or","rules":[{"disabled":false,"action":"retain","template":"{{{template}}}","params":{{{(count is null ? "{}" : $"{{\"{template}\":{count}}}")}}},
        "tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"{{{tags}}}"}],
        "scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"{{{repositories}}}"}]}}],
        "trigger":{"kind":"Schedule","settings":{"cron":"0 0 3 * * *"},"references":{}},"scope":{"level":"project","ref":{{{project}}}}}
        """;
}
