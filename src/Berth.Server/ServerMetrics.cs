using Berth.Server.Access;
using Berth.Server.Notifications;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Registry;

namespace Berth.Server;

/// <summary>What the features count, put on the metrics page.</summary>
internal static class ServerMetrics
{
    public static void AddTo(MetricRegistry metrics, ContentCache cache, ActiveUploads uploads, AccessCounters access, NotificationEndpoints notifications)
    {
        metrics.AddCounter("berth_cache_lookups_total", "Lookups in the cache of manifests, small blobs and links.", () => cache.Hits, ("result", "hit"));
        metrics.AddCounter("berth_cache_lookups_total", "Lookups in the cache of manifests, small blobs and links.", () => cache.Misses, ("result", "miss"));
        metrics.AddGauge("berth_cache_bytes", "Bytes held by the cache of manifests, small blobs and links.", () => cache.Bytes);
        metrics.AddGauge("berth_uploads_active", "Upload requests that are writing now.", () => uploads.Count);

        const string signIns = "Sign-ins by outcome; remembered ones cost no password hash and no signature check.";
        metrics.AddCounter("berth_sign_ins_total", signIns, () => access.SignInsSucceeded, ("result", "succeeded"));
        metrics.AddCounter("berth_sign_ins_total", signIns, () => access.SignInsFailed, ("result", "failed"));
        metrics.AddCounter("berth_sign_ins_total", signIns, () => access.SignInsThrottled, ("result", "throttled"));
        metrics.AddCounter("berth_sign_ins_total", signIns, () => access.CredentialsRemembered, ("result", "remembered"));
        metrics.AddCounter("berth_tokens_issued_total", "Access tokens signed by Berth's own token service.", () => access.TokensIssued);

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
}
