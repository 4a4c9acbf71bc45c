using System.Text.Json.Nodes;
using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Shelf;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;

namespace Berth.Server.Tests.Scanning;

/// <summary>A server with the project <c>p</c> and advisories for the npm packages <c>left-pad</c> (below 1.3.1) and <c>right-pad</c> (below 2.0.0).</summary>
internal static class ScanningApp
{
    public const string Web = "/api/v2.0/projects/p/repositories/web/artifacts/";
    public const string Ours = "/api/berth/v1/projects/p/repositories/web/artifacts/";
    public const string Report = "application/vnd.security.vulnerability.report; version=1.1";

    public static async Task<PlatformApp> StartAsync(DatabaseKind kind, Func<BerthOptions, BerthOptions>? more = null)
    {
        var app = await PlatformApp.StartAsync(kind, more);
        var shelf = new AdvisoryShelf(Path.Join(app.Registry.Folder, "data", "advisories"));
        var path = shelf.NewPath(DateTimeOffset.UnixEpoch);
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            builder.Add(new AdvisoryBucket("npm::test", "test"), "left-pad", new Advisory("CVE-2020-1") { VulnerableVersions = ["<1.3.1"], PatchedVersions = ["1.3.1"] });
            builder.Add(new AdvisoryBucket("npm::test", "test"), "right-pad", new Advisory("CVE-2020-2") { VulnerableVersions = ["<2.0.0"], PatchedVersions = ["2.0.0"] });
            builder.Complete(DateTimeOffset.UnixEpoch, CancellationToken.None);
        }
        shelf.Use(path);
        await app.AddProjectAsync("p");
        return app;
    }

    /// <summary>Changes settings of the project.</summary>
    public static async Task SetProjectAsync(this PlatformApp app, params (string Name, string Value)[] settings)
    {
        var metadata = new JsonObject([.. settings.Select(one => KeyValuePair.Create(one.Name, (JsonNode?)one.Value))]);
        var answer = await app.CallAsync("PUT", "/api/v2.0/projects/p", body: new JsonObject { ["metadata"] = metadata }.ToJsonString());
        Assert.True(answer.Status == 200, answer.Body);
    }

    /// <summary>Asks for a scan and waits for its end.</summary>
    public static async Task<JsonNode> ScanAsync(this PlatformApp app, string reference)
    {
        var before = (string?)(await app.GetAsync($"{Web}{reference}?with_scan_overview=true"))["scan_overview"]?[Report]?["report_id"];
        Assert.Equal(202, (await app.CallAsync("POST", $"{Web}{reference}/scan")).Status);
        JsonNode? overview = null;
        await Eventually.TrueAsync(async () =>
        {
            overview = (await app.GetAsync($"{Web}{reference}?with_scan_overview=true"))["scan_overview"]?[Report];
            return (string?)overview?["scan_status"] == "Success" && (string?)overview["report_id"] != before && overview["complete_percent"]!.GetValue<int>() == 100;
        }, $"the scan of {reference} has ended");
        return overview!;
    }

    /// <summary>Waits for the bill of materials of an artifact.</summary>
    public static async Task<JsonNode> SbomAsync(this PlatformApp app, string reference, string status = "Success")
    {
        JsonNode? overview = null;
        await Eventually.TrueAsync(async () =>
        {
            overview = (await app.GetAsync($"{Web}{reference}?with_sbom_overview=true"))["sbom_overview"];
            return (string?)overview?["scan_status"] == status;
        }, $"the bill of materials of {reference} is {status}");
        return overview!;
    }

    /// <summary>Waits for a line in the log of a scan: lines are written down soon after they are told.</summary>
    public static Task LogHasAsync(this PlatformApp app, string reference, JsonNode overview, string text) => Eventually.TrueAsync(
        async () => (await app.CallAsync("GET", $"{Web}{reference}/scan/{overview["report_id"]}/log")).Body.Contains(text, StringComparison.Ordinal), $"the log says {text}");

    /// <summary>The vulnerabilities of the last report, as <c>id package version</c>.</summary>
    public static async Task<string[]> FindingsAsync(this PlatformApp app, string reference) =>
    [
        .. (await app.GetAsync($"{Web}{reference}/additions/vulnerabilities"))[Report]!["vulnerabilities"]!.AsArray().Select(one => $"{one!["id"]} {one["package"]} {one["version"]}").Order(StringComparer.Ordinal),
    ];
}
