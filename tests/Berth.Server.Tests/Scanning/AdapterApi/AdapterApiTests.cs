using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Adapters;
using Berth.Server.Scanning.Scanners;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Berth.Server.Tests.Scanning.Adapters;

namespace Berth.Server.Tests.Scanning.AdapterApi;

/// <summary>Berth as the scanner of another registry; the other registry is a Berth too, as any that speaks the protocol.</summary>
public sealed class AdapterApiTests
{
    private const string Key = "the-key";
    private const string VulnerabilityReport = "application/vnd.security.vulnerability.report; version=1.1";
    private static readonly (string, string) s_key = ("X-ScannerAdapter-API-Key", Key);
    private static readonly AdapterSpec s_spec = AdapterSpec.Read();

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_image_of_another_registry_is_pulled_judged_and_listed_as_the_published_description_says(DatabaseKind kind)
    {
        await using var registry = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        await registry.AddProjectAsync("p");
        var image = ScannedImages.WithPackage("left-pad", "1.3.0");
        await registry.PushAsync("p/web", "1", image);
        await using var scanner = await StartAsync(kind);

        var metadata = await AskAsync(scanner, "GET", "/metadata");
        Assert.Equal((200, AdapterMedia.Metadata), (metadata.Status, metadata.Header("Content-Type")));
        Assert.Equal(["vulnerability", "sbom"], metadata.Json["capabilities"]!.AsArray().Select(one => (string)one!["type"]!));
        Assert.Equal("1970-01-01T00:00:00Z", (string)metadata.Json["properties"]!["harbor.scanner-adapter/vulnerability-database-updated-at"]!);

        var id = await ScanAsync(scanner, RequestOf(registry, image.Digest.Value, PlatformApp.As("admin").Value));
        var report = await ReportAsync(scanner, id, VulnerabilityReport);
        Assert.Equal((200, VulnerabilityReport), (report.Status, report.Header("Content-Type")));
        Assert.Equal(("p/web", image.Digest.Value, "1"), ((string)report.Json["artifact"]!["repository"]!, (string)report.Json["artifact"]!["digest"]!, (string)report.Json["artifact"]!["tag"]!));
        var found = Assert.Single(report.Json["vulnerabilities"]!.AsArray())!;
        Assert.Equal(("CVE-2020-1", "left-pad", "1.3.0", "1.3.1"), ((string)found["id"]!, (string)found["package"]!, (string)found["version"]!, (string)found["fix_version"]!));
        var older = await ReportAsync(scanner, id, "application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0");
        Assert.Equal((200, "application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0"), (older.Status, older.Header("Content-Type")));

        var spdx = await ReportAsync(scanner, id, AdapterMedia.SbomReport, AdapterMedia.Spdx);
        Assert.Equal((200, "SPDX-2.3", AdapterMedia.Spdx), (spdx.Status, (string)spdx.Json["sbom"]!["spdxVersion"]!, (string)spdx.Json["media_type"]!));
        var cyclone = await ReportAsync(scanner, id, AdapterMedia.SbomReport, AdapterMedia.CycloneDx);
        Assert.Equal("CycloneDX", (string)cyclone.Json["sbom"]!["bomFormat"]!);
        Assert.Contains("left-pad", cyclone.Body, StringComparison.Ordinal);
        Assert.Equal(400, (await ReportAsync(scanner, id, AdapterMedia.SbomReport)).Status);
        Assert.Equal(501, (await ReportAsync(scanner, id, "application/vnd.scanner.adapter.vuln.report.raw")).Status);

        // What was asked for is in the database: another process answers for it.
        await scanner.Registry.RestartAsync();
        Assert.Equal(200, (await ReportAsync(scanner, id, VulnerabilityReport)).Status);
    }

    [Fact]
    public async Task An_index_stands_for_its_usual_image_and_an_image_without_flaws_has_a_report_too()
    {
        await using var registry = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        await registry.AddProjectAsync("p", isPublic: true);
        var (one, two) = (ScannedImages.WithPackage("right-pad", "1.0.0"), ScannedImages.WithPackage("left-pad", "1.3.0"));
        await registry.PushAsync("p/web", one.Digest.Value, one);
        await registry.PushAsync("p/web", two.Digest.Value, two);
        var index = TestImage.Index([one, two]);
        await registry.PushAsync("p/web", "1", index);
        await using var scanner = await StartAsync(DatabaseKind.Sqlite);
        var request = RequestOf(registry, index.Digest.Value, "");
        request["artifact"]!["mime_type"] = index.MediaType;
        request["enabled_capabilities"] = JsonNode.Parse("""[{"type":"vulnerability"}]""");
        var id = await ScanAsync(scanner, request);
        var report = await ReportAsync(scanner, id, VulnerabilityReport);
        Assert.Equal((200, 0, index.Digest.Value), (report.Status, report.Json["vulnerabilities"]!.AsArray().Count, (string)report.Json["artifact"]!["digest"]!));
        Assert.Equal(400, (await ReportAsync(scanner, id, AdapterMedia.SbomReport, AdapterMedia.Spdx)).Status);
    }

