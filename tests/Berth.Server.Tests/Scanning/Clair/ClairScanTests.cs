using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Berth.Server.Tests.Scanning.Clair;

public sealed class ClairScanTests
{
    private const string Report = "application/vnd.security.vulnerability.report; version=1.1";
    private const string Web = "/api/v2.0/projects/p/repositories/web/artifacts/";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Clair_reads_the_layers_with_the_token_that_it_is_given_and_its_report_is_shown_in_Harbors_form(DatabaseKind kind)
    {
        var key = RandomNumberGenerator.GetBytes(32);
        await using var clair = await ClairDouble.StartAsync(key);
        await using var app = await StartAsync(kind, clair, $""","auth":"PSK","access_credential":"quay:{Convert.ToBase64String(key)}" """);
        var image = TestImage.New(1);
        await app.PushAsync("p/web", "1", image);
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        var overview = await ScannedAsync(app, "Success");
        Assert.Equal(("Clair", "High", 2, 1), ((string)overview["scanner"]!["name"]!, (string)overview["severity"]!, (int)overview["summary"]!["total"]!, (int)overview["summary"]!["fixable"]!));
        var found = (await app.GetAsync(Web + "1/additions/vulnerabilities"))[Report]!["vulnerabilities"]!.AsArray();
        Assert.Equal(
            [("CVE-2009-5155", "libc6", "2.28-10", "2.28-11", "High"), ("CVE-2010-1", "libc6", "2.28-10", "", "Low")],
            found.Select(one => ((string)one!["id"]!, (string)one["package"]!, (string)one["version"]!, (string)one["fix_version"]!, (string)one["severity"]!)));
        Assert.Equal((7.5, "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"), ((double)found[0]!["preferred_cvss"]!["score_v3"]!, (string)found[0]!["preferred_cvss"]!["vector_v3"]!));
        Assert.Equal(["http://example.com/a", "https://example.com/b"], found[0]!["links"]!.AsArray().Select(link => (string)link!));
        // The double reads the layers as Clair does, and checks the tokens of its requests.
        Assert.Equal(image.Blobs.Skip(1).Select(blob => Oci.Digest.Of(blob).Value), clair.LayersRead);
        Assert.Empty(clair.Violations);
    }

    [Fact]
    public async Task What_Clair_cannot_index_fails_with_its_words_and_a_report_that_is_late_is_waited_for()
    {
        await using var clair = await ClairDouble.StartAsync(null);
        await using var app = await StartAsync(DatabaseKind.Sqlite, clair, "");
        await app.PushAsync("p/web", "1", TestImage.New(1));
        clair.IndexFailure = "failed to scan all layer contents: no such host";
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        var overview = await ScannedAsync(app, "Error");
        Assert.Contains("no such host", (await app.CallAsync("GET", $"{Web}1/scan/{overview["report_id"]}/log")).Body, StringComparison.Ordinal);
        (clair.IndexFailure, clair.Late) = ("", 2);
        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        await ScannedAsync(app, "Success");
        Assert.Empty(clair.Violations);
    }

    private static async Task<PlatformApp> StartAsync(DatabaseKind kind, ClairDouble clair, string auth)
    {
        var app = await PlatformApp.StartAsync(kind, o => o with { Scanners = new() { Allow = ["127.0.0.1"] } });
        await app.AddProjectAsync("p");
        var location = await app.CreateAsync("/api/v2.0/scanners", $$$"""{"name":"clair","kind":"clair","url":"{{{clair.Url}}}"{{{auth}}}}""");
        Assert.Equal(200, (await app.CallAsync("PATCH", location, body: """{"is_default":true}""")).Status);
        return app;
    }

    private static async Task<JsonNode> ScannedAsync(PlatformApp app, string status)
    {
        JsonNode? overview = null;
        await Eventually.TrueAsync(
            async () => (string?)(overview = (await app.GetAsync(Web + "1?with_scan_overview=true"))["scan_overview"]?[Report])?["scan_status"] == status, $"the scan ends as {status}");
        return overview!;
    }
}

/// <summary>Clair v4 as its API description has it, as far as a caller sees it: it reads the layers that it is told of.</summary>
internal sealed class ClairDouble : IAsyncDisposable
{
    private const string Vulnerabilities = """
        "packages":{"10":{"id":"10","name":"libc6","version":"2.28-10","kind":"binary","source":{"name":"glibc"}}},
        "distributions":{"1":{"id":"1","did":"debian","version_id":"10"}},
        "environments":{"10":[{"package_db":"var/lib/dpkg/status","introduced_in":"sha256:0","distribution_id":"1"}]},
        "vulnerabilities":{
          "356":{"id":"356","updater":"debian/updater","name":"CVE-2009-5155","description":"d","links":"http://example.com/a https://example.com/b","severity":"medium","normalized_severity":"High","fixed_in_version":"2.28-11"},
          "357":{"id":"357","updater":"osv","name":"CVE-2009-5155","normalized_severity":"High"},
          "358":{"id":"358","updater":"debian/updater","name":"CVE-2010-1","normalized_severity":"Negligible","fixed_in_version":""}},
        "package_vulnerabilities":{"10":["356","357","358"]},
        "enrichments":{"message/vnd.clair.map.vulnerability; enricher=clair.cvss schema=https://csrc.nist.gov/schema/nvd/feed/1.1/cvss-v3.x.json":
          [{"356":[{"version":"3.0","vectorString":"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H","baseScore":7.5}]}]}
        """;

