using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Berth.Server.Access;

/// <summary>
/// A map that never grows past a bound: it keeps two generations, and when the younger is full the older one is dropped.
/// Lookups take no lock. An entry may be forgotten early, so it must be something that can be found out again.
/// </summary>
internal sealed class RecentMap<TKey, TValue>(int maxEntries)
    where TKey : notnull
{
    private readonly Lock _turn = new();
    private volatile Generation _young = new();
    private volatile Generation _old = new();

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value) =>
        _young.Entries.TryGetValue(key, out value) || _old.Entries.TryGetValue(key, out value);

    public void Set(TKey key, TValue value)
    {
        var young = _young;
        if (young.Entries.TryAdd(key, value))
        {
            if (Interlocked.Increment(ref young.Count) >= maxEntries / 2) Turn(young);
        }
        else
        {
            young.Entries[key] = value;
        }
    }

    public void Remove(TKey key)
    {
        // The old one first: a reader that misses the young one must not find an older value behind it.
        _old.Entries.TryRemove(key, out _);
        var young = _young;
        if (young.Entries.TryRemove(key, out _)) Interlocked.Decrement(ref young.Count);
    }

    public void RemoveWhere(Func<TValue, bool> isGone)
    {
        foreach (var generation in (ReadOnlySpan<Generation>)[_old, _young])
        {
            foreach (var (key, value) in generation.Entries)
            {
                if (isGone(value) && generation.Entries.TryRemove(key, out _)) Interlocked.Decrement(ref generation.Count);
            }
        }
    }

    public void Clear()
    {
        lock (_turn)
        {
            _old = new Generation();
            _young = new Generation();
        }
    }

    private void Turn(Generation full)
    {
        lock (_turn)
        {
            if (_young != full) return;
            _old = full;
            _young = new Generation();
        }
    }

    private sealed class Generation
    {
        public readonly ConcurrentDictionary<TKey, TValue> Entries = new();
        public int Count;
    }
}
