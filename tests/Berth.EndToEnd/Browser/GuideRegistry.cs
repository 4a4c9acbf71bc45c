using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Browser;

/// <summary>The registry of the guide's pictures: projects, people, versions in all states of their life, rules, trash, webhooks that were delivered.</summary>
internal sealed class GuideRegistry(string address, GuideImages images, GuideScans scans, RegistryHttp http, CancellationToken ct)
{
    /// <summary>A layer that several images name.</summary>
    public string SharedLayer { get; private set; } = "";

    private readonly ManagementApi api = new(address);

    /// <summary>Fills it.</summary>
    public async Task Furnish()
    {
        await AddProjects();
        await AddPeople();
        await PushVersions();
        await Live();
        await AddRules();
        await Delete();
        await Hook();
        await Scan();
        await Send(HttpMethod.Post, "/api/v2.0/system/gc/schedule", """{"schedule":{"type":"Manual"},"parameters":{"dry_run":true}}""");
        await Send(HttpMethod.Put, "/api/v2.0/system/gc/schedule", """{"schedule":{"type":"Weekly","cron":"0 0 2 * * 0"}}""");
    }

    private async Task AddProjects()
    {
        foreach (var (name, isPublic, quota) in (ValueTuple<string, string, long>[])[("shop", "false", 10L << 30), ("platform", "true", -1), ("data", "false", 50L << 30), ("mirror", "true", -1), ("new-team", "false", 5L << 30)])
            await Send(HttpMethod.Post, "/api/v2.0/projects", $$$"""{"project_name":"{{{name}}}","metadata":{"public":"{{{isPublic}}}"},"storage_limit":{{{quota}}}}""");
    }

    private async Task AddPeople()
    {
        foreach (var (user, name) in (ValueTuple<string, string>[])[("mona", "Mona Lind"), ("wei", "Wei Zhang"), ("sam", "Sam Osei"), ("ines", "Inês Duarte")])
            await Send(HttpMethod.Post, "/api/v2.0/users", $$"""{"username":"{{user}}","realname":"{{name}}","email":"{{user}}@example.org","password":"Guide-12345"}""");
        foreach (var group in (string[])["builders", "operations"]) await Send(HttpMethod.Post, "/api/v2.0/usergroups", $$"""{"group_name":"{{group}}","group_type":0}""");
        foreach (var (user, role) in (ValueTuple<string, int>[])[("mona", 1), ("wei", 2), ("sam", 3)])
            await Send(HttpMethod.Post, "/api/v2.0/projects/shop/members", $$"""{"role_id":{{role}},"member_user":{"username":"{{user}}"} }""");
        await Send(HttpMethod.Post, "/api/v2.0/projects/shop/members", """{"role_id":2,"member_group":{"group_name":"builders","group_type":0}}""");
        await Send(HttpMethod.Post, "/api/berth/v1/projects/shop/access-rules", """{"subject":{"kind":"role","name":"developer"},"repository":"release/**","actions":["push","delete"],"effect":"deny"}""");
        await Send(HttpMethod.Post, "/api/berth/v1/roles", """{"name":"puller","permissions":["repository:pull","repository:list","artifact:list"]}""");
        await Send(HttpMethod.Post, "/api/v2.0/robots", """
            {"name":"cluster-eu","level":"system","duration":90,"description":"pulls for the cluster","permissions":[{"kind":"project","namespace":"*","access":[{"resource":"repository","action":"pull"}]}]}
            """);
        await api.AddRobot("ci", "shop", ct);
        await api.AddRobot("nightly", "shop", ct);
        await Send(HttpMethod.Post, "/api/berth/v1/users/current/tokens", """{"name":"laptop"}""");
        await Send(HttpMethod.Post, "/api/berth/v1/users/current/tokens", """{"name":"scripts"}""");
    }

