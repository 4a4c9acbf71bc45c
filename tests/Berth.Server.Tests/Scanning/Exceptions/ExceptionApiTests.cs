using System.Text;
using System.Text.Json.Nodes;
using Berth.Scanner.Exceptions;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Exceptions;

namespace Berth.Server.Tests.Scanning.Exceptions;

public sealed class ExceptionApiTests(GateServers servers) : IClassFixture<GateServers>
{
    private const string SystemList = "/api/v2.0/system/CVEAllowlist";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Findings_are_shown_with_what_keeps_them_from_counting_and_Harbors_report_has_all_of_them(DatabaseKind kind)
    {
        var p = await servers.ProjectAsync(kind);
        await p.PushScannedAsync("1", GateProject.Image(("left-pad", "1.3.0"), ("right-pad", "1.0.0")));
        var findings = p.Own("/repositories/web/artifacts/1/findings");
        Assert.Equal(["CVE-2020-1", "CVE-2020-2"], (await p.App.GetAsync(findings, "reader")).AsArray().Select(one => (string?)one!["id"]));

        await p.AddExceptionAsync("trivyignore-yaml", "vulnerabilities:\n  - id: CVE-2020-1\n    paths:\n      - app/node_modules/left-pad/package.json\n    statement: only at build time\n", "web");
        await p.AddExceptionAsync("openvex", GateProject.OpenVex("CVE-2020-2", "pkg:npm/right-pad@1.0.0"));
        var marked = (await p.App.GetAsync(findings + "?suppressed=true", "reader")).AsArray();
        Assert.Equal(
            [("exceptions of the repository", "ignored", "only at build time"), ("exceptions of the project", "not_affected", "vulnerable_code_not_in_execute_path")],
            marked.Select(one => one!["suppression"]!).Select(one => ((string?)one["source"], (string?)one["status"], (string?)one["reason"])));
        Assert.Empty((await p.App.GetAsync(findings + "?suppressed=false", "reader")).AsArray());
        Assert.Equal(400, (await p.App.CallAsync("GET", findings + "?suppressed=maybe")).Status);

        var report = (await p.App.GetAsync(p.Artifact("1") + "/additions/vulnerabilities"))[GateProject.Report]!;
        Assert.Equal(2, report["vulnerabilities"]!.AsArray().Count);
        var overview = (await p.App.GetAsync(p.Artifact("1") + "?with_scan_overview=true"))["scan_overview"]![GateProject.Report]!;
        Assert.Equal(2, overview["summary"]!["total"]!.GetValue<int>());
        Assert.Equal(2, overview["excepted"]!["total"]!.GetValue<int>());
        Assert.Equal(overview["summary"]!["summary"]!.ToJsonString(), overview["excepted"]!["summary"]!.ToJsonString());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Lists_of_images_tell_what_does_not_count_until_the_exception_ends(DatabaseKind kind)
    {
        var p = await servers.ProjectAsync(kind);
        await p.PushScannedAsync("1", GateProject.Image(("left-pad", "1.3.0"), ("right-pad", "1.0.0")));
        Assert.Null(await ExceptedAsync());
        await p.AddExceptionAsync("trivyignore", "CVE-2020-1\n", "web", p.On.Time.GetUtcNow().AddHours(2));
        Assert.Equal(1, await ExceptedAsync());
        await p.AddExceptionAsync("openvex", GateProject.OpenVex("CVE-2020-2", "pkg:npm/right-pad@1.0.0"));
        Assert.Equal(2, await ExceptedAsync());
        p.On.Time.Shift = TimeSpan.FromHours(3);
        Assert.Equal(1, await ExceptedAsync());

        async Task<int?> ExceptedAsync() =>
            (int?)(await p.App.GetAsync(p.Artifact("1") + "?with_scan_overview=true"))["scan_overview"]![GateProject.Report]!["excepted"]?["total"];
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_document_is_brought_listed_read_and_deleted_by_those_who_may_change_the_project(DatabaseKind kind)
    {
        var p = await servers.ProjectAsync(kind);
        await p.PushScannedAsync("1", GateProject.Image(("left-pad", "1.3.0")));
        const string text = "# waits for the vendor\nCVE-2020-1 exp:2030-01-01\n";
        var body = GateProject.BodyOf("trivyignore", text, "web", p.On.Time.GetUtcNow().AddDays(1), "agreed with security", ".trivyignore");
        Assert.Equal(403, (await p.App.CallAsync("POST", p.Own("/exceptions"), "reader", body)).Status);
        var made = await p.App.CallAsync("POST", p.Own("/exceptions"), body: body);
        Assert.Equal(201, made.Status);
        Assert.Null(made.Json["content"]);
        var address = made.Header("Location")!;
        var listed = Assert.Single((await p.App.GetAsync(p.Own("/exceptions"), "reader")).AsArray())!;
        Assert.Equal(("repository", "web", "trivyignore", ".trivyignore"), ((string?)listed["scope"], (string?)listed["repository"], (string?)listed["kind"], (string?)listed["name"]));
        Assert.Equal(("admin", "agreed with security", 1, false), ((string?)listed["created_by"], (string?)listed["note"], listed["entries"]!.GetValue<int>(), listed["is_expired"]!.GetValue<bool>()));
        Assert.Empty((await p.App.GetAsync(p.Own("/exceptions?repository=other"))).AsArray());
        Assert.Equal(text, (string?)(await p.App.GetAsync(address, "reader"))["content"]);
        var other = await servers.ProjectAsync(kind);
        Assert.Equal(404, (await p.App.CallAsync("GET", other.Own("/exceptions/" + listed["id"]))).Status);
        Assert.Equal(404, (await p.App.CallAsync("DELETE", other.Own("/exceptions/" + listed["id"]))).Status);
        Assert.Equal(403, (await p.App.CallAsync("DELETE", address, "reader")).Status);
        Assert.Equal(200, (await p.App.CallAsync("DELETE", address)).Status);
        Assert.Equal(404, (await p.App.CallAsync("GET", address)).Status);
        var log = (await p.App.GetAsync($"/api/v2.0/projects/{p.Name}/auditlog-exts?page_size=100")).AsArray();
        Assert.Equal(["create", "delete"], log.Where(entry => (string?)entry!["resource_type"] == "scan-exception").Select(entry => (string?)entry!["operation"]).Order());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_list_of_the_installation_has_Harbors_form_and_holds_for_projects_without_one_of_their_own(DatabaseKind kind)
    {
        var p = await servers.ProjectAsync(kind);
        var app = p.App;
        await p.PushScannedAsync("1", GateProject.Image(("left-pad", "1.3.0")));
        Assert.Equal(401, (await app.CallAsync("GET", SystemList, "")).Status);
        Assert.Equal(403, (await app.CallAsync("PUT", SystemList, "reader", """{"items":[]}""")).Status);
        Assert.Equal(400, (await app.CallAsync("PUT", SystemList, body: """{"items":[{"cve_id":"CVE-1"},{"cve_id":"CVE-1"}]}""")).Status);
        var end = p.On.Time.GetUtcNow().AddHours(1).ToUnixTimeSeconds();
        Assert.Equal(200, (await app.CallAsync("PUT", SystemList, body: $$"""{"items":[{"cve_id":"GHSA-1111-2222-3333"},{"cve_id":"CVE-2020-1"}],"expires_at":{{end}}}""")).Status);
        var list = await app.GetAsync(SystemList, "reader");
        Assert.Equal((1, 0, end, "CVE-2020-1"), (list["id"]!.GetValue<int>(), list["project_id"]!.GetValue<int>(), list["expires_at"]!.GetValue<long>(), (string?)list["items"]![1]!["cve_id"]));

        var findings = p.Own("/repositories/web/artifacts/1/findings");
        var found = Assert.Single((await app.GetAsync(findings)).AsArray())!;
        Assert.Equal("allow list of the system", (string?)found["suppression"]!["source"]);
        p.On.Time.Shift = TimeSpan.FromHours(2);
        found = Assert.Single((await app.GetAsync(findings)).AsArray())!;
        Assert.Null(found["suppression"]);
        Assert.Equal("allow list of the system", (string?)found["expired"]!["source"]);
        p.On.Time.Shift = TimeSpan.Zero;
        await p.SetAsync(("reuse_sys_cve_allowlist", "false"));
        Assert.Null(Assert.Single((await app.GetAsync(findings)).AsArray())!["suppression"]);
        Assert.Empty((await app.GetAsync("/api/berth/v1/exceptions")).AsArray());
        Assert.Equal(200, (await app.CallAsync("PUT", SystemList, body: """{"items":[]}""")).Status);
        Assert.Empty((await app.GetAsync(SystemList))["items"]!.AsArray());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_document_of_the_installation_holds_everywhere_and_a_project_may_be_made_with_a_list(DatabaseKind kind)
    {
        var p = await servers.ProjectAsync(kind);
        await p.PushScannedAsync("1", GateProject.Image(("left-pad", "1.3.0")));
        var findings = p.Own("/repositories/web/artifacts/1/findings");
        var body = GateProject.BodyOf("trivyignore", "CVE-2020-1", note: "accepted");
        Assert.Equal(403, (await p.App.CallAsync("POST", "/api/berth/v1/exceptions", "reader", body)).Status);
        var address = await p.App.CreateAsync("/api/berth/v1/exceptions", body);
        Assert.Equal(("exceptions of the system", "accepted"), Reason((await p.App.GetAsync(findings))[0]!));
        Assert.Equal(200, (await p.App.CallAsync("DELETE", address)).Status);
        Assert.Null((await p.App.GetAsync(findings))[0]!["suppression"]);

        await p.App.CreateAsync("/api/v2.0/projects", $$$"""{"project_name":"{{{p.Name}}}-made","cve_allowlist":{"items":[{"cve_id":"CVE-2020-1"}]}}""");
        Assert.Equal("CVE-2020-1", (string?)(await p.App.GetAsync($"/api/v2.0/projects/{p.Name}-made"))["cve_allowlist"]!["items"]![0]!["cve_id"]);
    }

    [Theory]
    [InlineData("openvex", "{\n\"statements\": [\n}", "line 3")]
    [InlineData("openvex", """{"statements":[{"vulnerability":{"name":"CVE-1"},"products":["pkg:npm/a"],"status":"not-affected"}]}""", "statement 1 has no status")]
    [InlineData("openvex", """{"statements":[{"vulnerability":{"name":"CVE-1"},"products":[],"status":"fixed"}]}""", "statement 1 names no product")]
    [InlineData("openvex", """{"statements":[]}""", "OpenVEX")]
    [InlineData("cyclonedx", """{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"CVE-1"}]}""", "says nothing")]
    [InlineData("cyclonedx", """{"vulnerabilities":[{"id":"CVE-1","analysis":{"state":"resolved"}}]}""", "no CycloneDX")]
    [InlineData("trivyignore", "CVE-1\nCVE-2 exp:tomorrow", "line 2: exp:tomorrow is no day")]
    [InlineData("trivyignore", "CVE-1 because", "line 1: because is not understood")]
    [InlineData("trivyignore", "# only words", "says nothing")]
    [InlineData("trivyignore-yaml", "vulnerabilities:\n  - id: CVE-1\n    expired_at: never\n", "the date 'never'")]
    public void A_document_that_is_none_is_refused_with_what_is_wrong(string kind, string text, string problem)
    {
        var e = Assert.Throws<FormatException>(() => ExceptionDocuments.Check(ExceptionDocuments.KindOf(kind)!.Value, "it", Encoding.UTF8.GetBytes(text)));
        Assert.Contains(problem, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attached_statements_are_found_in_envelopes_and_bundles_and_what_is_none_says_nothing()
    {
        var statement = new JsonObject { ["_type"] = "https://in-toto.io/Statement/v1", ["predicateType"] = "https://openvex.dev/ns/v0.2.0", ["predicate"] = JsonNode.Parse(GateProject.OpenVex("CVE-1", "pkg:npm/a@1")) };
        var envelope = new JsonObject { ["payloadType"] = "application/vnd.in-toto+json", ["payload"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(statement.ToJsonString())), ["signatures"] = new JsonArray() };
        var cyclone = """{"predicateType":"https://cyclonedx.org/bom","predicate":{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"CVE-1","analysis":{"state":"not_affected"}}]}}""";
        var finding = new Finding("CVE-1", new Package(PackageType.Npm, "a", "1"));
        foreach (var text in (string[])[statement.ToJsonString(), envelope.ToJsonString(), new JsonObject { ["dsseEnvelope"] = envelope.DeepClone() }.ToJsonString(), cyclone])
            Assert.Equal(SuppressionStatus.NotAffected, AttachedDocuments.Parse(Encoding.UTF8.GetBytes(text))!.Find(finding, new ExceptionSubject(DateTimeOffset.UnixEpoch))!.Status);
        foreach (var text in (string[])["", "[]", "{}", "{\"payload\":\"?\"}", "{\"payload\":7}", """{"predicateType":"https://slsa.dev/provenance/v1","predicate":{}}"""])
            Assert.Null(AttachedDocuments.Parse(Encoding.UTF8.GetBytes(text)));
    }

    private static (string?, string?) Reason(JsonNode finding) => ((string?)finding["suppression"]?["source"], (string?)finding["suppression"]?["reason"]);
}
