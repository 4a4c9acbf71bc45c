using System.Text.Json.Nodes;
using Berth.Server.Lifecycle;
using Berth.Server.Platform.Data;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Webhooks;

/// <summary>What rules and ends of tags tell other servers.</summary>
public sealed class WebhookLifecycleTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_run_of_a_retention_policy_is_told_in_Harbors_form(DatabaseKind kind)
    {
        await using var site = await WebhookSite.StartAsync(kind);
        await site.CreateAsync(site.Policy("p", "TAG_RETENTION"));
        foreach (var (tag, seed) in new[] { ("v1", 1), ("v2", 2), ("v3", 3) }) await site.PushAsync("library/app", tag, seed);
        var policy = JsonNode.Parse("""{"dialect":"quay","policy":{"method":"number_of_tags","value":1}}""");
        var set = await site.SendAsync(HttpMethod.Put, "/api/berth/v1/projects/library/retention", policy);
        Assert.True(set.Status == 200, set.Text);
        // One that only tries is not told.
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Post, "/api/berth/v1/projects/library/retention/runs?dry_run=true")).Status);
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Post, "/api/berth/v1/projects/library/retention/runs")).Status);
        await site.Receiver.CountAsync(1);
        var body = site.Bodies.Single();
        Assert.Equal("TAG_RETENTION", (string)body["type"]!);
        var retention = body["event_data"]!["retention"]!;
        Assert.Equal((3, 1, "library", "SUCCESS"), ((long)retention["total"]!, (long)retention["retained"]!, (string)retention["project_name"]!, (string)retention["status"]!));
        Assert.Equal(["library/app:v1", "library/app:v2"], retention["deleted_artifact"]!.AsArray().Select(d => (string)d!).Order());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_policy_that_runs_after_a_push_runs_once_for_a_build(DatabaseKind kind)
    {
        await using var site = await WebhookSite.StartAsync(kind);
        var policy = JsonNode.Parse("""{"dialect":"quay","policy":{"method":"number_of_tags","value":1},"on_push":true}""");
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Put, "/api/berth/v1/projects/library/retention", policy)).Status);
        foreach (var (tag, seed) in new[] { ("v1", 1), ("v2", 2), ("v3", 3) }) await site.PushAsync("library/app", tag, seed);
        // The three pushes have one job, a minute later: it is made due.
        var database = site.App.Services.GetRequiredService<Database>();
        var jobs = await database.WriteAsync(Durability.Full, static async (session, ct) =>
            await session.ExecuteAsync(new Statement("UPDATE jobs SET due_at = 0 WHERE kind = 'retention'"), [], ct), CancellationToken.None);
        Assert.Equal(1, jobs);
        await Eventually.TrueAsync(async () => (await site.SendAsync(HttpMethod.Get, "/v2/library/app/tags/list")).Text == """{"name":"library/app","tags":["v3"]}""", "the policy has run");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_end_of_a_tag_is_announced_once_and_told_when_it_has_come(DatabaseKind kind)
    {
        await using var site = await WebhookSite.StartAsync(kind, o => o with { Lifecycle = new LifecycleOptions { ExpiryNotice = TimeSpan.FromHours(1) } });
        await site.CreateAsync(site.Policy("p", "TAG_EXPIRING", "TAG_EXPIRED"));
        var digest = await site.PushAsync("library/app", "tmp");
        await site.PushAsync("library/app", "later", 2);
        const string Tags = "/api/berth/v1/projects/library/repositories/app/tags";
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Put, $"{Tags}/tmp/expiry", new JsonObject { ["expires_after"] = "30m" })).Status);
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Put, $"{Tags}/later/expiry", new JsonObject { ["expires_after"] = "2h" })).Status);
        await RunAsync(site);
        await site.Receiver.CountAsync(1);
        var soon = site.Bodies[0];
        var resource = soon["event_data"]!["resources"]![0]!;
        Assert.Equal(("TAG_EXPIRING", "library/app", "tmp", digest.Value), ((string)soon["type"]!, (string)soon["event_data"]!["repository"]!["repo_full_name"]!, (string)resource["tag"]!, (string)resource["digest"]!));
        Assert.InRange(DateTimeOffset.Parse((string)soon["event_data"]!["custom_attributes"]!["expires_at"]!) - TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(31));

        // Set anew it is announced anew, if there is time left for that.
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Put, $"{Tags}/tmp/expiry", new JsonObject { ["expires_after"] = "1s" })).Status);
        await Eventually.TrueAsync(async () => (await site.SendAsync(HttpMethod.Get, "/v2/library/app/manifests/tmp")).Status == 404, "tmp has expired");
        await RunAsync(site);
        await Eventually.TrueAsync(() => site.Bodies.Any(b => (string)b["type"]! == "TAG_EXPIRED"), "its end is told");
        Assert.All(site.Bodies, b => Assert.Equal("tmp", (string)b["event_data"]!["resources"]![0]!["tag"]!));
    }

    private static async Task RunAsync(WebhookSite site)
    {
        var watch = site.App.Services.GetRequiredService<ExpiryWatch>();
        await watch.LookAsync(CancellationToken.None);
        await Eventually.TrueAsync(async () => !await watch.IsDueAsync(CancellationToken.None), "nothing is due any more");
    }
}
