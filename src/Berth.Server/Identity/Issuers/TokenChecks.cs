using System.Text.Json;
using Berth.Server.Platform.Jose;

namespace Berth.Server.Identity.Issuers;

/// <summary>
/// Whether a token of somebody else is to be believed: 1. form and algorithm; 2. signature; 3. issuer and audience; 4. times;
/// 5. nonce. The claims are given out only when all of it holds (RFC 8725; OpenID Connect Core 1.0 section 3.1.3.7).
/// </summary>
internal static class TokenChecks
{
    /// <summary>How far clocks may differ.</summary>
    public static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);

    /// <summary>Checks a token.</summary>
    /// <exception cref="IssuerUnavailableException">The keys cannot be had.</exception>
    public static async Task<TokenVerdict> VerifyAsync(string token, string issuer, TokenDemands demands, IssuerKeys keys, TimeProvider time, CancellationToken ct)
    {
        // 1. Every algorithm of the list is asymmetric, and a key works with its own only: neither "none" nor a public key as a shared secret.
        if (!Jwt.TryParse(token, out var jwt)) return TokenVerdict.Refused("it is malformed");
        if (!VerificationKey.Algorithms.Contains(jwt.Algorithm)) return TokenVerdict.Refused($"its signature algorithm \"{jwt.Algorithm}\" is not accepted");
        if (jwt.ClaimedIssuer != issuer) return TokenVerdict.Refused("its issuer is another");
        // 2.
        var claims = default(JsonElement);
        var candidates = await keys.FindAsync(jwt.KeyId, ct).ConfigureAwait(false);
        if (candidates.Count == 0) return TokenVerdict.Refused("the issuer has no key of its id");
        if (!candidates.Any(key => jwt.Verify(key, out claims))) return TokenVerdict.Refused("its signature is wrong");
        // 3. to 5.
        return ProblemOf(claims, issuer, demands, time.GetUtcNow(), out var expiresAt) is { } problem
            ? TokenVerdict.Refused(problem)
            : new TokenVerdict(claims, expiresAt, null);
    }

    private static string? ProblemOf(JsonElement claims, string issuer, TokenDemands demands, DateTimeOffset now, out DateTimeOffset expiresAt)
    {
        expiresAt = default;
        if (Jwt.TextOf(claims, "iss") != issuer) return "its issuer is another";
        if (string.IsNullOrEmpty(Jwt.TextOf(claims, "sub"))) return "it names no subject";
        if (!Jwt.HasAudience(claims, demands.Audience)) return "it is meant for another audience";
        if (demands.IsIdToken && AuthorizedPartyProblem(claims, demands.Audience) is { } problem) return problem;
        if (!Jwt.TryTimeOf(claims, "exp", out expiresAt)) return "it does not say when it expires";
        if (now >= expiresAt + Leeway) return "it is expired";
        if (claims.TryGetProperty("nbf", out _) && (!Jwt.TryTimeOf(claims, "nbf", out var notBefore) || now < notBefore - Leeway)) return "it is not yet valid";
        var hasIssuedAt = claims.TryGetProperty("iat", out _);
        if (hasIssuedAt && (!Jwt.TryTimeOf(claims, "iat", out var issuedAt) || now < issuedAt - Leeway)) return "it was issued in the future";
        if (!demands.IsIdToken) return null;
        if (!hasIssuedAt) return "it does not say when it was issued";
        return demands.Nonce is { } nonce && Jwt.TextOf(claims, "nonce") == nonce ? null : "it answers another sign-in (nonce)";
    }

    // Section 3.1.3.7, steps 4 and 5.
    private static string? AuthorizedPartyProblem(JsonElement claims, string clientId)
    {
        var party = Jwt.TextOf(claims, "azp");
        if (party is not null) return party == clientId ? null : "it was given to another client (azp)";
        return claims.GetProperty("aud") is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 1 ? "it has several audiences and names no client (azp)" : null;
    }
}

/// <summary>What a token must say.</summary>
/// <param name="Audience">Who it must be meant for.</param>
/// <param name="IsIdToken">It is an answer to a sign-in of ours: client, time of issue and nonce count too.</param>
/// <param name="Nonce">The nonce of that sign-in; an id token without one is refused.</param>
internal sealed record TokenDemands(string Audience, bool IsIdToken = false, string? Nonce = null);

/// <summary>The claims of a token that is to be believed, or why it is not.</summary>
/// <param name="Claims">Undefined when refused.</param>
/// <param name="ExpiresAt">When it ends.</param>
/// <param name="Problem">Why it is refused; for logs and for the machine that sent it, it holds nothing secret.</param>
internal readonly record struct TokenVerdict(JsonElement Claims, DateTimeOffset ExpiresAt, string? Problem)
{
    public bool IsAccepted => Problem is null;

    public static TokenVerdict Refused(string problem) => new(default, default, problem);
}
