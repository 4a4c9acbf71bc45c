using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Berth.Server.Platform.Data;

namespace Berth.Server.Access;

/// <summary>
/// Remembers verified credentials for a short time, so that a repeated request costs no password hash, no signature check and no query.
/// What is kept is an HMAC-SHA256 of the whole <c>Authorization</c> value under a key of this process: memory holds no password or token.
/// </summary>
internal sealed class CredentialCache : IDisposable
{
    private const int MaxEntries = 20_000;
    private const int MaxStackBytes = 2048;

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly RecentMap<Fingerprint, Remembered> _entries = new(MaxEntries);
    private readonly ThreadLocal<IncrementalHash?> _hash = new();
    private readonly AccessOptions _options;
    private readonly AccessCounters _counters;
    private readonly TimeProvider _time;
    private readonly Announcements _announcements;
    private int _epoch;

    public CredentialCache(AccessOptions options, AccessCounters counters, TimeProvider time, Announcements announcements)
    {
        (_options, _counters, _time, _announcements) = (options, counters, time, announcements);
        announcements.Subscribe(Topics.Credentials, key =>
        {
            if (string.IsNullOrEmpty(key)) Clear();
            else Forget(key);
        });
    }

    /// <summary>
    /// Changes whenever something was forgotten on purpose. Read it before verifying and hand it to <see cref="Remember"/>: a password
    /// that is changed while the old one is being verified must not come back.
    /// </summary>
    public int Epoch => Volatile.Read(ref _epoch);

    /// <summary>Who the credentials belong to, or null when they must be verified.</summary>
    public Caller? Find(string authorization)
    {
        var fingerprint = FingerprintOf(authorization);
        if (!_announcements.MayBelieve || !_entries.TryGet(fingerprint, out var remembered)) return null;
        var now = _time.GetTimestamp();
        // While the database cannot be asked, credentials that have not ended themselves are believed for longer.
        if (now >= remembered.Deadline && (now >= remembered.End || !_announcements.Outage.MayBelieve(remembered.Deadline))) return null;
        _counters.CountRemembered();
        return remembered.Caller;
    }

    /// <summary>Keeps verified credentials.</summary>
    /// <param name="authorization">The header's value.</param>
    /// <param name="caller">Who it is.</param>
    /// <param name="expiresAt">When the credentials themselves end; null for a password.</param>
    /// <param name="epoch"><see cref="Epoch"/> from before the verification.</param>
    public void Remember(string authorization, Caller caller, DateTimeOffset? expiresAt, int epoch)
    {
        var lifetime = _options.CredentialCacheTime;
        if (expiresAt is { } end && end - _time.GetUtcNow() is var rest && rest < lifetime) lifetime = rest;
        if (lifetime <= TimeSpan.Zero) return;
        var now = _time.GetTimestamp();
        var deadline = now + TicksOf(lifetime);
        var hardEnd = expiresAt is { } last && last - _time.GetUtcNow() is var untilEnd && untilEnd < _announcements.Outage.BelieveFor + lifetime ? now + TicksOf(untilEnd) : long.MaxValue;
        var fingerprint = FingerprintOf(authorization);
        _entries.Set(fingerprint, new Remembered(caller, deadline, hardEnd));
        // Forgetting raises the epoch first and sweeps then: either its sweep sees the entry, or this sees the new epoch.
        Interlocked.MemoryBarrier();
        if (epoch != Epoch) _entries.Remove(fingerprint);
    }

    /// <summary>Forgets all credentials of one caller, other credentials of the same account (<c>user:5</c>, <c>robot:7</c>) too.</summary>
    public void Forget(string callerId)
    {
        Interlocked.Increment(ref _epoch);
        _entries.RemoveWhere(r => r.Caller.Id == callerId || AccountOf(r.Caller) == callerId);
    }

    private static string AccountOf(Caller caller) => caller.Kind == CallerKind.Robot ? $"robot:{caller.SubjectId}" : $"user:{caller.SubjectId}";

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Interlocked.Increment(ref _epoch);
        _entries.Clear();
    }

    public void Dispose() => _hash.Dispose();

    [SkipLocalsInit]
    private Fingerprint FingerprintOf(string authorization)
    {
        // Setting up a keyed hash costs more than running it: each thread keeps one.
        var hash = _hash.Value ??= IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        Span<byte> stack = stackalloc byte[MaxStackBytes];
        if (Encoding.UTF8.TryGetBytes(authorization, stack, out var length)) hash.AppendData(stack[..length]);
        else hash.AppendData(Encoding.UTF8.GetBytes(authorization));
        Unsafe.SkipInit(out Fingerprint fingerprint);
        hash.GetHashAndReset(MemoryMarshal.AsBytes(new Span<Fingerprint>(ref fingerprint)));
        return fingerprint;
    }

    private readonly record struct Fingerprint(ulong A, ulong B, ulong C, ulong D) : IEquatable<Fingerprint>
    {
        // The value is uniform already.
        public override int GetHashCode() => (int)A;

        public bool Equals(Fingerprint other) => A == other.A && B == other.B && C == other.C && D == other.D;
    }

    private long TicksOf(TimeSpan time) => (long)(time.TotalSeconds * _time.TimestampFrequency);

    /// <param name="Caller">Whose they are.</param>
    /// <param name="Deadline">When they must be verified again.</param>
    /// <param name="End">When they end themselves.</param>
    private sealed record Remembered(Caller Caller, long Deadline, long End);
}
