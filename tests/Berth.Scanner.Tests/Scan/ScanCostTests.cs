using System.Diagnostics;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Matching;
using Berth.Scanner.Scan;
using Berth.Scanner.Secrets;
using Berth.Scanner.Tests.Advisories;

namespace Berth.Scanner.Tests.Scan;

/// <summary>
/// What a scan costs. Run by name, by <c>bench/scan</c>: <c>BERTH_BENCH_IMAGE</c> names an image on disk, <c>BERTH_BENCH_ADVISORIES</c> an advisory database.
/// </summary>
public sealed class ScanCostTests(ITestOutputHelper output)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact(Explicit = true), Trait("run", "by hand")]
    public async Task An_image_is_read_and_judged()
    {
        using var folder = new TemporaryFolder();
        using var database = AdvisoryDatabase.Open(Environment.GetEnvironmentVariable("BERTH_BENCH_ADVISORIES")!);
        var path = Environment.GetEnvironmentVariable("BERTH_BENCH_IMAGE")!;
        var known = new LayerFolder(folder.Of("layers"));
        var (cold, packages, findings) = await OnceAsync(path, known, database, null);
        var again = TimeSpan.MaxValue;
        for (var i = 0; i < 5; i++) again = (await OnceAsync(path, known, database, null)).Took is var took && took < again ? took : again;
        var secrets = (await OnceAsync(path, new LayerFolder(folder.Of("secrets")), database, SecretScanner.Default)).Took;
        using var self = Process.GetCurrentProcess();
        var line = $"{packages} packages, {findings} findings: {cold.TotalSeconds:0.00} s cold, {again.TotalMilliseconds:0} ms with known layers, {secrets.TotalSeconds:0.00} s cold with secrets, peak {self.PeakWorkingSet64 >> 20} MB";
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("BERTH_BENCH_OUTPUT") is { Length: > 0 } file) await File.AppendAllTextAsync(file, line + "\n", Ct);
        Assert.True(packages > 0);
    }

    private static async Task<(TimeSpan Took, int Packages, int Findings)> OnceAsync(string path, LayerFolder known, AdvisoryDatabase database, SecretScanner? secrets)
    {
        var clock = Stopwatch.StartNew();
        using var archive = await ImageArchive.OpenAsync(path, null, LayerLimits.Default, Ct);
        var image = await new ImageScan(known, LayerLimits.Default, secrets).InventoryAsync(archive.Image, PackageSources.WithoutLocks, Ct);
        var findings = new Matcher(database).Match(image);
        return (clock.Elapsed, image.Packages.Count, findings.Count);
    }
}
