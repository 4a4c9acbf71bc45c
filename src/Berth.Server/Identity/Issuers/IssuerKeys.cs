using Berth.Server.Platform.Jose;

namespace Berth.Server.Identity.Issuers;

/// <summary>
/// The key set of an issuer, kept for an hour. A token with an unknown key id makes it be fetched again, so that rotated keys work at
/// once, but not more often than every <see cref="LookAgainAfter"/>: anybody can send tokens with ids that do not exist. While the issuer
/// is down the keys that are known go on for a day.
/// </summary>
internal sealed class IssuerKeys(Func<CancellationToken, Task<JsonWebKeySet>> fetch, TimeProvider time) : IDisposable
{
    /// <summary>How long a set is used without asking again.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromHours(1);

    /// <summary>How long a set is used when the issuer cannot be asked.</summary>
    public static readonly TimeSpan UsableFor = TimeSpan.FromHours(24);

    /// <summary>Shortest time between two tries to fetch.</summary>
    public static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(10);

    private const int MaxKeysWithoutId = 8;

    private readonly SemaphoreSlim _fetching = new(1, 1);
    private volatile Known? _known;
    private long _triedAt;
    private string _failure = "";
    private bool _hasTried;

    /// <summary>A set that never changes: keys that were written down by hand.</summary>
    public static IssuerKeys Fixed(JsonWebKeySet keys, TimeProvider time) => new(_ => Task.FromResult(keys), time);

    /// <summary>The keys that a token may have been signed with: the one that it names, or all of a small set when it names none.</summary>
    /// <exception cref="IssuerUnavailableException">No keys are known and the issuer cannot be asked.</exception>
    public async ValueTask<IReadOnlyList<VerificationKey>> FindAsync(string? keyId, CancellationToken ct)
    {
        var known = _known;
        if (known is null || time.GetElapsedTime(known.FetchedAt) >= FreshFor) known = await RefreshAsync(known, ct).ConfigureAwait(false);
        if (keyId is null) return known.Keys.All.Count <= MaxKeysWithoutId ? known.Keys.All : [];
        if (known.Keys.Keys.TryGetValue(keyId, out var key)) return [key];
        known = await RefreshAsync(known, ct).ConfigureAwait(false);
        return known.Keys.Keys.TryGetValue(keyId, out key) ? [key] : [];
    }

    public void Dispose() => _fetching.Dispose();

    // The set after a try to fetch it, or the one that is known when it is too early for another try.
    private async ValueTask<Known> RefreshAsync(Known? seen, CancellationToken ct)
    {
        await _fetching.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            // Somebody else was faster.
            if (_known is { } known && known != seen) return known;
            if (!_hasTried || time.GetElapsedTime(_triedAt) >= LookAgainAfter) await TryAsync(ct).ConfigureAwait(false);
            return _known is { } now && time.GetElapsedTime(now.FetchedAt) < UsableFor ? now : throw new IssuerUnavailableException(_failure);
        }
        finally
        {
            _fetching.Release();
        }
    }

    private async Task TryAsync(CancellationToken ct)
    {
        try
        {
            var keys = await fetch(ct).ConfigureAwait(false);
            _known = new Known(keys, time.GetTimestamp());
        }
        catch (Exception e) when (e is IssuerUnavailableException or InvalidDataException)
        {
            _failure = e.Message;
        }
        // Not when the caller has left: that says nothing about the issuer.
        (_triedAt, _hasTried) = (time.GetTimestamp(), true);
    }

    private sealed record Known(JsonWebKeySet Keys, long FetchedAt);
}
