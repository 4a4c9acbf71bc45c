using System.Text;
using Berth.Server.Platform.Jose;

namespace Berth.Server.Scanning.Scanners;

/// <summary>How Berth proves to a scanner who asks: Harbor's words, and <c>PSK</c> for Clair's signed tokens.</summary>
internal static class ScannerAuth
{
    public const string None = "";
    public const string Basic = "Basic";
    public const string Bearer = "Bearer";
    public const string ApiKey = "X-ScannerAdapter-API-Key";

    /// <summary>Clair v4's pre-shared key: a token of its own for each request, signed with HS256. The credential is <c>ISSUER:KEY</c>, the key in base64.</summary>
    public const string PreSharedKey = "PSK";

    private static readonly TimeSpan s_tokenLifetime = TimeSpan.FromMinutes(5);

    /// <summary>Harbor's word, whatever the case; null when it is none.</summary>
    public static string? WordOf(string? auth) => auth?.ToUpperInvariant() switch
    {
        null or "" or "NONE" => None,
        "BASIC" => Basic,
        "BEARER" => Bearer,
        "X-SCANNERADAPTER-API-KEY" => ApiKey,
        "PSK" => PreSharedKey,
        _ => null,
    };

    /// <summary>Why a credential cannot be used; null when it can.</summary>
    public static string? ProblemOf(string auth, string credential) => auth switch
    {
        None => null,
        _ when credential.Length == 0 => $"the authentication {auth} needs an access_credential",
        _ when credential.Length > ScannerRules.MaxCredentialLength || credential.AsSpan().ContainsAny('\r', '\n', '\0') => "the access_credential is no value of a header",
        Basic when credential.IndexOf(':', StringComparison.Ordinal) <= 0 => "the access_credential of Basic is USER:PASSWORD",
        PreSharedKey when !TryReadKey(credential, out _, out _) => "the access_credential of PSK is ISSUER:KEY, the key in base64 as in Clair's configuration",
        _ => null,
    };

    /// <summary>Puts the proof on a request.</summary>
    public static void Apply(HttpRequestMessage request, string auth, string credential, DateTimeOffset now)
    {
        switch (auth)
        {
            case Basic:
                request.Headers.TryAddWithoutValidation("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(credential)));
                break;
            case Bearer:
                request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + credential);
                break;
            case ApiKey:
                request.Headers.TryAddWithoutValidation(ApiKey, credential);
                break;
            case PreSharedKey:
                request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + SignedToken(credential, now));
                break;
        }
    }

    /// <summary>A token as Clair v4 checks it ("psk" in its configuration): issuer, times, HS256.</summary>
    private static string SignedToken(string credential, DateTimeOffset now)
    {
        if (!TryReadKey(credential, out var issuer, out var key)) throw new InvalidOperationException("a stored credential of the kind PSK is malformed");
        var claims = new System.Buffers.ArrayBufferWriter<byte>(128);
        using (var json = new System.Text.Json.Utf8JsonWriter(claims))
        {
            json.WriteStartObject();
            json.WriteString("iss", issuer);
            json.WriteNumber("iat", now.ToUnixTimeSeconds());
            json.WriteNumber("nbf", now.ToUnixTimeSeconds());
            json.WriteNumber("exp", (now + s_tokenLifetime).ToUnixTimeSeconds());
            json.WriteEndObject();
        }
        return Jwt.Sign("""{"alg":"HS256","typ":"JWT"}"""u8, claims.WrittenSpan, signed => System.Security.Cryptography.HMACSHA256.HashData(key, signed));
    }

    private static bool TryReadKey(string credential, out string issuer, out byte[] key)
    {
        var colon = credential.IndexOf(':', StringComparison.Ordinal);
        (issuer, key) = (colon > 0 ? credential[..colon] : "", new byte[credential.Length]);
        if (colon <= 0 || !Convert.TryFromBase64String(credential[(colon + 1)..], key, out var length) || length == 0) return false;
        key = key[..length];
        return true;
    }
}
