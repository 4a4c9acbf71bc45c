using System.Data.Common;
using System.Diagnostics;
using Berth.Server.Platform.Telemetry;

namespace Berth.Server.Platform.Data;

/// <summary>
/// Measures database work for whoever shows it: the metrics page, traces, and the log of slow statements. Counting costs a few interlocked adds a
/// transaction.
/// </summary>
public sealed class DatabaseTimings
{
    private long _reading;
    private long _writing;
    private long _waits;
    private long _waitTicks;
    private long _failures;
    private long _slow;

    /// <summary>Called with the duration of each read.</summary>
    public Action<TimeSpan>? OnRead { get; set; }

    /// <summary>Called with the duration of each write, waiting included.</summary>
    public Action<TimeSpan>? OnWrite { get; set; }

    /// <summary>Called with the text of each statement that took longer than <see cref="SlowAfter"/>, without its values, and its time.</summary>
    public Action<string, TimeSpan>? OnSlow { get; set; }

    /// <summary>A statement that takes longer is slow; zero looks at none. Set before the first work.</summary>
    public TimeSpan SlowAfter { get; set; }

    /// <summary>Reads under way.</summary>
    public long Reading => Interlocked.Read(ref _reading);

    /// <summary>Writes under way, those included that wait for their turn.</summary>
    public long Writing => Interlocked.Read(ref _writing);

    /// <summary>Reads that had to wait for a connection.</summary>
    public long Waits => Interlocked.Read(ref _waits);

    /// <summary>How long they waited together.</summary>
    public TimeSpan Waited => TimeSpan.FromSeconds(Interlocked.Read(ref _waitTicks) / (double)Stopwatch.Frequency);

    /// <summary>Reads and writes that the database failed.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>Statements that took longer than <see cref="SlowAfter"/>.</summary>
    public long SlowStatements => Interlocked.Read(ref _slow);

    internal static long Start() => Stopwatch.GetTimestamp();

    internal long StartWrite()
    {
        Interlocked.Increment(ref _writing);
        return Stopwatch.GetTimestamp();
    }

    /// <summary>Takes one of the connections for reading; <see cref="Read"/> ends it.</summary>
    internal async ValueTask WaitAsync(SemaphoreSlim connections, CancellationToken ct)
    {
        if (!connections.Wait(0, CancellationToken.None))
        {
            var started = Stopwatch.GetTimestamp();
            Interlocked.Increment(ref _waits);
            try
            {
                await connections.WaitAsync(ct).ConfigureAwait(false);
            }
            finally
            {
                Interlocked.Add(ref _waitTicks, Stopwatch.GetTimestamp() - started);
            }
        }
        Interlocked.Increment(ref _reading);
    }

    internal void Read(long started)
    {
        Interlocked.Decrement(ref _reading);
        Ended("database read", started, OnRead);
    }

    internal void Write(long started)
    {
        Interlocked.Decrement(ref _writing);
        Ended("database write", started, OnWrite);
    }

    /// <summary>Counts a failure of the database; always false, so that a filter may call it and let the exception pass.</summary>
    internal bool Failed(Exception failure)
    {
        if (failure is DbException) Interlocked.Increment(ref _failures);
        return false;
    }

    /// <summary>The clock of a session, when somebody wants to know of slow statements.</summary>
    internal StatementClock? NewClock() => SlowAfter > TimeSpan.Zero ? new StatementClock(this) : null;

    internal void StatementEnded(string sql, long started)
    {
        var elapsed = Stopwatch.GetElapsedTime(started);
        if (elapsed < SlowAfter) return;
        Interlocked.Increment(ref _slow);
        OnSlow?.Invoke(sql, elapsed);
    }

    // The span is made when its time is known: nothing is kept while the work runs. Npgsql's own spans of the statements stand beside it.
    private static void Ended(string name, long started, Action<TimeSpan>? measured)
    {
        var elapsed = Stopwatch.GetElapsedTime(started);
        measured?.Invoke(elapsed);
        if (!Tracing.Source.HasListeners() || Activity.Current is not { } request) return;
        using var span = Tracing.Source.StartActivity(name, ActivityKind.Internal, request.Context);
        span?.SetStartTime(span.StartTimeUtc - elapsed);
    }
}

/// <summary>Times the statements of one session, one after the other: a statement's time ends with the next one, or with the work, so what is done with its rows counts too.</summary>
internal sealed class StatementClock(DatabaseTimings timings)
{
    private string? _sql;
    private long _started;

    public void Begin(string sql)
    {
        End();
        _sql = sql;
        _started = Stopwatch.GetTimestamp();
    }

    public void End()
    {
        if (_sql is not { } sql) return;
        _sql = null;
        timings.StatementEnded(sql, _started);
    }
}
