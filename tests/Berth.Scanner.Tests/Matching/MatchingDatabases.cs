using System.IO.Compression;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Folder;
using Berth.Scanner.Advisories.Trivy;

namespace Berth.Scanner.Tests.Matching;

/// <summary>The databases of Data/matching, built once.</summary>
public sealed class MatchingDatabases : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("berth-matching-");

    public MatchingDatabases()
    {
        Trivy = Build("trivy", builder =>
        {
            var path = TrivyFile(_folder.FullName);
            TrivyDatabaseImport.Read(path, File.ReadAllBytes(TestFiles.Of("matching", "metadata.json")), "trivy.db", builder, TestContext.Current.CancellationToken);
        });
        Osv = Build("osv", static builder => FolderImport.Read(TestFiles.Of("matching", "osv"), builder, TestContext.Current.CancellationToken));
        Native = Build("native", static builder =>
            FolderImport.ReadFile(TestFiles.Of("matching", "rubysec.jsonl"), "rubysec.jsonl", builder, TestContext.Current.CancellationToken));
    }

    /// <summary>Trivy's fixtures.</summary>
    public AdvisoryDatabase Trivy { get; }

    /// <summary>Real advisories in the form of OSV.</summary>
    public AdvisoryDatabase Osv { get; }

    /// <summary>Ruby advisories as requirements.</summary>
    public AdvisoryDatabase Native { get; }

    /// <summary>Unpacks Trivy's fixture into the folder.</summary>
    public static string TrivyFile(string folder)
    {
        var path = Path.Combine(folder, "fixture.db");
        using var packed = new MemoryStream(Convert.FromBase64String(File.ReadAllText(TestFiles.Of("matching", "trivy.db.gz.base64")).ReplaceLineEndings("")));
        using var unpacked = new GZipStream(packed, CompressionMode.Decompress);
        using var file = File.Create(path);
        unpacked.CopyTo(file);
        return path;
    }

    public void Dispose()
    {
        Trivy.Dispose();
        Osv.Dispose();
        Native.Dispose();
        _folder.Delete(recursive: true);
    }

    private AdvisoryDatabase Build(string name, Action<AdvisoryDatabaseBuilder> fill)
    {
        var path = Path.Combine(_folder.FullName, name + ".advisories");
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            fill(builder);
            builder.Complete(new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero), TestContext.Current.CancellationToken);
        }
        return AdvisoryDatabase.Open(path);
    }
}
