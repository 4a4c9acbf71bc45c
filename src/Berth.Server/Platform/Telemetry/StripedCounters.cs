using System.Numerics;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// A row of counters that many threads raise at once. Each processor has its own copy on its own cache lines; reading adds them up. Raising
/// is one interlocked add, about 5 ns; no counter is ever lost.
/// </summary>
internal sealed class StripedCounters(int count)
{
    private const int LongsPerCacheLine = 8;
    private const int MostStripes = 16;
    private static readonly int s_stripes = (int)Math.Min(MostStripes, BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount));

    private readonly int _stride = (count + LongsPerCacheLine - 1) / LongsPerCacheLine * LongsPerCacheLine;
    private readonly long[] _cells = new long[(((count + LongsPerCacheLine - 1) / LongsPerCacheLine * LongsPerCacheLine) * s_stripes) + LongsPerCacheLine];

    /// <summary>Where the copy of this processor starts; valid for a few adds in a row (a wrong processor is only slower).</summary>
    public int Stripe() => (Thread.GetCurrentProcessorId() & (s_stripes - 1)) * _stride;

    /// <summary>Adds to a counter in the copy from <see cref="Stripe"/>.</summary>
    public void Add(int stripe, int counter, long value) => Interlocked.Add(ref _cells[stripe + counter], value);

    /// <summary>Adds to a counter.</summary>
    public void Add(int counter, long value) => Add(Stripe(), counter, value);

    /// <summary>Sum over all processors.</summary>
    public long Sum(int counter)
    {
        long sum = 0;
        for (var stripe = 0; stripe < s_stripes; stripe++) sum += Interlocked.Read(ref _cells[(stripe * _stride) + counter]);
        return sum;
    }
}
