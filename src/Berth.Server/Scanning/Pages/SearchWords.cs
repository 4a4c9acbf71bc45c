using Berth.Server.Ui;

namespace Berth.Server.Scanning.Pages;

/// <summary>Words of the search for flaws and packages over all images.</summary>
internal sealed class SearchWords(Language language) : Wording(language)
{
    public string Title => Of("Where is it?", "影响范围查询");
    public string Lead => Of("All images with a vulnerability or a package, in the projects that you may see. No layer is read.", "在您可查看的项目中,查找包含某漏洞或软件包的全部镜像;不读取任何层。");
    public string Id => Of("Vulnerability", "漏洞编号");
    public string IdHint => Of("Such as CVE-2021-44228 or GHSA-jfh8-c2jp-5v3q.", "例如 CVE-2021-44228 或 GHSA-jfh8-c2jp-5v3q。");
    public string Package => Of("Package", "软件包");
    public string PackageHint => Of("Its whole name; names that begin with it are offered.", "完整名称;也会列出以此开头的名称。");
    public string Version => Of("Version", "版本");
    public string VersionHint => Of("Any when it is left empty.", "留空表示任意版本。");
    public string Find => Of("Find", "查找");
    public string Image => Of("Image", "镜像");
    public string FixedIn => Of("Fixed in", "修复版本");
    public string FirstSeen => Of("First seen", "首次发现");
    public string More => Of("More", "更多");
    public string Csv => Of("Export as a table (CSV)", "导出表格(CSV)");
    public string NobodyHasIt => Of("No image that you may see has it.", "您可查看的镜像均不包含。");
    public string NobodyText => Of("Images that were never scanned are not found here.", "从未扫描的镜像不会出现在结果中。");
    public string Names => Of("Packages that begin so", "以此开头的软件包");
    public string FoundFlaw(string id) => Of($"Images with {id}", $"包含 {id} 的镜像");
    public string FoundPackage(string name) => Of($"Images with the package {name}", $"包含软件包 {name} 的镜像");
}
