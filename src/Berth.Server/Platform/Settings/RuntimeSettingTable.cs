namespace Berth.Server.Platform.Settings;

/// <summary>
/// Every setting that can be changed while the server runs: Harbor's names of user scope, its defaults where they fit. A feature reads
/// <c>(await settings.ReadAsync(ct)).Of(RuntimeSettingTable.SelfRegistration)</c>.
/// </summary>
public static class RuntimeSettingTable
{
    private static readonly List<RuntimeSetting> s_all = [];

    public static readonly RuntimeSetting<string> AuthMode = Word("auth_mode", "db_auth", "Which source of users the sign-in page offers first", ["db_auth", "ldap_auth", "oidc_auth", "http_auth", "uaa_auth"]);
    public static readonly RuntimeSetting<bool> PrimaryAuthMode = Flag("primary_auth_mode", false, "Whether that source is offered before the local accounts");

    public static readonly RuntimeSetting<string> LdapUrl = Filled("ldap_url", "Address of the LDAP server, ldap://host:389 or ldaps://host:636");
    public static readonly RuntimeSetting<string> LdapBaseDn = Filled("ldap_base_dn", "Where users are searched");
    public static readonly RuntimeSetting<string> LdapUid = Filled("ldap_uid", "Attribute that is the name of a user", "cn");
    public static readonly RuntimeSetting<string> LdapFilter = Text("ldap_filter", "Filter of the search for users");
    public static readonly RuntimeSetting<long> LdapScope = Add<long>("ldap_scope", SettingKind.LdapScope, "2", "Depth of the search for users: 0 base, 1 one level, 2 subtree");
    public static readonly RuntimeSetting<string> LdapSearchDn = Text("ldap_search_dn", "Account that searches");
    public static readonly RuntimeSetting<string> LdapSearchPassword = Secret("ldap_search_password", "Password of that account");
    public static readonly RuntimeSetting<long> LdapTimeout = Number("ldap_timeout", 5, "Seconds to wait for the LDAP server");
    public static readonly RuntimeSetting<bool> LdapVerifyCert = Flag("ldap_verify_cert", true, "Whether the certificate of the LDAP server is checked");
    public static readonly RuntimeSetting<string> LdapGroupBaseDn = Text("ldap_group_base_dn", "Where groups are searched");
    public static readonly RuntimeSetting<string> LdapGroupSearchFilter = Text("ldap_group_search_filter", "Filter of the search for groups");
    public static readonly RuntimeSetting<string> LdapGroupAttributeName = Text("ldap_group_attribute_name", "Attribute that is the name of a group");
    public static readonly RuntimeSetting<long> LdapGroupSearchScope = Add<long>("ldap_group_search_scope", SettingKind.LdapScope, "2", "Depth of the search for groups");
    public static readonly RuntimeSetting<string> LdapGroupAdminDn = Text("ldap_group_admin_dn", "Group whose members are administrators");
    public static readonly RuntimeSetting<string> LdapGroupMembershipAttribute = Text("ldap_group_membership_attribute", "Attribute of a user that names its groups", "memberof");
    public static readonly RuntimeSetting<bool> LdapGroupAttachParallel = Flag("ldap_group_attach_parallel", false, "Whether the groups of a user are read over several connections at once");

    public static readonly RuntimeSetting<string> UaaEndpoint = Text("uaa_endpoint", "Kept for Harbor's clients: there is no UAA source");
    public static readonly RuntimeSetting<string> UaaClientId = Text("uaa_client_id", "Kept for Harbor's clients: there is no UAA source");
    public static readonly RuntimeSetting<string> UaaClientSecret = Secret("uaa_client_secret", "Kept for Harbor's clients: there is no UAA source");
    public static readonly RuntimeSetting<bool> UaaVerifyCert = Flag("uaa_verify_cert", false, "Kept for Harbor's clients: there is no UAA source");

