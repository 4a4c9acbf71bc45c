using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Adapters;
using Berth.Server.Scanning.Scanners;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Scanning.Adapters;

public sealed class OutsideScanTests
{
    private const string Report = "application/vnd.security.vulnerability.report; version=1.1";
    private const string Web = "/api/v2.0/projects/p/repositories/web/artifacts/";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_scanner_of_a_project_scans_it_and_its_report_takes_the_place_of_ours(DatabaseKind kind)
    {
        await using var adapter = await AdapterDouble.StartAsync();
        adapter.Redirects = 3;
        adapter.Wanted = ("Authorization", "Basic dTpw");
        await using var app = await StartAsync(kind, adapter, """,{"auth":"Basic","access_credential":"u:p"}""");
        var image = TestImage.New(1);
        await app.PushAsync("p/web", "1", image);
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        var overview = await ScannedAsync(app, "Success");
        Assert.Equal(("Double", "1.2.3", "Critical", 3, 1), ((string)overview["scanner"]!["name"]!, (string)overview["scanner"]!["version"]!, (string)overview["severity"]!, (int)overview["summary"]!["total"]!, (int)overview["summary"]!["fixable"]!));
        Assert.Equal((1, 1, 1), ((int)overview["summary"]!["summary"]!["Critical"]!, (int)overview["summary"]!["summary"]!["Low"]!, (int)overview["summary"]!["summary"]!["Unknown"]!));
        var report = (await app.GetAsync(Web + "1/additions/vulnerabilities"))[Report]!;
        Assert.Equal("Double", (string)report["scanner"]!["name"]!);
        Assert.Equal(["CVE-2026-1", "CVE-2026-2", "CVE-2026-3"], report["vulnerabilities"]!.AsArray().Select(one => (string)one!["id"]!));
        // What a page would run is no link.
        Assert.Equal(["https://example.com/1"], report["vulnerabilities"]![0]!["links"]!.AsArray().Select(link => (string)link!));

        var asked = Assert.Single(adapter.Scans);
        Assert.Equal(("p/web", image.Digest.Value, image.MediaType), ((string)asked["artifact"]!["repository"]!, (string)asked["artifact"]!["digest"]!, (string)asked["artifact"]!["mime_type"]!));
        Assert.Equal(app.Registry.Url, (string)asked["registry"]!["url"]!);
        Assert.Equal(4, adapter.ReportsAsked);
        Assert.Empty(adapter.Violations);
        var log = await app.CallAsync("GET", $"{Web}1/scan/{overview["report_id"]}/log");
        Assert.Contains("has taken it as scan 1", log.Body, StringComparison.Ordinal);
        Assert.Contains("3 findings", log.Body, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_scanner_can_pull_what_it_scans_and_nothing_else_until_it_has_reported(DatabaseKind kind)
    {
        await using var adapter = await AdapterDouble.StartAsync();
        await using var app = await StartAsync(kind, adapter);
        var image = TestImage.New(1);
        await app.PushAsync("p/other", "1", image);
        await app.PushAsync("p/web", "1", image);
        var tried = new List<string>();
        adapter.OnScan = async document =>
        {
            var basic = ("Authorization", (string)document["registry"]!["authorization"]!);
            async Task TryAsync(string what, HttpMethod method, string path, (string, string) who) => tried.Add($"{what} {(await app.Registry.SendAsync(method, path, method == HttpMethod.Get ? null : new ByteArrayContent([]), who)).Status}");
            var manifest = $"manifests/{image.Digest}";
            await TryAsync("manifest", HttpMethod.Get, $"/v2/p/web/{manifest}", basic);
            await TryAsync("blob", HttpMethod.Get, $"/v2/p/web/blobs/{Oci.Digest.Of(image.Blobs[1])}", basic);
            await TryAsync("other repository", HttpMethod.Get, $"/v2/p/other/{manifest}", basic);
            await TryAsync("upload", HttpMethod.Post, "/v2/p/web/blobs/uploads/", basic);
            await TryAsync("delete", HttpMethod.Delete, $"/v2/p/web/{manifest}", basic);
            await TryAsync("catalog", HttpMethod.Get, "/v2/_catalog", basic);
            await TryAsync("api", HttpMethod.Get, "/api/v2.0/projects/p", basic);
            // The widest wish for a token gives no more.
            var answer = await app.Registry.GetAsync("/service/token?service=harbor-registry&scope=repository:p/web:*&scope=repository:p/other:*&scope=registry:catalog:*", basic);
            var token = ("Authorization", "Bearer " + (string)JsonNode.Parse(answer.Body)!["token"]!);
            await TryAsync("manifest by token", HttpMethod.Get, $"/v2/p/web/{manifest}", token);
            await TryAsync("other repository by token", HttpMethod.Get, $"/v2/p/other/{manifest}", token);
            await TryAsync("upload by token", HttpMethod.Post, "/v2/p/web/blobs/uploads/", token);
            await TryAsync("delete by token", HttpMethod.Delete, $"/v2/p/web/{manifest}", token);
        };
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        await ScannedAsync(app, "Success");
        Assert.Equal(
        [
            "manifest 200", "blob 200", "other repository 401", "upload 401", "delete 401", "catalog 401", "api 401", "manifest by token 200", "other repository by token 401", "upload by token 401",
            "delete by token 401",
        ], tried);
        var after = await app.Registry.GetAsync($"/v2/p/web/manifests/{image.Digest}", ("Authorization", (string)adapter.Scans.First()["registry"]!["authorization"]!));
        Assert.Equal(401, after.Status);
    }

    [Theory]
    [InlineData(AdapterSpec.Scan, 401, "", "who are you")]
    [InlineData(AdapterSpec.Scan, 422, """{"error":{"message":"bad digest"}}""", "bad digest")]
    [InlineData(AdapterSpec.Scan, 202, "{}", "gives it no id")]
    [InlineData(AdapterSpec.Scan, 501, """{"error":{"message":"no such capability"}}""", "no such capability")]
    [InlineData(AdapterSpec.Report, 500, """{"error":{"message":"trivy: exit status 1"}}""", "trivy: exit status 1")]
    [InlineData(AdapterSpec.Report, 200, "<html>", "no JSON")]
    [InlineData(AdapterSpec.Report, 200, "{}", "no list of vulnerabilities")]
    [InlineData(AdapterSpec.Report, 200, """{"vulnerabilities":[{"id":"CVE-1"}]}""", "without id or package")]
    [InlineData(AdapterSpec.Report, 200, """{"vulnerabilities":[{"id":"\ud800","package":"x"}]}""", "no JSON")]
    [InlineData(AdapterSpec.Report, 501, """{"error":{"message":"no such type"}}""", "no such type")]
    public async Task What_a_scanner_will_never_do_fails_at_once_and_says_why(string operation, int status, string body, string says)
    {
        await using var adapter = await AdapterDouble.StartAsync();
        adapter.Redirects = 0;
        await using var app = await StartAsync(DatabaseKind.Sqlite, adapter);
        await app.PushAsync("p/web", "1", TestImage.New(1));
        adapter.Once(operation, status, body.Length > 0 ? body : """{"error":{"message":"who are you"}}""");
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        Assert.Contains(says, await LogOfErrorAsync(app), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scanner_that_is_away_overloaded_or_forgetful_is_asked_again()
    {
        await using var adapter = await AdapterDouble.StartAsync();
        await using var app = await StartAsync(DatabaseKind.Sqlite, adapter);
        await app.PushAsync("p/web", "1", TestImage.New(1));
        adapter.Instead.GetOrAdd(AdapterSpec.Scan, static _ => new()).Enqueue(static context =>
        {
            context.Response.Headers.RetryAfter = "0";
            return AdapterDouble.SendAsync(context, 503, AdapterMedia.Error, "");
        });
        adapter.Once(AdapterSpec.Report, 404);
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        await ScannedAsync(app, "Success");
        Assert.Equal(2, adapter.Scans.Count);
        // A scanner that is away when it is asked what it is.
        adapter.Once(AdapterSpec.Metadata, 502);
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        await Eventually.TrueAsync(() => adapter.Scans.Count == 3, "the scanner is asked again");
        await ScannedAsync(app, "Success");
    }

    [Fact]
    public async Task Reports_that_are_too_large_scans_that_never_end_and_types_that_are_not_read_fail()
    {
        await using var adapter = await AdapterDouble.StartAsync();
        await using var app = await StartAsync(DatabaseKind.Sqlite, adapter, options: new() { MaxDuration = TimeSpan.FromSeconds(2), MaxReportBytes = 4096, Timeout = TimeSpan.FromSeconds(10) });
        await app.PushAsync("p/web", "1", TestImage.New(1));
        (adapter.Redirects, adapter.RefreshAfter) = (int.MaxValue, 0);
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        Assert.Contains("has made no report within 00:00:02", await LogOfErrorAsync(app), StringComparison.Ordinal);

        (adapter.Redirects, adapter.ReportBody) = (0, "{\"vulnerabilities\":[" + new string(' ', 5000) + "]}");
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        Assert.Contains("more than 4096 bytes", await LogOfErrorAsync(app), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_server_that_stops_while_a_scanner_works_takes_its_report_later_and_asks_once(DatabaseKind kind)
    {
        await using var adapter = await AdapterDouble.StartAsync();
        (adapter.Redirects, adapter.RefreshAfter) = (int.MaxValue, 0);
        await using var app = await StartAsync(kind, adapter);
        await app.PushAsync("p/web", "1", TestImage.New(1));
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        await Eventually.TrueAsync(() => adapter.ReportsAsked >= 2, "the report is looked for");
        Assert.Equal("Running", (string)(await OverviewAsync(app))!["scan_status"]!);
        await app.Registry.RestartAsync();
        adapter.Redirects = 0;
        await ScannedAsync(app, "Success");
        Assert.Single(adapter.Scans);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_scanner_that_lists_contents_makes_the_bill_of_materials_and_Berth_does_where_it_fails(DatabaseKind kind)
    {
        await using var adapter = await AdapterDouble.StartAsync();
        adapter.MetadataBody = AdapterDouble.WithSbom(adapter.MetadataBody);
        await using var app = await StartAsync(kind, adapter);
        await app.PushAsync("p/web", "1", ScannedImages.WithPackage("left-pad", "1.3.0"));
        var first = await ListedAsync(app, null);
        Assert.Equal("by the double", (string)first["name"]!);
        var asked = Assert.Single(adapter.Scans);
        Assert.Equal("sbom", (string)asked["enabled_capabilities"]![0]!["type"]!);
        adapter.Once(AdapterSpec.Report, 500, """{"error":{"message":"out of memory"}}""");
        var second = await ListedAsync(app, first);
        Assert.Contains("left-pad", second.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(2, adapter.Scans.Count);
        Assert.Empty(adapter.Violations);
    }

    [Fact]
    public async Task A_scan_that_is_stopped_ends_its_credentials_and_one_without_its_scanner_fails()
    {
        await using var adapter = await AdapterDouble.StartAsync();
        (adapter.Redirects, adapter.RefreshAfter) = (int.MaxValue, 0);
        await using var app = await StartAsync(DatabaseKind.Sqlite, adapter);
        var image = TestImage.New(1);
        await app.PushAsync("p/web", "1", image);
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        await Eventually.TrueAsync(() => adapter.ReportsAsked >= 1, "the report is looked for");
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan/stop")).Status);
        await ScannedAsync(app, "Stopped");
        var basic = ("Authorization", (string)adapter.Scans.First()["registry"]!["authorization"]!);
        Assert.Equal(401, (await app.Registry.GetAsync($"/v2/p/web/manifests/{image.Digest}", basic)).Status);

        var looks = adapter.ReportsAsked;
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        await Eventually.TrueAsync(() => adapter.ReportsAsked > looks, "the report is looked for");
        var scanner = (string)(await app.GetAsync("/api/v2.0/projects/p/scanner"))["uuid"]!;
        Assert.Equal(200, (await app.CallAsync("DELETE", $"/api/v2.0/scanners/{scanner}")).Status);
        Assert.Contains("the scanner is gone", await LogOfErrorAsync(app), StringComparison.Ordinal);
    }

    private static async Task<PlatformApp> StartAsync(DatabaseKind kind, AdapterDouble adapter, string more = "", ScannersOptions? options = null)
    {
        var app = await PlatformApp.StartAsync(kind, o => o with { Scanners = (options ?? new()) with { Allow = ["127.0.0.1"] } });
        await app.AddProjectAsync("p");
        var body = JsonNode.Parse($$"""{"name":"double","url":"{{adapter.Url}}"}""")!.AsObject();
        if (more.Length > 0) foreach (var (name, value) in JsonNode.Parse(more[1..])!.AsObject()) body[name] = value!.DeepClone();
        var location = await app.CreateAsync("/api/v2.0/scanners", body.ToJsonString());
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/projects/p/scanner", body: $$"""{"uuid":"{{location[(location.LastIndexOf('/') + 1)..]}}"}""")).Status);
        return app;
    }

    private static async Task<JsonNode> ListedAsync(PlatformApp app, JsonNode? before)
    {
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan", body: """{"scan_type":"sbom"}""")).Status);
        JsonNode? found = null;
        await Eventually.TrueAsync(async () =>
        {
            var digest = (string?)(await app.GetAsync(Web + "1?with_sbom_overview=true"))["sbom_overview"]?["sbom_digest"];
            var answer = digest is { Length: > 0 } ? await app.CallAsync("GET", $"{Web}{digest}/additions/sbom") : null;
            found = answer?.Status == 200 ? answer.Json : null;
            return found is not null && !JsonNode.DeepEquals(found, before);
        }, "there is a bill of materials");
        return found!;
    }

    private static async Task<JsonNode?> OverviewAsync(PlatformApp app) => (await app.GetAsync(Web + "1?with_scan_overview=true"))["scan_overview"]?[Report];

    private static async Task<JsonNode> ScannedAsync(PlatformApp app, string status)
    {
        JsonNode? overview = null;
        await Eventually.TrueAsync(async () => (string?)(overview = await OverviewAsync(app))?["scan_status"] == status, $"the scan ends as {status}");
        return overview!;
    }

    private static async Task<string> LogOfErrorAsync(PlatformApp app)
    {
        var overview = await ScannedAsync(app, "Error");
        return (await app.CallAsync("GET", $"{Web}1/scan/{overview["report_id"]}/log")).Body;
    }
}
