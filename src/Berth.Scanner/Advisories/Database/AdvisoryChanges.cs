namespace Berth.Scanner.Advisories.Database;

/// <summary>What became of an advisory between two databases.</summary>
public enum AdvisoryChangeKind
{
    Added,
    Changed,
    Removed,
}

/// <summary>One advisory that differs between two databases.</summary>
/// <param name="Kind">What became of it.</param>
/// <param name="Bucket">Bucket in the newer database, or in the older one when it was removed.</param>
/// <param name="Package">Name as the bucket writes it.</param>
/// <param name="Advisory">The newer text, or the older one when it was removed.</param>
public sealed record AdvisoryChange(AdvisoryChangeKind Kind, AdvisoryBucket Bucket, string Package, Advisory Advisory);

/// <summary>Compares two databases in one pass over both, so that only what changed has to be judged again.</summary>
public static class AdvisoryChanges
{
    /// <summary>Advisories that differ, in the order of bucket, package and id. A null older database means that all are new.</summary>
    public static IEnumerable<AdvisoryChange> Between(AdvisoryDatabase? older, AdvisoryDatabase newer)
    {
        foreach (var (key, before, after) in Differences(older, newer, DatabaseKeys.AllAdvisories))
        {
            var parts = DatabaseKeys.Parts(key.Span);
            var (database, value, kind) = after is { } now
                ? (newer, now, before is null ? AdvisoryChangeKind.Added : AdvisoryChangeKind.Changed)
                : (older!, before!.Value, AdvisoryChangeKind.Removed);
            var bucket = database.Buckets(parts[0]).FirstOrDefault(b => b.Feed == parts[1]) ?? new AdvisoryBucket(parts[0], parts[1]);
            yield return new AdvisoryChange(kind, bucket, parts[2], AdvisoryCodec.Read(parts[3], value.Span));
        }
    }

    /// <summary>Ids of the flaws whose details (severity, CVSS, text …) differ.</summary>
    public static IEnumerable<string> Details(AdvisoryDatabase? older, AdvisoryDatabase newer)
    {
        var last = "";
        foreach (var (key, _, _) in Differences(older, newer, DatabaseKeys.AllDetails))
        {
            var id = DatabaseKeys.Parts(key.Span)[0];
            if (id != last)
                yield return id;
            last = id;
        }
    }

    /// <summary>
    /// Ids of the flaws of a database that have one of the others as another name: a flaw without a severity of its own has that of its other names. Reads all details, about a second for 300,000.
    /// </summary>
    public static IEnumerable<string> Namesakes(AdvisoryDatabase database, IReadOnlySet<string> changed)
    {
        if (changed.Count == 0) yield break;
        foreach (var (key, value) in database.Raw(DatabaseKeys.AllDetails))
        {
            var id = DatabaseKeys.Parts(key.Span)[0];
            if (!changed.Contains(id) && AdvisoryCodec.ReadDetail(id, value.Span).Aliases.Any(changed.Contains)) yield return id;
        }
    }

    /// <summary>Whether Red Hat's content sets or images stand for other products: then every package of Red Hat may be judged otherwise.</summary>
    public static bool HaveOtherProducts(AdvisoryDatabase? older, AdvisoryDatabase newer) => Differences(older, newer, DatabaseKeys.AllProducts).Any();

    private static IEnumerable<(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte>? Before, ReadOnlyMemory<byte>? After)> Differences(
        AdvisoryDatabase? older, AdvisoryDatabase newer, byte[] prefix)
    {
        using var left = (older?.Raw(prefix) ?? []).GetEnumerator();
        using var right = newer.Raw(prefix).GetEnumerator();
        bool leftHas = left.MoveNext(), rightHas = right.MoveNext();
        while (leftHas || rightHas)
        {
            var order = !leftHas ? 1 : !rightHas ? -1 : left.Current.Key.Span.SequenceCompareTo(right.Current.Key.Span);
            if (order < 0)
                yield return (left.Current.Key, left.Current.Value, null);
            else if (order > 0)
                yield return (right.Current.Key, null, right.Current.Value);
            else if (!left.Current.Value.Span.SequenceEqual(right.Current.Value.Span))
                yield return (right.Current.Key, left.Current.Value, right.Current.Value);
            if (order <= 0)
                leftHas = left.MoveNext();
            if (order >= 0)
                rightHas = right.MoveNext();
        }
    }
}
