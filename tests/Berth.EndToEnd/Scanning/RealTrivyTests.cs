using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Scanning;

/// <summary>
/// A real Trivy, which pulled its database from Berth, and <c>berth scan</c> with the same database say the same of the same images, finding by finding: flaw, package, installed and fixed
/// version, severity and where it lies. What may differ is in <see cref="Known"/> with its reason, nothing else.
/// </summary>
public sealed class RealTrivyTests(TrivyRegistry on) : IClassFixture<TrivyRegistry>
{
    /// <summary>Layers of the scanner's own cases: root file systems and applications with real packages.</summary>
    public static TheoryData<string, string[]> Images => new()
    {
        { "debian", ["real-debian12-base", "real-npm-shop-installed", "real-python-site", "real-dotnet-shop"] },
        { "alma", ["real-alma9", "real-jars-boot", "real-jars-flat", "real-gems"] },
        { "alpine", ["real-alpine-3.19", "real-go-binary", "real-rust-binary", "real-cargo", "real-nuget-lock-shop"] },
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
    public async Task Trivy_and_Berth_find_the_same_where_upper_layers_remove_and_replace()
    {
        const string Modules = "app/node_modules/";
        var layout = new OciLayoutWriter(on.Shell.Folder.Folder("images", "changed"));
        var removed = Layers.Gzip(layout, ImageFormat.Oci, LayerFile.Text(Modules + ".wh.lodash", ""), LayerFile.Text(Modules + "ws/.wh..wh..opq", ""), LayerFile.Text(Modules + "minimist/.wh.package.json", ""));
        var replaced = Layers.Gzip(layout, ImageFormat.Oci, LayerFile.Text(Modules + "semver/package.json", """{"name":"semver","version":"5.0.0"}"""), LayerFile.Text(Modules + "lodash/package.json", """{"name":"lodash","version":"4.17.20"}"""));
        var image = layout.Finish(layout.AddImage(ImageFormat.Oci, "amd64", [.. CaseLayers("real-npm-shop-installed").Select(tar => Stored(layout, tar)), removed, replaced]));
        await AssertSame(image.Folder, "changed");
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
        foreach (var program in (string[])["trivy", "oras"]) Programs.Require(program);
        var (trivyReport, berthReport) = (on.Shell.Folder.File("reports", name + ".trivy.json"), on.Shell.Folder.File("reports", name + ".berth.json"));
        await on.Shell.Run(
            "trivy", "image", "-q", "--cache-dir", on.TrivyCache, "--skip-db-update", "--skip-java-db-update", "--offline-scan", "--scanners", "vuln", "--format", "json", "--output", trivyReport, "--input", image);
        await on.Shell.Run(
            RegistryUnderTest.BerthBinary(), "scan", "-q", "--db", on.Advisories, "--cache-dir", on.Shell.Folder.Folder("layers"), "--scanners", "vuln", "--format", "json", "--output", berthReport, "--input", image);
        List<Flaw> trivy = Findings(trivyReport), berth = Findings(berthReport);
        // An image without findings would compare well and say nothing.
        Assert.NotEmpty(trivy);
        var undescribed = trivy.Where(one => one.Url.Length == 0).Select(one => one.Id).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(string.Join("\n", Lines(trivy, undescribed)), string.Join("\n", Lines(berth, undescribed)));
    }

    /// <summary>What this Trivy does not know, or the sample database keeps from it.</summary>
    private static readonly (string Reason, Func<Flaw, bool> IsLeftOut)[] Known =
    [
        ("it looks NuGet's names up as they are written; the database has them in small letters, as Trivy does since its issue 9451", flaw => flaw.Type is "nuget" or "dotnet-core" && flaw.Package.Any(char.IsAsciiLetterUpper)),
        ("it does not take the release of Go that built a program for a package", flaw => flaw.Type == "gobinary" && flaw.Package == "stdlib"),
    ];

    // The sample has some times without a zone, which no Go program reads: Trivy then knows nothing of the flaw but its id. And this Trivy writes versions of Go with their v.
    private static IEnumerable<string> Lines(List<Flaw> flaws, HashSet<string> undescribed) => flaws.Where(flaw => !Known.Any(one => one.IsLeftOut(flaw)))
        .Select(flaw => $"{flaw.Target} {flaw.Path} {flaw.Package} {(flaw.Type == "gobinary" ? flaw.Installed.TrimStart('v') : flaw.Installed)} {flaw.Id} fixed={flaw.Fixed} {(undescribed.Contains(flaw.Id) ? "" : flaw.Severity)}")
        .Order(StringComparer.Ordinal);

    private sealed record Flaw(string Type, string Target, string Path, string Package, string Installed, string Id, string Fixed, string Severity, string Url);

    private static List<Flaw> Findings(string report)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(report));
        var found = new List<Flaw>();
        if (!document.RootElement.TryGetProperty("Results", out var results) || results.ValueKind != JsonValueKind.Array) return found;
        foreach (var result in results.EnumerateArray())
        {
            if (!result.TryGetProperty("Vulnerabilities", out var flaws)) continue;
            var target = Text(result, "Class") == "os-pkgs" ? "system" : Text(result, "Target");
            found.AddRange(flaws.EnumerateArray().Select(flaw => new Flaw(
                Text(result, "Type"), target, Text(flaw, "PkgPath"), Text(flaw, "PkgName"), Text(flaw, "InstalledVersion"), Text(flaw, "VulnerabilityID"), Text(flaw, "FixedVersion"), Text(flaw, "Severity"), Text(flaw, "PrimaryURL"))));
        }
        return found;
    }

    private static string Text(JsonElement from, string name) => from.TryGetProperty(name, out var value) ? value.ToString() : "";

    private static IEnumerable<byte[]> CaseLayers(string id)
    {
        var folder = Path.Combine(RegistryUnderTest.SourceRoot(), "tests", "Berth.Scanner.Tests", "Data", "cases");
        for (var i = 0; Path.Combine(folder, $"{id}.layer{i}.b64") is var file && File.Exists(file); i++) yield return Convert.FromBase64String(File.ReadAllText(file));
    }

    // Trivy looks into programs that may be run; the cases have plain files.
    private static Layer Stored(OciLayoutWriter layout, byte[] gzip)
    {
        using var made = new MemoryStream();
        using (var source = new TarReader(new GZipStream(new MemoryStream(gzip), CompressionMode.Decompress)))
        using (var target = new TarWriter(made, TarEntryFormat.Pax, leaveOpen: true))
        {
            while (source.GetNextEntry(copyData: true) is { } entry)
            {
                if (entry.Name.Contains("bin/", StringComparison.Ordinal)) entry.Mode |= UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
                target.WriteEntry(entry);
            }
        }
        var tar = made.ToArray();
        return new Layer(layout.AddBlob("application/vnd.oci.image.layer.v1.tar", tar), OciLayoutWriter.DigestOf(tar));
    }
}
