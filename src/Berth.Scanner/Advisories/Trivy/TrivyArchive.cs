using System.Formats.Tar;
using System.IO.Compression;
using Berth.Scanner.Advisories.Database;

namespace Berth.Scanner.Advisories.Trivy;

/// <summary>
/// Trivy's database as it is distributed: the only layer of an OCI artifact, a gzip-packed tar with <c>trivy.db</c> and <c>metadata.json</c>. It is unpacked beside
/// the database that is being built and removed afterwards.
/// </summary>
public static class TrivyArchive
{
    /// <summary>Media type of the layer.</summary>
    public const string LayerMediaType = "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip";

    private const long MaxDatabaseBytes = 8L * 1024 * 1024 * 1024;
    private const int MaxMetadataBytes = 1024 * 1024;

    public static DatabaseSource Read(string path, string name, AdvisoryDatabaseBuilder builder, CancellationToken ct)
    {
        using var file = File.OpenRead(path);
        return Read(file, name, builder, ct);
    }

    /// <summary>Reads the layer from a stream, which is read to its end.</summary>
    public static DatabaseSource Read(Stream layer, string name, AdvisoryDatabaseBuilder builder, CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("berth-trivy-db-");
        try
        {
            using var unpacked = new GZipStream(layer, CompressionMode.Decompress, leaveOpen: true);
            using var tar = new TarReader(unpacked);
            string? database = null;
            byte[]? metadata = null;
            while (Next(tar) is { } entry)
            {
                ct.ThrowIfCancellationRequested();
                if (entry.DataStream is not { } content || entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
                    continue;
                switch (Path.GetFileName(entry.Name))
                {
                    case "trivy.db":
                        database = Path.Combine(folder.FullName, "trivy.db");
                        Copy(content, database, ct);
                        break;
                    case "metadata.json":
                        using (var bounded = new BoundedStream(content, MaxMetadataBytes))
                        using (var memory = new MemoryStream())
                        {
                            bounded.CopyTo(memory);
                            metadata = memory.ToArray();
                        }
                        break;
                }
            }
            return database is null
                ? throw new InvalidDataException("the archive holds no trivy.db")
                : TrivyDatabaseImport.Read(database, metadata, name, builder, ct);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // The framework's reader has more than one way to say that a header is broken.
    private static TarEntry? Next(TarReader tar)
    {
        try
        {
            return tar.GetNextEntry();
        }
        catch (Exception e) when (e is OverflowException or ArgumentException or FormatException or NotSupportedException or EndOfStreamException)
        {
            throw new InvalidDataException("the archive cannot be read", e);
        }
    }

    private static void Copy(Stream content, string path, CancellationToken ct)
    {
        using var bounded = new BoundedStream(content, MaxDatabaseBytes);
        using var file = File.Create(path);
        var buffer = new byte[256 * 1024];
        for (int read; (read = bounded.Read(buffer)) > 0;)
        {
            ct.ThrowIfCancellationRequested();
            file.Write(buffer, 0, read);
        }
    }
}
