namespace Berth.Server.Access;

/// <summary>What can be allowed inside a project, in the words of Harbor's permission table. The project itself is the resource <c>project</c>.</summary>
public static class ProjectPermissions
{
    private static readonly List<Permission> s_all = [];

    public static readonly Permission ProjectRead = Add("project", "read");
    public static readonly Permission ProjectUpdate = Add("project", "update");
    public static readonly Permission ProjectDelete = Add("project", "delete");
    public static readonly Permission MemberCreate = Add("member", "create");
    public static readonly Permission MemberRead = Add("member", "read");
    public static readonly Permission MemberUpdate = Add("member", "update");
    public static readonly Permission MemberDelete = Add("member", "delete");
    public static readonly Permission MemberList = Add("member", "list");
    public static readonly Permission MetadataCreate = Add("metadata", "create");
    public static readonly Permission MetadataRead = Add("metadata", "read");
    public static readonly Permission MetadataUpdate = Add("metadata", "update");
    public static readonly Permission MetadataDelete = Add("metadata", "delete");
    public static readonly Permission MetadataList = Add("metadata", "list");
    public static readonly Permission LogList = Add("log", "list");
    public static readonly Permission LabelCreate = Add("label", "create");
    public static readonly Permission LabelRead = Add("label", "read");
    public static readonly Permission LabelUpdate = Add("label", "update");
    public static readonly Permission LabelDelete = Add("label", "delete");
    public static readonly Permission LabelList = Add("label", "list");
    public static readonly Permission QuotaRead = Add("quota", "read");
    public static readonly Permission RepositoryCreate = Add("repository", "create");
    public static readonly Permission RepositoryRead = Add("repository", "read");
    public static readonly Permission RepositoryUpdate = Add("repository", "update");
    public static readonly Permission RepositoryDelete = Add("repository", "delete");
    public static readonly Permission RepositoryList = Add("repository", "list");
    public static readonly Permission RepositoryPull = Add("repository", "pull");
    public static readonly Permission RepositoryPush = Add("repository", "push");
    public static readonly Permission TagRetentionCreate = Add("tag-retention", "create");
    public static readonly Permission TagRetentionRead = Add("tag-retention", "read");
    public static readonly Permission TagRetentionUpdate = Add("tag-retention", "update");
    public static readonly Permission TagRetentionDelete = Add("tag-retention", "delete");
    public static readonly Permission TagRetentionList = Add("tag-retention", "list");
    public static readonly Permission TagRetentionOperate = Add("tag-retention", "operate");
    public static readonly Permission ImmutableTagCreate = Add("immutable-tag", "create");
    public static readonly Permission ImmutableTagUpdate = Add("immutable-tag", "update");
    public static readonly Permission ImmutableTagDelete = Add("immutable-tag", "delete");
    public static readonly Permission ImmutableTagList = Add("immutable-tag", "list");
    public static readonly Permission ConfigurationRead = Add("configuration", "read");
    public static readonly Permission ConfigurationUpdate = Add("configuration", "update");
    public static readonly Permission RobotCreate = Add("robot", "create");
    public static readonly Permission RobotRead = Add("robot", "read");
    public static readonly Permission RobotUpdate = Add("robot", "update");
    public static readonly Permission RobotDelete = Add("robot", "delete");
    public static readonly Permission RobotList = Add("robot", "list");
    public static readonly Permission NotificationPolicyCreate = Add("notification-policy", "create");
    public static readonly Permission NotificationPolicyUpdate = Add("notification-policy", "update");
    public static readonly Permission NotificationPolicyDelete = Add("notification-policy", "delete");
    public static readonly Permission NotificationPolicyList = Add("notification-policy", "list");
    public static readonly Permission NotificationPolicyRead = Add("notification-policy", "read");
    public static readonly Permission ScanCreate = Add("scan", "create");
    public static readonly Permission ScanRead = Add("scan", "read");
    public static readonly Permission ScanStop = Add("scan", "stop");
    public static readonly Permission SbomCreate = Add("sbom", "create");
    public static readonly Permission SbomStop = Add("sbom", "stop");
    public static readonly Permission SbomRead = Add("sbom", "read");
    public static readonly Permission ScannerRead = Add("scanner", "read");
    public static readonly Permission ScannerCreate = Add("scanner", "create");
    public static readonly Permission ArtifactCreate = Add("artifact", "create");
    public static readonly Permission ArtifactRead = Add("artifact", "read");
    public static readonly Permission ArtifactDelete = Add("artifact", "delete");
    public static readonly Permission ArtifactList = Add("artifact", "list");
    public static readonly Permission ArtifactAdditionRead = Add("artifact-addition", "read");
    public static readonly Permission TagList = Add("tag", "list");
    public static readonly Permission TagCreate = Add("tag", "create");
    public static readonly Permission TagDelete = Add("tag", "delete");
    public static readonly Permission AccessoryList = Add("accessory", "list");
    public static readonly Permission ArtifactLabelCreate = Add("artifact-label", "create");
    public static readonly Permission ArtifactLabelDelete = Add("artifact-label", "delete");
    public static readonly Permission PreheatPolicyCreate = Add("preheat-policy", "create");
    public static readonly Permission PreheatPolicyRead = Add("preheat-policy", "read");
    public static readonly Permission PreheatPolicyUpdate = Add("preheat-policy", "update");
    public static readonly Permission PreheatPolicyDelete = Add("preheat-policy", "delete");
    public static readonly Permission PreheatPolicyList = Add("preheat-policy", "list");
    public static readonly Permission ExportCveCreate = Add("export-cve", "create");
    public static readonly Permission ExportCveRead = Add("export-cve", "read");
    public static readonly Permission ExportCveList = Add("export-cve", "list");

    /// <summary>All of them; the place of each is its bit in a <see cref="PermissionSet"/>.</summary>
    public static IReadOnlyList<Permission> All => s_all;

    /// <summary>The permission of two words, or null when there is none.</summary>
    public static Permission? Find(string resource, string action) => s_all.Find(p => p.Resource == resource && p.Action == action);

    private static Permission Add(string resource, string action)
    {
        var permission = new Permission(PermissionScope.Project, resource, action, s_all.Count);
        s_all.Add(permission);
        return permission;
    }
}