    [Fact]
    public async Task Requests_that_are_malformed_beyond_what_it_can_do_or_not_allowed_are_refused_as_described()
    {
        await using var scanner = await StartAsync(DatabaseKind.Sqlite);
        var digest = "sha256:" + new string('a', 64);
        (string Body, int Status, string Says)[] cases =
        [
            ("", 400, "JSON"),
            ("[]", 400, "object"),
            ("{", 400, "JSON"),
            ("""{"registry":{"url":"https://r.example.com"}}""", 422, "artifact"),
            ("""{"artifact":{}}""", 422, "registry"),
            ($$$"""{"registry":{"url":7},"artifact":{"repository":"p/web","digest":"{{{digest}}}"}}""", 400, "url"),
            ($$$"""{"registry":{"url":"r.example.com"},"artifact":{"repository":"p/web","digest":"{{{digest}}}"}}""", 422, "registry.url"),
            ($$$"""{"registry":{"url":"http://10.0.0.1"},"artifact":{"repository":"p/web","digest":"{{{digest}}}"}}""", 422, "scanners.api.allow"),
            ($$$"""{"registry":{"url":"https://r.example.com"},"artifact":{"repository":"../web","digest":"{{{digest}}}"}}""", 422, "repository"),
            ("""{"registry":{"url":"https://r.example.com"},"artifact":{"repository":"p/web","digest":"sha256:1"}}""", 422, "digest"),
            ($$$"""{"registry":{"url":"https://r.example.com"},"artifact":{"repository":"p/web","digest":"{{{digest}}}","mime_type":"application/vnd.cncf.helm.config.v1+json"}}""", 501, "helm"),
            ($$"""{"registry":{"url":"https://r.example.com"},"artifact":{"repository":"p/web","digest":"{{digest}}"},"enabled_capabilities":[{"type":"malware"}]}""", 501, "malware"),
            ($$"""{"registry":{"url":"https://r.example.com"},"artifact":{"repository":"p/web","digest":"{{digest}}"},"enabled_capabilities":[{}]}""", 400, "type"),
            (new string(' ', 100_000), 400, "bytes"),
        ];
        foreach (var (body, status, says) in cases)
        {
            var answer = await AskAsync(scanner, "POST", "/scan", body);
            Assert.True(answer.Status == status && answer.Body.Contains(says, StringComparison.Ordinal), $"{body[..Math.Min(body.Length, 200)]}: {answer.Status} {answer.Body}");
        }
        Assert.Equal(404, (await AskAsync(scanner, "GET", "/scan/none/report")).Status);
        foreach (var wrong in new[] { ("X-Nothing", "1"), ("X-ScannerAdapter-API-Key", "other"), ("Authorization", "Bearer other"), PlatformApp.As("admin"), PlatformApp.As("harbor", "") })
        {
            var answer = await scanner.CallAsync("GET", "/scanner/api/v1/metadata", "", null, wrong);
            Assert.True(answer.Status == 401 && answer.Header("WWW-Authenticate") is not null, $"{wrong}: {answer.Status}");
        }
        Assert.Equal(200, (await scanner.CallAsync("GET", "/scanner/api/v1/metadata", "", null, ("Authorization", "Bearer " + Key))).Status);
        Assert.Equal(200, (await scanner.CallAsync("GET", "/scanner/api/v1/metadata", "", null, PlatformApp.As("harbor", "pw"))).Status);
        // The key opens nothing else.
        Assert.Equal(401, (await scanner.CallAsync("GET", "/api/v2.0/scanners", "", null, ("Authorization", "Bearer " + Key))).Status);
    }

    [Fact]
    public async Task A_registry_that_gives_nothing_is_the_reports_error_and_without_the_setting_there_is_no_such_API()
    {
        await using var registry = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        await registry.AddProjectAsync("p");
        var image = ScannedImages.WithPackage("left-pad", "1.3.0");
        await registry.PushAsync("p/web", "1", image);
        await using var scanner = await StartAsync(DatabaseKind.Sqlite, api => api with { MaxImageBytes = 100 });
        var refused = await ReportAsync(scanner, await ScanAsync(scanner, RequestOf(registry, image.Digest.Value, PlatformApp.As("admin", "wrong").Value)), VulnerabilityReport);
        Assert.True(refused.Status == 500 && ((string)refused.Json["error"]!["message"]!).Length > 0, refused.Body);
        var large = await ReportAsync(scanner, await ScanAsync(scanner, RequestOf(registry, image.Digest.Value, PlatformApp.As("admin").Value)), VulnerabilityReport);
        Assert.Contains("maxImageBytes", (string)large.Json["error"]!["message"]!, StringComparison.Ordinal);
        Assert.Equal(404, (await registry.CallAsync("GET", "/scanner/api/v1/metadata", "", null, s_key)).Status);
    }

