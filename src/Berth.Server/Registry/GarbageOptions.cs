namespace Berth.Server.Registry;

/// <summary>When what nothing needs any more is removed (section <c>gc</c>).</summary>
public sealed record GarbageOptions
{
    /// <summary>Whether this process collects garbage; where several replicas run, one of them is enough.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// How long a blob stays after it was pushed, or after the last manifest that named it is gone: a client may be about to push an image that names it. An
    /// upload of all blobs of an image takes less.
    /// </summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How often to look for what is due.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Most blobs or manifests of one transaction.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>Days after which a manifest without a tag is removed, where its project does not say otherwise; -1 keeps it for ever.</summary>
    public int UntaggedDays { get; init; } = -1;

    /// <summary>How long a fact about content may be remembered: so short that nothing is removed which somebody was just told is there.</summary>
    internal TimeSpan Believed => TimeSpan.FromTicks(Math.Min(TimeSpan.FromSeconds(10).Ticks, Delay.Ticks / 4));

    /// <summary>Whether a blob that no manifest names since a time is so near its end that a client must not count on it.</summary>
    internal bool IsNear(long since, DateTimeOffset now) => now.ToUnixTimeMilliseconds() - since >= Delay.TotalMilliseconds / 2;
}
