namespace Berth.Server.Integrity;

/// <summary>How the bytes of blobs are read again and held against their digests (section <c>scrub</c>).</summary>
public sealed record ScrubOptions
{
    /// <summary>Whether this process takes part; of several replicas one works at a time.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Most bytes that are read in a second; 0 for no limit.</summary>
    public long BytesPerSecond { get; init; } = 8 * 1024 * 1024;

    /// <summary>From the start of one pass over all blobs to the start of the next; a pass that takes longer is followed by the next at once.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromDays(30);
}
