using Berth.Server.Identity.Issuers;
using Berth.Server.Platform.Secrets;

namespace Berth.Server.Identity.Oidc;

/// <summary>All providers of the settings, by name; the first one is meant where no name is given, as in Harbor's addresses.</summary>
internal sealed class OidcProviders : IDisposable
{
    private readonly Dictionary<string, OidcProvider> _providers = new(StringComparer.Ordinal);
    private readonly List<HttpClient> _clients = [];
    private readonly InstallationSecret _secret;
    private readonly TimeProvider _time;

    /// <summary>Prepares the providers; nothing is fetched.</summary>
    public OidcProviders(IReadOnlyList<OidcOptions> options, InstallationSecret secret, TimeProvider time)
    {
        (_secret, _time) = (secret, time);
        foreach (var provider in options)
        {
            var client = IssuerHttp.CreateClient(provider.VerifyCertificate, provider.CaPath);
            _clients.Add(client);
            _providers.Add(provider.Name, new OidcProvider(provider, new IssuerHttp(() => client, time), secret, time));
            First ??= _providers[provider.Name];
        }
        All = options;
    }

    /// <summary>Settings of all, in their order.</summary>
    public IReadOnlyList<OidcOptions> All { get; }

    /// <summary>The first of the settings; null when there is none.</summary>
    public OidcProvider? First { get; }

    /// <summary>The provider of a name; the first one for none.</summary>
    public OidcProvider? Find(string? name) => string.IsNullOrEmpty(name) ? First : _providers.GetValueOrDefault(name);

    /// <summary>Reads the cookie of a returning browser and finds its provider; null when the sign-in was not begun here, or too long ago.</summary>
    public (OidcProvider Provider, OidcSignInState State)? Recall(string state, string cookie) =>
        OidcSignInState.Open(cookie, state, _secret, _time) is { } opened && _providers.TryGetValue(opened.Provider, out var provider) ? (provider, opened) : null;

    /// <summary>Whether there is an OpenID provider at an address; else why not.</summary>
    public static async Task<string?> PingAsync(string issuer, IssuerHttp http, CancellationToken ct)
    {
        try
        {
            await IssuerMetadata.FetchAsync(issuer, http, ct).ConfigureAwait(false);
            return null;
        }
        catch (IssuerUnavailableException e)
        {
            return e.Message;
        }
    }

    public void Dispose()
    {
        foreach (var provider in _providers.Values) provider.Dispose();
        foreach (var client in _clients) client.Dispose();
    }
}
