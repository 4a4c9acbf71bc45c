using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Platform.Secrets;

namespace Berth.Server.Identity.Oidc;

/// <summary>
/// What Berth must remember between sending a browser to a provider and its return. The browser carries it, encrypted and signed, in a
/// cookie that lives ten minutes: no replica keeps anything, and nobody can begin millions of sign-ins to fill a table.
/// </summary>
internal sealed record OidcSignInState
{
    /// <summary>How long a person has to sign in at the provider.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private const string Purpose = "oidc-sign-in";
    private const string CookiePrefix = "berth-oidc-";
    private const int MaxCookieLength = 4096;

    public required string Provider { get; init; }

    /// <summary>Binds the answer to this browser.</summary>
    public required string State { get; init; }

    /// <summary>Binds the id token to this sign-in.</summary>
    public required string Nonce { get; init; }

    /// <summary>The secret half of PKCE (RFC 7636).</summary>
    public required string Verifier { get; init; }

    /// <summary>Where the provider sends the browser; the token request must repeat it.</summary>
    public required string RedirectUri { get; init; }

    /// <summary>Where the browser goes in the end: a path of this server.</summary>
    public required string ReturnPath { get; init; }

    /// <summary>Unix milliseconds.</summary>
    public required long ExpiresAt { get; init; }

    /// <summary>A sign-in that begins now.</summary>
    public static OidcSignInState Create(string provider, string redirectUri, string returnPath, TimeProvider time) => new()
    {
        Provider = provider,
        State = Secret(),
        Nonce = Secret(),
        Verifier = Secret(),
        RedirectUri = redirectUri,
        ReturnPath = returnPath,
        ExpiresAt = (time.GetUtcNow() + Lifetime).ToUnixTimeMilliseconds(),
    };

    /// <summary>Name of the cookie of a state; each sign-in has its own, so that two tabs do not disturb each other.</summary>
    public static string CookieOf(string state) =>
        CookiePrefix + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(state)).AsSpan(0, 9));

    /// <summary>The challenge for the verifier (RFC 7636 section 4.2, S256).</summary>
    public string Challenge() => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    /// <summary>The value of the cookie.</summary>
    public string Seal(InstallationSecret secret) =>
        Base64Url.EncodeToString(secret.Encrypt(JsonSerializer.SerializeToUtf8Bytes(this, OidcStateJson.Default.OidcSignInState), Purpose));

    /// <summary>Reads a cookie; null when it is not ours, not of this state, or too old.</summary>
    public static OidcSignInState? Open(string cookie, string state, InstallationSecret secret, TimeProvider time)
    {
        if (cookie.Length > MaxCookieLength || !Base64Url.IsValid(cookie)) return null;
        if (!secret.TryDecrypt(Base64Url.DecodeFromChars(cookie), Purpose, out var json)) return null;
        var opened = JsonSerializer.Deserialize(json, OidcStateJson.Default.OidcSignInState);
        if (opened is null || time.GetUtcNow().ToUnixTimeMilliseconds() >= opened.ExpiresAt) return null;
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(opened.State), Encoding.UTF8.GetBytes(state)) ? opened : null;
    }

    // 256 random bits: RFC 7636 section 4.1 asks for as many.
    private static string Secret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}

[JsonSerializable(typeof(OidcSignInState))]
internal sealed partial class OidcStateJson : JsonSerializerContext;
