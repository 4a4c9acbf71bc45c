using System.Text.Json.Nodes;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Exceptions;
using Berth.Server.Scanning.PullGate;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Scanning.PullGate;

public sealed class PullGateTests(GateServers servers) : IClassFixture<GateServers>
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    private static readonly (string, string)[] s_enforced = [("prevent_vul", "true"), ("severity", "high")];

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_image_with_findings_is_refused_by_tag_and_digest_for_HEAD_and_GET_and_the_answer_names_them(DatabaseKind kind)
    {
        var p = await servers.ProjectAsync(kind);
        var image = GateProject.Image(("left-pad", "1.3.0"), ("right-pad", "1.0.0"));
        await p.PushScannedAsync("1", image);
        Assert.Equal(200, (await p.GetAsync("1")).Status);
        await p.SetAsync(s_enforced);

        foreach (var reference in (string[])["1", image.Digest.Value])
        {
            var answer = await p.GetAsync(reference);
            Assert.Equal(412, answer.Status);
            var error = JsonNode.Parse(answer.Text)!["errors"]![0]!;
            Assert.Equal("PROJECTPOLICYVIOLATION", (string?)error["code"]);
            var message = (string?)error["message"];
            Assert.Contains("severity high or above", message, StringComparison.Ordinal);
            Assert.Contains("1 finding (1 high): CVE-2020-1 in left-pad 1.3.0 (high, repaired in 1.3.1)", message, StringComparison.Ordinal);
            Assert.DoesNotContain("CVE-2020-2", message, StringComparison.Ordinal);
            var head = await p.HeadAsync(reference);
            Assert.Equal(412, head.Status);
            Assert.Contains("CVE-2020-1", head.Header("Warning"), StringComparison.Ordinal);
        }
        // A push over it has to see what is there; to run it takes the same for everybody.
        Assert.Equal((200, 412), ((await p.HeadAsync("1", "admin")).Status, (await p.GetAsync("1", "admin")).Status));
        Assert.Equal(200, (await p.App.Registry.GetAsync($"/v2/{p.Name}/web/manifests/1", PlatformApp.As("admin"), ("User-Agent", "cosign/v3.0"))).Status);
        Assert.Equal(412, (await p.App.Registry.GetAsync($"/v2/{p.Name}/web/manifests/1", PlatformApp.As("reader"), ("User-Agent", "cosign/v3.0"))).Status);

        await p.SetAsync(("severity", "critical"));
        Assert.Equal(200, (await p.GetAsync("1")).Status);
        await p.SetAsync(("severity", "medium"));
        Assert.Contains("2 findings (1 high, 1 medium)", (await p.GetAsync("1")).Text, StringComparison.Ordinal);
        await p.SetAsync(("severity", "none"));
        Assert.Equal(412, (await p.GetAsync("1")).Status);
        await p.SetAsync(("severity", "medium"), ("pull_gate_fixable_only", "true"));
        Assert.Contains("1 finding (1 high)", (await p.GetAsync("1")).Text, StringComparison.Ordinal);
        await p.SetAsync(("prevent_vul", "false"));
        Assert.Equal(200, (await p.GetAsync("1")).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Who_may_pull_without_an_account_meets_the_gate_too_and_an_index_is_judged_by_its_images(DatabaseKind kind)
    {
        var p = await servers.ProjectAsync(kind, isPublic: true);
        var (bad, good) = (GateProject.Image(("left-pad", "1.3.0")), GateProject.Image(("left-pad", "1.3.1")));
        await p.App.PushAsync($"{p.Name}/web", bad.Digest.Value, bad);
        await p.App.PushAsync($"{p.Name}/web", good.Digest.Value, good);
        var (mixed, clean) = (TestImage.Index([good, bad]), TestImage.Index([good]));
        await p.PushScannedAsync("mixed", mixed);
        await p.App.PushAsync($"{p.Name}/web", "clean", clean);
        await p.SetAsync(s_enforced);
        foreach (var reference in (string[])["mixed", mixed.Digest.Value, bad.Digest.Value]) Assert.Equal((412, 412), ((await p.GetAsync(reference, "")).Status, (await p.HeadAsync(reference, "")).Status));
        foreach (var reference in (string[])["clean", clean.Digest.Value, good.Digest.Value]) Assert.Equal((200, 200), ((await p.GetAsync(reference, "")).Status, (await p.HeadAsync(reference, "")).Status));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_image_without_a_report_is_refused_unless_the_project_says_otherwise_or_its_first_scan_has_time(DatabaseKind kind)
    {
        var p = await servers.ProjectAsync(kind);
        var image = GateProject.Image(("left-pad", "1.3.1"));
        await p.App.PushAsync($"{p.Name}/web", "1", image);
        await p.App.PushAsync($"{p.Name}/web", "multi", TestImage.Index([image]));
        await p.App.PushAsync($"{p.Name}/web", "signature", TestImage.Artifact(image.Descriptor, "application/vnd.example.signature"));
        await p.SetAsync(s_enforced);
        Assert.Contains("was never scanned", (await p.GetAsync("1")).Text, StringComparison.Ordinal);
        Assert.Equal(412, (await p.GetAsync("multi")).Status);
        // What no machine runs is not judged.
        Assert.Equal(200, (await p.GetAsync("signature")).Status);

        await p.SetAsync(("pull_gate_unscanned", "allow"));
        Assert.Equal(200, (await p.GetAsync("1")).Status);
        await p.SetAsync(("pull_gate_unscanned", "refuse"), ("pull_gate_grace_minutes", "10"));
        Assert.Equal(412, (await p.GetAsync("1")).Status);

        await p.ScanAsync("1");
        await p.BecomesAsync("1", 200);
        await p.SetScanAsync(image, "state = 0, reported_at = NULL, report = NULL, finished_at = NULL");
        await p.SetAsync(("pull_gate_grace_minutes", "11"));
        Assert.Equal(200, (await p.GetAsync("1")).Status);
        p.On.Time.Shift = TimeSpan.FromMinutes(11);
        Assert.Contains("is being scanned for the first time", (await p.GetAsync("1")).Text, StringComparison.Ordinal);
        p.On.Time.Shift = TimeSpan.Zero;
        await p.SetScanAsync(image, "state = 2, problem = 'no such layer'");
        await p.SetAsync(("pull_gate_grace_minutes", "12"));
        Assert.Contains("could not be scanned (no such layer)", (await p.GetAsync("1")).Text, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_last_good_report_stands_while_another_scan_runs_and_when_it_fails(DatabaseKind kind)
    {
        var p = await servers.ProjectAsync(kind);
        var (good, bad) = (GateProject.Image(("left-pad", "1.3.1")), GateProject.Image(("left-pad", "1.2.0")));
        await p.PushScannedAsync("good", good);
        await p.PushScannedAsync("bad", bad);
        await p.SetAsync(s_enforced);
        foreach (var state in (string[])["state = 0, finished_at = NULL", "state = 2, problem = 'the disk was full'"])
        {
            await p.SetScanAsync(good, state);
            await p.SetScanAsync(bad, state);
            // Settings that change empty what is remembered.
            await p.SetAsync(("severity", "low"));
            await p.SetAsync(("severity", "high"));
            Assert.Equal((200, 412), ((await p.GetAsync("good")).Status, (await p.GetAsync("bad")).Status));
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_dry_run_lets_pass_warns_and_writes_down_once_what_it_would_refuse(DatabaseKind kind)
    {
        var p = await servers.ProjectAsync(kind);
        await p.PushScannedAsync("1", GateProject.Image(("left-pad", "1.3.0")));
        await p.SetAsync([.. s_enforced, ("pull_gate_mode", "warn")]);
        var counters = p.App.Services.GetRequiredService<GateCounters>();
        var (warned, refused) = (counters.Warned, counters.Refused);
        for (var i = 0; i < 3; i++)
        {
            var answer = await p.GetAsync("1");
            Assert.Equal(200, answer.Status);
            Assert.StartsWith("299 - \"", answer.Header("Warning"), StringComparison.Ordinal);
        }
        Assert.Equal((3, 0), (counters.Warned - warned, counters.Refused - refused));
        await p.SetAsync(("pull_gate_mode", "enforce"));
        for (var i = 0; i < 2; i++) Assert.Equal(412, (await p.GetAsync("1")).Status);
        Assert.Equal(2, counters.Refused - refused);
        var log = (await p.App.GetAsync($"/api/v2.0/projects/{p.Name}/auditlog-exts?page_size=100")).AsArray();
        Assert.Equal(["refuse_pull", "warn_pull"], log.Select(entry => (string?)entry!["operation"]).Where(word => word!.EndsWith("_pull", StringComparison.Ordinal)).Order());
        await p.SetAsync(("pull_gate_mode", "off"));
        Assert.Equal(200, (await p.GetAsync("1")).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Exceptions_open_the_gate_until_they_run_out_and_the_answer_says_which_did(DatabaseKind kind)
    {
        var p = await servers.ProjectAsync(kind);
        var image = GateProject.Image(("left-pad", "1.3.0"));
        await p.PushScannedAsync("1", image);
        await p.SetAsync(s_enforced);
        Assert.Equal(412, (await p.GetAsync("1")).Status);
        var end = p.On.Time.GetUtcNow().AddHours(1);
        var id = await p.AddExceptionAsync("trivyignore", "CVE-2020-1", expiresAt: end, note: "not reachable");
        Assert.Equal(200, (await p.GetAsync("1")).Status);
        p.On.Time.Shift = TimeSpan.FromHours(2);
        Assert.Contains("exceptions that ran out: CVE-2020-1 (exceptions of the project, ", (await p.GetAsync("1")).Text, StringComparison.Ordinal);
        p.On.Time.Shift = TimeSpan.Zero;
        Assert.Equal(200, (await p.App.CallAsync("DELETE", p.Own($"/exceptions/{id}"))).Status);
        Assert.Equal(412, (await p.GetAsync("1")).Status);

        // Harbor's list of the project, which is asked where the project does not use that of the installation.
        var seconds = end.ToUnixTimeSeconds();
        Assert.Equal(200, (await p.App.CallAsync("PUT", $"/api/v2.0/projects/{p.Name}", body: $$$"""
            {"metadata":{"reuse_sys_cve_allowlist":"false"},"cve_allowlist":{"items":[{"cve_id":"CVE-2020-1"}],"expires_at":{{{seconds}}}}}
            """)).Status);
        Assert.Equal(200, (await p.GetAsync("1")).Status);
        await p.SetAsync(("reuse_sys_cve_allowlist", "true"));
        Assert.Equal(412, (await p.GetAsync("1")).Status);
        await p.SetAsync(("reuse_sys_cve_allowlist", "false"));
        p.On.Time.Shift = TimeSpan.FromHours(2);
        Assert.Contains("allow list of the project", (await p.GetAsync("1")).Text, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_document_attached_to_the_image_or_its_index_counts_where_the_project_trusts_it(DatabaseKind kind)
    {
        var p = await servers.ProjectAsync(kind);
        var image = GateProject.Image(("left-pad", "1.3.0"));
        await p.App.PushAsync($"{p.Name}/web", image.Digest.Value, image);
        var index = TestImage.Index([image]);
        await p.PushScannedAsync("multi", index);
        await p.SetAsync(s_enforced);
        var vex = GateProject.OpenVex("CVE-2020-1", "pkg:npm/left-pad@1.3.0");
        await p.App.PushAsync($"{p.Name}/web", "vex", GateProject.Attachment(index, "application/vnd.openvex+json", vex));
        Assert.Equal((412, 412), ((await p.GetAsync("multi")).Status, (await p.GetAsync(image.Digest.Value)).Status));
        var shown = Assert.Single((await p.App.GetAsync(p.Own($"/repositories/web/artifacts/{image.Digest}/findings"))).AsArray())!;
        Assert.Null(shown["suppression"]);
        Assert.Equal(("not_affected", "vulnerable_code_not_in_execute_path"), ((string?)shown["attached"]!["status"], (string?)shown["attached"]!["reason"]));

        await p.SetAsync(("trust_attached_vex", "true"));
        Assert.Equal((200, 200), ((await p.GetAsync("multi")).Status, (await p.GetAsync(image.Digest.Value)).Status));
        var counted = Assert.Single((await p.App.GetAsync(p.Own("/repositories/web/artifacts/multi/findings"))).AsArray())!;
        Assert.StartsWith("attached document sha256:", (string?)counted["suppression"]!["source"], StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_could_not_be_pulled_is_told_before_the_gate_is_up(DatabaseKind kind)
    {
        var p = await servers.ProjectAsync(kind);
        await p.PushScannedAsync("bad", GateProject.Image(("left-pad", "1.3.0")));
        await p.PushScannedAsync("middling", GateProject.Image(("right-pad", "1.0.0")));
        await p.PushScannedAsync("good", GateProject.Image(("left-pad", "1.3.1")));
        await p.App.PushAsync($"{p.Name}/web", "new", GateProject.Image(("other", "1.0.0")));
        async Task<string[]> TagsAsync(string query, JsonNode? seen = null) =>
            [.. (seen ?? await p.App.GetAsync(p.Own($"/pull-gate/preview?{query}"), "reader"))["items"]!.AsArray().Select(item => (string)item!["tags"]![0]!)];
        Assert.Equal(["bad", "new"], await TagsAsync("severity=high"));
        Assert.Equal(["bad", "middling"], await TagsAsync("severity=medium&unscanned=allow"));
        Assert.Equal(["bad"], await TagsAsync("severity=medium&unscanned=allow&fixable_only=true"));
        var first = await p.App.GetAsync(p.Own("/pull-gate/preview?severity=medium&limit=2"), "reader");
        Assert.Equal(("off", 2), ((string?)first["mode"], first["items"]!.AsArray().Count));
        var item = first["items"]![0]!["images"]![0]!;
        Assert.Equal(("findings", 1, "CVE-2020-1"), ((string?)item["reason"], item["counts"]!["high"]!.GetValue<int>(), (string?)item["worst"]![0]!["id"]));
        Assert.Equal(["new"], await TagsAsync($"severity=medium&limit=2&after={first["next"]}"));
        Assert.Equal(200, (await p.GetAsync("bad")).Status);
        Assert.Equal(400, (await p.App.CallAsync("GET", p.Own("/pull-gate/preview?severity=urgent"))).Status);
    }

    [Fact]
    public async Task Another_replica_hears_of_exceptions_that_come_and_go()
    {
        var p = await servers.ProjectAsync(DatabaseKind.Postgres);
        await p.PushScannedAsync("1", GateProject.Image(("left-pad", "1.3.0")));
        await p.SetAsync(s_enforced);
        await using var other = await p.App.AddReplicaAsync();
        Task<Answer> GetAsync() => other.Registry.GetAsync($"/v2/{p.Name}/web/manifests/1", PlatformApp.As("reader"));
        await Eventually.TrueAsync(async () => (await GetAsync()).Status == 412, "the replica keeps the gate closed");
        var id = await p.AddExceptionAsync("trivyignore", "CVE-2020-1");
        await Eventually.TrueAsync(async () => (await GetAsync()).Status == 200, "the replica knows of the exception");
        Assert.Equal(200, (await p.App.CallAsync("DELETE", p.Own($"/exceptions/{id}"))).Status);
        await Eventually.TrueAsync(async () => (await GetAsync()).Status == 412, "the replica knows that it is gone");
    }

    [Fact]
    public void A_refusal_names_at_most_five_findings_and_says_how_many_there_are_more()
    {
        var image = new GateImage { Digest = "sha256:" + new string('a', 64), Counts = [0, 0, 0, 0, 7, 0], ReportedAt = 1 };
        var findings = Enumerable.Range(1, 7).Select(i => Found($"CVE-2020-{i}", "High")).Append(Found("CVE-2020-9", "Low")).ToList();
        var policy = new GatePolicy { Severity = "high", Threshold = 4 };
        Assert.Equal((false, (RefusedImage?)null, (DateTimeOffset?)null), GateRules.ByRow(policy, image, DateTimeOffset.UnixEpoch));
        var (refused, _) = GateRules.ByReport(policy, image, findings, null);
        var sentence = new GateVerdict(policy, [refused!]).Sentence("p/web:1");
        Assert.Contains("7 findings (7 high): CVE-2020-1 ", sentence, StringComparison.Ordinal);
        Assert.Contains("CVE-2020-5 in pad 1 (high) and 2 more", sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("CVE-2020-6", sentence, StringComparison.Ordinal);
        Assert.True(GateRules.ByRow(policy with { Threshold = 5 }, image, DateTimeOffset.UnixEpoch).IsOpen);
    }

    private static ReportedFinding Found(string id, string severity) =>
        new(new Finding(id, new Package(PackageType.Npm, "pad", "1")) { InstalledVersion = "1" }, severity, "") { PackageName = "pad", Purl = "" };
}
