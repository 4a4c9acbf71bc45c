using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Berth.Server.Platform.Jose;
using Berth.Server.Platform.Settings;

namespace Berth.Server.Access;

/// <summary>
/// Berth's own tokens (Docker token specification, "Token Implementation"), signed with ES256. Two kinds: access tokens, which carry
/// what they grant, and refresh tokens, which the token service takes instead of a password. Both carry the stamp of the credentials
/// that bought them and end when those change.
/// </summary>
internal sealed class LocalTokens(AccessOptions options, RuntimeSettings settings, SigningKeys keys, TimeProvider time)
{
    private const string Issuer = "berth";
    private const string Access = "access";
    private const string Refresh = "refresh";
    private const string KindClaim = "berth_kind";
    private const string StampClaim = "berth_stamp";

    /// <summary>Longest life that an administrator can give access tokens while the server runs.</summary>
    internal static readonly TimeSpan MaxSetLifetime = TimeSpan.FromDays(30);

    /// <summary>Older clients expect a token to live at least this long.</summary>
    internal static readonly TimeSpan MinLifetime = TimeSpan.FromSeconds(60);

    /// <summary>How far the clocks of replicas may differ.</summary>
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);

    /// <summary>How long access tokens live: what the file says, else what an administrator has set.</summary>
    public async ValueTask<TimeSpan> AccessLifetimeAsync(CancellationToken ct)
    {
        var lifetime = options.TokenLifetime != new AccessOptions().TokenLifetime
            ? options.TokenLifetime
            : TimeSpan.FromMinutes(Math.Min((long)MaxSetLifetime.TotalMinutes, await settings.ReadAsync(RuntimeSettingTable.TokenExpiration, ct).ConfigureAwait(false)));
        return lifetime > MinLifetime ? lifetime : MinLifetime;
    }

    /// <summary>Signs an access token.</summary>
    /// <param name="owner">Whose; null for somebody without credentials.</param>
    /// <param name="grants">What it allows.</param>
    /// <param name="ct">Cancels.</param>
    public async ValueTask<IssuedToken> IssueAccessAsync(Caller? owner, IReadOnlyList<TokenGrant> grants, CancellationToken ct) =>
        await IssueAsync(Access, owner, await AccessLifetimeAsync(ct).ConfigureAwait(false), grants, ct).ConfigureAwait(false);

    /// <summary>Signs a refresh token.</summary>
    public async ValueTask<string> IssueRefreshAsync(Caller owner, CancellationToken ct) =>
        (await IssueAsync(Refresh, owner, options.RefreshTokenLifetime, grants: null, ct).ConfigureAwait(false)).Text;

    /// <summary>Checks an access token; null when it is malformed, wrong or expired.</summary>
    public ValueTask<LocalToken?> ReadAccessAsync(string token, CancellationToken ct) => ReadAsync(token, Access, ct);

    /// <summary>Checks a refresh token; null when it is malformed, wrong or expired.</summary>
    public ValueTask<LocalToken?> ReadRefreshAsync(string token, CancellationToken ct) => ReadAsync(token, Refresh, ct);

    /// <summary>Writes the public keys as a JSON Web Key set (RFC 7517 section 5).</summary>
    public async ValueTask WriteKeysAsync(IBufferWriter<byte> output, CancellationToken ct)
    {
        var ring = await keys.GetAsync(ct).ConfigureAwait(false);
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteStartArray("keys");
        foreach (var key in ring.Keys.Values)
        {
            json.WriteStartObject();
            json.WriteString("kty", "EC");
            json.WriteString("crv", "P-256");
            json.WriteString("x", Base64Url.EncodeToString(key.Public.X));
            json.WriteString("y", Base64Url.EncodeToString(key.Public.Y));
            json.WriteString("kid", key.Id);
            json.WriteString("use", "sig");
            json.WriteString("alg", "ES256");
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private async ValueTask<IssuedToken> IssueAsync(string kind, Caller? owner, TimeSpan lifetime, IReadOnlyList<TokenGrant>? grants, CancellationToken ct)
    {
        var key = await keys.ForSigningAsync(ct).ConfigureAwait(false);
        var now = time.GetUtcNow();
        var claims = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(claims))
        {
            json.WriteStartObject();
            json.WriteString("iss", Issuer);
            json.WriteString("sub", owner?.Id ?? "");
            json.WriteString("aud", options.Service);
            json.WriteNumber("exp", (now + lifetime).ToUnixTimeSeconds());
            json.WriteNumber("nbf", now.ToUnixTimeSeconds());
            json.WriteNumber("iat", now.ToUnixTimeSeconds());
            json.WriteString("jti", Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)));
            json.WriteString(KindClaim, kind);
            if (owner?.Stamp is { } stamp) json.WriteString(StampClaim, stamp);
            if (grants is not null) Grants.Write(json, grants);
            json.WriteEndObject();
        }
        return new IssuedToken(Jwt.Sign(key.Header, claims.WrittenSpan, key.Sign), now);
    }

    private async ValueTask<LocalToken?> ReadAsync(string token, string kind, CancellationToken ct)
    {
        if (!Jwt.TryParse(token, out var jwt) || jwt.KeyId is not { } id || jwt.Algorithm != "ES256") return null;
        if (await keys.FindAsync(id, ct).ConfigureAwait(false) is not { } key || !jwt.Verify(key.Verification, out var claims)) return null;
        if (Jwt.TextOf(claims, "iss") != Issuer || Jwt.TextOf(claims, KindClaim) != kind || !Jwt.HasAudience(claims, options.Service)) return null;
        var now = time.GetUtcNow();
        if (!Jwt.TryTimeOf(claims, "exp", out var expiresAt) || now >= expiresAt) return null;
        if (!Jwt.TryTimeOf(claims, "nbf", out var notBefore) || now < notBefore - Leeway) return null;
        if (Jwt.TextOf(claims, "sub") is not { } subject || !Grants.TryRead(claims, out var grants)) return null;
        return new LocalToken(subject, Jwt.TextOf(claims, StampClaim), grants, expiresAt);
    }
}

/// <summary>A verified token of ours.</summary>
/// <param name="Subject"><see cref="Caller.Id"/> of the owner; empty for somebody without credentials.</param>
/// <param name="Stamp">Stamp of the credentials that bought it; null without an owner.</param>
/// <param name="Grants">What it allows.</param>
/// <param name="ExpiresAt">When it ends.</param>
internal sealed record LocalToken(string Subject, string? Stamp, IReadOnlyList<TokenGrant> Grants, DateTimeOffset ExpiresAt);

/// <summary>A token that was signed just now.</summary>
/// <param name="Text">The token.</param>
/// <param name="IssuedAt">When.</param>
internal readonly record struct IssuedToken(string Text, DateTimeOffset IssuedAt);
