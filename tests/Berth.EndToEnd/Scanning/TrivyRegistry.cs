using System.Formats.Tar;
using System.IO.Compression;
using Berth.EndToEnd.Harness;

namespace Berth.EndToEnd.Scanning;

/// <summary>
/// A registry that holds Trivy's databases as OCI artifacts, a real Trivy that pulled them from it, and Berth's database out of the same bytes. The advisories are the larger database of the scanner's own tests.
/// </summary>
public sealed class TrivyRegistry : RegistryAndShell, IAsyncLifetime
{
    private const string DatabaseType = "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip";
    private const string JavaType = "application/vnd.aquasec.trivy.javadb.layer.v1.tar+gzip";

    // An SQLite file with the two empty tables of Trivy's Java database: no archive is known by its digest, on either side.
    private const string EmptyJavaDatabase =
        "H4sIAAAAAAACAwsO9MksSVVIyy/KTSxRMGZgYmBkZHBQUGBgYGCGYhgAsVmQ+IwMhAEzg14yIy+QwcTwkoFxApAYKNCowsQuLi3N2CRfkpiUk5qZl5KZnFoMpZidg1wdQ1wVQhydfFwVoIIaiUUlmWmJySXxmSkKnn4hru6uQToKZalF"
        + "xZn5eQohrhEhOgrFGYmGCk4+/k46ColFyRmZZanxJZUFqVBZYKimZqbnKWSnViogm6apUJSallqUmge0RQEmXqwBlNDMY2QXl5dnbNQGuxIuB2cwobgUWS/MiQoBQZ6+jkGRCt6ukToK6UX5pQUgD0BchOwlkIgmKG6AkTMKRigYjf+RDQCV"
        + "9y3qAAYAAA==";

    /// <summary>Where Trivy keeps what it pulled.</summary>
    public string TrivyCache => Shell.Folder.Folder("trivy-cache");

    /// <summary>Berth's database of the same advisories.</summary>
    public string Advisories => Shell.Folder.File("advisories.db");

    async ValueTask IAsyncLifetime.InitializeAsync()
    {
        await InitializeAsync();
        // A test that misses them says so.
        if (Programs.Find("trivy") is null || Programs.Find("oras") is null) return;
        var archive = await Database();
        await Push("mirror/trivy-db:2", "application/vnd.aquasec.trivy.config.v1+json", archive, DatabaseType);
        await Push("mirror/trivy-java-db:1", "application/vnd.aquasec.trivy.config.v1+json", JavaDatabase(), JavaType);
        Shell.Set("TRIVY_NON_SSL", "true");
        await Shell.Run("trivy", "image", "-q", "--cache-dir", TrivyCache, "--download-db-only", "--db-repository", Name("mirror/trivy-db"));
        await Shell.Run("trivy", "image", "-q", "--cache-dir", TrivyCache, "--download-java-db-only", "--java-db-repository", Name("mirror/trivy-java-db"));
        await Shell.Run(RegistryUnderTest.BerthBinary(), "db", "build", Path.GetDirectoryName(archive)!, "--output", Advisories);
    }

    // The layer as Trivy's own pipeline packs it: trivy.db and metadata.json.
    private async Task<string> Database()
    {
        var archive = Shell.Folder.File("database", "db.tar.gz");
        var data = Path.Combine(RegistryUnderTest.SourceRoot(), "tests", "Berth.Scanner.Tests", "Data", "matching");
        var packed = new MemoryStream(Convert.FromBase64String(await File.ReadAllTextAsync(Path.Combine(data, "trivy-real.db.br.base64"))));
        Pack(archive, ("trivy.db", Unpacked(new BrotliStream(packed, CompressionMode.Decompress))), ("metadata.json", await File.ReadAllBytesAsync(Path.Combine(data, "metadata.json"))));
        return archive;
    }

    private string JavaDatabase()
    {
        var archive = Shell.Folder.File("java-database", "javadb.tar.gz");
        var metadata = """{"Version":1,"NextUpdate":"2099-01-01T00:00:00Z","UpdatedAt":"2026-11-01T00:00:00Z","DownloadedAt":"2026-11-01T00:00:00Z"}"""u8.ToArray();
        Pack(archive, ("trivy-java.db", Unpacked(new GZipStream(new MemoryStream(Convert.FromBase64String(EmptyJavaDatabase)), CompressionMode.Decompress))), ("metadata.json", metadata));
        return archive;
    }

    private async Task Push(string reference, string artifactType, string archive, string type) =>
        await Shell.Run("sh", "-c", $"cd '{Path.GetDirectoryName(archive)}' && oras push --plain-http --artifact-type {artifactType} {Name(reference)} {Path.GetFileName(archive)}:{type}");

    private static byte[] Unpacked(Stream packed)
    {
        using var unpacked = new MemoryStream();
        using (packed) packed.CopyTo(unpacked);
        return unpacked.ToArray();
    }

    private static void Pack(string archive, params ReadOnlySpan<(string Name, byte[] Content)> files)
    {
        using var gzip = new GZipStream(File.Create(archive), CompressionLevel.Fastest);
        using var tar = new TarWriter(gzip, TarEntryFormat.Ustar);
        foreach (var (name, content) in files) tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
    }
}
