using Berth.Server.Identity.Issuers;
using Berth.Server.Platform.Secrets;

namespace Berth.Server.Identity.Oidc;

/// <summary>All providers of the settings, by name; the first one is meant where no name is given, as in Harbor's addresses.</summary>
internal sealed class OidcProviders : IDisposable
{
    private readonly InstallationSecret _secret;
    private readonly TimeProvider _time;
    private volatile Known _known;

    /// <summary>Prepares the providers; nothing is fetched.</summary>
    /// <param name="options">Validated settings.</param>
    /// <param name="secret">Seals what browsers carry.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="IOException">Authorities to trust cannot be read.</exception>
    public OidcProviders(IReadOnlyList<OidcOptions> options, InstallationSecret secret, TimeProvider time)
    {
        (_secret, _time) = (secret, time);
        _known = Known.Of(options, secret, time);
    }

    /// <summary>Settings of all, in their order.</summary>
    public IReadOnlyList<OidcOptions> All => _known.Options;

    /// <summary>Takes other settings; sign-ins that are under way end with the ones they began with, if their provider is still there.</summary>
    public void Replace(IReadOnlyList<OidcOptions> options) => _known = Known.Of(options, _secret, _time);

    /// <summary>The provider of a name; the first one for none; null when there is no such provider.</summary>
    public OidcProvider? Find(string? name)
    {
        var known = _known;
        return string.IsNullOrEmpty(name) ? known.First : known.ByName.GetValueOrDefault(name);
    }

    /// <summary>Reads the cookie of a returning browser and finds its provider; null when the sign-in was not begun here, or too long ago.</summary>
    public (OidcProvider Provider, OidcSignInState State)? Recall(string state, string cookie) =>
        OidcSignInState.Open(cookie, state, _secret, _time) is { } opened && _known.ByName.TryGetValue(opened.Provider, out var provider) ? (provider, opened) : null;

    /// <summary>Whether there is an OpenID provider at an address: null, or why not.</summary>
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

    public void Dispose() => _known.Dispose();

    private sealed record Known(IReadOnlyList<OidcOptions> Options, Dictionary<string, OidcProvider> ByName, IReadOnlyList<HttpClient> Clients) : IDisposable
    {
        public OidcProvider? First => Options.Count > 0 ? ByName[Options[0].Name] : null;

        public static Known Of(IReadOnlyList<OidcOptions> options, InstallationSecret secret, TimeProvider time)
        {
            var providers = new Dictionary<string, OidcProvider>(StringComparer.Ordinal);
            var clients = new List<HttpClient>();
            foreach (var provider in options)
            {
                var client = IssuerHttp.CreateClient(provider.VerifyCertificate, provider.CaPath);
                clients.Add(client);
                providers.Add(provider.Name, new OidcProvider(provider, new IssuerHttp(() => client, time), secret, time));
            }
            return new Known(options, providers, clients);
        }

        public void Dispose()
        {
            foreach (var provider in ByName.Values) provider.Dispose();
            foreach (var client in Clients) client.Dispose();
        }
    }
}
