using System.Text.Json;
using Berth.Server.Platform.Jose;

namespace Berth.Server.Identity.Issuers;

/// <summary>What an issuer says about itself (OpenID Connect Discovery 1.0 section 3; RFC 8414).</summary>
public sealed record IssuerMetadata
{
    /// <summary>Path of the document below the issuer.</summary>
    public const string Path = "/.well-known/openid-configuration";

    /// <summary>Exactly what tokens must say in <c>iss</c>.</summary>
    public required string Issuer { get; init; }

    public required Uri KeysAddress { get; init; }

    public Uri? AuthorizationEndpoint { get; init; }

    public Uri? TokenEndpoint { get; init; }

    public Uri? UserInfoEndpoint { get; init; }

    public Uri? EndSessionEndpoint { get; init; }

    /// <summary>Whether answers to the browser name the issuer (RFC 9207).</summary>
    public bool NamesIssuerInAnswers { get; init; }

    /// <summary>How the token endpoint wants to be shown the client secret; empty when it does not say.</summary>
    public IReadOnlyList<string> TokenEndpointAuthMethods { get; init; } = [];

    /// <summary>Fetches and checks the document of an issuer.</summary>
    /// <exception cref="IssuerUnavailableException">It cannot be had, or it is another issuer's.</exception>
    public static async Task<IssuerMetadata> FetchAsync(string issuer, IssuerHttp http, CancellationToken ct)
    {
        if (!Uri.TryCreate(issuer.TrimEnd('/') + Path, UriKind.Absolute, out var address)) throw new IssuerUnavailableException($"the issuer \"{issuer}\" is no address");
        var json = await http.GetAsync(address, ct).ConfigureAwait(false);
        // Section 4.3: it must name the issuer that was asked. A slash at the end is forgiven; tokens must say exactly what stands here.
        if (Jwt.TextOf(json, "issuer") is not { } named || named.TrimEnd('/') != issuer.TrimEnd('/'))
            throw new IssuerUnavailableException($"{address} describes another issuer ({Jwt.TextOf(json, "issuer") ?? "none"}): configure exactly that name");
        return new IssuerMetadata
        {
            Issuer = named,
            KeysAddress = AddressOf(json, "jwks_uri") ?? throw new IssuerUnavailableException($"{address} names no key set (jwks_uri)"),
            AuthorizationEndpoint = AddressOf(json, "authorization_endpoint"),
            TokenEndpoint = AddressOf(json, "token_endpoint"),
            UserInfoEndpoint = AddressOf(json, "userinfo_endpoint"),
            EndSessionEndpoint = AddressOf(json, "end_session_endpoint"),
            NamesIssuerInAnswers = json.TryGetProperty("authorization_response_iss_parameter_supported", out var flag) && flag.ValueKind == JsonValueKind.True,
            TokenEndpointAuthMethods = json.TryGetProperty("token_endpoint_auth_methods_supported", out var methods) && methods.ValueKind == JsonValueKind.Array
                ? [.. methods.EnumerateArray().Where(m => m.ValueKind == JsonValueKind.String).Select(m => m.GetString()!)]
                : [],
        };
    }

    private static Uri? AddressOf(JsonElement json, string name) =>
        Jwt.TextOf(json, name) is { } text && Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http" && uri.UserInfo.Length == 0 ? uri : null;
}
