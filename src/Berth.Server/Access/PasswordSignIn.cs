using System.Net;
using Berth.Server.Access.PersonalTokens;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Access;

/// <summary>
/// Signs in by name and password, for every mode that has passwords:
/// 1. credentials that were verified a moment ago; 2. a turn at hashing; 3. the brake on guessing; 4. the password itself; 5. whoever outside may know it,
/// without keeping the turn: a directory that is slow must not keep others from signing in.
/// Personal access tokens in the place of a password are too long to be guessed: they take no turn and no brake holds them.
/// </summary>
internal sealed class PasswordSignIn(
    CredentialCache cache, FailedSignIns failures, SignInLocks? locks, AccessCounters counters, TimeProvider time, ILogger<PasswordSignIn> log,
    IEnumerable<ISignInListener>? listeners = null) : IDisposable
{
    private const int MaxWaiting = 1024;
    private const int MaxOutside = 16;
    private static readonly TimeSpan RetryWhenFull = TimeSpan.FromSeconds(1);

    // A hash keeps a core busy for a twentieth of a second: more at once than cores would only make all of them late.
    private readonly SemaphoreSlim _turns = new(Environment.ProcessorCount);

    // Waiting for others costs no core, but guesses must meet the count of those before them here too.
    private readonly SemaphoreSlim _turnsOutside = new(MaxOutside);
    private readonly ISignInListener[] _listeners = [.. listeners ?? []];
    private int _waiting;

    /// <summary>Finds and checks a password. A wrong name and a wrong password must take the same time.</summary>
    public delegate ValueTask<CredentialVerdict> Check(string name, string password, CancellationToken ct);

    /// <summary>Reads a Basic header's value.</summary>
    public ValueTask<SignInResult> SignInAsync(string authorization, IPAddress? address, Check check, CancellationToken ct) =>
        SignInAsync(authorization, address, check, null, ct);

    /// <summary>Reads a Basic header's value; what the first check does not know the second one may.</summary>
    /// <exception cref="SignInUnavailableException">Whom to ask outside does not answer.</exception>
    public ValueTask<SignInResult> SignInAsync(string authorization, IPAddress? address, Check check, Check? outside, CancellationToken ct)
    {
        // 1.
        if (BasicCredentials.IsBasic(authorization) && cache.Find(authorization) is { } caller) return new ValueTask<SignInResult>(new SignInResult(caller));
        return VerifyAsync(authorization, address, check, outside, ct);
    }

    public void Dispose()
    {
        _turns.Dispose();
        _turnsOutside.Dispose();
    }

    private async ValueTask<SignInResult> VerifyAsync(string authorization, IPAddress? address, Check check, Check? outside, CancellationToken ct)
    {
        if (!BasicCredentials.TryParse(authorization, out var credentials)) return await RefuseAsync(null, address, ct).ConfigureAwait(false);
        if (PersonalTokenText.IsOne(credentials.Password)) return await VerifyTokenAsync(authorization, credentials, address, check, ct).ConfigureAwait(false);
        // Tokens cannot be guessed, and those of many machines come under one name: they are braked by address alone.
        var name = LooksLikeToken(credentials.Password) ? null : credentials.Name;
        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return Throttle(RetryWhenFull);
        }
        try
        {
            // 2.
            await _turns.WaitAsync(ct).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
        var epoch = cache.Epoch;
        CredentialVerdict verdict;
        try
        {
            // Many requests with the same new credentials come together: the first one has done the work for all.
            if (cache.Find(authorization) is { } known) return new SignInResult(known);
            // 3. After waiting, so that a burst of guesses meets the count of its own failures.
            if (failures.Blocked(name ?? "", address) is { } wait) return Throttle(wait);
            if (name is not null && locks is not null && await locks.BlockedAsync(name, address, ct).ConfigureAwait(false) is { } rest) return Throttle(rest);
            // 4.
            verdict = await check(credentials.Name, credentials.Password, ct).ConfigureAwait(false);
        }
        finally
        {
            _turns.Release();
        }
        // 5.
        if (!verdict.IsMine && outside is not null)
        {
            await _turnsOutside.WaitAsync(ct).ConfigureAwait(false);
            try
            {
                if (cache.Find(authorization) is { } known) return new SignInResult(known);
                if (failures.Blocked(name ?? "", address) is { } wait) return Throttle(wait);
                verdict = await outside(credentials.Name, credentials.Password, ct).ConfigureAwait(false);
            }
            finally
            {
                _turnsOutside.Release();
            }
        }
        if (verdict.Caller is not { } caller)
        {
            if (name is not null && locks is not null) await locks.FailedAsync(name, ct).ConfigureAwait(false);
            return await RefuseAsync(name, address, ct).ConfigureAwait(false);
        }
        failures.Succeeded(name ?? "", address);
        if (name is not null && locks is not null) await locks.SucceededAsync(name, address, ct).ConfigureAwait(false);
        cache.Remember(authorization, caller, verdict.ExpiresAt, epoch);
        counters.CountSucceeded();
        return new SignInResult(caller);
    }

    private async ValueTask<SignInResult> VerifyTokenAsync(string authorization, BasicCredentials credentials, IPAddress? address, Check check, CancellationToken ct)
    {
        var epoch = cache.Epoch;
        var verdict = await check(credentials.Name, credentials.Password, ct).ConfigureAwait(false);
        if (verdict.Caller is not { } caller) return await RefuseAsync(null, address, ct).ConfigureAwait(false);
        cache.Remember(authorization, caller, verdict.ExpiresAt, epoch);
        counters.CountSucceeded();
        return new SignInResult(caller);
    }

    /// <summary>Whether a password may be a token of some issuer.</summary>
    internal static bool LooksLikeToken(string password) => password.StartsWith("eyJ", StringComparison.Ordinal) && password.AsSpan().Count('.') == 2;

    private async ValueTask<SignInResult> RefuseAsync(string? name, IPAddress? address, CancellationToken ct)
    {
        counters.CountFailed();
        log.SignInFailed(name, address);
        foreach (var listener in _listeners) listener.SignInFailed(name, address?.ToString() ?? "");
        var delay = failures.Failed(name, address);
        if (delay > TimeSpan.Zero) await Task.Delay(delay, time, ct).ConfigureAwait(false);
        return SignInResult.Refused;
    }

    private SignInResult Throttle(TimeSpan wait)
    {
        counters.CountThrottled();
        return new SignInResult(null, wait);
    }
}

internal static partial class PasswordSignInLog
{
    [LoggerMessage(2001, LogLevel.Information, "sign-in failed for {User} from {Address}: wrong name or password")]
    public static partial void SignInFailed(this ILogger logger, string? user, IPAddress? address);
}
