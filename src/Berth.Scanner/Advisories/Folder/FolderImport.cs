using System.IO.Compression;
using System.Text.Json;
using Berth.Scanner.Advisories.Alpine;
using Berth.Scanner.Advisories.Constraints;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Debian;
using Berth.Scanner.Advisories.Exploits;
using Berth.Scanner.Advisories.Osv;
using Berth.Scanner.Advisories.Trivy;

namespace Berth.Scanner.Advisories.Folder;

/// <summary>
/// Takes over whatever files somebody dropped in a folder, each by its content: Trivy's database (<c>trivy.db</c> or <c>db.tar.gz</c>), archives of OSV
/// (<c>*.zip</c>), documents of OSV, Alpine's data base, Debian's tracker, CISA's catalog (<c>*.json</c>), lines of OSV or constraints (<c>*.jsonl</c>), EPSS
/// (<c>*.csv</c>); all also with <c>.gz</c>.
/// </summary>
public static class FolderImport
{
    private const int MaxFiles = 1_000_000;
    private const long MaxSmallFileBytes = 64 * 1024 * 1024;
    private const long MaxUnpackedBytes = 16L * 1024 * 1024 * 1024;
    private const int MaxLine = 64 * 1024 * 1024;

    /// <summary>Reads all files below the folder in the order of their names. A file that cannot be read counts as skipped under its name.</summary>
    public static IReadOnlyList<DatabaseSource> Read(string folder, AdvisoryDatabaseBuilder builder, CancellationToken ct)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, MaxRecursionDepth = 16 };
        var files = Directory.EnumerateFiles(folder, "*", options).Take(MaxFiles).Order(StringComparer.Ordinal);
        var sources = new List<DatabaseSource>();
        foreach (var file in files)
        {
            ct.ThrowIfCancellationRequested();
            if (ReadFile(file, Path.GetRelativePath(folder, file).Replace('\\', '/'), builder, ct) is { } source)
                sources.Add(source);
        }
        return sources;
    }

    /// <summary>Reads one file; null when its name says that it is none of these.</summary>
    public static DatabaseSource? ReadFile(string path, string name, AdvisoryDatabaseBuilder builder, CancellationToken ct)
    {
        try
        {
            if (name.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase))
                return TrivyArchive.Read(path, name, builder, ct);
            if (name.EndsWith(".db", StringComparison.OrdinalIgnoreCase))
            {
                var metadata = Path.Combine(Path.GetDirectoryName(path)!, "metadata.json");
                return TrivyDatabaseImport.Read(path, File.Exists(metadata) ? File.ReadAllBytes(metadata) : null, name, builder, ct);
            }
            using var file = File.OpenRead(path);
            if (!name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
                return ReadStream(file, name, name, builder, ct);
            using var unpacked = new GZipStream(file, CompressionMode.Decompress);
            using var bounded = new BoundedStream(unpacked, MaxUnpackedBytes);
            return ReadStream(bounded, name[..^3], name, builder, ct);
        }
        catch (Exception e) when (e is InvalidDataException or JsonException)
        {
            var source = new DatabaseSource("unreadable", name) { Skipped = 1 };
            builder.AddSource(source);
            return source;
        }
    }

    private static DatabaseSource? ReadStream(Stream stream, string plainName, string name, AdvisoryDatabaseBuilder builder, CancellationToken ct)
    {
        if (plainName == "metadata.json" || plainName.EndsWith("/metadata.json", StringComparison.Ordinal))
            return null;
        return Path.GetExtension(plainName).ToLowerInvariant() switch
        {
            ".zip" => OsvImport.ReadArchive(stream, name, builder, ct),
            ".csv" => EpssImport.Read(stream, name, builder, ct),
            ".jsonl" or ".ndjson" => Lines(stream, name, builder, ct),
            ".json" => Json(stream, name, builder, ct),
            _ => null,
        };
    }

    private static DatabaseSource Lines(Stream stream, string name, AdvisoryDatabaseBuilder builder, CancellationToken ct)
    {
        DatabaseSource osv = new(OsvImport.Feed, name), constraints = new(ConstraintImport.Feed, name);
        using var reader = new StreamReader(stream, leaveOpen: true);
        while (reader.ReadLine() is { } line)
        {
            ct.ThrowIfCancellationRequested();
            if (line.Length is 0 or > MaxLine)
                continue;
            try
            {
                using var document = JsonDocument.Parse(line, JsonText.Options);
                if (JsonText.Member(document.RootElement, "package") is not null)
                    constraints = ConstraintImport.Take(constraints, document.RootElement, builder);
                else
                    osv = OsvImport.Take(osv, document.RootElement, builder);
            }
            catch (JsonException)
            {
                osv = osv with { Skipped = osv.Skipped + 1 };
            }
        }
        var source = constraints.Records > osv.Records ? constraints with { Skipped = constraints.Skipped + osv.Skipped } : osv with { Skipped = osv.Skipped + constraints.Skipped };
        builder.AddSource(source);
        return source;
    }

    /// <summary>Small documents are told apart by their members; what is larger can only be Debian's tracker.</summary>
    private static DatabaseSource Json(Stream stream, string name, AdvisoryDatabaseBuilder builder, CancellationToken ct)
    {
        var head = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int read; head.Length <= MaxSmallFileBytes && (read = stream.Read(buffer)) > 0;)
            head.Write(buffer, 0, read);
        head.Position = 0;
        if (head.Length > MaxSmallFileBytes)
        {
            using var whole = new ChainedStream(head, stream);
            return DebianTrackerImport.Read(whole, name, builder, ct);
        }
        using var document = JsonDocument.Parse(head, JsonText.Options);
        var root = document.RootElement;
        if (root.Items("vulnerabilities").Any(static v => v.Text("cveID").Length > 0))
            return Added(KevImport.Take(root, name, builder), builder);
        if (root.Items("packages").Any(static p => p.Object("pkg") is not null))
            return Added(AlpineSecdbImport.Take(root, name, builder, ct), builder);
        if (root.Text("id").Length > 0)
            return Added(OsvImport.Take(new DatabaseSource(OsvImport.Feed, name), root, builder), builder);
        head.Position = 0;
        return DebianTrackerImport.Read(head, name, builder, ct);
    }

    private static DatabaseSource Added(DatabaseSource source, AdvisoryDatabaseBuilder builder)
    {
        builder.AddSource(source);
        return source;
    }
}
