using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Folder;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Matching;
using Berth.Scanner.Reports;
using Berth.Scanner.Tests.Advisories;

namespace Berth.Scanner.Tests.Matching;

/// <summary>
/// Writes reports of root file systems by Trivy's own database, to be held against those of Trivy. <c>BERTH_TEST_ADVISORIES</c> names a folder with trivy.db and metadata.json,
/// <c>BERTH_TEST_ROOTS</c> a folder of cases with a folder <c>input</c> each, <c>BERTH_TEST_DOCUMENTS</c> where the reports go.
/// </summary>
public sealed class TrivyComparisonTests
{
    [Fact(Explicit = true), Trait("run", "by hand")]
    public void Reports_of_root_file_systems_are_written()
    {
        var ct = TestContext.Current.CancellationToken;
        string roots = Environment.GetEnvironmentVariable("BERTH_TEST_ROOTS")!, documents = Environment.GetEnvironmentVariable("BERTH_TEST_DOCUMENTS")!;
        using var folder = new TemporaryFolder();
        using (var builder = new AdvisoryDatabaseBuilder(folder.Of("all.advisories")))
        {
            FolderImport.Read(Environment.GetEnvironmentVariable("BERTH_TEST_ADVISORIES")!, builder, ct);
            builder.Complete(DateTimeOffset.UnixEpoch, ct);
        }
        using var database = AdvisoryDatabase.Open(folder.Of("all.advisories"));
        Directory.CreateDirectory(documents);
        foreach (var root in Directory.EnumerateDirectories(roots).Where(static r => Directory.Exists(Path.Combine(r, "input"))))
        {
            var layer = new RootFileSystem(AnalyzerSet.All, LayerLimits.Default).Read(Path.Combine(root, "input"), ct);
            foreach (var (name, sources) in ((string, PackageSources)[])[("rootfs", PackageSources.WithoutLocks), ("fs", PackageSources.Locks)])
            {
                var image = ImageInventory.Join([layer], sources);
                var findings = new Matcher(database).Match(new MatchSubject { Distribution = image.Distribution, Packages = image.Packages });
                using var file = File.Create(Path.Combine(documents, $"{Path.GetFileName(root)}.{name}.json"));
                TrivyReport.Write(file, new ScanReport(root, DateTimeOffset.UnixEpoch) { Distribution = image.Distribution, Packages = image.Packages, Findings = findings });
            }
        }
        Assert.NotEmpty(Directory.EnumerateFiles(documents));
    }
}
