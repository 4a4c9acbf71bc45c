using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Shelf;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Ui;

/// <summary>Images with known flaws, and the advisories that say so.</summary>
internal static class ScanImages
{
    /// <summary>A text that is not to become a part of a page.</summary>
    public const string Hostile = "<img src=x onerror=alert(1)>";

    /// <summary>Puts an advisory database into the data folder: left-pad has a critical and a low flaw, is-odd a high one without a repair.</summary>
    public static void UseAdvisories(this UiApp app)
    {
        var shelf = new AdvisoryShelf(Path.Join(app.Server.Folder, "advisories"));
        var path = shelf.NewPath(DateTimeOffset.UnixEpoch);
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            var bucket = new AdvisoryBucket("npm::test", "test");
            builder.Add(bucket, "left-pad", new Advisory("CVE-2020-1") { VulnerableVersions = ["<1.3.1"], PatchedVersions = ["1.3.1"] });
            builder.Add(bucket, "left-pad", new Advisory("CVE-2020-2") { VulnerableVersions = ["<1.2.9"], PatchedVersions = ["1.2.9"] });
            builder.Add(bucket, "is-odd", new Advisory("TEST-2020-3") { VulnerableVersions = [">=0"] });
            builder.Add("test", new VulnerabilityDetail("CVE-2020-1") { Severity = Severity.Critical, Cvss = new Dictionary<string, CvssScores> { ["nvd"] = new() { V3Score = 9.8 } }, Title = "Padding", Description = $"It pads {Hostile} too far." });
            builder.Add("test", new VulnerabilityDetail("CVE-2020-2") { Severity = Severity.Low, Description = "It pads too little." });
            builder.Add("test", new VulnerabilityDetail("TEST-2020-3") { Severity = Severity.High, Description = "It is even.", References = ["javascript:alert(1)"] });
            builder.Complete(DateTimeOffset.UnixEpoch, CancellationToken.None);
        }
        shelf.Use(path);
    }

    /// <summary>An image with npm packages, in one layer each.</summary>
    public static TestImage Npm(params (string Name, string Version)[] packages)
    {
        var layers = packages.Select(p => Layer($"app/node_modules/{p.Name}/package.json", new JsonObject { ["name"] = p.Name, ["version"] = p.Version, ["license"] = "MIT" }.ToJsonString())).ToList();
        var config = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. layers.Select(l => (JsonNode)$"sha256:{Convert.ToHexStringLower(SHA256.HashData(l))}")]) },
        }.ToJsonString());
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = TestImage.Describe(MediaTypes.OciConfig, config),
            ["layers"] = new JsonArray([.. layers.Select(l => TestImage.Describe("application/vnd.oci.image.layer.v1.tar", l))]),
        };
        return new TestImage(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString()), [config, .. layers]);
    }

    /// <summary>Waits until a page says something.</summary>
    public static Task SaysAsync(HttpClient browser, string path, string text, CancellationToken ct) =>
        Eventually.TrueAsync(async () => UiApp.Text((await UiApp.ReadAsync(browser, path, ct)).Html).Contains(text, StringComparison.Ordinal), $"{path} says {text}");

    private static byte[] Layer(string path, string content)
    {
        var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Pax, leaveOpen: true))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)), ModificationTime = DateTimeOffset.UnixEpoch });
        }
        return buffer.ToArray();
    }
}
