using System.Data.Common;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Data;

/// <summary>
/// Whether the database can be reached, as far as this process knows. An outage begins when no connection can be made, and ends when the one that listens
/// (<see cref="PostgresListener"/>), which tries all the time, has one again. In between nobody waits for the database: whoever asks it is told at once
/// (<see cref="DatabaseAwayException"/>), and what was remembered of it before goes on being believed for a while, so that pulls that need nothing else go on.
/// SQLite is never away.
/// </summary>
public sealed class DatabaseOutage
{
    private readonly TimeProvider _time;
    private long _lostAt;
    private long _beganAt;
    private volatile bool _isWatched;
    private volatile bool _isAway;
    private ILogger? _log;

    internal DatabaseOutage(TimeSpan believeFor, TimeProvider time)
    {
        BelieveFor = believeFor;
        _time = time;
    }

    /// <summary>How long what is remembered is believed (<see cref="DatabaseOptions.OutageReads"/>).</summary>
    public TimeSpan BelieveFor { get; }

    /// <summary>True from the first connection that could not be made to the next that could.</summary>
    public bool IsAway => _isAway;

    /// <summary>
    /// True while the database is away and changes were heard of not longer than <see cref="BelieveFor"/> ago: then an answer from memory is better than none.
    /// </summary>
    public bool IsBelieving => _isAway && _time.GetElapsedTime(Interlocked.Read(ref _lostAt)) < BelieveFor;

    /// <summary>Whether something learnt at a timestamp of the clock may be believed now although it is not fresh.</summary>
    public bool MayBelieve(long learntAt) => IsBelieving && _time.GetElapsedTime(learntAt) < BelieveFor;

    /// <summary>Says in the log when an outage begins and ends.</summary>
    public void ReportTo(ILogger log) => _log = log;

    /// <summary>Somebody tries all the time to reach the database, and will say when it is back.</summary>
    internal void Watch() => _isWatched = true;

    /// <summary>From now on changes are not heard of.</summary>
    internal void Lost() => Interlocked.Exchange(ref _lostAt, _time.GetTimestamp());

    internal void Begin(Exception cause)
    {
        if (!_isWatched || _isAway) return;
        Interlocked.Exchange(ref _beganAt, _time.GetTimestamp());
        _isAway = true;
        _log?.DatabaseAway(cause, BelieveFor);
    }

    internal void End()
    {
        if (!_isAway) return;
        _isAway = false;
        _log?.DatabaseBack(_time.GetElapsedTime(Interlocked.Read(ref _beganAt)));
    }

    internal void ThrowIfAway()
    {
        if (_isAway) throw new DatabaseAwayException();
    }
}

/// <summary>The database cannot be reached at present; nothing was sent to it.</summary>
public sealed class DatabaseAwayException() : DbException("the database cannot be reached")
{
    public override bool IsTransient => true;
}

internal static partial class DatabaseOutageLog
{
    [LoggerMessage(120, LogLevel.Error, "database cannot be reached: writes are refused with 503, pulls from memory go on for {BelieveFor}; it is tried again all the time")]
    public static partial void DatabaseAway(this ILogger logger, Exception cause, TimeSpan believeFor);

    [LoggerMessage(121, LogLevel.Warning, "database reached again after {Outage}")]
    public static partial void DatabaseBack(this ILogger logger, TimeSpan outage);
}
