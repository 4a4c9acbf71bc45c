using System.IO.Compression;
using System.Text.Json;
using Berth.Scanner.Advisories.Database;

namespace Berth.Scanner.Advisories.Osv;

/// <summary>Takes over advisories in the form of OSV: archives (<c>ECOSYSTEM/all.zip</c>: one JSON file an advisory) or single documents.</summary>
public static class OsvImport
{
    /// <summary>Feed of what comes from here.</summary>
    public const string Feed = "osv";

    private const int MaxEntries = 2_000_000;
    private const long MaxDocumentBytes = 64 * 1024 * 1024;

    /// <summary>Name of the bucket of an ecosystem.</summary>
    public static string BucketOf(string ecosystem) => "osv::" + ecosystem;

    /// <summary>Reads a zip archive; entries that are no advisory are left out and counted.</summary>
    public static DatabaseSource ReadArchive(Stream archive, string name, AdvisoryDatabaseBuilder builder, CancellationToken ct)
    {
        using var zip = new ZipArchive(archive, ZipArchiveMode.Read, leaveOpen: true);
        if (zip.Entries.Count > MaxEntries)
            throw new InvalidDataException($"the archive has more than {MaxEntries} entries");
        var source = new DatabaseSource(Feed, name);
        foreach (var entry in zip.Entries)
        {
            ct.ThrowIfCancellationRequested();
            if (!entry.FullName.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
                continue;
            try
            {
                using var stream = entry.Open();
                using var bounded = new BoundedStream(stream, MaxDocumentBytes);
                using var document = JsonDocument.Parse(bounded, JsonText.Options);
                source = Take(source, document.RootElement, builder);
            }
            catch (Exception e) when (e is JsonException or InvalidDataException)
            {
                source = source with { Skipped = source.Skipped + 1 };
            }
        }
        builder.AddSource(source);
        return source;
    }

    /// <summary>Adds one document; answers the source with its counts and its newest date raised.</summary>
    internal static DatabaseSource Take(DatabaseSource source, JsonElement json, AdvisoryDatabaseBuilder builder)
    {
        if (OsvDocument.Parse(json) is not { } document)
            return source with { Skipped = source.Skipped + 1 };
        foreach (var affected in document.Affected)
        {
            var (id, name) = OsvEcosystems.SourceOf(document.Detail.Id);
            var bucket = new AdvisoryBucket(BucketOf(affected.Ecosystem), Feed)
            {
                SourceId = OsvEcosystems.IsDistribution(affected.Ecosystem) ? id : "osv",
                SourceName = OsvEcosystems.IsDistribution(affected.Ecosystem) ? name : "Open Source Vulnerabilities",
                SourceUrl = "https://osv.dev",
            };
            builder.Add(bucket, affected.Package, affected.Advisory);
        }
        if (document.Affected.Count > 0)
            builder.Add(Feed, document.Detail);
        var modified = document.Detail.Modified;
        return source with
        {
            Records = source.Records + 1,
            UpdatedAt = source.UpdatedAt is null || modified > source.UpdatedAt ? modified ?? source.UpdatedAt : source.UpdatedAt,
        };
    }
}
