namespace Berth.Server.Lifecycle;

/// <summary>How versions end (section <c>lifecycle</c>).</summary>
public sealed record LifecycleOptions
{
    /// <summary>How long before a tag expires that is announced to webhooks and in the audit log; 0 announces nothing.</summary>
    public TimeSpan ExpiryNotice { get; init; } = TimeSpan.FromDays(1);
}
