using Berth.Server.Ui;

namespace Berth.Server.Administration.Pages;

/// <summary>Words of the administration's pages and of search.</summary>
internal sealed class AdministrationWords(Language language) : Wording(language)
{
    public string Overview => Of("Overview", "概览");
    public string Projects => Of("Projects", "项目");
    public string Repositories => Of("Repositories", "仓库");
    public string Stored => Of("Stored", "已存储");
    public string Blobs => Of("Blobs", "数据块");
    public string Storage => Of("Storage use", "存储使用");
    public string StorageLead => Of("Each blob is stored once. Unique bytes are named by one project, shared ones by several; unused ones wait for garbage collection.", "每个数据块只存一份。独占:仅一个项目引用;共享:多个项目引用;未引用:等待垃圾回收。");
    public string Unique => Of("Unique", "独占");
    public string Shared => Of("Shared", "共享");
    public string Unused => Of("Unused", "未引用");
    public string FreeSpace => Of("Free in the store", "存储剩余空间");
    public string Largest => Of("Projects that use most", "占用最多的项目");
    public string Used => Of("Used", "已用");
    public string Quota => Of("Quota", "配额");
    public string Health => Of("Health", "运行状况");
    public string Well => Of("well", "正常");
    public string Unwell => Of("not well", "异常");
    public string Component => Of("Part", "组件");
    public string Jobs => Of("Jobs", "任务");
    public string JobsLead => Of("Work in the background, by kind, and the processes that do it.", "后台任务队列及执行任务的进程。");
    public string JobOf(string? type) => type switch
    {
        "ADAPTER_SCAN" => Of("Scans for another registry", "为其他仓库扫描"),
        "ADVISORY_UPDATE" => Of("Advisory database: update", "更新漏洞数据库"),
        "CLEANUP" => Of("Clean-up", "清理"),
        "EXPIRY_LABELS" => Of("Expiry from labels", "读取到期标记"),
        "GARBAGE_COLLECTION" => Of("Garbage collection", "垃圾回收"),
        "IMAGE_SCAN" => Of("Scans of images", "镜像扫描"),
        "IMAGE_SCAN_OUTSIDE" => Of("Scans by other scanners", "外部扫描器扫描"),
        "LDAP_SYNC" => Of("LDAP groups", "LDAP 组同步"),
        "PURGE_AUDIT_LOG" => Of("Audit log: old entries", "清理审计日志"),
        "REJUDGE" => Of("Images judged again after an advisory update", "漏洞数据更新后重新评估镜像"),
        "RETENTION" => Of("Retention", "保留策略"),
        "SBOM" => Of("Bills of materials (SBOM)", "生成 SBOM"),
        "SCAN_ALL" => Of("Scan of all images", "扫描全部镜像"),
        "SCAN_DATA_EXPORT" => Of("Export of findings", "导出漏洞数据"),
        "SCRUB" => Of("Check of stored bytes", "数据校验"),
        "STORE_MOVE" => Of("Move to another store", "存储迁移"),
        "TAG_EXPIRY" => Of("Expiry of tags", "标签到期"),
        "WEBHOOK" => Of("Webhooks", "Webhook"),
        _ => type ?? "",
    };
    public string Waiting => Of("Waiting", "等待中");
    public string Latency => Of("Oldest waits", "最长等待");
    public string Seconds(long seconds) => Of($"{seconds:N0} s", $"{seconds:N0} 秒");
    public string Paused => Of("paused", "已暂停");
    public string Pause => Of("Pause", "暂停");
    public string Resume => Of("Resume", "恢复");
    public string Running => Of("Running", "运行中");
    public string NothingRuns => Of("Nothing is running.", "没有正在运行的任务。");
    public string Started => Of("Started", "开始时间");
    public string Schedules => Of("Schedules", "定时计划");
    public string Cron => Of("When (cron)", "时间(cron)");
    public string NoQueues => Of("No work is waiting.", "没有等待的任务。");
    public string Configuration => Of("Configuration", "配置");
    public string ConfigurationLead => Of("What can be changed while the server runs. What the configuration file fixes is shown and cannot be changed here.", "可在运行时修改的设置。由配置文件固定的项仅显示,不可在此修改。");
    public string Fixed => Of("fixed by the configuration file", "由配置文件固定");
    public string Banner => Of("Banner on every page", "页面横幅");
    public string BannerHint => Of("Empty for none.", "留空则不显示。");
    public string ReadOnly => Of("Read-only: pushing, deleting and changing is refused", "只读:拒绝推送、删除和更改");
    public string Maintenance => Of("Maintenance: everybody but administrators is turned away", "维护模式:仅管理员可访问");
    public string SelfRegistration => Of("Anybody may make an account", "允许自助注册");
    public string Creators => Of("Who may make projects", "谁可以创建项目");
    public string Everyone => Of("Every user", "所有用户");
    public string AdminsOnly => Of("Administrators only", "仅管理员");
    public string TokenMinutes => Of("Registry tokens last (minutes)", "仓库令牌有效期(分钟)");
    public string SessionMinutes => Of("Unused sessions end after (minutes)", "会话闲置超时(分钟)");
    public string RobotDays => Of("New robots last (days)", "新机器人账户有效期(天)");
    public string DefaultQuota => Of("Quota of new projects", "新项目的默认配额");
    public string AuthMode => Of("Source that the sign-in page offers first", "登录页首选的账户来源");
    public IReadOnlyList<(string Value, string Word)> Modes =>
        [("db_auth", Of("Accounts of this server", "本地账户")), ("ldap_auth", Of("LDAP directory", "LDAP 目录")), ("oidc_auth", Of("OpenID provider", "OpenID 提供方")), ("http_auth", Of("Trusted proxy", "受信任代理")), ("uaa_auth", "UAA")];
    public IReadOnlyList<(string Value, string Word)> CreatorChoices => [("everyone", Everyone), ("adminonly", AdminsOnly)];
    public string PrimaryAuthMode => Of("Offer it before the accounts of this server", "优先于本地账户显示");
    public string QuotasEnforced => Of("Quotas are enforced", "启用配额限制");
    public string WebhooksSent => Of("Webhooks are sent", "发送 Webhook");
    public string RobotPrefix => Of("Names of robots begin with", "机器人名称前缀");
    public string RobotPrefixHint => Of("Robots that there are go by the new name at once.", "现有机器人将立即使用新名称。");
    public string NoPullTime => Of("Pulls leave the pull time alone", "拉取时不更新拉取时间");
    public string NoPullCount => Of("Pulls leave the pull count alone", "拉取时不更新拉取次数");
    public string NoScannerPullTime => Of("Pulls by a scanner leave the pull time alone", "扫描器拉取时不更新拉取时间");
    public string NoPullAudit => Of("Pulls stay out of the audit log", "拉取不记入审计日志");
    public string UnauditedEvents => Of("Events that are not audited", "不审计的事件");
    public string UnauditedHint => Of("Such as create_user,delete_robot.", "例如 create_user,delete_robot。");
    public string AuditTarget => Of("Audit entries are sent to", "审计日志转发地址");
    public string AuditTargetHint => Of("host:port for syslog over TCP, syslog+tls://host:port, or an http or https address.", "host:port(TCP syslog)、syslog+tls://host:port 或 http/https 地址。");
    public string AuditOnlySent => Of("Audit entries leave the database once they are sent", "转发后从数据库移除审计条目");
    public string SettingsOf(string group) => group switch
    {
        "operation" => Of("Banner and maintenance", "横幅与维护"),
        "accounts" => Of("Accounts", "账户"),
        "projects" => Of("Projects", "项目"),
        "pulls" => Of("Pulls", "拉取"),
        _ => Of("Audit log", "审计日志"),
    };
    public string QuotaHint => Of("Such as 10 GiB; empty for no limit.", "例如 10 GiB;留空表示不限。");
    public string QuotaWrong => Of("A quota is a number with a unit, such as 10 GiB.", "配额应为带单位的数字,例如 10 GiB。");
    public string SearchTitle => Of("Search", "搜索");
    public string Found(long count) => Count(count, "result", "results", "条结果");
    public string ArtifactsFound => Of("Tags and digests", "标签与摘要");
    public string ImagesWithFlaw(string id) => Of($"Images with {id}", $"包含 {id} 的镜像");
    public string ImagesWithPackage(string name) => Of($"Images with the package {name}", $"包含软件包 {name} 的镜像");
    public string SearchEmpty => Of("Nothing has that in its name.", "没有名称匹配的内容。");
    public string TypeSomething => Of("Type a part of a name, a tag, repository:tag, or the beginning of a digest in the box above.", "请在上方输入名称的一部分、标签、仓库:标签,或摘要的开头。");
    public string Artifacts(long count) => Count(count, "artifact", "artifacts", "个制品");
}
