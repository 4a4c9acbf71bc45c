namespace Berth.Server.Access;

/// <summary>Totals since the start, for the metrics page.</summary>
public sealed class AccessCounters
{
    private long _succeeded;
    private long _failed;
    private long _throttled;
    private long _remembered;
    private long _tokensIssued;

    /// <summary>Credentials that were verified by a password hash or a signature.</summary>
    public long SignInsSucceeded => Interlocked.Read(ref _succeeded);

    /// <summary>Credentials that were wrong, expired or malformed.</summary>
    public long SignInsFailed => Interlocked.Read(ref _failed);

    /// <summary>Tries that were turned away unread (429) after too many failures.</summary>
    public long SignInsThrottled => Interlocked.Read(ref _throttled);

    /// <summary>Requests whose credentials were still remembered.</summary>
    public long CredentialsRemembered => Interlocked.Read(ref _remembered);

    /// <summary>Access tokens that Berth's own token service has signed.</summary>
    public long TokensIssued => Interlocked.Read(ref _tokensIssued);

    internal void CountSucceeded() => Interlocked.Increment(ref _succeeded);

    internal void CountFailed() => Interlocked.Increment(ref _failed);

    internal void CountThrottled() => Interlocked.Increment(ref _throttled);

    internal void CountRemembered() => Interlocked.Increment(ref _remembered);

    internal void CountTokenIssued() => Interlocked.Increment(ref _tokensIssued);
}
