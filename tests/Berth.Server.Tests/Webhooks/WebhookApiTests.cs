using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;

namespace Berth.Server.Tests.Webhooks;

/// <summary>Harbor's operations and ours, over HTTP.</summary>
public sealed class WebhookApiTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_policy_is_created_read_listed_changed_and_removed(DatabaseKind kind)
    {
        await using var site = await WebhookSite.StartAsync(kind);
        var policy = site.Policy("one", "PUSH_ARTIFACT", "DELETE_ARTIFACT");
        policy["description"] = "tells";
        policy["targets"]![0]!["auth_header"] = "Bearer t";
        policy["targets"]![0]!["secret"] = "s3cret";
        var location = await site.CreateAsync(policy);
        Assert.StartsWith(WebhookSite.Policies + "/", location, StringComparison.Ordinal);

        var read = await site.GetAsync(location);
        Assert.Equal(("one", "tells", "admin", true), ((string)read["name"]!, (string)read["description"]!, (string)read["creator"]!, (bool)read["enabled"]!));
        Assert.Equal(["PUSH_ARTIFACT", "DELETE_ARTIFACT"], read["event_types"]!.AsArray().Select(e => (string)e!));
        var target = read["targets"]![0]!;
        Assert.Equal(("http", site.Receiver.Url, "Bearer t", "Default", false), ((string)target["type"]!, (string)target["address"]!, (string)target["auth_header"]!, (string)target["payload_format"]!, (bool)target["skip_cert_verify"]!));
        // The key of the signature does not come back.
        Assert.Null(target["secret"]);
        Assert.True((bool)target["has_secret"]!);
        Assert.Equal((string)read["creation_time"]!, (string)read["update_time"]!);

        await site.CreateAsync(site.Policy("two"));
        var list = await site.SendAsync(HttpMethod.Get, WebhookSite.Policies + "?page_size=1");
        Assert.Equal((200, "2"), (list.Status, list.Header("X-Total-Count")));
        Assert.Equal("two", (string)JsonNode.Parse(list.Body)![0]!["name"]!);
        Assert.Equal("one", (string)(await site.GetAsync(WebhookSite.Policies + "?q=name%3Done"))[0]!["name"]!);

        policy["name"] = "renamed";
        policy["enabled"] = false;
        policy["targets"]![0]!.AsObject().Remove("secret");
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Put, location, policy)).Status);
        read = await site.GetAsync(location);
        Assert.Equal(("renamed", false, true), ((string)read["name"]!, (bool)read["enabled"]!, (bool)read["targets"]![0]!["has_secret"]!));
        policy["targets"]![0]!["secret"] = "";
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Put, location, policy)).Status);
        Assert.Null((await site.GetAsync(location))["targets"]![0]!["has_secret"]);

        Assert.Equal(200, (await site.SendAsync(HttpMethod.Delete, location)).Status);
        Assert.Equal(404, (await site.SendAsync(HttpMethod.Get, location)).Status);
        Assert.Equal(404, (await site.SendAsync(HttpMethod.Delete, location)).Status);
        Assert.Equal(404, (await site.SendAsync(HttpMethod.Put, location, policy)).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Two_policies_of_a_project_cannot_have_one_name(DatabaseKind kind)
    {
        await using var site = await WebhookSite.StartAsync(kind);
        await site.CreateAsync(site.Policy("one"));
        var two = await site.CreateAsync(site.Policy("two"));
        Assert.Equal(409, (await site.SendAsync(HttpMethod.Post, WebhookSite.Policies, site.Policy("one"))).Status);
        Assert.Equal(409, (await site.SendAsync(HttpMethod.Put, two, site.Policy("one"))).Status);
        // The installation has names of its own.
        await site.CreateAsync(site.Policy("one"), WebhookSite.Webhooks);
        Assert.Equal(409, (await site.SendAsync(HttpMethod.Post, WebhookSite.Webhooks, site.Policy("one"))).Status);
    }

    public static TheoryData<string, string> Refused => new()
    {
        { "no name", """{"event_types":["PUSH_ARTIFACT"],"targets":[{"type":"http","address":"http://a.example/"}]}""" },
        { "no event types", """{"name":"x","targets":[{"type":"http","address":"http://a.example/"}]}""" },
        { "unknown event type", """{"name":"x","event_types":["UPLOAD_CHART"],"targets":[{"type":"http","address":"http://a.example/"}]}""" },
        { "management in a project", """{"name":"x","event_types":["MANAGEMENT"],"targets":[{"type":"http","address":"http://a.example/"}]}""" },
        { "no targets", """{"name":"x","event_types":["PUSH_ARTIFACT"],"targets":[]}""" },
        { "null target", """{"name":"x","event_types":["PUSH_ARTIFACT"],"targets":[null]}""" },
        { "unknown target type", """{"name":"x","event_types":["PUSH_ARTIFACT"],"targets":[{"type":"pigeon","address":"http://a.example/"}]}""" },
        { "no address", """{"name":"x","event_types":["PUSH_ARTIFACT"],"targets":[{"type":"http"}]}""" },
        { "another scheme", """{"name":"x","event_types":["PUSH_ARTIFACT"],"targets":[{"type":"http","address":"file:///etc/passwd"}]}""" },
        { "password in the address", """{"name":"x","event_types":["PUSH_ARTIFACT"],"targets":[{"type":"http","address":"http://u:p@a.example/"}]}""" },
        { "metadata service", """{"name":"x","event_types":["PUSH_ARTIFACT"],"targets":[{"type":"http","address":"http://169.254.169.254/latest"}]}""" },
        { "private address", """{"name":"x","event_types":["PUSH_ARTIFACT"],"targets":[{"type":"http","address":"https://10.0.0.1"}]}""" },
        { "format of slack", """{"name":"x","event_types":["PUSH_ARTIFACT"],"targets":[{"type":"slack","address":"https://a.example","payload_format":"Default"}]}""" },
        { "unknown format", """{"name":"x","event_types":["PUSH_ARTIFACT"],"targets":[{"type":"http","address":"https://a.example","payload_format":"XML"}]}""" },
        { "template that is no JSON", """{"name":"x","event_types":["PUSH_ARTIFACT"],"targets":[{"type":"http","address":"https://a.example","payload_format":"Template","template":"{{type}}"}]}""" },
        { "line break in the header", """{"name":"x","event_types":["PUSH_ARTIFACT"],"targets":[{"type":"http","address":"https://a.example","auth_header":"a\nb"}]}""" },
        { "mail without a server", """{"name":"x","event_types":["PUSH_ARTIFACT"],"targets":[{"type":"email","address":"a@b.example"}]}""" },
        { "bad glob", """{"name":"x","event_types":["PUSH_ARTIFACT"],"repositories":"a{b","targets":[{"type":"http","address":"https://a.example"}]}""" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_policy_that_cannot_work_is_refused(string what, string policy)
    {
        await using var site = await WebhookSite.StartAsync(DatabaseKind.Sqlite);
        var answer = await site.SendAsync(HttpMethod.Post, WebhookSite.Policies, JsonNode.Parse(policy));
        Assert.True(answer.Status == 400, $"{what}: {answer.Status} {answer.Text}");
        Assert.Equal("BAD_REQUEST", (string)JsonNode.Parse(answer.Body)!["errors"]![0]!["code"]!);
        Assert.Empty((await site.GetAsync(WebhookSite.Policies)).AsArray());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Deliveries_show_as_executions_tasks_jobs_and_log(DatabaseKind kind)
    {
        await using var site = await WebhookSite.StartAsync(kind);
        var location = await site.CreateAsync(site.Policy("p", "PUSH_ARTIFACT", "PULL_ARTIFACT"));
        await site.PushAsync("library/app", "v1");
        await site.DeliveriesAsync(location, "Success", 1);

        var execution = (await site.GetAsync(location + "/executions"))[0]!;
        var id = (long)execution["id"]!;
        Assert.Equal(("WEBHOOK", WebhookSite.IdOf(location), "Success", "EVENT"), ((string)execution["vendor_type"]!, (long)execution["vendor_id"]!, (string)execution["status"]!, (string)execution["trigger"]!));
        Assert.Equal("PUSH_ARTIFACT", (string)execution["extra_attrs"]!["event_type"]!);
        Assert.Equal(site.Receiver.Requests.Single().Body, (string)execution["extra_attrs"]!["payload"]!);
        Assert.Equal((1, 1), ((int)execution["metrics"]!["task_count"]!, (int)execution["metrics"]!["success_task_count"]!));
        Assert.Empty((await site.GetAsync(location + "/executions?q=status%3DError")).AsArray());
        Assert.Single((await site.GetAsync(location + "/executions?q=status%3DSuccess")).AsArray());

        var task = (await site.GetAsync($"{location}/executions/{id}/tasks"))[0]!;
        Assert.Equal((id, "Success", 1), ((long)task["execution_id"]!, (string)task["status"]!, (int)task["run_count"]!));
        var log = await site.SendAsync(HttpMethod.Get, $"{location}/executions/{id}/tasks/{(long)task["id"]!}/log");
        Assert.Equal(200, log.Status);
        Assert.Contains("POST " + site.Receiver.Url, log.Text, StringComparison.Ordinal);
        Assert.Equal(404, (await site.SendAsync(HttpMethod.Get, $"{location}/executions/{id}/tasks/{id + 1}/log")).Status);
        Assert.Equal(404, (await site.SendAsync(HttpMethod.Get, $"{location}/executions/{id + 1}/tasks")).Status);

        var jobs = await site.GetAsync($"/api/v2.0/projects/library/webhook/jobs?policy_id={WebhookSite.IdOf(location)}&status=success&status=error");
        Assert.Equal(("http", "PUSH_ARTIFACT", "Success"), ((string)jobs[0]!["notify_type"]!, (string)jobs[0]!["event_type"]!, (string)jobs[0]!["status"]!));
        Assert.Equal(422, (await site.SendAsync(HttpMethod.Get, "/api/v2.0/projects/library/webhook/jobs")).Status);
        Assert.Equal(404, (await site.SendAsync(HttpMethod.Get, "/api/v2.0/projects/library/webhook/jobs?policy_id=999")).Status);

        var triggers = (await site.GetAsync("/api/v2.0/projects/library/webhook/lasttrigger")).AsArray();
        Assert.Equal(["PUSH_ARTIFACT", "PULL_ARTIFACT"], triggers.Select(t => (string)t!["event_type"]!));
        Assert.NotNull(triggers[0]!["last_trigger_time"]);
        Assert.Null(triggers[1]!["last_trigger_time"]);

        var support = await site.GetAsync("/api/v2.0/projects/library/webhook/events");
        Assert.Equal(
            ["PUSH_ARTIFACT", "PULL_ARTIFACT", "DELETE_ARTIFACT", "QUOTA_EXCEED", "QUOTA_WARNING", "SCANNING_FAILED", "SCANNING_STOPPED", "SCANNING_COMPLETED", "REPLICATION", "TAG_RETENTION", "TAG_EXPIRING", "TAG_EXPIRED", "NEW_FINDINGS"],
            support["event_type"]!.AsArray().Select(e => (string)e!));
        Assert.Equal(["http", "slack", "email"], support["notify_type"]!.AsArray().Select(e => (string)e!));

        // With the policy go its deliveries.
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Delete, location)).Status);
        Assert.Equal(404, (await site.SendAsync(HttpMethod.Get, location + "/executions")).Status);
    }

    [Fact]
    public async Task Who_is_not_signed_in_sees_nothing()
    {
        await using var site = await WebhookSite.StartAsync(DatabaseKind.Sqlite);
        var location = await site.CreateAsync(site.Policy());
        string[] paths =
        [
            WebhookSite.Policies, location, location + "/executions", location + "/executions/1/tasks", location + "/executions/1/tasks/1/log",
            "/api/v2.0/projects/library/webhook/lasttrigger", "/api/v2.0/projects/library/webhook/events", "/api/v2.0/projects/library/webhook/jobs?policy_id=1",
            WebhookSite.Webhooks, WebhookSite.Webhooks + "/1", WebhookSite.Webhooks + "/1/deliveries",
        ];
        foreach (var path in paths) Assert.Equal((path, 401), (path, (await site.App.GetAsync(path)).Status));
        Assert.Equal(401, (await site.App.PostAsync(WebhookSite.Policies, "{}"u8.ToArray())).Status);
        Assert.Equal(401, (await site.App.PostAsync(WebhookSite.Webhooks + "/1/test")).Status);
        Assert.Equal(401, (await site.App.PostAsync(WebhookSite.Webhooks + "/1/deliveries/1/replay")).Status);
    }

    [Fact]
    public async Task A_policy_is_found_only_in_its_project()
    {
        await using var site = await WebhookSite.StartAsync(DatabaseKind.Sqlite);
        await site.PushAsync("other/app", "v1");
        var location = await site.CreateAsync(site.Policy());
        Assert.Equal(200, (await site.SendAsync(HttpMethod.Get, location)).Status);
        Assert.Equal(404, (await site.SendAsync(HttpMethod.Get, location.Replace("/library/", "/other/", StringComparison.Ordinal))).Status);
        var ofAll = await site.CreateAsync(site.Policy(), WebhookSite.Webhooks);
        Assert.Equal(404, (await site.SendAsync(HttpMethod.Get, $"{WebhookSite.Policies}/{WebhookSite.IdOf(ofAll)}")).Status);
        Assert.Single((await site.GetAsync(WebhookSite.Webhooks)).AsArray());
    }
}
