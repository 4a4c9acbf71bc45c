using System.Collections.Concurrent;

namespace Berth.Server.Notifications;

/// <summary>Counters of one endpoint since the start of the process, with the meanings of Docker Registry's notification metrics. Safe to read at any time.</summary>
public sealed class NotificationCounters
{
    private readonly ConcurrentDictionary<int, long> _statuses = new();
    private long _events;
    private long _successes;
    private long _failures;
    private long _errors;
    private long _pending;

    /// <summary>Events written for the endpoint.</summary>
    public long Events => Interlocked.Read(ref _events);

    /// <summary>Events that the endpoint accepted.</summary>
    public long Successes => Interlocked.Read(ref _successes);

    /// <summary>Tries that were answered with a status that is no success.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>Tries without an answer: refused, reset, timed out.</summary>
    public long Errors => Interlocked.Read(ref _errors);

    /// <summary>Events that wait, as counted last (at most <see cref="DeliveryQueue.MaxCount"/>) and carried on from there.</summary>
    public long Pending => Math.Max(0, Interlocked.Read(ref _pending));

    /// <summary>Answers by HTTP status.</summary>
    public IReadOnlyDictionary<int, long> Statuses => _statuses;

    internal void Written()
    {
        Interlocked.Increment(ref _events);
        Interlocked.Increment(ref _pending);
    }

    internal void Tried(PostOutcome outcome)
    {
        if (outcome.Status is { } status) _statuses.AddOrUpdate(status, 1, (_, n) => n + 1);
        if (outcome.IsAccepted) Interlocked.Increment(ref _successes);
        else if (outcome.Status is null) Interlocked.Increment(ref _errors);
        else Interlocked.Increment(ref _failures);
    }

    internal void Removed() => Interlocked.Decrement(ref _pending);

    internal void Counted(long pending) => Interlocked.Exchange(ref _pending, pending);
}
