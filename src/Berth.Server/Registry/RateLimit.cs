using System.Collections.Concurrent;
using Berth.Server.Access;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Registry;

/// <summary>
/// At most so many requests a second for each caller, or for each address while nobody is signed in (generic cell rate algorithm:
/// one number a key). A second's worth may come at once.
/// </summary>
internal sealed class RateLimit(RegistryOptions options, TimeProvider time)
{
    private const int MaxKeys = 100_000;

    private readonly ConcurrentDictionary<string, long> _earliest = new();

    /// <summary>Counts a request; how long to wait when it is one too many, else null.</summary>
    public TimeSpan? Check(Caller caller, HttpContext context)
    {
        if (options.RequestsPerSecond <= 0) return null;
        var key = caller.IsAnonymous ? context.Connection.RemoteIpAddress?.ToString() ?? "" : caller.Id;
        var now = time.GetTimestamp();
        var step = time.TimestampFrequency / options.RequestsPerSecond;
        // Forgetting everybody is a second of leniency, not a leak.
        if (_earliest.Count > MaxKeys) _earliest.Clear();
        while (true)
        {
            var known = _earliest.TryGetValue(key, out var earliest);
            var next = Math.Max(known ? earliest : now, now) + step;
            if (next - now > time.TimestampFrequency + step) return TimeSpan.FromSeconds((double)(next - now - time.TimestampFrequency) / time.TimestampFrequency);
            if (known ? _earliest.TryUpdate(key, next, earliest) : _earliest.TryAdd(key, next)) return null;
        }
    }
}
