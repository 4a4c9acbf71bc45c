using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;

namespace Berth.Server.Tests.Scanning.Adapters;

public sealed class ScannersApiTests
{
    private const string Scanners = "/api/v2.0/scanners";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_scanner_is_entered_shown_changed_made_the_default_chosen_and_removed(DatabaseKind kind)
    {
        await using var adapter = await AdapterDouble.StartAsync();
        await using var app = await StartAsync(kind);
        await app.AddProjectAsync("p");
        var location = await app.CreateAsync(Scanners, $$"""{"name":"double","description":"one","url":"{{adapter.Url}}/","auth":"Bearer","access_credential":"s3cret","skip_certVerify":true,"use_internal_addr":true}""");
        var read = await app.GetAsync(location);
        Assert.Equal(
            ("double", "one", adapter.Url, "Bearer", true, true, false, "healthy", "Double", "Berth tests", "1.2.3"),
            ((string)read["name"]!, (string)read["description"]!, (string)read["url"]!, (string)read["auth"]!, (bool)read["skip_certVerify"]!, (bool)read["use_internal_addr"]!, (bool)read["is_default"]!,
                (string)read["health"]!, (string)read["adapter"]!, (string)read["vendor"]!, (string)read["version"]!));
        Assert.DoesNotContain("s3cret", read.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("Double", (string)(await app.GetAsync(location + "/metadata"))["scanner"]!["name"]!);
        Assert.Equal(409, (await app.CallAsync("POST", Scanners, body: $$"""{"name":"double","url":"{{adapter.Url}}"}""")).Status);

        // What is not said again stays: the secret.
        adapter.Wanted = ("Authorization", "Bearer s3cret");
        Assert.Equal(200, (await app.CallAsync("PUT", location, body: $$"""{"name":"renamed","url":"{{adapter.Url}}","auth":"Bearer"}""")).Status);
        Assert.Equal(("renamed", "healthy"), await HealthAsync(app, location));
        // But it goes to no other address.
        Assert.Equal(400, (await app.CallAsync("PUT", location, body: $$"""{"name":"renamed","url":"{{adapter.Url}}/other","auth":"Bearer"}""")).Status);
        adapter.Wanted = ("X-ScannerAdapter-API-Key", "k");
        Assert.Equal(("renamed", "unhealthy"), await HealthAsync(app, location, "Bearer", "other", adapter.Url));
        Assert.Equal(("renamed", "healthy"), await HealthAsync(app, location, "X-ScannerAdapter-API-Key", "k", adapter.Url));

        Assert.Equal(200, (await app.CallAsync("PATCH", location, body: """{"is_default":true}""")).Status);
        Assert.Equal([("Berth", false), ("renamed", true)], (await app.GetAsync(Scanners)).AsArray().Select(one => ((string)one!["name"]!, (bool)one["is_default"]!)));
        Assert.Single((await app.GetAsync(Scanners + "?q=name%3Drenamed")).AsArray());
        Assert.Equal("renamed", (string)(await app.GetAsync("/api/v2.0/projects/p/scanner"))["name"]!);
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/projects/p/scanner", body: $$"""{"uuid":"00000000-0000-4000-8000-000000000001"}""")).Status);
        Assert.Equal("Berth", (string)(await app.GetAsync("/api/v2.0/projects/p/scanner"))["name"]!);
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/projects/p/scanner", body: $$"""{"uuid":"{{read["uuid"]}}"}""")).Status);
        Assert.Equal(2, (await app.GetAsync("/api/v2.0/projects/p/scanner/candidates")).AsArray().Count);
        Assert.Equal(400, (await app.CallAsync("PUT", location, body: $$"""{"name":"renamed","url":"{{adapter.Url}}","disabled":true}""")).Status);

        Assert.Equal("renamed", (string)(await app.CallAsync("DELETE", location)).Json["name"]!);
        Assert.Equal(404, (await app.CallAsync("GET", location)).Status);
        Assert.Equal("Berth", (string)(await app.GetAsync("/api/v2.0/projects/p/scanner"))["name"]!);
        Assert.True((bool)(await app.GetAsync(Scanners))[0]!["is_default"]!);
        var audited = (await app.GetAsync("/api/v2.0/auditlog-exts?page_size=100")).AsArray().Select(entry => (string)entry!["operation_description"]!).ToList();
        foreach (var line in (string[])["create scanner double", "update scanner renamed", "make scanner renamed the default", "choose scanner renamed for project p", "delete scanner renamed"])
            Assert.Contains(audited, said => said.StartsWith(line, StringComparison.Ordinal));
        Assert.Empty(adapter.Violations);
    }

    [Fact]
    public async Task What_is_no_scanner_or_out_of_reach_is_refused_and_a_ping_says_why_it_fails()
    {
        await using var adapter = await AdapterDouble.StartAsync();
        await using var app = await StartAsync(DatabaseKind.Sqlite);
        Assert.Equal(200, (await app.CallAsync("POST", Scanners + "/ping", body: $$"""{"name":"x","url":"{{adapter.Url}}"}""")).Status);
        adapter.Once(AdapterSpec.Metadata, 500, """{"error":{"message":"out of order"}}""");
        var failed = await app.CallAsync("POST", Scanners + "/ping", body: $$"""{"name":"x","url":"{{adapter.Url}}"}""");
        Assert.Equal((400, "the scanner does not answer: metadata: status 500: out of order"), (failed.Status, failed.Message));
        adapter.MetadataBody = "<html>";
        Assert.Contains("no JSON", (await app.CallAsync("POST", Scanners + "/ping", body: $$"""{"name":"x","url":"{{adapter.Url}}"}""")).Message, StringComparison.Ordinal);

        (string Body, string Says)[] wrong =
        [
            ("""{"url":"http://127.0.0.1:1"}""", "name"),
            ("""{"name":"berth","url":"http://127.0.0.1:1"}""", "built-in"),
            ("""{"name":"x"}""", "url"),
            ("""{"name":"x","url":"ftp://127.0.0.1"}""", "url"),
            ("""{"name":"x","url":"http://a:b@127.0.0.1"}""", "user"),
            ("""{"name":"x","url":"http://10.0.0.1"}""", "outgoing.allow"),
            ("""{"name":"x","url":"http://127.0.0.1:1","auth":"Basic","access_credential":"x"}""", "USER:PASSWORD"),
            ("""{"name":"x","url":"http://127.0.0.1:1","auth":"Digest","access_credential":"x"}""", "Digest"),
            ("""{"name":"x","url":"http://127.0.0.1:1","auth":"Bearer"}""", "access_credential"),
            ("""{"name":"x","url":"http://127.0.0.1:1","auth":"PSK","access_credential":"a:aaaa"}""", "Clair"),
            ("""{"name":"x","url":"http://127.0.0.1:1","kind":"other"}""", "kind"),
        ];
        foreach (var (body, says) in wrong)
        {
            var answer = await app.CallAsync("POST", Scanners, body: body);
            Assert.True(answer.Status == 400 && answer.Message.Contains(says, StringComparison.Ordinal), $"{body}: {answer.Status} {answer.Body}");
        }
        Assert.Equal(403, (await app.CallAsync("DELETE", Scanners + "/00000000-0000-4000-8000-000000000001")).Status);
        await app.AddUserAsync("somebody");
        Assert.Equal(403, (await app.CallAsync("POST", Scanners, "somebody", $$"""{"name":"x","url":"{{adapter.Url}}"}""")).Status);
    }

    private static Task<PlatformApp> StartAsync(DatabaseKind kind) => PlatformApp.StartAsync(kind, o => o with { Scanners = new() { Allow = ["127.0.0.1"] } });

    private static async Task<(string, string)> HealthAsync(PlatformApp app, string location, string? auth = null, string? credential = null, string? url = null)
    {
        if (auth is not null) Assert.Equal(200, (await app.CallAsync("PUT", location, body: $$"""{"name":"renamed","url":"{{url}}","auth":"{{auth}}","access_credential":"{{credential}}"}""")).Status);
        JsonNode read = await app.GetAsync(location);
        return ((string)read["name"]!, (string)read["health"]!);
    }
}
