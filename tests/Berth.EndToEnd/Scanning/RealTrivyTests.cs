using System.Text.Json;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Scanning;

/// <summary>
/// A real Trivy, which pulled its database from Berth, and <c>berth scan</c> with the same database say the same of the same images, finding by finding: flaw, package, installed and fixed
/// version, severity and where it lies. What may differ is listed below with its reason.
/// </summary>
public sealed class RealTrivyTests(TrivyRegistry on) : IClassFixture<TrivyRegistry>
{
    /// <summary>Layers of the scanner's own cases: root file systems and applications with real packages.</summary>
    public static TheoryData<string, string[]> Images => new()
    {
        { "debian", ["real-debian12-base", "real-npm-shop-installed", "real-python-site", "real-dotnet-shop"] },
        { "alma", ["real-alma9", "real-jars-boot", "real-jars-flat", "real-gems"] },
        { "alpine", ["real-alpine-3.19", "real-go-binary", "real-rust-binary", "real-cargo", "real-nuget-lock-shop"] },
        { "upgraded", ["layers-upgrade"] },
        { "removed", ["layers-whiteout"] },
        { "opaque", ["layers-opaque"] },
    };

    [Theory]
    [MemberData(nameof(Images))]
    public async Task Trivy_and_Berth_find_the_same(string name, string[] cases)
    {
        var layout = new OciLayoutWriter(on.Shell.Folder.Folder("images", name));
        var image = layout.Finish(layout.AddImage(ImageFormat.Oci, "amd64", [.. cases.SelectMany(CaseLayers).Select(tar => Stored(layout, tar))]));
        await AssertSame(image.Folder, name);
    }

    [Fact]
    public async Task Trivy_and_Berth_find_the_same_in_a_Debian_that_debootstrap_made()
    {
        var archive = await DebianRootFileSystem.Archive(on.Shell);
        var layout = new OciLayoutWriter(on.Shell.Folder.Folder("images", "debootstrap"));
        var copy = on.Shell.Folder.File("debian-layer.tar");
        File.Copy(archive, copy);
        await using var content = File.OpenRead(copy);
        var digest = "sha256:" + Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(content, TestContext.Current.CancellationToken));
        var debian = new Layer(layout.MoveBlob("application/vnd.oci.image.layer.v1.tar", copy, digest), digest);
        var image = layout.Finish(layout.AddImage(ImageFormat.Oci, "amd64", [debian, .. CaseLayers("real-npm-shop-installed").Select(tar => Stored(layout, tar))]));
        await AssertSame(image.Folder, "debootstrap");
    }

    private async Task AssertSame(string image, string name)
    {
        var (trivyReport, berthReport) = (on.Shell.Folder.File("reports", name + ".trivy.json"), on.Shell.Folder.File("reports", name + ".berth.json"));
        await on.Shell.Run(
            "trivy", "image", "-q", "--cache-dir", on.TrivyCache, "--skip-db-update", "--skip-java-db-update", "--offline-scan", "--scanners", "vuln", "--format", "json", "--output", trivyReport, "--input", image);
        await on.Shell.Run(
            RegistryUnderTest.BerthBinary(), "scan", "-q", "--db", on.Advisories, "--cache-dir", on.Shell.Folder.Folder("layers"), "--scanners", "vuln", "--format", "json", "--output", berthReport, "--input", image);
        List<string> trivy = Findings(trivyReport), berth = Findings(berthReport);
        // An image without findings would compare well and say nothing.
        Assert.True(trivy.Count > 0 || name == "debootstrap", $"trivy finds nothing in {name}");
        Assert.Equal(string.Join("\n", trivy), string.Join("\n", berth));
    }

    private static List<string> Findings(string report)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(report));
        var found = new List<string>();
        if (!document.RootElement.TryGetProperty("Results", out var results) || results.ValueKind != JsonValueKind.Array) return found;
        foreach (var result in results.EnumerateArray())
        {
            if (!result.TryGetProperty("Vulnerabilities", out var flaws)) continue;
            var target = Text(result, "Class") == "os-pkgs" ? "system" : Text(result, "Target");
            found.AddRange(flaws.EnumerateArray().Select(flaw => $"{target} {Text(flaw, "PkgPath")} {Text(flaw, "PkgName")} {Text(flaw, "InstalledVersion")} {Text(flaw, "VulnerabilityID")} fixed={Text(flaw, "FixedVersion")} {Text(flaw, "Severity")}"));
        }
        return [.. found.Order(StringComparer.Ordinal)];
    }

    private static string Text(JsonElement from, string name) => from.TryGetProperty(name, out var value) ? value.ToString() : "";

    private static IEnumerable<byte[]> CaseLayers(string id)
    {
        var folder = Path.Combine(RegistryUnderTest.SourceRoot(), "tests", "Berth.Scanner.Tests", "Data", "cases");
        for (var i = 0; Path.Combine(folder, $"{id}.layer{i}.b64") is var file && File.Exists(file); i++) yield return Convert.FromBase64String(File.ReadAllText(file));
    }

    private static Layer Stored(OciLayoutWriter layout, byte[] gzip)
    {
        using var unpacked = new MemoryStream();
        using (var stream = new System.IO.Compression.GZipStream(new MemoryStream(gzip), System.IO.Compression.CompressionMode.Decompress)) stream.CopyTo(unpacked);
        return new Layer(layout.AddBlob(ImageFormat.Oci.GzipLayer, gzip), OciLayoutWriter.DigestOf(unpacked.ToArray()));
    }
}