    public static readonly RuntimeSetting<string> HttpAuthProxyEndpoint = Text("http_authproxy_endpoint", "Kept for Harbor's clients: use the header of a trusted proxy");
    public static readonly RuntimeSetting<string> HttpAuthProxyTokenReviewEndpoint = Text("http_authproxy_tokenreview_endpoint", "Kept for Harbor's clients: use keyless sign-in");
    public static readonly RuntimeSetting<string> HttpAuthProxyAdminGroups = Text("http_authproxy_admin_groups", "Kept for Harbor's clients");
    public static readonly RuntimeSetting<string> HttpAuthProxyAdminUsernames = Text("http_authproxy_admin_usernames", "Kept for Harbor's clients");
    public static readonly RuntimeSetting<bool> HttpAuthProxyVerifyCert = Flag("http_authproxy_verify_cert", true, "Kept for Harbor's clients");
    public static readonly RuntimeSetting<bool> HttpAuthProxySkipSearch = Flag("http_authproxy_skip_search", false, "Kept for Harbor's clients");
    public static readonly RuntimeSetting<string> HttpAuthProxyServerCertificate = Text("http_authproxy_server_certificate", "Kept for Harbor's clients");

    public static readonly RuntimeSetting<string> OidcName = Text("oidc_name", "Name of the OIDC provider");
    public static readonly RuntimeSetting<string> OidcEndpoint = Text("oidc_endpoint", "Issuer of the OIDC provider");
    public static readonly RuntimeSetting<string> OidcClientId = Text("oidc_client_id", "Client id at the OIDC provider");
    public static readonly RuntimeSetting<string> OidcClientSecret = Secret("oidc_client_secret", "Client secret at the OIDC provider");
    public static readonly RuntimeSetting<string> OidcGroupsClaim = Text("oidc_groups_claim", "Claim that names groups");
    public static readonly RuntimeSetting<string> OidcAdminGroup = Text("oidc_admin_group", "Group whose members are administrators");
    public static readonly RuntimeSetting<string> OidcGroupFilter = Text("oidc_group_filter", "Regular expression of the groups that are taken over");
    public static readonly RuntimeSetting<string> OidcScope = Text("oidc_scope", "Scopes that are asked of the OIDC provider", "openid,profile,email");
    public static readonly RuntimeSetting<string> OidcUserClaim = Text("oidc_user_claim", "Claim that is the name of a user");
    public static readonly RuntimeSetting<bool> OidcVerifyCert = Flag("oidc_verify_cert", true, "Whether the certificate of the OIDC provider is checked");
    public static readonly RuntimeSetting<bool> OidcAutoOnboard = Flag("oidc_auto_onboard", false, "Whether a first sign-in makes the account without asking");
    public static readonly RuntimeSetting<string> OidcExtraRedirectParms = Add<string>("oidc_extra_redirect_parms", SettingKind.TextMap, "{}", "Parameters that are added to the redirect to the OIDC provider");
    public static readonly RuntimeSetting<bool> OidcLogout = Flag("oidc_logout", false, "Whether signing out here signs out at the OIDC provider");