    private readonly WebApplication _app;
    private readonly byte[]? _key;
    private readonly HttpClient _client = new();
    private readonly ConcurrentDictionary<string, bool> _indexed = new();
    private int _looks;

    private ClairDouble(WebApplication app, byte[]? key) => (_app, _key) = (app, key);

    public string Url => _app.Urls.First();

    public string IndexFailure { get; set; } = "";

    /// <summary>How often a report is 404 while the index is still being made.</summary>
    public int Late { get; set; }

    /// <summary>Digests of the layers that were read, in their order.</summary>
    public ConcurrentQueue<string> LayersRead { get; } = new();

    public ConcurrentQueue<string> Violations { get; } = new();

    public static async Task<ClairDouble> StartAsync(byte[]? key)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.UseShutdownTimeout(TimeSpan.Zero);
        var app = builder.Build();
        var clair = new ClairDouble(app, key);
        app.Run(clair.TakeAsync);
        await app.StartAsync();
        return clair;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _client.Dispose();
    }

    private async Task TakeAsync(HttpContext context)
    {
        if (_key is not null && !await IsSignedAsync(context.Request.Headers.Authorization.ToString()))
        {
            context.Response.StatusCode = 401;
            return;
        }
        var path = context.Request.Path.Value!;
        switch (context.Request.Method, path)
        {
            case ("GET", "/indexer/api/v1/index_state"):
                await SendAsync(context, 200, """{"state":"aae368a064d7c5a433d0bf2c4f5554cc"}""");
                break;
            case ("POST", "/indexer/api/v1/index_report"):
                var manifest = JsonNode.Parse(await new StreamReader(context.Request.Body).ReadToEndAsync())!;
                foreach (var layer in manifest["layers"]!.AsArray()) await ReadAsync(layer!);
                _indexed[(string)manifest["hash"]!] = true;
                await SendAsync(context, 201, IndexReport((string)manifest["hash"]!, IndexFailure.Length > 0 ? "IndexError" : Late > 0 ? "FetchLayers" : "IndexFinished"));
                break;
            case ("GET", _) when path.StartsWith("/matcher/api/v1/vulnerability_report/", StringComparison.Ordinal) && _indexed.ContainsKey(path[37..]) && ++_looks > Late:
                await SendAsync(context, 200, $$$"""{"manifest_hash":"{{{path[37..]}}}",{{{Vulnerabilities}}}}""");
                break;
            case ("GET", _) when path.StartsWith("/indexer/api/v1/index_report/", StringComparison.Ordinal) && _indexed.ContainsKey(path[29..]):
                await SendAsync(context, 200, IndexReport(path[29..], "ScanLayers"));
                break;
            default:
                await SendAsync(context, 404, """{"code":"not-found","message":"index report not found"}""");
                break;
        }
    }

    private string IndexReport(string hash, string state) => $$"""{"manifest_hash":"{{hash}}","state":"{{state}}","packages":{},"success":{{(IndexFailure.Length == 0 ? "true" : "false")}},"err":"{{IndexFailure}}"}""";

    // As Clair does it: the address and the headers of the manifest, nothing else.
    private async Task ReadAsync(JsonNode layer)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, (string)layer["uri"]!);
        foreach (var (name, values) in layer["headers"]!.AsObject())
            foreach (var value in values!.AsArray()) request.Headers.TryAddWithoutValidation(name, (string)value!);
        using var answer = await _client.SendAsync(request);
        if (answer.StatusCode != HttpStatusCode.OK) Violations.Enqueue($"{layer["uri"]}: {answer.StatusCode}");
        else if (Oci.Digest.Of(await answer.Content.ReadAsByteArrayAsync()).Value != (string)layer["hash"]!) Violations.Enqueue($"{layer["uri"]} has other bytes");
        else LayersRead.Enqueue((string)layer["hash"]!);
    }

    private async Task<bool> IsSignedAsync(string authorization)
    {
        var checks = new TokenValidationParameters { ValidIssuer = "quay", ValidateAudience = false, IssuerSigningKey = new SymmetricSecurityKey(_key!), ValidAlgorithms = ["HS256"] };
        return authorization.StartsWith("Bearer ", StringComparison.Ordinal) && (await new JsonWebTokenHandler().ValidateTokenAsync(authorization[7..], checks)).IsValid;
    }

    private static Task SendAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body, Encoding.UTF8);
    }
}
