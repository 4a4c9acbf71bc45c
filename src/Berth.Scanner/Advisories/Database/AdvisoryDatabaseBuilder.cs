using System.Text.Json;

namespace Berth.Scanner.Advisories.Database;

/// <summary>
/// Builds an advisory database file from any number of sources in bounded memory. The file stands under its name only when it is whole. Not for several threads.
/// </summary>
public sealed class AdvisoryDatabaseBuilder : IDisposable
{
    private const int SortMemoryBytes = 64 * 1024 * 1024;

    private readonly string _path;
    private readonly ExternalSort _sort;
    private readonly RecordWriter _record = new();
    private readonly Dictionary<(string, string), AdvisoryBucket> _buckets = [];
    private readonly List<DatabaseSource> _sources = [];

    /// <param name="path">File to write; its folder holds the temporary files too.</param>
    /// <param name="sortMemoryBytes">Memory for records before they go to a temporary file.</param>
    public AdvisoryDatabaseBuilder(string path, int sortMemoryBytes = SortMemoryBytes)
    {
        _path = path;
        _sort = new ExternalSort(path + ".sorting", sortMemoryBytes);
    }

    /// <summary>Names a bucket before or after its advisories; a later call replaces what was known.</summary>
    public void AddBucket(AdvisoryBucket bucket) => _buckets[(bucket.Name, bucket.Feed)] = bucket;

    /// <summary>Adds an advisory; one with the same bucket, feed, package and id is replaced. What cannot be a key is left out.</summary>
    public void Add(AdvisoryBucket bucket, string package, Advisory advisory)
    {
        if (package.Length == 0 || advisory.Id.Length == 0 || !DatabaseKeys.AreFit(bucket.Name, bucket.Feed, package, advisory.Id))
            return;
        _buckets.TryAdd((bucket.Name, bucket.Feed), bucket);
        _record.Clear();
        AdvisoryCodec.Write(_record, advisory);
        _sort.Add(DatabaseKeys.Advisory(bucket.Name, bucket.Feed, package, advisory.Id), _record.Written.Span);
    }

    public void Add(string feed, VulnerabilityDetail detail)
    {
        if (detail.Id.Length == 0 || !DatabaseKeys.AreFit(detail.Id, feed))
            return;
        _record.Clear();
        AdvisoryCodec.Write(_record, detail);
        _sort.Add(DatabaseKeys.Detail(detail.Id, feed), _record.Written.Span);
    }

    public void AddPrediction(string id, ExploitPrediction prediction)
    {
        if (!DatabaseKeys.AreFit(id))
            return;
        _record.Clear();
        _record.Fraction(prediction.Probability);
        _record.Fraction(prediction.Percentile);
        _sort.Add(DatabaseKeys.Prediction(id), _record.Written.Span);
    }

    public void AddExploitation(string id, KnownExploitation exploitation)
    {
        if (!DatabaseKeys.AreFit(id))
            return;
        _record.Clear();
        _record.Number(exploitation.Added.DayNumber);
        _record.Number(exploitation.Due?.DayNumber + 1 ?? 0);
        _record.Number(exploitation.IsRansomware ? 1 : 0);
        _sort.Add(DatabaseKeys.Exploitation(id), _record.Written.Span);
    }

    /// <summary>Adds the products (CPE indices) of a Red Hat content set (<c>repository</c>) or image (<c>nvr</c>).</summary>
    public void AddProducts(string map, string name, IReadOnlyList<int> products)
    {
        if (!DatabaseKeys.AreFit(map, name))
            return;
        _record.Clear();
        _record.Number(products.Count);
        foreach (var product in products)
            _record.Number(product);
        _sort.Add(DatabaseKeys.Products(map, name), _record.Written.Span);
    }

    public void AddSource(DatabaseSource source) => _sources.Add(source);

    /// <summary>Sorts and writes the file, durably, and gives it its name.</summary>
    public DatabaseMetadata Complete(DateTimeOffset builtAt, CancellationToken ct)
    {
        var part = _path + ".part";
        DatabaseMetadata metadata;
        using (var file = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 18))
        {
            var writer = new SortedTableWriter(file);
            long advisories = 0, details = 0, predictions = 0, exploitations = 0;
            _sort.Drain((key, value) =>
            {
                switch (key[0])
                {
                    case (byte)'A':
                        advisories++;
                        break;
                    case (byte)'V':
                        details++;
                        break;
                    case (byte)'E':
                        predictions++;
                        break;
                    case (byte)'K':
                        exploitations++;
                        break;
                }
                writer.Add(key, value);
            }, ct);
            metadata = new DatabaseMetadata
            {
                BuiltAt = builtAt,
                Sources = _sources,
                Buckets = [.. _buckets.Values.OrderBy(static b => b.Name, StringComparer.Ordinal).ThenBy(static b => b.Feed, StringComparer.Ordinal)],
                Advisories = advisories,
                Details = details,
                Predictions = predictions,
                KnownExploitations = exploitations,
            };
            writer.Complete(JsonSerializer.SerializeToUtf8Bytes(metadata, DatabaseMetadataJson.Default.DatabaseMetadata));
            file.Flush(flushToDisk: true);
        }
        File.Move(part, _path, overwrite: true);
        return metadata;
    }

    public void Dispose()
    {
        _sort.Dispose();
        File.Delete(_path + ".part");
    }
}
