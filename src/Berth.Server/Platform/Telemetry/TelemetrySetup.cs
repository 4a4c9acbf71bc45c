using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// Logs, metrics and traces. Log lines go to standard error and the access log to standard output (as with Docker Registry); metrics are read at
/// <c>GET /metrics</c>; traces leave by OTLP when an address is set. <see cref="RequestTelemetry"/> is the outermost step of every request.
/// </summary>
public static class TelemetrySetup
{
    /// <summary>Replaces all log providers by Berth's.</summary>
    /// <param name="logging">The host's logging.</param>
    /// <param name="options">Level, form and fields.</param>
    /// <param name="errors">Where log lines go; made by the caller because it is disposed last, after the host.</param>
    /// <param name="time">Clock of the lines.</param>
    public static void AddBerthLog(this ILoggingBuilder logging, LogOptions options, LogOutput errors, TimeProvider time)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(options.Level);
        if (options.Level > LogLevel.Debug)
        {
            // The framework's own lines of a day are not the operator's; a request has its one line from RequestLog. With the diagnostics category
            // off, the framework also makes no logging scope for each request.
            logging.AddFilter("Microsoft", Max(options.Level, LogLevel.Warning));
            logging.AddFilter("System", Max(options.Level, LogLevel.Warning));
            logging.AddFilter("Npgsql", Max(options.Level, LogLevel.Warning));
        }
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        logging.AddProvider(new LogProvider(options, errors, time));
    }

    /// <summary>Registers metrics and the request line.</summary>
    /// <param name="services">The host's services; <see cref="DatabaseTimings"/> must be among them.</param>
    /// <param name="options">Decides between access log and structured line.</param>
    /// <param name="access">Where the access log goes; disposed by the caller, after the host.</param>
    public static void AddTelemetry(this IServiceCollection services, LogOptions options, LogOutput access)
    {
        services.AddSingleton(provider => new AccessLog(access, provider.GetService<TimeProvider>() ?? TimeProvider.System));
        services.AddSingleton(provider => new RequestLog(options, provider.GetRequiredService<AccessLog>(), provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton(provider =>
        {
            var registry = new MetricRegistry(provider.GetRequiredService<ILogger<MetricRegistry>>());
            ProcessMetrics.AddTo(registry);
            registry.AddCounter("berth_log_lines_dropped_total", "Access log lines lost because the reader of standard output was too slow.", () => access.Dropped);
            if (provider.GetService<LargeBlockMemoryPool>() is { } pool)
            {
                registry.AddGauge("berth_socket_memory_bytes", "Memory for sockets, in use and kept.", () => pool.AllocatedBytes);
                registry.AddGauge("berth_socket_memory_idle_bytes", "Memory for sockets that is kept and not in use.", () => pool.IdleBytes);
            }
            return registry;
        });
        services.AddSingleton<RequestMetrics>();
        services.AddSingleton(provider => NewStorageMetrics(options, provider));
        services.AddSingleton(provider => new MetricsPage(provider.GetRequiredService<MetricRegistry>(), provider.GetService<TimeProvider>() ?? TimeProvider.System));
    }

    private static StorageMetrics NewStorageMetrics(LogOptions options, IServiceProvider provider)
    {
        var loggers = provider.GetRequiredService<ILoggerFactory>();
        var (database, statements) = (provider.GetRequiredService<DatabaseTimings>(), loggers.CreateLogger("Database"));
        database.SlowAfter = options.SlowQuery;
        database.OnSlow = (sql, elapsed) => statements.SlowStatement(elapsed, SqlText.OneLine(sql));
        return new StorageMetrics(provider.GetRequiredService<MetricRegistry>(), database, options, loggers.CreateLogger("Storage"));
    }

    private static LogLevel Max(LogLevel a, LogLevel b) => a > b ? a : b;
}
