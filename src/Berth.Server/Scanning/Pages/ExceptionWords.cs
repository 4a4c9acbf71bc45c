using Berth.Server.Ui;

namespace Berth.Server.Scanning.Pages;

/// <summary>Words of exceptions and of the gate for pulls.</summary>
internal sealed class ExceptionWords(Language language) : Wording(language)
{
    public string Title => Of("Exceptions", "例外");
    public string Lead => Of("Findings that somebody has looked at and that do not count: everywhere with their reason and their end.", "经人工确认、不计入的漏洞:处处显示原因与截止时间。");
    public string SystemLead => Of("What holds here holds for the images of all projects; the allow list for projects that have none of their own.", "此处的例外适用于所有项目的镜像;允许列表适用于没有自有列表的项目。");
    public string AllowList => Of("Allow list", "允许列表");
    public string AllowListText => Of("Vulnerabilities that are accepted, by id. Aliases count: a CVE covers its GHSA.", "按编号接受的漏洞;别名同样有效:CVE 涵盖其 GHSA。");
    public string UsesSystem => Of("Use the list of the installation in place of an own one", "使用全局列表而非自有列表");
    public string Ids => Of("Ids, one a line", "编号,每行一个");
    public string Ends => Of("Ends", "截止");
    public string EndsHint => Of("The whole list stops to hold after this day (UTC); empty for never.", "整个列表在此日(UTC)之后失效;留空表示永不。");
    public string DayWrong => Of("The day must be written as 2027-01-31.", "日期格式应为 2027-01-31。");
    public string Expired => Of("ended", "已截止");
    public string EndsSoon => Of("ends soon", "即将截止");
    public string Never => Of("never", "永不");
    public string Documents => Of("Documents", "文档");
    public string DocumentsText => Of("OpenVEX and CycloneDX VEX say why a flaw does not matter; Trivy's ignore files work as they are.", "OpenVEX 与 CycloneDX VEX 说明漏洞为何无影响;Trivy 忽略文件可直接使用。");
    public string NoDocuments => Of("There are no documents.", "没有文档。");
    public string Add => Of("Add a document", "添加文档");
    public string Kind => Of("Form", "格式");
    public string Name => Of("Name", "名称");
    public string NameHint => Of("Such as the name of its file.", "例如文件名。");
    public string Why => Of("Why", "原因");
    public string WhyHint => Of("Stands as the reason where the document gives none.", "文档未给出原因时以此为准。");
    public string Content => Of("Content", "内容");
    public string Repository => Of("Only for the repository", "仅限仓库");
    public string RepositoryHint => Of("Empty for all of the project.", "留空表示整个项目。");
    public string Entries => Of("Entries", "条目数");
    public string By => Of("By", "添加者");
    public string For => Of("For", "适用于");
    public string Everywhere => Of("all images", "所有镜像");
    public string WholeProject => Of("the project", "整个项目");
    public string Added => Of("The document holds from now on.", "文档已生效。");
    public string Removed => Of("What it excepted counts again.", "其例外已失效,相关漏洞重新计入。");
    public string RemoveText(string name) => Of($"What {name} excepts counts again.", $"{name} 的例外将失效,相关漏洞重新计入。");
    public string Gate => Of("Gate for pulls", "拉取门禁");
    public string GateText => Of("Refuses to hand out images with findings that count, the index and each of its images.", "拒绝拉取含有计入漏洞的镜像,对索引及其每个镜像均有效。");
    public string GateOn => Of("Watch what is pulled", "启用门禁");
    public string Mode => Of("What happens", "处理方式");
    public string Enforce => Of("Pulls are refused", "拒绝拉取");
    public string Warn => Of("Pulls go through and are noted (dry run)", "放行并记录(试运行)");
    public string Threshold => Of("From severity", "严重程度阈值");
    public string AnySeverity => Of("Any", "任意");
    public string FixableOnly => Of("Only findings for which there is a repair", "仅限可修复的漏洞");
    public string Unscanned => Of("Images without a report", "没有报告的镜像");
    public string UnscannedRefuse => Of("are refused", "拒绝");
    public string UnscannedAllow => Of("are handed out", "放行");
    public string Grace => Of("Grace after a push (minutes)", "推送后宽限(分钟)");
    public string GraceHint => Of("While the first scan of a new image waits or runs.", "新镜像首次扫描等待或进行期间。");
    public string TrustAttached => Of("Believe VEX documents that are attached to images", "信任附加在镜像上的 VEX 文档");
    public string AutoScan => Of("Scan what is pushed", "推送时自动扫描");
    public string AutoSbom => Of("Make an SBOM of what is pushed", "推送时自动生成 SBOM");
    public string ScanConfiguration => Of("Check the configuration of images", "检查镜像配置");
    public string ScanSecrets => Of("Look for secrets in layers and configuration", "在层与配置中查找敏感信息");
    public string PreferAttached => Of("Judge the bill of materials that is attached, where there is one", "优先依据附加的 SBOM 判定");
    public string Scanner => Of("Scanner", "扫描器");
    public string Scanning => Of("Scanning", "扫描");
    public string Blocked => Of("Who would be blocked", "将被阻止的镜像");
    public string BlockedText => Of("What the gate would say now, by the settings that are saved.", "按已保存的设置,门禁当前的判定。");
    public string BlockedNone => Of("Nothing would be refused.", "没有镜像会被拒绝。");
    public string Because => Of("Because", "原因");
    public string MoreBlocked => Of("More", "更多");

    /// <summary>Why an image is kept back that has no finding that counts.</summary>
    public string ReasonOf(string reason) => reason switch
    {
        "being_scanned" => Of("is being scanned", "正在扫描"),
        "scan_failed" => Of("its scan failed", "扫描失败"),
        "not_scanned" => Of("was never scanned", "从未扫描"),
        _ => Of("has findings", "存在漏洞"),
    };

    public string Manage => Of("Exceptions", "例外");

    /// <summary>The form of a document.</summary>
    public static string KindOf(string kind) => kind switch
    {
        "openvex" => "OpenVEX",
        "cyclonedx" => "CycloneDX VEX",
        "trivyignore" => ".trivyignore",
        "trivyignore-yaml" => ".trivyignore.yaml",
        _ => kind,
    };
}
