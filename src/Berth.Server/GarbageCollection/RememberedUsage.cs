using System.Collections.Concurrent;
using Berth.Server.Platform.Data;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// Sums over blobs for those who can do with some that are a little old: a million blobs take a second to add up, and the web pages ask often. Numbers of the registry
/// and of each project, each with when it was added up; the whole is forgotten when it grows beyond its limit.
/// </summary>
internal sealed class RememberedUsage(Database database, TimeProvider time)
{
    /// <summary>The oldest that may be asked for.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromHours(1);

    private const int MaxEntries = 10_000;
    private const long Registry = 0;

    private readonly ConcurrentDictionary<long, (StorageUsageJson Usage, long At)> _known = new();

    /// <summary>Of the whole registry.</summary>
    public ValueTask<StorageUsageJson> OfRegistryAsync(TimeSpan maxAge, CancellationToken ct) => GetAsync(Registry, maxAge, ct);

    /// <summary>Of a project.</summary>
    public ValueTask<StorageUsageJson> OfProjectAsync(long projectId, TimeSpan maxAge, CancellationToken ct) => GetAsync(projectId, maxAge, ct);

    private async ValueTask<StorageUsageJson> GetAsync(long id, TimeSpan maxAge, CancellationToken ct)
    {
        if (_known.TryGetValue(id, out var known) && time.GetElapsedTime(known.At) < maxAge) return known.Usage;
        var at = time.GetTimestamp();
        var usage = await database.ReadAsync(id, static (session, i, token) =>
            i == Registry ? StorageUsage.OfRegistryAsync(session, token) : StorageUsage.OfProjectAsync(session, i, token), ct).ConfigureAwait(false);
        if (_known.Count >= MaxEntries) _known.Clear();
        _known[id] = (usage, at);
        return usage;
    }
}
