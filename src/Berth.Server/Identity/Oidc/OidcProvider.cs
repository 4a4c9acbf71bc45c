using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Berth.Server.Identity.Issuers;
using Berth.Server.Platform.Jose;
using Berth.Server.Platform.Secrets;

namespace Berth.Server.Identity.Oidc;

/// <summary>
/// The authorization code flow with one provider (OpenID Connect Core 1.0 section 3.1, PKCE by RFC 7636):
/// 1. send the browser there; 2. take its answer; 3. exchange the code; 4. check the id token; 5. ask what it does not tell.
/// </summary>
internal sealed class OidcProvider : IDisposable
{
    private readonly Issuer _issuer;
    private readonly IssuerHttp _http;
    private readonly InstallationSecret _secret;
    private readonly TimeProvider _time;
    private readonly OidcClaims _claims;

    /// <summary>Prepares a provider; nothing is fetched.</summary>
    /// <param name="options">Validated settings (<see cref="OidcRules"/>).</param>
    /// <param name="http">Requests to the provider.</param>
    /// <param name="secret">Seals the cookie.</param>
    /// <param name="time">The clock.</param>
    public OidcProvider(OidcOptions options, IssuerHttp http, InstallationSecret secret, TimeProvider time)
    {
        (Options, _http, _secret, _time) = (options, http, secret, time);
        _issuer = new Issuer(options.Issuer, http, time);
        _claims = new OidcClaims(options);
    }

    /// <summary>The settings.</summary>
    public OidcOptions Options { get; }

    /// <summary>Where to send the browser, and the cookie that it must bring back.</summary>
    /// <param name="redirectUri">Where the provider sends it back: the whole address of the callback.</param>
    /// <param name="returnPath">Where it wants to go in the end; must be a path of this server already.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="IssuerUnavailableException">The provider cannot be reached.</exception>
    public async Task<OidcRedirect> BeginAsync(string redirectUri, string returnPath, CancellationToken ct)
    {
        // 1.
        var metadata = await _issuer.GetMetadataAsync(ct).ConfigureAwait(false);
        var endpoint = metadata.AuthorizationEndpoint ?? throw new IssuerUnavailableException($"{metadata.Issuer} names no authorization endpoint");
        var state = OidcSignInState.Create(Options.Name, redirectUri, returnPath, _time);
        var parameters = new List<KeyValuePair<string, string>>
        {
            new("response_type", "code"),
            new("client_id", Options.ClientId),
            new("redirect_uri", redirectUri),
            new("scope", string.Join(' ', Options.Scopes.Prepend("openid").Distinct(StringComparer.Ordinal))),
            new("state", state.State),
            new("nonce", state.Nonce),
            new("code_challenge", state.Challenge()),
            new("code_challenge_method", "S256"),
        };
        parameters.AddRange(Options.ExtraRedirectParameters);
        return new OidcRedirect(WithQuery(endpoint, parameters), OidcSignInState.CookieOf(state.State), state.Seal(_secret));
    }

    /// <summary>Takes the browser's return.</summary>
    /// <param name="state">The state that its cookie holds.</param>
    /// <param name="answer">What the provider has put into the address.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<OidcSignIn> CompleteAsync(OidcSignInState state, OidcAnswer answer, CancellationToken ct)
    {
        try
        {
            // 2.
            var metadata = await _issuer.GetMetadataAsync(ct).ConfigureAwait(false);
            // RFC 9207: an answer that another provider has given is not ours.
            if (answer.Issuer is { } named ? named != metadata.Issuer : metadata.NamesIssuerInAnswers) return new OidcSignIn.Refused("the answer came from another provider");
            if (answer.Error is { Length: > 0 } error) return new OidcSignIn.Refused($"the provider refused the sign-in: {Clean(error)}{(answer.ErrorDescription is { Length: > 0 } d ? $" ({Clean(d)})" : "")}");
            if (answer.Code is not { Length: > 0 } code) return new OidcSignIn.Refused("the provider sent no code");
            // 3.
            var (status, tokens) = await ExchangeAsync(metadata, state, code, ct).ConfigureAwait(false);
            if (Jwt.TextOf(tokens, "id_token") is not { } token)
                return new OidcSignIn.Refused($"the provider gave no token for the code: {Clean(Jwt.TextOf(tokens, "error") ?? $"status {status}")}");
            // 4.
            var verdict = await _issuer.VerifyAsync(token, new TokenDemands(Options.ClientId, IsIdToken: true, state.Nonce), ct).ConfigureAwait(false);
            if (!verdict.IsAccepted) return new OidcSignIn.Refused($"the id token is not accepted: {verdict.Problem}");
            // 5.
            JsonElement? more = null;
            if (_claims.NeedsMore(verdict.Claims) && metadata.UserInfoEndpoint is { } userInfo && Jwt.TextOf(tokens, "access_token") is { } accessToken)
            {
                more = await _http.GetAsync(userInfo, accessToken, ct).ConfigureAwait(false);
                // Section 5.3.2: the two must be about the same person.
                if (Jwt.TextOf(more.Value, "sub") != Jwt.TextOf(verdict.Claims, "sub")) return new OidcSignIn.Refused("the userinfo answer is about somebody else");
            }
            return new OidcSignIn.Accepted(_claims.PersonOf(metadata.Issuer, token, verdict.Claims, more), state.ReturnPath);
        }
        catch (IssuerUnavailableException e)
        {
            return new OidcSignIn.Unavailable(e.Message);
        }
    }

