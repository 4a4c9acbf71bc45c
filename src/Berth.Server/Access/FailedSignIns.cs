using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Berth.Server.Access;

/// <summary>
/// Slows down guessing. Failures are counted for the name and for the address (IPv6: the /64 network) and leak away, one a minute.
/// After <see cref="AccessOptions.FailuresBeforeDelay"/> each failing answer waits twice as long as the one before; where that passes
/// <see cref="AccessOptions.MaxFailureDelay"/>, further tries are turned away unread until the wait is over.
/// </summary>
/// <remarks>
/// Somebody who keeps failing with another's name must not lock the owner out: an address that has signed in with the name before
/// is turned away only when both counters say so.
/// </remarks>
internal sealed class FailedSignIns(AccessOptions options, TimeProvider time)
{
    private const int MaxEntries = 20_000;
    private const double MaxFailures = 64;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ForgetOneEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly RecentMap<string, Failures> _names = new(MaxEntries);
    private readonly RecentMap<UInt128, Failures> _addresses = new(MaxEntries);
    private readonly RecentMap<(string Name, UInt128 Address), bool> _trusted = new(MaxEntries);

    /// <summary>How long a try must wait before it is read at all; null when it may go on.</summary>
    public TimeSpan? Blocked(string name, IPAddress? address)
    {
        lock (_lock)
        {
            var byName = WaitOf(_names.TryGet(name, out var n) ? n : null);
            var network = NetworkOf(address);
            var byAddress = network is { } known && _addresses.TryGet(known, out var a) ? WaitOf(a) : TimeSpan.Zero;
            if (byName == TimeSpan.Zero && byAddress == TimeSpan.Zero) return null;
            var isTrusted = network is { } from && _trusted.TryGet((name, from), out _);
            if (isTrusted && (byName == TimeSpan.Zero || byAddress == TimeSpan.Zero)) return null;
            return byName > byAddress ? byName : byAddress;
        }
    }

    /// <summary>Counts a failure, for the address only when no name could be read; the time that the answer must be held back.</summary>
    public TimeSpan Failed(string? name, IPAddress? address)
    {
        lock (_lock)
        {
            var count = name is null ? 0 : Count(_names, name);
            if (NetworkOf(address) is { } network) count = Math.Max(count, Count(_addresses, network));
            var delay = DelayAfter(count);
            return delay < options.MaxFailureDelay ? delay : options.MaxFailureDelay;
        }
    }

    /// <summary>Forgets the failures of a name, whose owner has come.</summary>
    public void Succeeded(string name, IPAddress? address)
    {
        lock (_lock)
        {
            _names.Remove(name);
            if (NetworkOf(address) is { } network) _trusted.Set((name, network), true);
        }
    }

    private double Count<TKey>(RecentMap<TKey, Failures> map, TKey key)
        where TKey : notnull
    {
        var now = time.GetTimestamp();
        var count = Math.Min(MaxFailures, 1 + (map.TryGet(key, out var before) ? Left(before, now) : 0));
        map.Set(key, new Failures(count, now));
        return count;
    }

    private double Left(Failures failures, long now) =>
        Math.Max(0, failures.Count - (time.GetElapsedTime(failures.At, now) / ForgetOneEvery));

    private TimeSpan WaitOf(Failures? failures)
    {
        if (failures is null) return TimeSpan.Zero;
        var delay = DelayAfter(failures.Count);
        if (delay <= options.MaxFailureDelay) return TimeSpan.Zero;
        var rest = (delay < MaxWait ? delay : MaxWait) - time.GetElapsedTime(failures.At);
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }

    private TimeSpan DelayAfter(double count)
    {
        var over = (int)Math.Ceiling(count) - options.FailuresBeforeDelay;
        return over <= 0 ? TimeSpan.Zero : FirstDelay * Math.Pow(2, Math.Min(over - 1, 20));
    }

    /// <summary>The address, or the /64 network of an IPv6 address, as a number; null when there is none.</summary>
    internal static UInt128? NetworkOf(IPAddress? address)
    {
        if (address is null) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out _)) return null;
        return address.AddressFamily == AddressFamily.InterNetwork
            ? BinaryPrimitives.ReadUInt32BigEndian(bytes)
            : new UInt128(BinaryPrimitives.ReadUInt64BigEndian(bytes), ulong.MaxValue);
    }

    private sealed record Failures(double Count, long At);
}
