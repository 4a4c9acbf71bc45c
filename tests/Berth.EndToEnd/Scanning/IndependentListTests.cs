using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Scanning;

/// <summary>
/// Root file systems with real packages give exactly the findings that <c>tests/tools/expected-findings.py</c> derives from the same advisories without any code of ours: by dpkg, npm's semver, pip's
/// packaging and Maven's own order. Nothing missed, nothing invented.
/// </summary>
public sealed class IndependentListTests : IDisposable
{
    private static readonly string Data = Path.Combine(RegistryUnderTest.SourceRoot(), "tests", "Berth.Scanner.Tests", "Data");
    private static readonly string Advisories = Path.Combine(Data, "matching", "osv");
    private readonly ClientShell shell = new("findings");

    public void Dispose() => shell.Dispose();

    [Theory]
    [InlineData("real-debian12-base", 50)]
    [InlineData("real-npm-shop-installed", 10)]
    [InlineData("real-python-site", 40)]
    [InlineData("real-dotnet-shop", 1)]
    [InlineData("real-jars-flat", 3)]
    [InlineData("real-jars-boot", 5)]
    public async Task A_root_file_system_has_the_findings_that_follow_from_the_advisories(string id, int atLeast)
    {
        var root = shell.Folder.Folder("root");
        await using (var layer = new GZipStream(new MemoryStream(Convert.FromBase64String(await File.ReadAllTextAsync(Path.Combine(Data, "cases", id + ".layer0.b64"), TestContext.Current.CancellationToken))), CompressionMode.Decompress))
        {
            await TarFile.ExtractToDirectoryAsync(layer, root, overwriteFiles: true, TestContext.Current.CancellationToken);
        }

        await AssertSame(root, atLeast);
    }

    [Fact]
    public async Task A_Debian_of_debootstrap_with_packages_that_npm_installed_has_the_findings_that_follow_from_the_advisories()
    {
        var root = shell.Folder.Folder("root");
        await shell.Run("tar", "-xf", await DebianRootFileSystem.Archive(shell), "-C", root, "./var/lib/dpkg", "./etc/os-release", "./etc/debian_version", "./usr/lib/os-release");
        await shell.Run("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-timeout=20000", "--fetch-retries=5", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=5000", "--prefix", shell.Folder.Folder("root", "app"), "lodash@4.17.15", "minimist@1.2.0", "node-fetch@2.6.0", "ws@7.4.5", "express@4.17.1");
        await AssertSame(root, 3);
    }

    private async Task AssertSame(string root, int atLeast)
    {
        foreach (var program in (string[])["python3", "dpkg-query", "npm", "java"]) Programs.Require(program);
        if (!Directory.Exists("/usr/share/java") || Directory.GetFiles("/usr/share/java", "maven-artifact*.jar").Length == 0) Programs.Missing("Maven's order of versions is not installed: package maven");
        var database = shell.Folder.File("advisories.db");
        await shell.Run(RegistryUnderTest.BerthBinary(), "db", "build", Advisories, "--output", database);
        var script = Path.Combine(RegistryUnderTest.SourceRoot(), "tests", "tools", "expected-findings.py");
        var expected = (await shell.Run("python3", script, root, Advisories)).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).ToList();
        var report = await shell.Run(RegistryUnderTest.BerthBinary(), "scan", "rootfs", root, "-q", "--db", database, "--scanners", "vuln", "--format", "json");
        Assert.True(expected.Count >= atLeast, $"only {expected.Count} findings are expected");
        Assert.Equal(string.Join("\n", expected), string.Join("\n", Findings(report.Out)));
    }

    private static IEnumerable<string> Findings(string report)
    {
        using var document = JsonDocument.Parse(report);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var result in document.RootElement.GetProperty("Results").EnumerateArray())
        {
            if (!result.TryGetProperty("Vulnerabilities", out var flaws)) continue;
            var target = Text(result, "Class") == "os-pkgs" ? "" : Text(result, "Target");
            foreach (var flaw in flaws.EnumerateArray())
                found.Add($"{Text(flaw, "VulnerabilityID")}\t{Text(flaw, "PkgName")}\t{Text(flaw, "InstalledVersion")}\t{(Text(flaw, "PkgPath") is { Length: > 0 } path ? path : target)}");
        }

        return found;
    }

    private static string Text(JsonElement from, string name) => from.TryGetProperty(name, out var value) ? value.ToString() : "";
}
