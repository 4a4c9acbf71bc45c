using System.Text;
using System.Text.Json;
using Berth.Scanner.Advisories.Database;

namespace Berth.Scanner.Advisories.Trivy;

/// <summary>
/// Takes over Trivy's database (schema 2): a bbolt file <c>trivy.db</c> with a <c>metadata.json</c> beside it. Values that are no JSON are left out and counted.
/// </summary>
public static class TrivyDatabaseImport
{
    /// <summary>Feed of what comes from here.</summary>
    public const string Feed = "trivy";

    private const int SupportedSchema = 2;
    private const string RedHatProducts = "Red Hat CPE";

    /// <summary>Reads the bbolt file and, when there is one, the content of metadata.json; <paramref name="name"/> names the source in the new database.</summary>
    public static DatabaseSource Read(
        string databasePath, ReadOnlyMemory<byte>? metadata, string name, AdvisoryDatabaseBuilder builder, CancellationToken ct)
    {
        var source = new DatabaseSource(Feed, name);
        if (metadata is { } json)
            source = WithMetadata(source, json);
        var reading = new Reading(builder);
        using (var file = new BoltFile(databasePath))
        {
            foreach (var bucket in file.Root())
            {
                ct.ThrowIfCancellationRequested();
                if (bucket.IsBucket)
                    reading.Take(file, bucket, ct);
            }
        }
        source = source with { Records = reading.Records, Skipped = reading.Skipped };
        builder.AddSource(source);
        return source;
    }

    private static DatabaseSource WithMetadata(DatabaseSource source, ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, JsonText.Options);
            var schema = document.RootElement.Number("Version");
            if (schema != SupportedSchema)
                throw new InvalidDataException($"Trivy's database has schema {schema}, this program reads schema {SupportedSchema}");
            return source with { UpdatedAt = document.RootElement.Time("UpdatedAt"), NextUpdate = document.RootElement.Time("NextUpdate") };
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("the metadata of Trivy's database cannot be read", e);
        }
    }

    private sealed class Reading(AdvisoryDatabaseBuilder builder)
    {
        private readonly Dictionary<string, AdvisoryBucket> _buckets = new(StringComparer.Ordinal);

        public long Records { get; private set; }

        public long Skipped { get; private set; }

        public void Take(BoltFile file, BoltFile.Pair pair, CancellationToken ct)
        {
            var name = Text(pair.Key);
            switch (name)
            {
                case "vulnerability":
                    Each(file, pair, (id, json) => builder.Add(Feed, TrivyJson.Detail(id, json)), ct);
                    break;
                case "data-source":
                    Each(file, pair, (bucket, json) => builder.AddBucket(_buckets[bucket] = TrivyJson.Bucket(new AdvisoryBucket(bucket, Feed), json)), ct);
                    break;
                case RedHatProducts:
                    foreach (var map in file.Walk(pair.Value).Where(static p => p.IsBucket))
                    {
                        var mapName = Text(map.Key);
                        if (mapName is "repository" or "nvr")
                            Each(file, map, (key, json) => builder.AddProducts(mapName, key, TrivyJson.Products(json)), ct);
                    }
                    break;
                default:
                    Packages(file, pair, name, ct);
                    break;
            }
        }

        private void Packages(BoltFile file, BoltFile.Pair pair, string name, CancellationToken ct)
        {
            if (!_buckets.TryGetValue(name, out var bucket))
                bucket = new AdvisoryBucket(name, Feed);
            foreach (var package in file.Walk(pair.Value))
            {
                if (!package.IsBucket)
                    continue;
                var packageName = Text(package.Key);
                Each(file, package, (id, json) => builder.Add(bucket, packageName, TrivyJson.Advisory(id, json)), ct);
            }
        }

        private void Each(BoltFile file, BoltFile.Pair bucket, Action<string, JsonElement> take, CancellationToken ct)
        {
            foreach (var pair in file.Walk(bucket.Value))
            {
                ct.ThrowIfCancellationRequested();
                if (pair.IsBucket)
                    continue;
                try
                {
                    using var document = JsonDocument.Parse(pair.Value, JsonText.Options);
                    take(Text(pair.Key), document.RootElement);
                    Records++;
                }
                catch (JsonException)
                {
                    Skipped++;
                }
            }
        }

        private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
    }
}