    public static readonly RuntimeSetting<string> ProjectCreationRestriction = Word("project_creation_restriction", "everyone", "Who may make projects", ["everyone", "adminonly"]);
    public static readonly RuntimeSetting<bool> ReadOnly = Flag("read_only", false, "Whether pushing, deleting and changing repositories is refused");
    public static readonly RuntimeSetting<bool> MaintenanceMode = Flag("maintenance_mode", false, "Whether everybody but administrators is turned away, with 503 and the banner");
    public static readonly RuntimeSetting<bool> SelfRegistration = Flag("self_registration", false, "Whether anybody may make an account");
    public static readonly RuntimeSetting<long> TokenExpiration = Duration("token_expiration", 30, "Minutes that a token for the registry lasts");
    public static readonly RuntimeSetting<long> SessionTimeout = Duration("session_timeout", 60, "Minutes after which an unused session ends");
    public static readonly RuntimeSetting<long> RobotTokenDuration = Duration("robot_token_duration", 30, "Days that a robot lasts unless its maker says otherwise");
    public static readonly RuntimeSetting<string> RobotNamePrefix = Filled("robot_name_prefix", "What the names of robots begin with", "robot$");
    public static readonly RuntimeSetting<bool> NotificationEnable = Flag("notification_enable", true, "Whether webhooks are sent");
    public static readonly RuntimeSetting<bool> QuotaPerProjectEnable = Flag("quota_per_project_enable", true, "Whether quotas are enforced");
    public static readonly RuntimeSetting<long> StoragePerProject = Add<long>("storage_per_project", SettingKind.Quota, "-1", "Quota of new projects in bytes; -1 for none");
    public static readonly RuntimeSetting<string> ScanAllPolicy = Add<string>("scan_all_policy", SettingKind.Map, "", "Kept for Harbor's clients: schedules have operations of their own");
    public static readonly RuntimeSetting<bool> ScanSecrets = Flag("scan_secrets", false, "Whether scans look for secrets, where a project does not say otherwise");
    public static readonly RuntimeSetting<bool> ScanMisconfiguration = Flag("scan_misconfiguration", true, "Whether scans check the configuration of images, where a project does not say otherwise");
    public static readonly RuntimeSetting<bool> ScannerSkipUpdatePullTime = Flag("scanner_skip_update_pulltime", false, "Whether pulls by a scanner leave the pull time alone");
    public static readonly RuntimeSetting<bool> PullTimeUpdateDisable = Flag("pull_time_update_disable", false, "Whether pulls leave the pull time alone");
    public static readonly RuntimeSetting<bool> PullCountUpdateDisable = Flag("pull_count_update_disable", false, "Whether pulls leave the pull count alone");
    public static readonly RuntimeSetting<bool> PullAuditLogDisable = Flag("pull_audit_log_disable", false, "Whether pulls stay out of the audit log");
    public static readonly RuntimeSetting<string> AuditLogForwardEndpoint = Text("audit_log_forward_endpoint", "Where audit entries are sent: host:port for syslog over TCP, syslog+tls://, http:// or https://");
    public static readonly RuntimeSetting<bool> SkipAuditLogDatabase = Flag("skip_audit_log_database", false, "Whether audit entries are only sent, and leave the database once they are");
    public static readonly RuntimeSetting<string> DisabledAuditLogEventTypes = Text("disabled_audit_log_event_types", "Events that are not audited, such as create_user,delete_robot");
    public static readonly RuntimeSetting<string> BannerMessage = Text("banner_message", "What the web UI shows to everybody, and what callers are told under maintenance: text, or JSON with message, type, closable, fromDate, toDate");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<RuntimeSetting> All => s_all;

    /// <summary>The setting of a name, or null.</summary>
    public static RuntimeSetting? Find(string name) => s_all.Find(s => s.Name == name);

    private static RuntimeSetting<string> Text(string name, string description, string value = "") => Add<string>(name, SettingKind.Text, value, description);

    private static RuntimeSetting<string> Filled(string name, string description, string value = "") => Add<string>(name, SettingKind.FilledText, value, description);

    private static RuntimeSetting<string> Secret(string name, string description) => Add<string>(name, SettingKind.Secret, "", description);

    private static RuntimeSetting<bool> Flag(string name, bool value, string description) => Add<bool>(name, SettingKind.Flag, value ? "true" : "false", description);

    private static RuntimeSetting<long> Number(string name, long value, string description) => Add<long>(name, SettingKind.Number, $"{value}", description);

    private static RuntimeSetting<long> Duration(string name, long value, string description) => Add<long>(name, SettingKind.Duration, $"{value}", description);

    private static RuntimeSetting<string> Word(string name, string value, string description, string[] words) => Add<string>(name, SettingKind.Word, value, description, words);

    private static RuntimeSetting<T> Add<T>(string name, SettingKind kind, string value, string description, string[]? words = null)
    {
        var setting = new RuntimeSetting<T>(name, kind, value, description, s_all.Count, words);
        s_all.Add(setting);
        return setting;
    }
}
