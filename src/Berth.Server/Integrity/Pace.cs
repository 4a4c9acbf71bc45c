namespace Berth.Server.Integrity;

/// <summary>Holds work in the background to a rate.</summary>
/// <param name="bytesPerSecond">Most bytes in a second; 0 for no limit.</param>
/// <param name="time">Clock.</param>
internal sealed class Pace(long bytesPerSecond, TimeProvider time)
{
    private static readonly TimeSpan MaxCredit = TimeSpan.FromSeconds(1);

    private long _started = time.GetTimestamp();
    private long _bytes;

    /// <summary>No limit.</summary>
    public static Pace Unlimited { get; } = new(0, TimeProvider.System);

    /// <summary>Waits until bytes that were just read fit the rate.</summary>
    public async ValueTask SpendAsync(int bytes, CancellationToken ct)
    {
        if (bytesPerSecond <= 0) return;
        _bytes += bytes;
        var ahead = TimeSpan.FromSeconds((double)_bytes / bytesPerSecond) - time.GetElapsedTime(_started);
        if (ahead > TimeSpan.FromMilliseconds(10))
        {
            await Task.Delay(ahead, time, ct).ConfigureAwait(false);
        }
        else if (-ahead > MaxCredit)
        {
            // Time that went by without reading is not made up for.
            (_started, _bytes) = (time.GetTimestamp(), 0);
        }
    }
}
