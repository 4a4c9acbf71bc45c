using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Tests.Webhooks;

/// <summary>From a push to the receiver.</summary>
public sealed class WebhookDeliveryTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_push_a_pull_and_a_delete_arrive_in_Harbors_default_form(DatabaseKind kind)
    {
        await using var site = await WebhookSite.StartAsync(kind);
        await site.CreateAsync(site.Policy("p", "PUSH_ARTIFACT", "PULL_ARTIFACT", "DELETE_ARTIFACT"));
        var digest = await site.PushAsync("library/a/app", "v1");
        await site.Receiver.CountAsync(1);
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Get, "/v2/library/a/app/manifests/v1")).Status);
        await site.Receiver.CountAsync(2);
        Assert.Equal(202, (await site.SendAsync(HttpMethod.Delete, $"/v2/library/a/app/manifests/{digest}")).Status);
        await site.Receiver.CountAsync(3);

        Assert.Equal(["PUSH_ARTIFACT", "PULL_ARTIFACT", "DELETE_ARTIFACT"], site.Bodies.Select(b => (string)b["type"]!));
        var push = site.Bodies[0];
        Assert.Equal("admin", (string)push["operator"]!);
        Assert.InRange((long)push["occur_at"]!, 1, long.MaxValue);
        var resource = push["event_data"]!["resources"]![0]!;
        Assert.Equal((digest.Value, "v1", $"{site.App.Address.Authority}/library/a/app:v1"), ((string)resource["digest"]!, (string)resource["tag"]!, (string)resource["resource_url"]!));
        var repository = push["event_data"]!["repository"]!;
        Assert.Equal(("a/app", "library", "library/a/app", "public"), ((string)repository["name"]!, (string)repository["namespace"]!, (string)repository["repo_full_name"]!, (string)repository["repo_type"]!));
        Assert.InRange((long)repository["date_created"]!, 1, long.MaxValue);
        // By digest the digest stands for the tag, as in Harbor.
        var gone = site.Bodies[2]["event_data"]!["resources"]![0]!;
        Assert.Equal((digest.Value, $"{site.App.Address.Authority}/library/a/app@{digest}"), ((string)gone["tag"]!, (string)gone["resource_url"]!));
        Assert.All(site.Receiver.Requests, r => Assert.Equal("application/json", r.Headers["Content-Type"]));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task No_policy_fires_while_notifications_are_switched_off(DatabaseKind kind)
    {
        await using var site = await WebhookSite.StartAsync(kind);
        await site.CreateAsync(site.Policy());
        await site.PushAsync("library/app", "v1", seed: 1);
        await site.Receiver.CountAsync(1);
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Put, "/api/v2.0/configurations", new JsonObject { ["notification_enable"] = false })).Status);
        await site.PushAsync("library/app", "v2", seed: 2);
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Put, "/api/v2.0/configurations", new JsonObject { ["notification_enable"] = true })).Status);
        await site.PushAsync("library/app", "v3", seed: 3);
        await site.Receiver.CountAsync(2);
        // Deliveries of a repository keep their order: had there been one for v2, it would have come first.
        Assert.Equal(["v1", "v3"], site.Tags);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_signature_the_header_and_CloudEvents_are_as_the_policy_says(DatabaseKind kind)
    {
        await using var site = await WebhookSite.StartAsync(kind);
        var policy = site.Policy();
        var target = policy["targets"]![0]!.AsObject();
        target["payload_format"] = "CloudEvents";
        target["auth_header"] = "Bearer token";
        target["secret"] = "clé";
        var location = await site.CreateAsync(policy);
        await site.PushAsync("library/app", "v1");
        await site.Receiver.CountAsync(1);
        var request = site.Receiver.Requests.Single();
        Assert.Equal(("application/cloudevents+json", "Bearer token", "PUSH_ARTIFACT"), (request.Headers["Content-Type"], request.Headers["Authorization"], request.Headers["X-Berth-Event"]));
        var signed = Encoding.UTF8.GetBytes($"{request.Headers["X-Berth-Timestamp"]}.{request.Body}");
        Assert.Equal("sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes("clé"), signed)), request.Headers["X-Berth-Signature"]);
        var e = site.Bodies.Single();
        Assert.Equal(("1.0", "harbor.artifact.pushed", "application/json", "admin"), ((string)e["specversion"]!, (string)e["type"]!, (string)e["datacontenttype"]!, (string)e["operator"]!));
        Assert.Equal(request.Headers["X-Berth-Delivery"], (string)e["id"]!);
        Assert.EndsWith($"/webhook/policies/{WebhookSite.IdOf(location)}", (string)e["source"]!, StringComparison.Ordinal);
        Assert.Equal("library/app", (string)e["data"]!["repository"]!["repo_full_name"]!);
        Assert.NotEmpty((string)e["requestid"]!);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Filters_choose_by_repository_and_tag_and_a_policy_that_is_off_sends_nothing(DatabaseKind kind)
    {
        await using var site = await WebhookSite.StartAsync(kind);
        var policy = site.Policy();
        policy["repositories"] = "team/**";
        policy["tags"] = "v*";
        var location = await site.CreateAsync(policy);
        await site.PushAsync("library/app", "v1");
        await site.PushAsync("library/team/app", "latest");
        await site.PushAsync("library/team/app", "v2");
        await site.Receiver.CountAsync(1);
        await site.DeliveriesAsync(location, "Success", 1);
        policy["enabled"] = false;
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Put, location, policy)).Status);
        await site.PushAsync("library/team/app", "v3");
        policy["enabled"] = true;
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Put, location, policy)).Status);
        await site.PushAsync("library/team/app", "v4");
        await site.DeliveriesAsync(location, "Success", 2);
        Assert.Equal(["v2", "v4"], site.Tags);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task While_the_receiver_is_down_events_wait_and_then_come_in_order_also_after_a_restart(DatabaseKind kind)
    {
        await using var site = await WebhookSite.StartAsync(kind);
        var isDown = true;
        site.Receiver.Answer = context =>
        {
            if (isDown) context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        var location = await site.CreateAsync(site.Policy());
        for (var i = 0; i < 5; i++) await site.PushAsync("library/app", $"v{i}", seed: i);
        await site.PushAsync("library/other", "o0");
        // One repository does not wait for another.
        await Eventually.TrueAsync(() => site.Tags.Contains("v0") && site.Tags.Contains("o0"), "the first of each");
        Assert.DoesNotContain("v1", site.Tags);
        await site.App.RestartAsync();
        isDown = false;
        await site.DeliveriesAsync(location, "Success", 6);
        Assert.Equal(["v0", "v1", "v2", "v3", "v4"], site.Tags.Where(t => t.StartsWith('v')).Distinct());
        Assert.Equal(["v1", "v2", "v3", "v4"], site.Tags.Where(t => t is not "v0" and not "o0"));
        var ids = site.Receiver.Requests.Where(r => r.Body.Contains("\"v0\"", StringComparison.Ordinal)).Select(r => r.Headers["X-Berth-Delivery"]).Distinct();
        Assert.Single(ids);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_delivery_is_sent_again_on_demand_and_a_test_is_tried_once(DatabaseKind kind)
    {
        await using var site = await WebhookSite.StartAsync(kind);
        var location = await site.CreateAsync(site.Policy());
        var ours = $"{WebhookSite.Webhooks}/{WebhookSite.IdOf(location)}";
        await site.PushAsync("library/app", "v1");
        await site.DeliveriesAsync(location, "Success", 1);
        var delivery = (await site.GetAsync(ours + "/deliveries"))[0]!;
        Assert.Equal((1, 200), ((int)delivery["attempts"]!, (int)delivery["last_status"]!));
        var replay = await site.SendAsync(HttpMethod.Post, $"{ours}/deliveries/{(long)delivery["id"]!}/replay");
        Assert.Equal(200, replay.Status);
        await site.DeliveriesAsync(location, "Success", 2);
        var requests = site.Receiver.Requests.ToArray();
        Assert.Equal((requests[0].Body, requests[0].Headers["X-Berth-Delivery"]), (requests[1].Body, requests[1].Headers["X-Berth-Delivery"]));
        Assert.Equal(404, (await site.SendAsync(HttpMethod.Post, ours + "/deliveries/999999/replay")).Status);

        site.Receiver.Answer = context =>
        {
            context.Response.StatusCode = 500;
            return context.Response.WriteAsync("out of order");
        };
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Post, ours + "/test")).Status);
        await site.DeliveriesAsync(location, "Error", 1);
        var failed = (await site.GetAsync(ours + "/deliveries?status=error"))[0]!;
        Assert.Equal((1, 500, "abnormal response code: 500"), ((int)failed["attempts"]!, (int)failed["last_status"]!, (string)failed["error"]!));
        Assert.Equal("true", (string)site.Bodies[2]["event_data"]!["custom_attributes"]!["test"]!);
        Assert.Equal(400, (await site.SendAsync(HttpMethod.Post, ours + "/test", new JsonObject { ["event_type"] = "REPLICATION" })).Status);
        Assert.Equal(400, (await site.SendAsync(HttpMethod.Get, ours + "/deliveries?status=lost")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_policy_of_the_installation_hears_of_all_projects_and_of_management(DatabaseKind kind)
    {
        await using var site = await WebhookSite.StartAsync(kind);
        var policy = site.Policy("all", "PUSH_ARTIFACT", "MANAGEMENT");
        policy["repositories"] = "{library,team}/**";
        await site.CreateAsync(policy, WebhookSite.Webhooks);
        await site.PushAsync("library/app", "v1");
        await site.PushAsync("team/app", "v2");
        await site.PushAsync("elsewhere/app", "v3");
        await Eventually.TrueAsync(() => site.Receiver.Requests.Count == 2, "two pushes");
        policy["repositories"] = null;
        await site.CreateAsync(site.Policy("more"));
        policy["name"] = "management";
        await site.CreateAsync(policy, WebhookSite.Webhooks);
        await site.CreateAsync(site.Policy("watched"));
        await Eventually.TrueAsync(() => site.Bodies.Any(b => (string?)b["event_data"]?["custom_attributes"]?["resource"] == "watched"), "the creation of a policy");
        var body = site.Bodies.First(b => (string?)b["event_data"]?["custom_attributes"]?["resource"] == "watched");
        Assert.Equal(("MANAGEMENT", "create", "webhook", "library"), ((string)body["type"]!, (string)body["event_data"]!["custom_attributes"]!["operation"]!,
            (string)body["event_data"]!["custom_attributes"]!["resource_type"]!, (string)body["event_data"]!["custom_attributes"]!["project"]!));
    }

    [Fact]
    public async Task An_address_that_is_not_public_is_not_connected_to_though_its_name_may_be_saved()
    {
        await using var site = await WebhookSite.StartAsync(DatabaseKind.Sqlite, o => o with { Outgoing = new(), Webhooks = new() { MaxAttempts = 1 } });
        var policy = site.Policy();
        var port = new Uri(site.Receiver.Url).Port;
        policy["targets"]![0]!["address"] = $"http://localhost:{port}/";
        Assert.Equal(400, (await site.SendAsync(HttpMethod.Post, WebhookSite.Policies, policy)).Status);
        // A name of this machine: only when it is resolved it shows what it is.
        policy["targets"]![0]!["address"] = $"http://ip6-localhost.localhost:{port}/";
        var location = await site.CreateAsync(policy);
        await site.PushAsync("library/app", "v1");
        await site.DeliveriesAsync(location, "Error", 1);
        Assert.Empty(site.Receiver.Requests);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var site = await WebhookSite.StartAsync(DatabaseKind.Sqlite, o => o with { Webhooks = new() { MaxAttempts = 1 } });
        site.Receiver.Answer = context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = "http://127.0.0.1:1/";
            return Task.CompletedTask;
        };
        var location = await site.CreateAsync(site.Policy());
        await site.PushAsync("library/app", "v1");
        await site.DeliveriesAsync(location, "Error", 1);
        Assert.Single(site.Receiver.Requests);
    }
}
