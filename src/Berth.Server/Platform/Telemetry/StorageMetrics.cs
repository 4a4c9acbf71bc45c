using Berth.Server.Platform.Data;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Telemetry;

/// <summary>Work with the blob store that is timed.</summary>
public enum StorageOperation
{
    /// <summary>Opening a blob for reading.</summary>
    Open,

    /// <summary>Taking a part of an upload; the client's speed is not in it.</summary>
    Append,

    /// <summary>Making a finished upload durable under its digest.</summary>
    Commit,

    /// <summary>Removing bytes.</summary>
    Delete,
}

/// <summary>Latencies of the database, and what is counted of each blob store (<see cref="StoreCounters"/>).</summary>
public sealed class StorageMetrics
{
    private readonly MetricRegistry _registry;
    private readonly LogOptions _options;
    private readonly ILogger _logger;

    /// <param name="registry">Where they are shown.</param>
    /// <param name="database">Receives the callbacks that time reads and writes.</param>
    /// <param name="options">From when on an operation is slow.</param>
    /// <param name="logger">Where slow operations are told.</param>
    public StorageMetrics(MetricRegistry registry, DatabaseTimings database, LogOptions options, ILogger logger)
    {
        (_registry, _options, _logger) = (registry, options, logger);
        const string times = "Time of database work, waiting for the writer included.";
        database.OnRead = registry.AddHistogram("berth_database_operation_duration_seconds", times, LatencyHistogram.StorageBounds, ("operation", "read")).Record;
        database.OnWrite = registry.AddHistogram("berth_database_operation_duration_seconds", times, LatencyHistogram.StorageBounds, ("operation", "write")).Record;
        registry.AddCounter("berth_database_waits_total", "Reads that had to wait for a connection.", () => database.Waits);
        registry.AddCounter("berth_database_wait_seconds_total", "How long reads waited for a connection, all together.", () => database.Waited.TotalSeconds);
        registry.AddCounter("berth_database_errors_total", "Reads and writes that the database failed, those included that were then tried again.", () => database.Failures);
        registry.AddCounter("berth_database_slow_statements_total", "Statements that took longer than log.slowQuery.", () => database.SlowStatements);
    }

    /// <summary>Counts what is done with a store.</summary>
    /// <param name="name">Its name, the label of its metrics.</param>
    public StoreCounters Of(string name) => new(name, _registry, _options, _logger);
}
