using Berth.Server.Platform.Jose;

namespace Berth.Server.Identity.Issuers;

/// <summary>
/// One issuer that is trusted: its document (kept for an hour, for a day while it cannot be reached) and its keys.
/// </summary>
public sealed class Issuer : IDisposable
{
    private static readonly TimeSpan FreshFor = TimeSpan.FromHours(1);
    private static readonly TimeSpan UsableFor = TimeSpan.FromHours(24);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(10);

    private readonly IssuerHttp _http;
    private readonly TimeProvider _time;
    private readonly IssuerKeys _keys;
    private readonly SemaphoreSlim _fetching = new(1, 1);
    private volatile Known? _known;
    private Failure? _failure;

    /// <summary>Prepares an issuer; nothing is fetched.</summary>
    public Issuer(string name, IssuerHttp http, TimeProvider time)
    {
        (Name, _http, _time) = (name, http, time);
        _keys = new IssuerKeys(FetchKeysAsync, time);
    }

    /// <summary>The configured name.</summary>
    public string Name { get; }

    /// <summary>The document.</summary>
    /// <exception cref="IssuerUnavailableException">It cannot be had.</exception>
    public async ValueTask<IssuerMetadata> GetMetadataAsync(CancellationToken ct)
    {
        if (_known is { } known && _time.GetElapsedTime(known.At) < FreshFor) return known.Metadata;
        await _fetching.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_known is { } now && _time.GetElapsedTime(now.At) < FreshFor) return now.Metadata;
            if (_failure is null || _time.GetElapsedTime(_failure.At) >= LookAgainAfter) await TryAsync(ct).ConfigureAwait(false);
            if (_known is { } usable && _time.GetElapsedTime(usable.At) < UsableFor) return usable.Metadata;
            throw new IssuerUnavailableException(_failure?.Message ?? $"the issuer {Name} cannot be reached");
        }
        finally
        {
            _fetching.Release();
        }
    }

    /// <summary>Checks a token of this issuer.</summary>
    /// <exception cref="IssuerUnavailableException">The issuer cannot be asked for its keys.</exception>
    internal async Task<TokenVerdict> VerifyAsync(string token, TokenDemands demands, CancellationToken ct) =>
        await TokenChecks.VerifyAsync(token, (await GetMetadataAsync(ct).ConfigureAwait(false)).Issuer, demands, _keys, _time, ct).ConfigureAwait(false);

    public void Dispose()
    {
        _keys.Dispose();
        _fetching.Dispose();
    }

    private async Task TryAsync(CancellationToken ct)
    {
        try
        {
            _known = new Known(await IssuerMetadata.FetchAsync(Name, _http, ct).ConfigureAwait(false), _time.GetTimestamp());
            _failure = null;
        }
        catch (IssuerUnavailableException e)
        {
            _failure = new Failure(e.Message, _time.GetTimestamp());
        }
    }

    private async Task<JsonWebKeySet> FetchKeysAsync(CancellationToken ct)
    {
        var metadata = await GetMetadataAsync(ct).ConfigureAwait(false);
        return JsonWebKeySet.Parse(await _http.GetBytesAsync(metadata.KeysAddress, null, ct).ConfigureAwait(false));
    }

    private sealed record Known(IssuerMetadata Metadata, long At);

    private sealed record Failure(string Message, long At);
}
