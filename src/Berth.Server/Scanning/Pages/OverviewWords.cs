using Berth.Server.Ui;

namespace Berth.Server.Scanning.Pages;

/// <summary>Words of the security pages of the installation and of projects.</summary>
internal sealed class OverviewWords(Language language) : Wording(language)
{
    public string Title => Of("Security", "安全");
    public string Lead => Of("What is known about the contents of all images.", "所有镜像内容的已知情况。");
    public string ProjectLead => Of("What is known about the images of this project, and which of them may be pulled.", "此项目镜像的已知情况,以及哪些可以拉取。");
    public string Images => Of("Images", "镜像");
    public string Scanned => Of("Scanned", "已扫描");
    public string Missing(long count) => Of($"{count:N0} not", $"{count:N0} 个未扫描");
    public string Unscanned => Of("Not scanned", "未扫描");
    public string Affected => Of("With critical or high findings", "含危急或高危漏洞");
    public string FixableFindings => Of("Fixable findings", "可修复漏洞");
    public string Findings => Of("Findings", "漏洞");
    public string WithExcepted => Of("All findings of the reports; exceptions are not taken off these sums.", "统计包含报告中的全部漏洞,未扣除例外。");
    public string Worst => Of("Worst images", "最严重的镜像");
    public string WorstNone => Of("No scanned image has findings.", "已扫描的镜像没有漏洞。");
    public string UnscannedImages => Of("Images that no scan has reported on", "尚无扫描报告的镜像");
    public string Image => Of("Image", "镜像");
    public string Trend => Of("Findings by day", "每日漏洞数");
    public string TrendNone => Of("There is a point for every day, from tomorrow on.", "每天记录一个点,自明日起显示。");
    public string TrendText(long from, long to, long days) => Of($"From {from:N0} to {to:N0} findings in {days:N0} days", $"{days:N0} 天内由 {from:N0} 个变为 {to:N0} 个漏洞");
    public string Day => Of("Day", "日期");
    public string AsNumbers => Of("The same in numbers", "数据表");
    public string ByBase => Of("By base image", "按基础镜像");
    public string BaseNone => Of("No image is known to be built on another of this registry.", "尚未发现基于本仓库其他镜像构建的镜像。");
    public string BaseImage => Of("Base image", "基础镜像");
    public string BuiltOn => Of("Built on it", "基于它构建");
    public string BaseAge => Of("May be five minutes old.", "可能有五分钟延迟。");
    public string Dangerous => Of("Worst flaws", "最严重的漏洞");
    public string Database => Of("Advisory database", "公告数据库");
    public string NoDatabase => Of("There is no advisory database: scans fail until one is there.", "没有公告数据库:在导入之前扫描会失败。");
    public string NoDatabaseText => Of("Bring one with the command line, also without the internet:", "可用命令行导入,无需联网:");
    public string BuiltAt => Of("Built", "构建于");
    public string NewestSource => Of("Newest data", "最新数据");
    public string NextUpdate => Of("Sources expect news", "来源预计更新");
    public string Advisories => Of("Advisories", "公告");
    public string Details => Of("Flaws described", "漏洞描述");
    public string Exploited => Of("Known to be exploited", "已知被利用");
    public string Sources => Of("Sources", "数据来源");
    public string Records => Of("Records", "记录数");
    public string Fresh => Of("fresh", "较新");
    public string Old => Of("older than a week", "超过一周");
    public string ScanAll => Of("Scan all images", "扫描全部镜像");
    public string ScanAllText => Of("Layers that were read before are not read again.", "已读取过的层不会再次读取。");
    public string Start => Of("Scan all now", "立即扫描全部");
    public string Stop => Of("Stop", "停止");
    public string Started => Of("All images are being scanned.", "正在扫描全部镜像。");
    public string Stopped => Of("The scans are being stopped.", "正在停止扫描。");
    public string Progress(long done, long total) => Of($"{done:N0} of {total:N0} images", $"{done:N0} / {total:N0} 个镜像");
    public string LastRun => Of("Newest run", "最近一次");
    public string NeverRun => Of("All images were never scanned together.", "从未整体扫描过。");
    public string Schedule => Of("Schedule", "计划");
    public string NextRun => Of("Next run", "下次运行");
    public string Off => Of("Off", "关闭");
    public string Hourly => Of("Every hour", "每小时");
    public string Daily => Of("Every day", "每天");
    public string Weekly => Of("Every week", "每周");
    public string Custom => Of("Custom", "自定义");
    public string Cron => Of("Times (cron)", "时间(cron)");
    public string CronHint => Of("Six fields, seconds first: 0 0 3 * * * is 03:00 every day (UTC). Only for Custom.", "六个字段,秒在最前:0 0 3 * * * 表示每天 03:00(UTC)。仅用于自定义。");
    public string Scanners => Of("Scanners", "扫描器");
    public string IsDefault => Of("default", "默认");
    public string Healthy => Of("ready", "就绪");
    public string MakeDefault => Of("Make default", "设为默认");
    public string AddScanner => Of("Add a scanner", "添加扫描器");
    public string ScannerAdded => Of("The scanner is entered.", "扫描器已添加。");
    public string RemoveScanner(string name) => Of($"Remove the scanner {name}", $"移除扫描器 {name}");
    public string ScannerUrl => Of("Address", "地址");
    public string ScannerUrlHint => Of("Such as http://trivy-adapter:8080.", "例如 http://trivy-adapter:8080。");
    public string HarborKind => Of("Harbor's scanner API", "Harbor 扫描器 API");
    public string ClairKind => Of("Clair v4", "Clair 第 4 版");
    public string Auth => Of("Sign in by", "认证方式");
    public string Credential => Of("Credential", "凭据");
    public string CredentialHint => Of("Basic: name:password; else the token or key. It is not shown again.", "Basic 为 名称:密码;其他为令牌或密钥。之后不再显示。");
    public string SkipVerify => Of("Do not check its certificate", "不校验证书");
    public string BuiltIn => Of("built in", "内置");
    public string Search => Of("Search by vulnerability or package", "按漏洞或软件包搜索");
    public string Exceptions => Of("Exceptions", "例外");

    /// <summary>How a scan of a run stands.</summary>
    public string StateOf(string state) => state switch
    {
        "Success" => Of("done", "完成"),
        "Error" => Of("failed", "失败"),
        "Running" => Of("running", "运行中"),
        "Pending" => Of("waiting", "等待中"),
        _ => Of("stopped", "已停止"),
    };

    /// <summary>What a source of advisories is.</summary>
    public string FeedOf(string feed) => feed switch
    {
        "trivy" => Of("Trivy's database", "Trivy 数据库"),
        "osv" => "OSV",
        "alpine" => Of("Alpine's list", "Alpine 列表"),
        "debian" => Of("Debian's tracker", "Debian 跟踪器"),
        "epss" => "EPSS",
        "kev" => "KEV",
        "constraints" => Of("Own list", "自有列表"),
        _ => feed,
    };
}
