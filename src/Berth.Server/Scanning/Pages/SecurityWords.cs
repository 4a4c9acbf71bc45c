using Berth.Server.Ui;

namespace Berth.Server.Scanning.Pages;

/// <summary>Words of the pages about what is inside one image.</summary>
internal sealed class SecurityWords(Language language) : Wording(language)
{
    public string Findings => Of("Findings", "漏洞");
    public string FindingsLead => Of("Known flaws in the packages of this image.", "此镜像软件包中的已知漏洞。");
    public string Packages => Of("Packages", "软件包");
    public string PackagesLead => Of("What is in this image.", "此镜像包含的软件包。");
    public string PackagesOf(string distribution) => Of($"What is in this image, on {distribution}.", $"此镜像(基于 {distribution})包含的软件包。");
    public string Scan => Of("Scan", "扫描");
    public string ScanAgain => Of("Scan again", "重新扫描");
    public string ScanAsked => Of("The scan is asked for.", "已请求扫描。");
    public string Stop => Of("Stop", "停止");
    public string StopAsked => Of("The scan is being stopped.", "正在停止扫描。");
    public string AskedFor => Of("asked for", "请求于");
    public string NeverScanned => Of("Never scanned", "从未扫描");
    public string NeverScannedText => Of("A scan reads each layer once and compares the packages in it with the advisory database.", "扫描会读取每一层一次,并将其中的软件包与公告数据库比对。");
    public string NothingToScan => Of("There is no image in it that could be scanned.", "其中没有可扫描的镜像。");
    public string OldReportHolds => Of("The last good report holds until then.", "在此之前以上次成功的报告为准。");
    public string WasStopped => Of("The last scan was stopped.", "上次扫描已被停止。");
    public string HasFailed => Of("The last scan failed:", "上次扫描失败:");
    public string Scanned => Of("Scanned", "扫描于");
    public string JudgedBy => Of("judged by the advisory database of", "依据的公告数据库构建于");
    public string ByScanner(string name) => Of($"by {name}", $"扫描器:{name}");
    public string NewerDatabase => Of("a newer database is in use", "已有更新的数据库");
    public string OldDatabase => Of("the database is old", "数据库已过旧");
    public string SomeUnscanned(long count) => Count(count, "platform is not scanned", "platforms are not scanned", "个平台尚未扫描");
    public string Platform => Of("Platform", "平台");
    public string AllPlatforms => Of("All platforms", "全部平台");
    public string FilterFindings => Of("Filter by id, package, path or text", "按编号、软件包、路径或文本筛选");
    public string FilterPackages => Of("Filter by name, path or licence", "按名称、路径或许可证筛选");
    public string OnlyFixable => Of("Only fixable", "仅可修复");
    public string Fixable => Of("Fixable", "可修复");
    public string NoFindings => Of("No known flaws", "没有已知漏洞");
    public string Vulnerability => Of("Vulnerability", "漏洞编号");
    public string Package => Of("Package", "软件包");
    public string Version => Of("Version", "版本");
    public string Licence => Of("Licence", "许可证");
    public string FixedIn => Of("Fixed in", "修复版本");
    public string Where => Of("Where", "位置");
    public string Layer => Of("The layer that brought it", "引入它的层");
    public string FromBase => Of("base image", "基础镜像");
    public string FirstSeen => Of("First seen", "首次发现");
    public string ScoreHead => Of("CVSS score", "CVSS 分数");
    public string Cvss(string score) => Of($"CVSS {score}", $"CVSS 评分 {score}");
    public string WhereElse(string what) => Of($"Find all images with {what}", $"查找所有包含 {what} 的镜像");
    public string SourceOf(string name) => Of($"from source {name}", $"源码包 {name}");
    public string NoInventory => Of("Not read yet", "尚未读取");
    public string NoInventoryText => Of("The packages are known after the first scan.", "首次扫描后可查看软件包。");
    public string NoPackages => Of("No packages were found.", "未发现软件包。");
    public string Download => Of("Download", "下载");
    public string CsvFile => Of("Table (CSV)", "表格(CSV)");
    public string HarborFile => Of("Harbor's report", "Harbor 报告");
    public string TrivyFile => Of("Trivy's report (JSON)", "Trivy 报告(JSON)");
    public string SarifFile => Of("SARIF", "SARIF 报告");
    public string CycloneDxFile => Of("SBOM: CycloneDX", "SBOM:CycloneDX");
    public string SpdxFile => Of("SBOM: SPDX", "SBOM:SPDX");
    public string TableFile => Of("Text", "文本");
    public string SuppressedTitle(long count) => Count(count, "finding does not count", "findings do not count", "个漏洞不计入");
    public string Reason => Of("Why", "原因");
    public string Source => Of("By", "来源");
    public string Ends => Of("Ends", "截止");

    public string Secrets => Of("Secrets", "敏感信息");
    public string Secret => Of("Secret (masked)", "敏感信息(已遮盖)");
    public string Misconfigurations => Of("Configuration", "配置问题");
    public string Problem => Of("Problem", "问题");
    public string Remedy => Of("What to do", "处理办法");
    public string Bases => Of("Built on", "基础镜像");
    public string Derived => Of("What is built on it", "基于它构建的镜像");
    public string LayerCount(long count) => Count(count, "layer", "layers", "层");
    public string RanOut(string reason) => Of($"An exception has ended: {reason}", $"例外已截止:{reason}");

    /// <summary>What an exception claims.</summary>
    public string SuppressionOf(string status) => status switch
    {
        "not_affected" => Of("not affected", "不受影响"),
        "fixed" => Of("fixed", "已修复"),
        _ => Of("accepted", "已接受"),
    };

    /// <summary>What the vendor says about a flaw without a repair.</summary>
    public string StatusOf(string status) => status switch
    {
        "will_not_fix" => Of("will not be fixed", "不会修复"),
        "fix_deferred" => Of("postponed", "推迟修复"),
        "end_of_life" => Of("end of life", "已停止支持"),
        "under_investigation" => Of("is looked into", "调查中"),
        "not_affected" => Of("not affected", "不受影响"),
        _ => Of("not fixed yet", "暂无修复"),
    };

    /// <summary>A kind of package (<see cref="Berth.Scanner.Inventory.PackageType"/>) as its own people write it.</summary>
    public static string KindOf(string type) => type switch
    {
        "Dpkg" => "Debian",
        "Apk" => "Alpine",
        "Rpm" => "RPM",
        "Npm" => "npm",
        "PyPi" => "PyPI",
        _ => type,
    };
}
