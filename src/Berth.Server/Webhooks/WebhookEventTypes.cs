namespace Berth.Server.Webhooks;

/// <summary>The words for what webhooks tell of: Harbor's, and ours.</summary>
public static class WebhookEventTypes
{
    public const string PushArtifact = "PUSH_ARTIFACT";
    public const string PullArtifact = "PULL_ARTIFACT";
    public const string DeleteArtifact = "DELETE_ARTIFACT";
    public const string QuotaExceed = "QUOTA_EXCEED";
    public const string QuotaWarning = "QUOTA_WARNING";
    public const string ScanningFailed = "SCANNING_FAILED";
    public const string ScanningStopped = "SCANNING_STOPPED";
    public const string ScanningCompleted = "SCANNING_COMPLETED";
    public const string Replication = "REPLICATION";
    public const string TagRetention = "TAG_RETENTION";

    /// <summary>Ours: a tag ends soon.</summary>
    public const string TagExpiring = "TAG_EXPIRING";

    /// <summary>Ours: a tag has ended.</summary>
    public const string TagExpired = "TAG_EXPIRED";

    /// <summary>Ours: an image has findings that its last report did not have.</summary>
    public const string NewFindings = "NEW_FINDINGS";

    /// <summary>Ours: everything that is done through the management API. Only for policies of the installation.</summary>
    public const string Management = "MANAGEMENT";

    /// <summary>Harbor's event types in Harbor's order, then ours.</summary>
    public static readonly IReadOnlyList<string> OfProjects =
        [PushArtifact, PullArtifact, DeleteArtifact, QuotaExceed, QuotaWarning, ScanningFailed, ScanningStopped, ScanningCompleted, Replication, TagRetention, TagExpiring, TagExpired, NewFindings];

    /// <summary>What policies of the installation can ask for.</summary>
    public static readonly IReadOnlyList<string> OfInstallation = [.. OfProjects, Management];

    /// <summary>The type of a CloudEvent; Harbor's where Harbor has one.</summary>
    public static string CloudEventTypeOf(string eventType) => eventType switch
    {
        DeleteArtifact => "harbor.artifact.deleted",
        PullArtifact => "harbor.artifact.pulled",
        PushArtifact => "harbor.artifact.pushed",
        QuotaExceed => "harbor.quota.exceeded",
        QuotaWarning => "harbor.quota.warned",
        Replication => "harbor.replication.status.changed",
        ScanningFailed => "harbor.scan.failed",
        ScanningCompleted => "harbor.scan.completed",
        ScanningStopped => "harbor.scan.stopped",
        TagRetention => "harbor.tag_retention.finished",
        TagExpiring => "berth.tag.expiring",
        TagExpired => "berth.tag.expired",
        NewFindings => "berth.scan.new_findings",
        _ => "berth.management",
    };
}