    /// <summary>Where to send a browser to sign out at the provider too (OpenID Connect RP-Initiated Logout 1.0); null when there is no such place.</summary>
    public async Task<Uri?> LogoutAsync(string idToken, string postLogoutRedirectUri, CancellationToken ct)
    {
        if (!Options.Logout) return null;
        try
        {
            var metadata = await _issuer.GetMetadataAsync(ct).ConfigureAwait(false);
            return metadata.EndSessionEndpoint is not { } endpoint ? null : WithQuery(endpoint, [
                new("id_token_hint", idToken), new("client_id", Options.ClientId), new("post_logout_redirect_uri", postLogoutRedirectUri)]);
        }
        catch (IssuerUnavailableException)
        {
            // Signing out here must work when the provider is down.
            return null;
        }
    }

    public void Dispose() => _issuer.Dispose();

    private async Task<(int Status, JsonElement Tokens)> ExchangeAsync(IssuerMetadata metadata, OidcSignInState state, string code, CancellationToken ct)
    {
        var endpoint = metadata.TokenEndpoint ?? throw new IssuerUnavailableException($"{metadata.Issuer} names no token endpoint");
        var form = new List<KeyValuePair<string, string>>
        {
            new("grant_type", "authorization_code"), new("code", code), new("redirect_uri", state.RedirectUri), new("code_verifier", state.Verifier),
        };
        AuthenticationHeaderValue? authorization = null;
        if (Options.ClientSecret is not { Length: > 0 } secret)
        {
            form.Add(new("client_id", Options.ClientId));
        }
        else if (metadata.TokenEndpointAuthMethods.Contains("client_secret_post") && !metadata.TokenEndpointAuthMethods.Contains("client_secret_basic"))
        {
            form.Add(new("client_id", Options.ClientId));
            form.Add(new("client_secret", secret));
        }
        else
        {
            // RFC 6749 section 2.3.1: both are form-encoded before they are joined.
            authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{FormEncode(Options.ClientId)}:{FormEncode(secret)}")));
        }
        return await _http.PostAsync(endpoint, form, authorization, ct).ConfigureAwait(false);
    }

    private static string FormEncode(string text) => Uri.EscapeDataString(text).Replace("%20", "+", StringComparison.Ordinal);

    private static Uri WithQuery(Uri endpoint, IEnumerable<KeyValuePair<string, string>> parameters)
    {
        var query = string.Join('&', parameters.Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}"));
        return new UriBuilder(endpoint) { Query = endpoint.Query.Length > 1 ? $"{endpoint.Query[1..]}&{query}" : query }.Uri;
    }

    // Somebody else's words in our answers and logs: short, and without control characters.
    private static string Clean(string text) => new([.. text.Where(c => !char.IsControl(c)).Take(200)]);
}

/// <summary>Where a browser is sent to sign in.</summary>
/// <param name="Location">Address at the provider.</param>
/// <param name="CookieName">Name of the cookie to set.</param>
/// <param name="CookieValue">Its sealed value.</param>
internal sealed record OidcRedirect(Uri Location, string CookieName, string CookieValue);

/// <summary>What a provider has put into the address that the browser returns to (RFC 6749 section 4.1.2, RFC 9207).</summary>
internal sealed record OidcAnswer(string? Code, string? Issuer, string? Error, string? ErrorDescription);
