namespace Berth.Server.Access;

/// <summary>What can be allowed for the whole installation, in the words of Harbor's permission table. Administrators have all of it.</summary>
public static class SystemPermissions
{
    private static readonly List<Permission> s_all = [];

    public static readonly Permission AuditLogList = Add("audit-log", "list");
    public static readonly Permission PreheatInstanceRead = Add("preheat-instance", "read");
    public static readonly Permission PreheatInstanceCreate = Add("preheat-instance", "create");
    public static readonly Permission PreheatInstanceDelete = Add("preheat-instance", "delete");
    public static readonly Permission PreheatInstanceList = Add("preheat-instance", "list");
    public static readonly Permission PreheatInstanceUpdate = Add("preheat-instance", "update");
    public static readonly Permission ProjectList = Add("project", "list");
    public static readonly Permission ProjectCreate = Add("project", "create");
    public static readonly Permission ReplicationPolicyRead = Add("replication-policy", "read");
    public static readonly Permission ReplicationPolicyCreate = Add("replication-policy", "create");
    public static readonly Permission ReplicationPolicyDelete = Add("replication-policy", "delete");
    public static readonly Permission ReplicationPolicyList = Add("replication-policy", "list");
    public static readonly Permission ReplicationPolicyUpdate = Add("replication-policy", "update");
    public static readonly Permission ReplicationRead = Add("replication", "read");
    public static readonly Permission ReplicationCreate = Add("replication", "create");
    public static readonly Permission ReplicationList = Add("replication", "list");
    public static readonly Permission ReplicationAdapterList = Add("replication-adapter", "list");
    public static readonly Permission RegistryRead = Add("registry", "read");
    public static readonly Permission RegistryCreate = Add("registry", "create");
    public static readonly Permission RegistryDelete = Add("registry", "delete");
    public static readonly Permission RegistryList = Add("registry", "list");
    public static readonly Permission RegistryUpdate = Add("registry", "update");
    public static readonly Permission ScanAllRead = Add("scan-all", "read");
    public static readonly Permission ScanAllUpdate = Add("scan-all", "update");
    public static readonly Permission ScanAllStop = Add("scan-all", "stop");
    public static readonly Permission ScanAllCreate = Add("scan-all", "create");
    public static readonly Permission SystemVolumesRead = Add("system-volumes", "read");
    public static readonly Permission GarbageCollectionRead = Add("garbage-collection", "read");
    public static readonly Permission GarbageCollectionCreate = Add("garbage-collection", "create");
    public static readonly Permission GarbageCollectionList = Add("garbage-collection", "list");
    public static readonly Permission GarbageCollectionUpdate = Add("garbage-collection", "update");
    public static readonly Permission GarbageCollectionStop = Add("garbage-collection", "stop");
    public static readonly Permission PurgeAuditRead = Add("purge-audit", "read");
    public static readonly Permission PurgeAuditCreate = Add("purge-audit", "create");
    public static readonly Permission PurgeAuditList = Add("purge-audit", "list");
    public static readonly Permission PurgeAuditUpdate = Add("purge-audit", "update");
    public static readonly Permission PurgeAuditStop = Add("purge-audit", "stop");
    public static readonly Permission JobserviceMonitorList = Add("jobservice-monitor", "list");
    public static readonly Permission JobserviceMonitorStop = Add("jobservice-monitor", "stop");
    public static readonly Permission ScannerRead = Add("scanner", "read");
    public static readonly Permission ScannerCreate = Add("scanner", "create");
    public static readonly Permission ScannerDelete = Add("scanner", "delete");
    public static readonly Permission ScannerList = Add("scanner", "list");
    public static readonly Permission ScannerUpdate = Add("scanner", "update");
    public static readonly Permission LabelRead = Add("label", "read");
    public static readonly Permission LabelCreate = Add("label", "create");
    public static readonly Permission LabelDelete = Add("label", "delete");
    public static readonly Permission LabelUpdate = Add("label", "update");
    public static readonly Permission SecurityHubRead = Add("security-hub", "read");
    public static readonly Permission SecurityHubList = Add("security-hub", "list");
    public static readonly Permission CatalogRead = Add("catalog", "read");
    public static readonly Permission QuotaRead = Add("quota", "read");
    public static readonly Permission QuotaList = Add("quota", "list");
    public static readonly Permission QuotaUpdate = Add("quota", "update");
    public static readonly Permission RobotCreate = Add("robot", "create");
    public static readonly Permission RobotRead = Add("robot", "read");
    public static readonly Permission RobotList = Add("robot", "list");
    public static readonly Permission RobotDelete = Add("robot", "delete");
    public static readonly Permission UserCreate = Add("user", "create");
    public static readonly Permission UserRead = Add("user", "read");
    public static readonly Permission UserUpdate = Add("user", "update");
    public static readonly Permission UserList = Add("user", "list");
    public static readonly Permission UserDelete = Add("user", "delete");
    public static readonly Permission LdapUserCreate = Add("ldap-user", "create");
    public static readonly Permission LdapUserList = Add("ldap-user", "list");
    public static readonly Permission UserGroupCreate = Add("user-group", "create");
    public static readonly Permission UserGroupRead = Add("user-group", "read");
    public static readonly Permission UserGroupUpdate = Add("user-group", "update");
    public static readonly Permission UserGroupList = Add("user-group", "list");
    public static readonly Permission UserGroupDelete = Add("user-group", "delete");

    /// <summary>All of them; the place of each is its bit in a <see cref="PermissionSet"/>.</summary>
    public static IReadOnlyList<Permission> All => s_all;

    /// <summary>The permission of two words, or null when there is none.</summary>
    public static Permission? Find(string resource, string action) => s_all.Find(p => p.Resource == resource && p.Action == action);

    private static Permission Add(string resource, string action)
    {
        var permission = new Permission(PermissionScope.System, resource, action, s_all.Count);
        s_all.Add(permission);
        return permission;
    }
}
