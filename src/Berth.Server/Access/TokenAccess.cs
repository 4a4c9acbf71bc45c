using System.Text.Json;
using Berth.Server.Platform.Jose;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Access;

/// <summary>
/// Bearer tokens of an outside token server (mode <c>token</c>): Docker Registry's <c>auth.token</c>. What a caller may do is what the
/// token grants. The signing key is found in this order: chain in the header (<c>x5c</c>), key in the header (<c>jwk</c>), key id (<c>kid</c>).
/// </summary>
internal sealed class TokenAccess : ICallerSource
{
    /// <summary>How far clocks may differ; the same as Docker Registry's.</summary>
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);

    private readonly ExternalTokenOptions _options;
    private readonly WatchedFile<CertificateBundle>? _bundle;
    private readonly WatchedFile<JsonWebKeySet>? _keySet;
    private readonly HashSet<string> _algorithms;
    private readonly BearerSignIn _bearers;
    private readonly BearerSignIn.Check _check;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>Reads the certificate bundle and the key set.</summary>
    /// <exception cref="InvalidOperationException">A setting is missing or no key is left to verify with; the message tells all.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file is malformed.</exception>
    public TokenAccess(AccessOptions options, BearerSignIn bearers, CredentialCache cache, TimeProvider time, ILogger<TokenAccess> log)
    {
        _options = options.Token;
        (_bearers, _check, _time, _log) = (bearers, (token, _) => new(Verify(token)), time, log);
        _algorithms = AlgorithmsOf(_options);
        CheckSettings(_options, _algorithms);
        if (_options.RootCertBundle is { Length: > 0 } bundle) _bundle = new(bundle, CertificateBundle.Parse, cache.Clear, time, log);
        if (_options.Jwks is { Length: > 0 } jwks) _keySet = new(jwks, JsonWebKeySet.Parse, cache.Clear, time, log);
        if (_bundle?.Current is null && _keySet!.Current.Keys.Count == 0)
            throw new InvalidOperationException($"access mode token needs a key to verify tokens with: {_options.Jwks} has none that is usable");
    }

    public ValueTask<SignInResult> SignInAsync(HttpContext context, CancellationToken ct)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        if (!Bearer.IsBearer(authorization)) return new ValueTask<SignInResult>(new SignInResult(Caller.Anonymous));
        // A key that was withdrawn ends the tokens that were verified with it.
        _ = _bundle?.Current;
        _ = _keySet?.Current;
        return _bearers.SignInAsync(authorization, _check, ct);
    }

    public ValueTask<RepositoryRights> RightsAsync(Caller caller, string repository, CancellationToken ct) => new(RepositoryRights.Plain(
        repository, IsGranted(caller, repository, RepositoryAction.Pull), IsGranted(caller, repository, RepositoryAction.Push),
        IsGranted(caller, repository, RepositoryAction.Delete)));

    public bool MayListCatalog(Caller caller) => caller.Grants is { } grants && Grants.AllowCatalog(grants);

    // As in Docker Registry: who may list sees all names, whatever else the token grants.
    public ValueTask<bool> MayListAsync(Caller caller, string repository, CancellationToken ct) => new(MayListCatalog(caller));

    public bool MayUseApi(Caller caller) => caller.Grants is not null;

    public string Challenge(HttpContext context, string scope, string? error)
    {
        var realm = _options.AutoRedirect ? RealmOf(context.Request) : _options.Realm!;
        return Bearer.Challenge(realm, _options.Service!, scope, error);
    }

    private static bool IsGranted(Caller caller, string repository, RepositoryAction action) => caller.Grants is { } grants && Grants.Allow(grants, repository, action);

    // https unless a proxy says otherwise, as Docker Registry does: it usually stands behind one that ends TLS.
    private string RealmOf(HttpRequest request)
    {
        var scheme = string.Equals(request.Headers["X-Forwarded-Proto"], "http", StringComparison.OrdinalIgnoreCase) ? "http" : "https";
        return $"{scheme}://{request.Host}/{_options.AutoRedirectPath.TrimStart('/')}";
    }

    private (Caller Caller, DateTimeOffset ExpiresAt)? Verify(string token)
    {
        if (!Jwt.TryParse(token, out var jwt)) return Refuse("it is malformed");
        if (!_algorithms.Contains(jwt.Algorithm)) return Refuse("its signature algorithm is not allowed");
        if (KeyFor(jwt) is not { } key) return Refuse("its key is not trusted");
        if (!jwt.Verify(key, out var claims)) return Refuse("its signature is wrong");
        if (Jwt.TextOf(claims, "iss") != _options.Issuer) return Refuse("its issuer is another");
        if (!Jwt.HasAudience(claims, _options.Service!)) return Refuse("its audience is another");
        if (!IsCurrent(claims, out var expiresAt)) return Refuse("it is expired or not yet valid");
        if (!Grants.TryRead(claims, out var grants)) return Refuse("its access claim is malformed");
        var subject = Jwt.TextOf(claims, "sub") ?? "";
        return (new Caller("token:" + subject, subject, isAdmin: false, grants), expiresAt);
    }

    private VerificationKey? KeyFor(Jwt jwt)
    {
        var now = _time.GetUtcNow();
        if (jwt.Header.TryGetProperty("x5c", out var chain)) return _bundle?.Current.KeyOf(chain, now);
        if (jwt.Header.TryGetProperty("jwk", out var jwk))
        {
            if (!VerificationKey.TryFrom(jwk, out var sent)) return null;
            var trusted = jwk.TryGetProperty("x5c", out var keyChain)
                ? _bundle?.Current.KeyOf(keyChain, now) is { } leaf ? [leaf] : []
                : Trusted();
            // The key itself must be a trusted one: an id can be claimed by anybody.
            return trusted.FirstOrDefault(k => k.Info.AsSpan().SequenceEqual(sent.Info));
        }
        if (jwt.KeyId is not { } id) return null;
        if (_keySet?.Current.Keys.GetValueOrDefault(id) is { } listed) return listed;
        return _bundle?.Current.Keys.GetValueOrDefault(id);
    }

    private IEnumerable<VerificationKey> Trusted() =>
        (_bundle?.Current.Keys.Values ?? Enumerable.Empty<VerificationKey>()).Concat(_keySet?.Current.Keys.Values ?? Enumerable.Empty<VerificationKey>());

    private bool IsCurrent(JsonElement claims, out DateTimeOffset expiresAt)
    {
        var now = _time.GetUtcNow();
        if (!Jwt.TryTimeOf(claims, "exp", out expiresAt) || now > expiresAt + Leeway) return false;
        if (!claims.TryGetProperty("nbf", out _)) return true;
        return Jwt.TryTimeOf(claims, "nbf", out var notBefore) && now >= notBefore - Leeway;
    }

    private (Caller Caller, DateTimeOffset ExpiresAt)? Refuse(string reason)
    {
        _log.TokenRefused(reason);
        return null;
    }

    private static HashSet<string> AlgorithmsOf(ExternalTokenOptions options) =>
        options.SigningAlgorithms.Count == 0
            ? [.. VerificationKey.Algorithms]
            : [.. VerificationKey.Algorithms.Intersect(options.SigningAlgorithms, StringComparer.Ordinal)];

    private static void CheckSettings(ExternalTokenOptions options, HashSet<string> algorithms)
    {
        var missing = new List<string>();
        if (string.IsNullOrEmpty(options.Realm) && !options.AutoRedirect) missing.Add("realm");
        if (string.IsNullOrEmpty(options.Service)) missing.Add("service");
        if (string.IsNullOrEmpty(options.Issuer)) missing.Add("issuer");
        if (string.IsNullOrEmpty(options.RootCertBundle) && string.IsNullOrEmpty(options.Jwks)) missing.Add("rootcertbundle or jwks");
        if (algorithms.Count == 0) missing.Add($"signingalgorithms with one of {string.Join(", ", VerificationKey.Algorithms)}");
        if (missing.Count > 0) throw new InvalidOperationException($"access mode token needs these settings: {string.Join("; ", missing)}");
    }
}

internal static partial class TokenAccessLog
{
    [LoggerMessage(2020, LogLevel.Information, "token refused: {Reason}")]
    public static partial void TokenRefused(this ILogger logger, string reason);
}
