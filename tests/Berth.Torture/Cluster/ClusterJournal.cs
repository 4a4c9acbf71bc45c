using System.Collections.Concurrent;

namespace Berth.Torture.Cluster;

/// <summary>What a run has seen: how much was acknowledged, what was wrong, and when reads may be old.</summary>
public sealed class ClusterJournal(TimeProvider time)
{
    private const int MostFindings = 40;
    private static readonly TimeSpan s_reconnecting = TimeSpan.FromSeconds(12);

    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _findings = new();
    private readonly ConcurrentQueue<string> _events = new();
    private readonly long _started = time.GetTimestamp();
    private int _databaseTroubles;
    private DateTimeOffset _databaseTroubleEnds;

    public DateTimeOffset Now => time.GetUtcNow();

    public IReadOnlyCollection<string> Findings => _findings;

    /// <summary>Faults as they began, and findings, each with its time.</summary>
    public IReadOnlyCollection<string> Events => _events;

    /// <summary>While a replica has lost the database, and until all have surely heard of what they missed, pulls may tell of an earlier time (database.outageReads).</summary>
    public bool ReadsMayBeOld => Volatile.Read(ref _databaseTroubles) > 0 || Now < _databaseTroubleEnds;

    public void BeginDatabaseTrouble() => Interlocked.Increment(ref _databaseTroubles);

    public void EndDatabaseTrouble()
    {
        _databaseTroubleEnds = Now + s_reconnecting;
        Interlocked.Decrement(ref _databaseTroubles);
    }

    public void Count(string what) => _counts.AddOrUpdate(what, 1, static (_, n) => n + 1);

    public int CountOf(string what) => _counts.GetValueOrDefault(what);

    public void Note(string what) => _events.Enqueue($"{time.GetElapsedTime(_started).TotalSeconds,6:F1} s  {what}");

    /// <summary>Something that must not be.</summary>
    public void Found(string what)
    {
        Note("FOUND " + what);
        if (_findings.Count < MostFindings) _findings.Enqueue(what);
    }

    public string Summary() => string.Join(", ", _counts.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Value} {c.Key}"));
}
