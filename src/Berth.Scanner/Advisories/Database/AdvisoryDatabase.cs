using System.Text.Json;

namespace Berth.Scanner.Advisories.Database;

/// <summary>
/// A database of advisories, read-only, one immutable file. May be asked from many threads. A damaged or foreign file throws <see cref="InvalidDataException"/>.
/// </summary>
public sealed class AdvisoryDatabase : IDisposable
{
    private readonly SortedTable _table;
    private readonly Dictionary<string, AdvisoryBucket[]> _byName;

    private AdvisoryDatabase(SortedTable table, DatabaseMetadata metadata)
    {
        _table = table;
        Metadata = metadata;
        _byName = metadata.Buckets.GroupBy(static b => b.Name, StringComparer.Ordinal).ToDictionary(static g => g.Key, static g => g.ToArray(), StringComparer.Ordinal);
    }

    public DatabaseMetadata Metadata { get; }

    public static AdvisoryDatabase Open(string path)
    {
        var table = new SortedTable(path);
        try
        {
            var metadata = JsonSerializer.Deserialize(table.Metadata, DatabaseMetadataJson.Default.DatabaseMetadata)
                ?? throw new InvalidDataException("the advisory database has no metadata");
            return new AdvisoryDatabase(table, metadata);
        }
        catch (JsonException e)
        {
            table.Dispose();
            throw new InvalidDataException("the metadata of the advisory database cannot be read", e);
        }
    }

    public void Dispose() => _table.Dispose();

    /// <summary>The buckets of that very name, one for each feed that fills it.</summary>
    public IReadOnlyList<AdvisoryBucket> Buckets(string name) => _byName.GetValueOrDefault(name) ?? [];

    /// <summary>The buckets whose names begin so, in order.</summary>
    public IEnumerable<AdvisoryBucket> BucketsWithPrefix(string prefix) =>
        Metadata.Buckets.Where(b => b.Name.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>The advisories of a package, by id.</summary>
    public IEnumerable<Advisory> Advisories(AdvisoryBucket bucket, string package)
    {
        if (!DatabaseKeys.AreFit(package))
            yield break;
        var prefix = DatabaseKeys.Package(bucket, package);
        foreach (var (key, value) in _table.Scan(prefix))
            yield return AdvisoryCodec.Read(DatabaseKeys.Parts(key.Span)[^1], value.Span);
    }

    /// <summary>Everything in a bucket, by package and id.</summary>
    public IEnumerable<(string Package, Advisory Advisory)> Advisories(AdvisoryBucket bucket)
    {
        foreach (var (key, value) in _table.Scan(DatabaseKeys.Bucket(bucket)))
        {
            var parts = DatabaseKeys.Parts(key.Span);
            yield return (parts[2], AdvisoryCodec.Read(parts[3], value.Span));
        }
    }

    /// <summary>What the feed says about the flaw, else what any other says; null when none knows it.</summary>
    public VulnerabilityDetail? Detail(string id, string feed = "")
    {
        if (!DatabaseKeys.AreFit(id))
            return null;
        VulnerabilityDetail? other = null;
        foreach (var (key, value) in _table.Scan(DatabaseKeys.Details(id)))
        {
            var detail = AdvisoryCodec.ReadDetail(id, value.Span);
            if (DatabaseKeys.Parts(key.Span)[1] == feed)
                return detail;
            other ??= detail;
        }
        return other;
    }

    /// <summary>Probability of exploitation; null when unknown.</summary>
    public ExploitPrediction? Prediction(string id)
    {
        if (!DatabaseKeys.AreFit(id) || _table.Find(DatabaseKeys.Prediction(id)) is not { } value)
            return null;
        var reader = new RecordReader(value.Span);
        return new ExploitPrediction(reader.Fraction(), reader.Fraction());
    }

    /// <summary>The row of the list of exploited flaws; null when it is not on it.</summary>
    public KnownExploitation? Exploitation(string id)
    {
        if (!DatabaseKeys.AreFit(id) || _table.Find(DatabaseKeys.Exploitation(id)) is not { } value)
            return null;
        var reader = new RecordReader(value.Span);
        int added = reader.Number(), due = reader.Number(), ransomware = reader.Number();
        return new KnownExploitation(Day(added), due == 0 ? null : Day(due - 1), ransomware != 0);
    }

    /// <summary>The products of a Red Hat content set (<c>repository</c>) or image (<c>nvr</c>).</summary>
    public IReadOnlyList<int> Products(string map, string name)
    {
        if (!DatabaseKeys.AreFit(map, name) || _table.Find(DatabaseKeys.Products(map, name)) is not { } value)
            return [];
        var reader = new RecordReader(value.Span);
        var products = new int[reader.Count()];
        for (var i = 0; i < products.Length; i++)
            products[i] = reader.Number();
        return products;
    }

    /// <summary>Raw advisories and details in order, for comparing two databases.</summary>
    internal IEnumerable<(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value)> Raw(byte[] prefix) => _table.Scan(prefix);

    private static DateOnly Day(int number) => number <= DateOnly.MaxValue.DayNumber && number >= 0
        ? DateOnly.FromDayNumber(number)
        : throw new InvalidDataException("the advisory database holds a broken day");
}
