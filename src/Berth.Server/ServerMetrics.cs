using Berth.Server.Platform.Storage;
using Berth.Server.Access;
using Berth.Server.Notifications;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Health;
using Berth.Server.Platform.Settings;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Quotas;
using Berth.Server.Registry;
using Berth.Server.Scanning.PullGate;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server;

/// <summary>What the features count, put on the metrics page.</summary>
internal static class ServerMetrics
{
    public static void AddTo(IServiceProvider services, BerthOptions options)
    {
        var metrics = services.GetRequiredService<MetricRegistry>();
        AddRegistry(metrics, services.GetRequiredService<ContentCache>(), services.GetRequiredService<ActiveUploads>());
        AddSignIns(metrics, services.GetRequiredService<AccessCounters>());
        AddNotifications(metrics, services.GetRequiredService<NotificationEndpoints>());
        AddDatabase(metrics, services.GetRequiredService<Database>());
        AddStorage(metrics, services.GetRequiredService<BlobStores>(), options.Storage.MinFreeBytes);
        AddHealth(metrics, services.GetRequiredService<HealthMonitor>());
        AddModes(metrics, services.GetRequiredService<RuntimeSettings>());
        if (services.GetService<GateCounters>() is { } gate) AddPullGate(metrics, gate);
        new QuotaGauges(services.GetRequiredService<Database>(), options.Metrics, services.GetRequiredService<TimeProvider>()).AddTo(metrics);
    }

    private static void AddRegistry(MetricRegistry metrics, ContentCache cache, ActiveUploads uploads)
    {
        metrics.AddCounter("berth_cache_lookups_total", "Lookups in the cache of manifests, small blobs and links.", () => cache.Hits, ("result", "hit"));
        metrics.AddCounter("berth_cache_lookups_total", "Lookups in the cache of manifests, small blobs and links.", () => cache.Misses, ("result", "miss"));
        metrics.AddGauge("berth_cache_bytes", "Bytes held by the cache of manifests, small blobs and links.", () => cache.Bytes);
        metrics.AddGauge("berth_uploads_active", "Upload requests that are writing now.", () => uploads.Count);
    }

    private static void AddSignIns(MetricRegistry metrics, AccessCounters access)
    {
        const string signIns = "Sign-ins by outcome; remembered ones cost no password hash and no signature check.";
        metrics.AddCounter("berth_sign_ins_total", signIns, () => access.SignInsSucceeded, ("result", "succeeded"));
        metrics.AddCounter("berth_sign_ins_total", signIns, () => access.SignInsFailed, ("result", "failed"));
        metrics.AddCounter("berth_sign_ins_total", signIns, () => access.SignInsThrottled, ("result", "throttled"));
        metrics.AddCounter("berth_sign_ins_total", signIns, () => access.CredentialsRemembered, ("result", "remembered"));
        metrics.AddCounter("berth_tokens_issued_total", "Access tokens signed by Berth's own token service.", () => access.TokensIssued);
    }

    private static void AddPullGate(MetricRegistry metrics, GateCounters gate)
    {
        const string pulls = "Pulls of images from projects with a gate for pulls: passed, refused, or warned of where the gate is a dry run.";
        metrics.AddCounter("berth_pull_gate_total", pulls, () => gate.Passed, ("result", "passed"));
        metrics.AddCounter("berth_pull_gate_total", pulls, () => gate.Refused, ("result", "refused"));
        metrics.AddCounter("berth_pull_gate_total", pulls, () => gate.Warned, ("result", "warned"));
    }

    private static void AddNotifications(MetricRegistry metrics, NotificationEndpoints notifications)
    {
        foreach (var endpoint in notifications.All)
        {
            var counters = endpoint.Counters;
            var name = ("endpoint", endpoint.Name);
            metrics.AddCounter("berth_notification_events_total", "Registry events written down for an endpoint.", () => counters.Events, name);
            metrics.AddCounter("berth_notification_deliveries_total", "Tries to deliver an event.", () => counters.Successes, name, ("result", "succeeded"));
            metrics.AddCounter("berth_notification_deliveries_total", "Tries to deliver an event.", () => counters.Failures + counters.Errors, name, ("result", "failed"));
            metrics.AddGauge("berth_notification_pending", "Registry events that an endpoint has yet to receive.", () => counters.Pending, name);
        }
    }

    private static void AddDatabase(MetricRegistry metrics, Database database)
    {
        const string connections = "Work on the database now: reads, writes with those that wait for their turn, and open connections for reading that are not in use.";
        metrics.AddGauge("berth_database_connections", connections, () => database.Timings.Reading, ("state", "reading"));
        metrics.AddGauge("berth_database_connections", connections, () => database.Timings.Writing, ("state", "writing"));
        metrics.AddGauge("berth_database_connections", connections, () => database.IdleConnections, ("state", "idle"));
        metrics.AddGauge("berth_database_writes_queued", "Writes that wait for the writer of SQLite.", () => database.QueuedWrites);
    }

    private static void AddStorage(MetricRegistry metrics, BlobStores stores, long minFreeBytes)
    {
        metrics.AddGauges("berth_storage_free_bytes", "Bytes that the blob store can still take; stores without a limit have none.",
            () => stores.Names.Select(name => (Name: name, Free: stores[name].FreeBytes)).Where(store => store.Free < long.MaxValue).Select(store => new MetricSample(store.Free, ("store", store.Name))));
        metrics.AddGauge("berth_storage_min_free_bytes", "Uploads are refused below this (storage.minFreeBytes).", () => minFreeBytes);
    }

    private static void AddModes(MetricRegistry metrics, RuntimeSettings settings)
    {
        const string modes = "1 while the installation is in a mode: read_only refuses writes, maintenance everything but administrators.";
        var (readOnly, maintenance) = (false, false);
        metrics.AddRefresh(async ct =>
        {
            var values = await settings.ReadAsync(ct).ConfigureAwait(false);
            (readOnly, maintenance) = (values.Of(RuntimeSettingTable.ReadOnly), values.Of(RuntimeSettingTable.MaintenanceMode));
        });
        metrics.AddGauge("berth_mode", modes, () => readOnly ? 1 : 0, ("mode", "read_only"));
        metrics.AddGauge("berth_mode", modes, () => maintenance ? 1 : 0, ("mode", "maintenance"));
    }

    private static void AddHealth(MetricRegistry metrics, HealthMonitor monitor) =>
        metrics.AddGauges("berth_health_check_failing", "1 while a check of /health/ready has failed as often as it may.",
            () => monitor.Checks.GroupBy(check => check.Name).Select(checks => new MetricSample(checks.Any(check => check.Reading.Status == HealthStatus.Failing) ? 1 : 0, ("check", checks.Key))));
}
