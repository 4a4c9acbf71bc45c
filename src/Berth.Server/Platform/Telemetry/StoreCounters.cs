using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Telemetry;

/// <summary>What is counted of one blob store: times, failures and bytes of its operations. Slow ones are told in the log, and each is a span of its request.</summary>
public sealed class StoreCounters
{
    private static readonly string[] s_words = [.. Enum.GetValues<StorageOperation>().Select(operation => operation.ToString().ToLowerInvariant())];
    private static readonly string[] s_spans = [.. s_words.Select(word => "store " + word)];

    private readonly LatencyHistogram[] _times;
    private readonly long[] _failures = new long[s_words.Length];
    private readonly StripedCounters _bytes = new(2);
    private readonly string _name;
    private readonly TimeSpan _slowAfter;
    private readonly ILogger _logger;
    private long _slow;

    internal StoreCounters(string name, MetricRegistry registry, LogOptions options, ILogger logger)
    {
        (_name, _slowAfter, _logger) = (name, options.SlowStorage, logger);
        var store = ("store", name);
        _times = [.. s_words.Select(word => registry.AddHistogram(
            "berth_storage_operation_duration_seconds", "Time of blob store operations.", LatencyHistogram.StorageBounds, store, ("operation", word)))];
        for (var i = 0; i < s_words.Length; i++)
        {
            var operation = i;
            registry.AddCounter("berth_storage_errors_total", "Blob store operations that failed.", () => Interlocked.Read(ref _failures[operation]), store, ("operation", s_words[i]));
        }
        registry.AddCounter("berth_storage_bytes_total", "Bytes read from and written to a blob store.", () => _bytes.Sum(0), store, ("direction", "read"));
        registry.AddCounter("berth_storage_bytes_total", "Bytes read from and written to a blob store.", () => _bytes.Sum(1), store, ("direction", "written"));
        registry.AddCounter("berth_storage_slow_operations_total", "Blob store operations that took longer than log.slowStorage.", () => Interlocked.Read(ref _slow), store);
    }

    /// <summary>Begins an operation; disposed without <see cref="StoreCall.Succeeded"/> it has failed.</summary>
    public StoreCall Begin(StorageOperation operation) => new(this, operation, Tracing.Source.HasListeners() ? Tracing.Source.StartActivity(s_spans[(int)operation]) : null);

    /// <summary>Counts bytes that were read.</summary>
    public void Read(long bytes) => _bytes.Add(0, bytes);

    /// <summary>Counts bytes that were written.</summary>
    public void Written(long bytes) => _bytes.Add(1, bytes);

    internal void Ended(StorageOperation operation, long started, bool succeeded, Activity? span)
    {
        var elapsed = Stopwatch.GetElapsedTime(started);
        _times[(int)operation].Record(elapsed);
        if (!succeeded)
        {
            Interlocked.Increment(ref _failures[(int)operation]);
            span?.SetStatus(ActivityStatusCode.Error);
        }
        span?.SetTag("berth.store", _name);
        span?.Dispose();
        if (_slowAfter <= TimeSpan.Zero || elapsed < _slowAfter) return;
        Interlocked.Increment(ref _slow);
        _logger.SlowOperation(s_words[(int)operation], _name, elapsed, succeeded);
    }
}

/// <summary>One operation of a blob store, from <see cref="StoreCounters.Begin"/> to its end.</summary>
public sealed class StoreCall : IDisposable
{
    private readonly StoreCounters _counters;
    private readonly StorageOperation _operation;
    private readonly Activity? _span;
    private readonly long _started = Stopwatch.GetTimestamp();
    private bool _succeeded;

    internal StoreCall(StoreCounters counters, StorageOperation operation, Activity? span) => (_counters, _operation, _span) = (counters, operation, span);

    /// <summary>The operation has done what it should.</summary>
    public void Succeeded() => _succeeded = true;

    public void Dispose() => _counters.Ended(_operation, _started, _succeeded, _span);
}

internal static partial class StoreCountersLog
{
    [LoggerMessage(EventId = 130, Level = LogLevel.Warning, Message = "slow storage: {Operation} took {Elapsed}, store {Store}, succeeded {Succeeded}")]
    public static partial void SlowOperation(this ILogger logger, string operation, string store, TimeSpan elapsed, bool succeeded);
}
