using System.Diagnostics;

namespace Berth.Server.Platform.Data;

/// <summary>Durations of database work, handed to whoever measures (the metrics page).</summary>
public sealed class DatabaseTimings
{
    /// <summary>Called with the duration of each read.</summary>
    public Action<TimeSpan>? OnRead { get; set; }

    /// <summary>Called with the duration of each write, waiting included.</summary>
    public Action<TimeSpan>? OnWrite { get; set; }

    internal long Start() => OnRead is null && OnWrite is null ? 0 : Stopwatch.GetTimestamp();

    internal void Read(long started)
    {
        if (started != 0) OnRead?.Invoke(Stopwatch.GetElapsedTime(started));
    }

    internal void Write(long started)
    {
        if (started != 0) OnWrite?.Invoke(Stopwatch.GetElapsedTime(started));
    }
}
