using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace Berth.Server.Platform.Jose;

/// <summary>
/// A JSON Web Token in compact form (RFC 7519, RFC 7515 section 3.1), taken apart and not yet verified. The claims are given out by
/// <see cref="Verify"/> only.
/// </summary>
internal sealed class Jwt
{
    /// <summary>Longest token that is looked at, in characters; Kestrel's limit for all headers is twice as much.</summary>
    public const int MaxLength = 16 * 1024;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    private readonly byte[] _signedPart;
    private readonly byte[] _signature;
    private readonly JsonElement _claims;

    private Jwt(JsonElement header, JsonElement claims, byte[] signedPart, byte[] signature)
    {
        Header = header;
        Algorithm = TextOf(header, "alg") ?? "";
        KeyId = TextOf(header, "kid");
        _claims = claims;
        _signedPart = signedPart;
        _signature = signature;
    }

    /// <summary>The JOSE header.</summary>
    public JsonElement Header { get; }

    /// <summary>Signature algorithm; empty when the header names none.</summary>
    public string Algorithm { get; }

    /// <summary>Key id, or null.</summary>
    public string? KeyId { get; }

    /// <summary>
    /// Who the token says has issued it, not yet verified: good for nothing but choosing whose keys to verify it with. Null when it says nothing.
    /// </summary>
    public string? ClaimedIssuer => TextOf(_claims, "iss");

    /// <summary>Takes a token apart; false when it is malformed.</summary>
    public static bool TryParse(string token, [NotNullWhen(true)] out Jwt? jwt)
    {
        jwt = null;
        if (token.Length > MaxLength) return false;
        var first = token.IndexOf('.', StringComparison.Ordinal);
        var last = token.LastIndexOf('.');
        if (first <= 0 || last == first || token.AsSpan(first + 1, last - first - 1).Contains('.')) return false;
        if (!TryReadJson(token.AsSpan(0, first), out var header)) return false;
        if (!TryReadJson(token.AsSpan(first + 1, last - first - 1), out var claims)) return false;
        if (!TryDecode(token.AsSpan(last + 1), out var signature) || signature.Length == 0) return false;
        // RFC 7515 section 4.1.11: an extension that must be understood and is not makes the token invalid.
        if (header.TryGetProperty("crit", out _)) return false;
        jwt = new Jwt(header, claims, Encoding.ASCII.GetBytes(token[..last]), signature);
        return true;
    }

    /// <summary>Checks the signature; the claims when it is right.</summary>
    public bool Verify(VerificationKey key, out JsonElement claims)
    {
        claims = _claims;
        return key.Verify(Algorithm, _signedPart, _signature);
    }

    /// <summary>Puts a token together.</summary>
    /// <param name="header">The JOSE header as JSON; names the algorithm of <paramref name="sign"/>.</param>
    /// <param name="claims">The claims as JSON.</param>
    /// <param name="sign">Signs the bytes of the first two parts.</param>
    public static string Sign(ReadOnlySpan<byte> header, ReadOnlySpan<byte> claims, Func<byte[], byte[]> sign)
    {
        var signedPart = $"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(claims)}";
        return $"{signedPart}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signedPart)))}";
    }

    /// <summary>A text claim, or null when it is missing or of another kind.</summary>
    public static string? TextOf(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A NumericDate claim (RFC 7519 section 2); false when there is none or it is no time.</summary>
    public static bool TryTimeOf(JsonElement claims, string name, out DateTimeOffset at)
    {
        at = default;
        if (!claims.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.Number) return false;
        if (!value.TryGetDouble(out var seconds) || !(seconds >= 0 && seconds < 253_402_300_799)) return false;
        at = DateTimeOffset.UnixEpoch + TimeSpan.FromSeconds(seconds);
        return true;
    }

    /// <summary>Whether the audience, one text or a list, holds a name.</summary>
    public static bool HasAudience(JsonElement claims, string audience)
    {
        if (!claims.TryGetProperty("aud", out var value)) return false;
        if (value.ValueKind == JsonValueKind.String) return value.GetString() == audience;
        return value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().Any(a => a.ValueKind == JsonValueKind.String && a.GetString() == audience);
    }

    private static bool TryReadJson(ReadOnlySpan<char> part, out JsonElement json)
    {
        json = default;
        if (!TryDecode(part, out var bytes)) return false;
        try
        {
            using var document = JsonDocument.Parse(bytes, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return false;
            json = document.RootElement.Clone();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool TryDecode(ReadOnlySpan<char> part, out byte[] bytes)
    {
        bytes = [];
        if (!Base64Url.IsValid(part, out var length) || part.IndexOfAny(" \t\r\n=") >= 0) return false;
        bytes = new byte[length];
        return Base64Url.TryDecodeFromChars(part, bytes, out _);
    }
}
