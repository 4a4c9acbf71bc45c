namespace Berth.Server.Platform.Jobs;

/// <summary>Pauses between tries: the first, doubled with each failure up to the longest, each varied by a fifth so that what failed together is not tried together.</summary>
/// <param name="First">After the first failure.</param>
/// <param name="Longest">Never longer, apart from the variation.</param>
public sealed record JobBackoff(TimeSpan First, TimeSpan Longest)
{
    private const double Variation = 0.2;

    /// <summary>Five seconds up to ten minutes.</summary>
    public static JobBackoff Default { get; } = new(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10));

    /// <summary>The pause after so many failures (1 or more).</summary>
    /// <param name="failures">How often the job has failed.</param>
    /// <param name="chance">From 0 to 1, by chance.</param>
    public TimeSpan After(int failures, double chance)
    {
        // 2^30 times any sensible pause is beyond the longest.
        var pause = Math.Min(Longest.TotalMilliseconds, First.TotalMilliseconds * (1L << Math.Clamp(failures - 1, 0, 30)));
        return TimeSpan.FromMilliseconds(pause * (1 - Variation + (2 * Variation * chance)));
    }
}
