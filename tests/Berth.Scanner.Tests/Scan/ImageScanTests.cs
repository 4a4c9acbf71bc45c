using System.Text;
using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Matching;
using Berth.Scanner.Reports;
using Berth.Scanner.Scan;
using Berth.Scanner.Secrets;
using Berth.Scanner.Tests.Advisories;

namespace Berth.Scanner.Tests.Scan;

public sealed class ImageScanTests : IDisposable
{
    // In two pieces, so that nobody's scanner takes this file for a leak.
    private const string Token = "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345";

    private static readonly byte[] Base = TestImages.Layer(
        ("etc/alpine-release", "3.19.1\n"), ("etc/os-release", "ID=alpine\nVERSION_ID=3.19.1\n"), ("etc/apk/repositories", "https://dl-cdn.alpinelinux.org/alpine/edge/main\n"),
        ("lib/apk/db/installed", "P:musl\nV:1.2.4-r2\nA:x86_64\no:musl\n\n"), ("bin/su!", "x"), ("bin/mount!", "x"));

    private static readonly byte[] Top = TestImages.Layer(
        ("app/node_modules/left-pad/package.json", """{"name":"left-pad","version":"1.3.0"}"""), ("app/.env", $"A=1\nTOKEN={Token}\n"), ("bin/su", "script"));

    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("docker")]
    [InlineData("layout")]
    public async Task An_image_on_disk_gives_its_packages(string form)
    {
        var path = folder.Of(form);
        if (form == "docker") TestImages.DockerArchive(path, Base, Top);
        else TestImages.Layout(path, ("amd64", [Base, Top]));
        using var archive = await ImageArchive.OpenAsync(path, "linux/amd64", LayerLimits.Default, Ct);
        var image = await new ImageScan(null, LayerLimits.Default).InventoryAsync(archive.Image, PackageSources.WithoutLocks, Ct);
        Assert.Equal(["left-pad 1.3.0", "musl 1.2.4-r2"], image.Packages.Select(p => $"{p.Name} {p.Version}").Order());
        Assert.Equal(TestImages.Sha256(Base), image.Packages.Single(p => p.Name == "musl").Layer);
        Assert.Equal("edge", image.RepositoryRelease);
        Assert.Equal(["bin/mount"], image.SetUid);
        Assert.Empty(image.Secrets);
        Assert.Equal(TestImages.Sha256(TestImages.Config(Base, Top)), archive.Image.ImageId);
    }

    [Fact]
    public async Task A_known_layer_is_not_read_again_unless_secrets_are_asked_for_that_nobody_looked_for()
    {
        TestImages.Layout(folder.Of("image"), ("amd64", [Base, Top]));
        using var archive = await ImageArchive.OpenAsync(folder.Of("image"), null, LayerLimits.Default, Ct);
        var opened = 0;
        var image = archive.Image with
        {
            Layers = [.. archive.Image.Layers.Select(layer => layer with { Open = ct => { Interlocked.Increment(ref opened); return layer.Open(ct); } })],
        };
        var known = new LayerFolder(folder.Of("layers"));
        await new ImageScan(known, LayerLimits.Default).ReadAsync(image, null, Ct);
        await new ImageScan(known, LayerLimits.Default).ReadAsync(image, null, Ct);
        Assert.Equal(2, opened);
        var found = await new ImageScan(known, LayerLimits.Default, SecretScanner.Default).InventoryAsync(image, PackageSources.WithoutLocks, Ct);
        Assert.Equal(4, opened);
        var secret = Assert.Single(found.Secrets);
        Assert.Equal(("github-pat", "app/.env", 2, TestImages.Sha256(Top)), (secret.RuleId, secret.Path, secret.StartLine, secret.Layer));
        Assert.DoesNotContain(Token, secret.Match, StringComparison.Ordinal);
        var without = await new ImageScan(known, LayerLimits.Default).InventoryAsync(image, PackageSources.WithoutLocks, Ct);
        Assert.Equal(4, opened);
        Assert.Empty(without.Secrets);
    }

    [Fact]
    public async Task The_platform_chooses_the_image_and_one_that_is_not_there_is_named_with_those_that_are()
    {
        TestImages.Layout(folder.Of("image"), ("amd64", [Base]), ("arm64", [Top]));
        using var archive = await ImageArchive.OpenAsync(folder.Of("image"), "linux/arm64", LayerLimits.Default, Ct);
        Assert.Equal(TestImages.Sha256(Top), Assert.Single(archive.Image.Layers).DiffId);
        var refused = await Assert.ThrowsAsync<ImageRefusedException>(() => ImageArchive.OpenAsync(folder.Of("image"), "linux/s390x", LayerLimits.Default, Ct));
        Assert.Contains("linux/amd64, linux/arm64", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_layer_that_is_not_what_the_image_says_is_refused()
    {
        TestImages.DockerArchive(folder.Of("image"), Base);
        using var archive = await ImageArchive.OpenAsync(folder.Of("image"), null, LayerLimits.Default, Ct);
        var image = archive.Image with { Layers = [archive.Image.Layers[0] with { DiffId = TestImages.Sha256(Top) }] };
        await Assert.ThrowsAsync<LayerRefusedException>(() => new ImageScan(null, LayerLimits.Default).ReadAsync(image, null, Ct));
    }

    [Fact]
    public async Task Files_that_are_no_image_are_refused()
    {
        await File.WriteAllTextAsync(folder.Of("text"), "no archive", Ct);
        Directory.CreateDirectory(folder.Of("empty"));
        foreach (var name in new[] { "text", "empty", "missing" })
            await Assert.ThrowsAsync<ImageRefusedException>(() => ImageArchive.OpenAsync(folder.Of(name), null, LayerLimits.Default, Ct));
    }

    [Fact]
    public async Task Secrets_and_problems_stand_in_every_report_that_has_a_place_for_them()
    {
        TestImages.DockerArchive(folder.Of("image"), Base, Top);
        using var archive = await ImageArchive.OpenAsync(folder.Of("image"), null, LayerLimits.Default, Ct);
        var inventory = await new ImageScan(null, LayerLimits.Default, SecretScanner.Default).InventoryAsync(archive.Image, PackageSources.WithoutLocks, Ct);
        var report = ScanAssembly.Of(archive.Image, inventory, null, new ScanSettings { Secrets = true, Misconfiguration = true }, DateTimeOffset.UnixEpoch);
        Assert.Equal(["BERTH-DS-002", "DS026"], report.Problems.Select(p => p.Id).Order(StringComparer.Ordinal));
        foreach (var format in new[] { ScanFormat.Table, ScanFormat.Json, ScanFormat.Sarif })
        {
            var text = Write(report, format);
            Assert.Contains("BERTH-DS-002", text, StringComparison.Ordinal);
            Assert.Contains("app/.env", text, StringComparison.Ordinal);
            Assert.DoesNotContain(Token, text, StringComparison.Ordinal);
        }
        var few = ScanAssembly.Of(archive.Image, inventory, null, new ScanSettings { Secrets = true, Misconfiguration = true, Severities = new HashSet<Severity> { Severity.Critical } }, DateTimeOffset.UnixEpoch);
        Assert.Empty(few.Problems);
        Assert.Single(few.Secrets);
    }

    [Fact]
    public async Task Layers_of_Red_Hat_are_judged_by_the_content_sets_of_the_nearest_layer_that_names_some()
    {
        const string Manifests = "root/buildinfo/content_manifests/";
        var bottom = TestImages.Layer(("etc/os-release", "ID=rhel\nVERSION_ID=8.4\n"), ("usr/share/a.dist-info/METADATA", "Name: a\nVersion: 1\n"));
        var middle = TestImages.Layer((Manifests + "ubi8.json", """{"content_sets":["set-one"]}"""), ("root/buildinfo/Dockerfile-ubi8-8.4-1", "LABEL com.redhat.component=\"ubi8-container\" architecture=\"x86_64\"\n"));
        var top = TestImages.Layer(("usr/share/b.dist-info/METADATA", "Name: b\nVersion: 1\n"), (Manifests + "top.json", """{"content_sets":["set-two"]}"""));
        TestImages.DockerArchive(folder.Of("image"), bottom, middle, top);
        using var archive = await ImageArchive.OpenAsync(folder.Of("image"), null, LayerLimits.Default, Ct);
        var image = await new ImageScan(null, LayerLimits.Default).InventoryAsync(archive.Image, PackageSources.WithoutLocks, Ct);
        var subjects = MatchSubject.Of(image).ToDictionary(subject => Assert.Single(subject.Packages).Name);
        Assert.Equal(["set-one"], subjects["a"].ContentSets);
        Assert.Equal("ubi8-container-8.4-1-x86_64", subjects["a"].Nvr);
        Assert.Equal(["set-two"], subjects["b"].ContentSets);
    }

    private static string Write(ScanReport report, ScanFormat format)
    {
        using var output = new MemoryStream();
        ScanOutput.Write(output, report, format);
        return Encoding.UTF8.GetString(output.ToArray());
    }
}