    private async Task PushVersions()
    {
        foreach (var version in (string[])["1.2.0", "1.3.0", "1.3.1", "1.3.2", "1.3.3", "1.4.0", "1.4.1"]) await images.Push("shop/api", "v" + version, images.Index("api", version), ct);
        await images.Push("shop/api", "latest", images.Index("api", "1.4.1"), ct);
        var newest = images.Index("api", "1.4.2", new JsonObject { ["org.opencontainers.image.source"] = "https://git.example.com/shop/api", ["org.opencontainers.image.revision"] = "9c41d0e" });
        foreach (var tag in (string[])["v1.4.2", "v1.4", "v1", "latest"]) await images.Push("shop/api", tag, newest, ct);
        await Attach("shop/api", newest);
        foreach (var build in (string[])["main-71c0a2e", "main-9c41d0e", "pr-128", "rc1"]) await images.Push("shop/api", build, images.Image("api", build), ct);
        await images.Push("shop/api", "main-71c0a2e", images.Image("api", "main-71c0a2e-again"), ct);
        foreach (var (tag, kilobytes) in (ValueTuple<string, int>[])[("v2.0.0", 900), ("v2.0.1", 910), ("v2.1.0", 980)]) await images.Push("shop/web", tag, images.Image("web", tag[1..], codeKilobytes: kilobytes), ct);
        var worker = images.Image("worker", "0.9.0");
        await images.Push("shop/worker", "v0.9.0", worker, ct);
        SharedLayer = ManifestContent.BlobsOf(images.BytesOf(worker))[1].Digest;
        await images.Push("shop/jobs/mail", "2026-11-20", images.Image("mail", "2026-11-20"), ct);
        await images.Push("platform/base/node", "22", images.Index("node", "22"), ct);
        await images.Push("platform/base/debian", "12", images.Image("debian", "12", codeKilobytes: 10), ct);
        await images.Push("data/etl", "2026.11", images.Image("etl", "2026.11", codeKilobytes: 2_400), ct);
        await images.Push("data/notebook", "1.0", images.Image("notebook", "1.0", codeKilobytes: 5_200), ct);
        await images.Push("mirror/redis", "7.4", images.Index("redis", "7.4"), ct);
    }

    // Versions with known flaws, built on a base; what is accepted, and a gate that only watches.
    private async Task Scan()
    {
        await scans.UseAdvisories();
        await Send(HttpMethod.Put, "/api/v2.0/projects/shop", """{"metadata":{"prevent_vul":"true","severity":"high","pull_gate_mode":"warn","pull_gate_unscanned":"allow","reuse_sys_cve_allowlist":"false","auto_scan":"true"},"cve_allowlist":{"items":[{"cve_id":"CVE-2020-28500"}],"expires_at":1830297599}}""");
        await Send(HttpMethod.Post, "/api/berth/v1/projects/shop/exceptions", """{"kind":"trivyignore","name":"shop.trivyignore","note":"glob() is not reached by us","content":"CVE-2010-4756\n"}""");
        await Send(HttpMethod.Post, "/api/berth/v1/projects/shop/exceptions", """
            {"kind":"openvex","name":"checkout.openvex.json","note":"reviewed by the security team","expires_at":"2027-06-30T00:00:00Z","content":"{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"@id\":\"https://shop.example.com/vex/1\",\"author\":\"Shop security\",\"timestamp\":\"2026-11-01T00:00:00Z\",\"version\":1,\"statements\":[{\"vulnerability\":{\"name\":\"CVE-2023-45853\"},\"products\":[{\"@id\":\"pkg:deb/debian/zlib1g\"}],\"status\":\"not_affected\",\"justification\":\"vulnerable_code_not_present\"}]}"}
            """);
        await scans.Push(http, "platform/base/bookworm", "12.5", scans.Base());
        await scans.Push(http, "shop/checkout", "v2.2.0", scans.App("amd64", ("lodash", "4.17.20"), ("minimist", "1.2.5"), ("axios", "0.21.1"), ("qs", "6.9.0")));
        await scans.Push(http, "shop/checkout", "v2.3.0", scans.App("amd64", ("lodash", "4.17.20"), ("minimist", "1.2.8"), ("axios", "0.21.1"), ("express", "4.17.1"), ("debug", "4.3.4")));
        await scans.Push(http, "shop/basket", "v1.0.0", scans.Index(("amd64", scans.App("amd64", ("minimist", "1.2.5"), ("axios", "1.5.0"))), ("arm64", scans.App("arm64", ("minimist", "1.2.5")))));
        await scans.Push(http, "data/reports", "2026.11", scans.App("amd64", ("lodash", "4.17.20"), ("qs", "6.9.0")));
        await scans.ScanAll();
    }