    [Fact]
    public async Task One_Berth_scans_for_another_through_the_same_API()
    {
        await using var scanner = await StartAsync(DatabaseKind.Sqlite);
        await using var registry = await PlatformApp.StartAsync(DatabaseKind.Sqlite, o => o with { Scanners = new() { Allow = ["127.0.0.1"] } });
        await registry.AddProjectAsync("p");
        await registry.PushAsync("p/web", "1", ScannedImages.WithPackage("left-pad", "1.3.0"));
        var location = await registry.CreateAsync("/api/v2.0/scanners", $$"""{"name":"other","url":"{{scanner.Registry.Url}}/scanner","auth":"X-ScannerAdapter-API-Key","access_credential":"{{Key}}"}""");
        Assert.Equal(200, (await registry.CallAsync("PATCH", location, body: """{"is_default":true}""")).Status);
        Assert.Equal(202, (await registry.CallAsync("POST", "/api/v2.0/projects/p/repositories/web/artifacts/1/scan")).Status);
        JsonNode? overview = null;
        await Eventually.TrueAsync(async () =>
        {
            overview = (await registry.GetAsync("/api/v2.0/projects/p/repositories/web/artifacts/1?with_scan_overview=true"))["scan_overview"]?[VulnerabilityReport];
            return (string?)overview?["scan_status"] == "Success";
        }, "the scan has ended");
        Assert.Equal((1, 1), ((int)overview!["summary"]!["total"]!, (int)overview["summary"]!["fixable"]!));
    }

    private static async Task<PlatformApp> StartAsync(DatabaseKind kind, Func<ScannerApiOptions, ScannerApiOptions>? more = null)
    {
        var api = new ScannerApiOptions { Enabled = true, ApiKey = Key, Username = "harbor", Password = "pw", Allow = ["127.0.0.1"] };
        var app = await PlatformApp.StartAsync(kind, o => o with { Scanners = new() { Api = more is null ? api : more(api) } });
        ScannedImages.AddAdvisories(app);
        return app;
    }

    private static JsonObject RequestOf(PlatformApp registry, string digest, string authorization) => JsonNode.Parse($$$"""
        {"registry":{"url":"{{{registry.Registry.Url}}}","authorization":"{{{authorization}}}"},
         "artifact":{"repository":"p/web","digest":"{{{digest}}}","tag":"1","mime_type":"application/vnd.oci.image.manifest.v1+json"}}
        """)!.AsObject();

    private static async Task<string> ScanAsync(PlatformApp scanner, JsonObject request)
    {
        Assert.Null(s_spec.ProblemOfRequest("POST", AdapterSpec.Scan, AdapterMedia.Request, request.ToJsonString()));
        var answer = await AskAsync(scanner, "POST", "/scan", request.ToJsonString());
        Assert.True(answer.Status == 202, $"{answer.Status} {answer.Body}");
        return (string)answer.Json["id"]!;
    }

    // As Harbor does: until it is no 302 any more.
    private static async Task<ApiAnswer> ReportAsync(PlatformApp scanner, string id, string accept, string? sbom = null)
    {
        ApiAnswer? answer = null;
        await Eventually.TrueAsync(async () =>
        {
            answer = await AskAsync(scanner, "GET", $"/scan/{id}/report" + (sbom is null ? "" : "?sbom_media_type=" + Uri.EscapeDataString(sbom)), null, ("Accept", accept));
            if (answer.Status == 302) Assert.True(int.Parse(answer.Header("Refresh-After")!) > 0);
            return answer.Status != 302;
        }, "the report is there");
        return answer!;
    }

    // Every answer is held against the published description.
    private static async Task<ApiAnswer> AskAsync(PlatformApp scanner, string method, string path, string? body = null, params (string, string)[] headers)
    {
        var answer = await scanner.CallAsync(method, "/scanner/api/v1" + path, "", body, [s_key, .. headers]);
        Assert.Null(s_spec.ProblemOfAnswer(method, AdapterSpec.OperationOf(path.Split('?')[0])!, answer.Status, answer.Header("Content-Type") ?? "", answer.Body));
        return answer;
    }
}
