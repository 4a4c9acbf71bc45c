using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Shelf;
using Berth.Scanner.Matching;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Scanning;

public sealed class ScanTests
{
    private const string Report = "application/vnd.security.vulnerability.report; version=1.1";
    private const string Web = "/api/v2.0/projects/p/repositories/web/artifacts/";

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_image_is_scanned_on_demand_and_its_report_overview_log_and_index_tell_what_is_in_it(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.PushAsync("p/web", "1", Image("left-pad", "1.3.0"));
        Assert.Null((await app.GetAsync(Web + "1?with_scan_overview=true"))["scan_overview"]);
        Assert.Equal("{}", (await app.CallAsync("GET", Web + "1/additions/vulnerabilities")).Body);

        Assert.Equal(202, (await app.CallAsync("POST", Web + "1/scan")).Status);
        var overview = await ScannedAsync(app, "1", "Success");
        Assert.Equal((1, 1), (overview["summary"]!["total"]!.GetValue<int>(), overview["summary"]!["fixable"]!.GetValue<int>()));

        var report = (await app.GetAsync(Web + "1/additions/vulnerabilities"))[Report]!;
        var found = Assert.Single(report["vulnerabilities"]!.AsArray())!;
        Assert.Equal(("CVE-2020-1", "left-pad", "1.3.0", "1.3.1"), ((string?)found["id"], (string?)found["package"], (string?)found["version"], (string?)found["fix_version"]));
        Assert.Equal(("Berth", BuiltInScanner.Version), ((string?)report["scanner"]!["name"], (string?)report["scanner"]!["version"]));
        // Lines of a job are written about once a second.
        await Eventually.TrueAsync(async () =>
            (await app.CallAsync("GET", $"{Web}1/scan/{overview["report_id"]}/log")).Body.Contains("1 packages, 1 findings", StringComparison.Ordinal), "the log tells of the scan");
        Assert.Equal(404, (await app.CallAsync("GET", $"{Web}1/scan/999999/log")).Status);

        var key = new MatchKey("npm", "left-pad");
        Assert.Single(await app.Database.ReadAsync(key, static (session, k, ct) => PackageIndex.ManifestsWithAsync(session, [k], 0, 10, ct), CancellationToken.None));
        Assert.Empty(await app.Database.ReadAsync(key with { Name = "other" }, static (session, k, ct) => PackageIndex.ManifestsWithAsync(session, [k], 0, 10, ct), CancellationToken.None));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_push_is_scanned_where_the_project_says_so_and_an_index_shows_the_union_of_its_images(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/projects/p", body: """{"metadata":{"auto_scan":"true"}}""")).Status);
        var (one, two) = (Image("left-pad", "1.3.0"), Image("left-pad", "1.2.0"));
        await app.PushAsync("p/web", one.Digest.Value, one);
        await app.PushAsync("p/web", two.Digest.Value, two);
        await app.PushAsync("p/web", "multi", TestImage.Index([one, two]));
        var overview = await ScannedAsync(app, "multi", "Success", total: 2);
        Assert.Equal(100, overview["complete_percent"]!.GetValue<int>());
        Assert.Equal(["1.2.0", "1.3.0"], (await app.GetAsync(Web + "multi/additions/vulnerabilities"))[Report]!["vulnerabilities"]!.AsArray().Select(v => (string?)v!["version"]).Order());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task All_images_are_scanned_and_one_that_cannot_be_read_keeps_its_last_report_out_of_the_way(DatabaseKind kind)
    {
        await using var app = await StartAsync(kind);
        await app.PushAsync("p/web", "good", Image("left-pad", "1.3.0"));
        await app.PushAsync("p/web", "bad", TestImage.New(3));
        Assert.Equal(201, (await app.CallAsync("POST", "/api/v2.0/system/scanAll/schedule", body: """{"schedule":{"type":"Manual"}}""")).Status);
        await Eventually.TrueAsync(async () =>
        {
            var metrics = await app.GetAsync("/api/v2.0/scans/all/metrics");
            return metrics["completed"]!.GetValue<int>() == 2 && !metrics["ongoing"]!.GetValue<bool>();
        }, "all images are scanned");
        await ScannedAsync(app, "good", "Success");
        await ScannedAsync(app, "bad", "Error");
        Assert.Equal("Berth", (string?)(await app.GetAsync("/api/v2.0/projects/p/scanner"))["name"]);
        Assert.Single((await app.GetAsync("/api/v2.0/scanners")).AsArray());
    }

    private static async Task<PlatformApp> StartAsync(DatabaseKind kind)
    {
        var app = await PlatformApp.StartAsync(kind);
        var shelf = new AdvisoryShelf(Path.Join(app.Registry.Folder, "data", "advisories"));
        var path = shelf.NewPath(DateTimeOffset.UnixEpoch);
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            builder.Add(new AdvisoryBucket("npm::test", "test"), "left-pad", new Advisory("CVE-2020-1") { VulnerableVersions = ["<1.3.1"], PatchedVersions = ["1.3.1"] });
            builder.Complete(DateTimeOffset.UnixEpoch, CancellationToken.None);
        }
        shelf.Use(path);
        await app.AddProjectAsync("p");
        return app;
    }

    private static async Task<JsonNode> ScannedAsync(PlatformApp app, string reference, string status, int? total = null)
    {
        JsonNode? overview = null;
        await Eventually.TrueAsync(async () =>
        {
            overview = (await app.GetAsync($"{Web}{reference}?with_scan_overview=true"))["scan_overview"]?[Report];
            return (string?)overview?["scan_status"] == status && (total is null || overview!["summary"]!["total"]!.GetValue<int>() == total);
        }, $"the scan of {reference} has ended as {status}");
        return overview!;
    }

    /// <summary>An image with one npm package.</summary>
    private static TestImage Image(string name, string version)
    {
        var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, $"app/node_modules/{name}/package.json")
            {
                ModificationTime = DateTimeOffset.UnixEpoch,
                DataStream = new MemoryStream(Encoding.UTF8.GetBytes($$"""{"name":"{{name}}","version":"{{version}}"}""")),
            });
        }
        var layer = buffer.ToArray();
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:{{{Convert.ToHexStringLower(SHA256.HashData(layer))}}}"]}}""");
        var manifest = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Describe(MediaTypes.OciConfig, config)}},"layers":[{{Describe("application/vnd.oci.image.layer.v1.tar", layer)}}]}""";
        return new TestImage(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest), [config, layer]);
    }

    private static string Describe(string type, byte[] bytes) => $$"""{"mediaType":"{{type}}","digest":"{{Digest.Of(bytes)}}","size":{{bytes.Length}}}""";
}