    private async Task Attach(string repository, ContentReference image)
    {
        var sbom = images.Attached(image, "application/spdx+json", "application/spdx+json", 84);
        foreach (var attached in (ContentReference[])[images.Attached(image, "application/vnd.dev.cosign.artifact.sig.v1+json", "application/vnd.dev.cosign.simplesigning.v1+json", 1), sbom, images.Attached(image, "application/vnd.in-toto+json", "application/vnd.in-toto+json", 9), images.Attached(sbom, "application/vnd.dev.cosign.artifact.sig.v1+json", "application/vnd.dev.cosign.simplesigning.v1+json", 1)])
            await images.Push(repository, null, attached, ct);
    }

    // Ends, archive, stages, labels.
    private async Task Live()
    {
        const string Api = "/api/berth/v1/projects/shop/repositories/api";
        await Send(HttpMethod.Put, Api + "/tags/pr-128/expiry", """{"expires_after":"2d"}""");
        await Send(HttpMethod.Put, Api + "/tags/rc1/expiry", """{"expires_after":"3w"}""");
        foreach (var (tag, stage) in (ValueTuple<string, string>[])[("v1.4.2", "release"), ("rc1", "test"), ("main-9c41d0e", "development")]) await Send(HttpMethod.Put, $"{Api}/artifacts/{tag}/stage", $$"""{"stage":"{{stage}}"}""");
        await Send(HttpMethod.Put, Api + "/artifacts/v1.2.0/archive", "{}");
        var project = (await api.Call(HttpMethod.Get, "/api/v2.0/projects/shop", null, ct))!["project_id"]!.GetValue<long>();
        foreach (var (name, color, text) in (ValueTuple<string, string, string>[])[("stable", "#1f6b3a", "ran for a week"), ("needs review", "#7a4d00", "ask the owners first"), ("customer-facing", "#0f6b75", "seen by customers")])
            await Send(HttpMethod.Post, "/api/v2.0/labels", $$"""{"name":"{{name}}","color":"{{color}}","description":"{{text}}","scope":"p","project_id":{{project}}}""");
        foreach (var label in (await api.Call(HttpMethod.Get, $"/api/v2.0/labels?scope=p&project_id={project}", null, ct))!.AsArray().Where(l => l!["name"]!.GetValue<string>() is "stable" or "customer-facing"))
            await Send(HttpMethod.Post, "/api/v2.0/projects/shop/repositories/api/artifacts/v1.4.2/labels", $$"""{"id":{{label!["id"]!.GetValue<long>()}}}""");
        await Send(HttpMethod.Put, "/api/v2.0/projects/shop/repositories/api", """{"description":"The shop's programming interface; deployed to all clusters."}""");
    }

