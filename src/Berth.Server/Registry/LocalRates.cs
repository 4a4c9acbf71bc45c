using System.Collections.Concurrent;

namespace Berth.Server.Registry;

/// <summary>Counts in this process by the generic cell rate algorithm: one number a key.</summary>
internal sealed class LocalRates(TimeProvider time) : IRates
{
    private const int MaxKeys = 100_000;

    private readonly ConcurrentDictionary<RateKey, long> _earliest = new();

    public ValueTask<TimeSpan?> TakeAsync(RateKey key, Rate rate, CancellationToken ct) => new(Take(key, rate));

    /// <summary>Counts one; how long to wait when it is one too many, else null.</summary>
    public TimeSpan? Take(RateKey key, Rate rate)
    {
        var now = time.GetTimestamp();
        var ticks = (long)(time.TimestampFrequency * rate.Period.TotalSeconds);
        var step = Math.Max(1, ticks / rate.Count);
        // Forgetting everybody is a period of leniency, not a leak.
        if (_earliest.Count > MaxKeys) _earliest.Clear();
        while (true)
        {
            var known = _earliest.TryGetValue(key, out var earliest);
            var next = Math.Max(known ? earliest : now, now) + step;
            if (next - now > ticks + step / 2) return TimeSpan.FromSeconds((double)(next - now - ticks) / time.TimestampFrequency);
            if (known ? _earliest.TryUpdate(key, next, earliest) : _earliest.TryAdd(key, next)) return null;
        }
    }
}
