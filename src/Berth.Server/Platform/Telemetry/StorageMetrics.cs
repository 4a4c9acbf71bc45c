using Berth.Server.Platform.Data;

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

/// <summary>Latencies of the blob store and the database. A use case calls <see cref="Record"/> around its storage call.</summary>
public sealed class StorageMetrics
{
    private readonly LatencyHistogram[] _byOperation;

    /// <param name="registry">Where they are shown.</param>
    /// <param name="database">Receives the callbacks that time reads and writes.</param>
    public StorageMetrics(MetricRegistry registry, DatabaseTimings database)
    {
        _byOperation = [.. Enum.GetValues<StorageOperation>().Select(operation => registry.AddHistogram("berth_storage_operation_duration_seconds",
            "Time of blob store operations.", LatencyHistogram.StorageBounds, ("operation", operation.ToString().ToLowerInvariant())))];
        database.OnRead = registry.AddHistogram("berth_database_operation_duration_seconds", "Time of database work, waiting for the writer included.",
            LatencyHistogram.StorageBounds, ("operation", "read")).Record;
        database.OnWrite = registry.AddHistogram("berth_database_operation_duration_seconds", "Time of database work, waiting for the writer included.",
            LatencyHistogram.StorageBounds, ("operation", "write")).Record;
    }

    /// <summary>Counts an operation that began at a <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>.</summary>
    public void Record(StorageOperation operation, long started) => _byOperation[(int)operation].RecordSince(started);
}