    private async Task AddRules()
    {
        foreach (var (pattern, where) in (ValueTuple<string, string>[])[("v1.2.*", "**"), ("release-*", "web")])
            await Send(HttpMethod.Post, "/api/v2.0/projects/shop/immutabletagrules", $$"""{"action":"immutable","template":"immutable_template","tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"{{pattern}}"}],"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"{{where}}"}]} }""");
        await Send(HttpMethod.Put, "/api/berth/v1/projects/shop/naming", """{"mode":"warn","lower_case":true,"separators":"-.","forbid_version_overwrite":true,"tags":[{"kind":"glob","text":"v*"},{"kind":"glob","text":"main-*"},{"kind":"regex","text":"pr-[0-9]+"}]}""");
        await Send(HttpMethod.Put, "/api/berth/v1/projects/shop/retention", """
            {"cron":"0 0 3 * * *","policy":{"rules":[
              {"name":"newest-patches","action":"keep","selection":{"state":"tagged","tags":[{"kind":"regex","text":"^v?[0-9]+\\.[0-9]+\\.[0-9]+$"}]},"conditions":[{"kind":"newest_versions","count":3,"per":"minor"}]},
              {"name":"builds","action":"keep","selection":{"state":"tagged","tags":[{"kind":"glob","text":"main-*"}]},"conditions":[{"kind":"within","age":"14.00:00:00","by":"pushed"}]},
              {"name":"tests","action":"delete","selection":{"state":"tagged","tags":[{"kind":"glob","text":"rc*"}]}}],
             "rest_goes":true,"floating_follows":true}}
            """);
        await Send(HttpMethod.Put, "/api/berth/v1/retention", """
            {"cron":"0 30 3 * * 0","policy":{"rules":[{"name":"last-quarter","action":"keep","selection":{"state":"tagged"},"conditions":[{"kind":"within","age":"90.00:00:00","by":"active"}]}],"rest_goes":true,"floating_follows":true}}
            """);
        await Send(HttpMethod.Post, "/api/berth/v1/projects/shop/retention/runs?dry_run=true", null);
    }

    private async Task Delete()
    {
        foreach (var (repository, reference) in (ValueTuple<string, string>[])[("api", "v1.3.0"), ("web", "v2.0.0")]) await Send(HttpMethod.Delete, $"/api/v2.0/projects/shop/repositories/{repository}/artifacts/{reference}", null);
        await Send(HttpMethod.Delete, "/api/v2.0/projects/shop/repositories/jobs%252Fmail", null);
    }

    // One address that answers and one that does not.
    private async Task Hook()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answers = Answer(listener);
        var open = ((IPEndPoint)listener.LocalEndpoint).Port;
        foreach (var (name, port, events) in (ValueTuple<string, int, string>[])[("deploy", open, "\"PUSH_ARTIFACT\",\"DELETE_ARTIFACT\""), ("chat", 9, "\"TAG_RETENTION\",\"TAG_EXPIRING\",\"QUOTA_WARNING\"")])
            await Send(HttpMethod.Post, "/api/v2.0/projects/shop/webhook/policies", $$"""{"name":"{{name}}","enabled":true,"event_types":[{{events}}],"targets":[{"type":"http","address":"http://127.0.0.1:{{port}}/{{name}}"}]}""");
        await Send(HttpMethod.Post, "/api/berth/v1/webhooks", $$"""{"name":"audit","enabled":true,"event_types":["DELETE_ARTIFACT","MANAGEMENT"],"targets":[{"type":"http","address":"http://127.0.0.1:{{open}}/audit"}]}""");
        foreach (var tag in (string[])["v2.1.0", "v2.1"]) await images.Push("shop/web", tag, images.Image("web", "2.1.0", codeKilobytes: 980), ct);
        var hook = (await api.Call(HttpMethod.Get, "/api/v2.0/projects/shop/webhook/policies?q=name%3Ddeploy", null, ct))!.AsArray().First(p => p!["name"]!.GetValue<string>() == "deploy")!["id"]!.GetValue<long>();
        for (var i = 0; i < 200; i++)
        {
            var told = (await api.Call(HttpMethod.Get, $"/api/berth/v1/webhooks/{hook}/deliveries", null, ct))!.AsArray();
            if (told.Count > 0 && told.All(d => d!["status"]?.GetValue<string>() is not ("Pending" or "Running" or "Scheduled"))) break;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ct);
        }
        listener.Stop();
        await answers.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Hooked = hook;
    }

    /// <summary>The webhook that has deliveries.</summary>
    public long Hooked { get; private set; }

    private async Task Answer(TcpListener listener)
    {
        while (true)
        {
            using var client = await listener.AcceptTcpClientAsync(ct);
            var stream = client.GetStream();
            var buffer = new byte[1 << 16];
            _ = await stream.ReadAsync(buffer, ct);
            await stream.WriteAsync("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"u8.ToArray(), ct);
        }
    }

    private Task<JsonNode?> Send(HttpMethod method, string path, string? body) => api.Call(method, path, body, ct);
}
