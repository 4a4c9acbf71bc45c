using System.Collections.Concurrent;
using System.Text;
using Berth.Server.Identity.Issuers;
using Berth.Server.Platform.Jose;

namespace Berth.Server.Identity.Federation;

/// <summary>
/// Which trust a token of an outside issuer stands for: 1. the trusts of the issuer that it names; 2. the signature by the keys that the
/// trust says, and audience and times; 3. the claims. One trust that holds is enough.
/// </summary>
/// <remarks>
/// Issuers and addresses of keys come from the management API, not from the operator: the client factory must keep requests
/// away from networks that are not theirs to ask.
/// </remarks>
public sealed class MachineTokens(Func<HttpClient> client, TimeProvider time) : IDisposable
{
    private const int MaxIssuers = 1000;
    private const int MaxTrusts = 200;

    private readonly IssuerHttp _http = new(client, time);
    private readonly ConcurrentDictionary<string, KeySource> _sources = new(StringComparer.Ordinal);

    /// <summary>The issuer that a password says it is a token of; null when it is no token at all.</summary>
    public static string? IssuerOf(string password) => Jwt.TryParse(password, out var jwt) ? jwt.ClaimedIssuer : null;

    /// <summary>Finds the trust that a token meets.</summary>
    /// <param name="token">The token.</param>
    /// <param name="trusts">Trusts of its issuer (<see cref="IssuerOf"/>).</param>
    /// <param name="ct">Cancels.</param>
    public async Task<MachineSignIn> SignInAsync(string token, IReadOnlyList<MachineTrust> trusts, CancellationToken ct)
    {
        var problem = "nobody trusts its issuer";
        var unavailable = (string?)null;
        // 1.
        if (IssuerOf(token) is not { } issuer) return new MachineSignIn.Refused("it is malformed");
        foreach (var trust in trusts.Where(t => t.Issuer == issuer).Take(MaxTrusts))
        {
            if (trust.ExpiresAt is { } end && time.GetUtcNow().ToUnixTimeMilliseconds() >= end)
            {
                problem = "the trust in its issuer has expired";
                continue;
            }
            try
            {
                // 2.
                var verdict = await VerifyAsync(token, trust, ct).ConfigureAwait(false);
                if (!verdict.IsAccepted)
                {
                    problem = verdict.Problem!;
                    continue;
                }
                // 3.
                if (ClaimRules.Parse(trust.Claims).FirstMismatch(verdict.Claims) is not { } claim)
                    return new MachineSignIn.Accepted(trust, Jwt.TextOf(verdict.Claims, "sub")!, verdict.ExpiresAt);
                problem = $"its claim \"{claim}\" does not match";
            }
            catch (Exception e) when (e is IssuerUnavailableException or InvalidDataException)
            {
                unavailable = e.Message;
            }
        }
        return unavailable is null ? new MachineSignIn.Refused(problem) : new MachineSignIn.Unavailable(unavailable);
    }

    public void Dispose()
    {
        foreach (var source in _sources.Values) source.Dispose();
    }

    private async Task<TokenVerdict> VerifyAsync(string token, MachineTrust trust, CancellationToken ct)
    {
        // Many trusts share few issuers; somebody who makes up thousands only makes them be fetched again.
        if (_sources.Count > MaxIssuers) _sources.Clear();
        var key = trust.Jwks is { } text ? "keys " + text : trust.JwksUri is { } uri ? "address " + uri : "issuer " + trust.Issuer;
        var source = _sources.GetOrAdd(key, static (_, state) => state.Self.SourceOf(state.Trust), (Self: this, Trust: trust));
        var demands = new TokenDemands(trust.Audience);
        return source.Issuer is { } issuer
            ? await issuer.VerifyAsync(token, demands, ct).ConfigureAwait(false)
            : await TokenChecks.VerifyAsync(token, trust.Issuer, demands, source.Keys!, time, ct).ConfigureAwait(false);
    }

    private KeySource SourceOf(MachineTrust trust)
    {
        if (trust.Jwks is { } jwks) return new KeySource(null, IssuerKeys.Fixed(JsonWebKeySet.Parse(Encoding.UTF8.GetBytes(jwks)), time));
        if (trust.JwksUri is not { } address) return new KeySource(new Issuer(trust.Issuer, _http, time), null);
        return new KeySource(null, new IssuerKeys(
            async ct => JsonWebKeySet.Parse(await _http.GetBytesAsync(new Uri(address, UriKind.Absolute), null, ct).ConfigureAwait(false)), time));
    }

    private sealed record KeySource(Issuer? Issuer, IssuerKeys? Keys) : IDisposable
    {
        public void Dispose()
        {
            Issuer?.Dispose();
            Keys?.Dispose();
        }
    }
}

/// <summary>Under which conditions a token of an outside issuer is believed.</summary>
/// <param name="Id">Whose conditions these are.</param>
/// <param name="Issuer">Exactly what the token says in <c>iss</c>.</param>
/// <param name="Audience">What it must say in <c>aud</c>.</param>
/// <param name="Claims"><see cref="ClaimRules"/> as JSON.</param>
/// <param name="JwksUri">Where the keys are; null for the issuer's discovery document.</param>
/// <param name="Jwks">The keys themselves; null to fetch them.</param>
/// <param name="ExpiresAt">Unix milliseconds; null for no end.</param>
public sealed record MachineTrust(long Id, string Issuer, string Audience, string Claims, string? JwksUri, string? Jwks, long? ExpiresAt);

/// <summary>Outcome of a machine's sign-in.</summary>
public abstract record MachineSignIn
{
    private MachineSignIn()
    {
    }

    /// <summary>The token stands for the robot of a trust.</summary>
    /// <param name="Trust">The trust that it meets.</param>
    /// <param name="Subject">The machine, in the issuer's words: for the audit log.</param>
    /// <param name="ExpiresAt">When the token ends; nothing that is given for it may last longer.</param>
    public sealed record Accepted(MachineTrust Trust, string Subject, DateTimeOffset ExpiresAt) : MachineSignIn;

    /// <summary>It stands for nobody. The reason is for the log.</summary>
    public sealed record Refused(string Reason) : MachineSignIn;

    /// <summary>The issuer cannot be asked.</summary>
    public sealed record Unavailable(string Reason) : MachineSignIn;
}
