using Berth.Blobs;
using Berth.Server.Access;
using Berth.Server.Audit;
using Berth.Server.Identity;
using Berth.Server.Integrity;
using Berth.Server.Lifecycle;
using Berth.Server.Notifications;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Health;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Settings;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Projects;
using Berth.Server.Registry;
using Berth.Server.Scanning.Scanners;
using Berth.Server.Scanning.Updates;
using Berth.Server.Trash;
using Berth.Server.Webhooks;

namespace Berth.Server;

/// <summary>All settings of a server: one record a feature, each under its section of <c>berth.yaml</c>.</summary>
public sealed record BerthOptions
{
    /// <summary>Folder of everything that has no place of its own: database file, storage, signing keys.</summary>
    public string DataFolder { get; init; } = "./berth-data";

    public HttpOptions Http { get; init; } = new();
    public DatabaseOptions Database { get; init; } = new();
    public BlobStoreOptions Storage { get; init; } = new();
    public RegistryOptions Registry { get; init; } = new();
    public GarbageOptions Gc { get; init; } = new();
    public TrashOptions Trash { get; init; } = new();
    public LifecycleOptions Lifecycle { get; init; } = new();
    public ScrubOptions Scrub { get; init; } = new();
    public AdvisoryOptions Advisories { get; init; } = new();
    public AccessOptions Access { get; init; } = new();
    public IdentityOptions Identity { get; init; } = new();
    public ProjectOptions Projects { get; init; } = new();
    public SettingsOptions Settings { get; init; } = new();
    public AuditOptions Audit { get; init; } = new();
    public NotificationOptions Notifications { get; init; } = new();
    public WebhookOptions Webhooks { get; init; } = new();
    public ScannersOptions Scanners { get; init; } = new();
    public OutgoingOptions Outgoing { get; init; } = new();
    public JobOptions Jobs { get; init; } = new();
    public HealthOptions Health { get; init; } = new();
    public LogOptions Log { get; init; } = new();
    public MetricsOptions Metrics { get; init; } = new();
    public TracingOptions Tracing { get; init; } = new();
}
