namespace Berth.Server.Access;

/// <summary>Signs in by bearer token, for every mode that has tokens: remembered ones first, then a full check.</summary>
internal sealed class BearerSignIn(CredentialCache cache, AccessCounters counters)
{
    /// <summary>Checks a token; null when it is malformed, wrong or expired.</summary>
    public delegate ValueTask<(Caller Caller, DateTimeOffset ExpiresAt)?> Check(string token, CancellationToken ct);

    /// <summary>Reads a Bearer header's value.</summary>
    public ValueTask<SignInResult> SignInAsync(string authorization, Check check, CancellationToken ct) =>
        cache.Find(authorization) is { } caller
            ? new ValueTask<SignInResult>(new SignInResult(caller))
            : VerifyAsync(authorization, check, ct);

    private async ValueTask<SignInResult> VerifyAsync(string authorization, Check check, CancellationToken ct)
    {
        var epoch = cache.Epoch;
        if (await check(Bearer.TokenOf(authorization), ct).ConfigureAwait(false) is not { } verified)
        {
            counters.CountFailed();
            return SignInResult.Refused;
        }
        counters.CountSucceeded();
        cache.Remember(authorization, verified.Caller, verified.ExpiresAt, epoch);
        return new SignInResult(verified.Caller);
    }
}
