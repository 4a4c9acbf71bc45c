using Berth.Server.Ui;

namespace Berth.Server.Scanning.Pages;

/// <summary>Words of what changed inside between two artifacts.</summary>
internal sealed class DiffWords(Language language) : Wording(language)
{
    public string Title => Of("What changed inside", "内容变化");
    public string Lead => Of("Packages and findings of two artifacts, judged by the same advisories: those of now.", "两个制品的软件包与漏洞,均按当前公告判定。");
    public string From => Of("Before", "之前");
    public string To => Of("After", "之后");
    public string Show => Of("Compare", "比较");
    public string Swap => Of("Swap", "互换");
    public string Choose => Of("Choose two tags, or two digests.", "请选择两个标签或两个摘要。");
    public string NewFindings => Of("New findings", "新增漏洞");
    public string FixedFindings => Of("Findings that are gone", "已消失的漏洞");
    public string SameFindings => Of("Findings of both", "两者共有的漏洞");
    public string Added => Of("Added packages", "新增软件包");
    public string Removed => Of("Removed packages", "移除的软件包");
    public string Changed => Of("Changed packages", "变更的软件包");
    public string NothingNew => Of("None.", "无。");
    public string OnlyFrom(string platforms) => Of($"Only before: {platforms}", $"仅之前有:{platforms}");
    public string OnlyTo(string platforms) => Of($"Only after: {platforms}", $"仅之后有:{platforms}");
    public string NotJudged => Of("There is no advisory database: only packages are compared.", "没有公告数据库:仅比较软件包。");
    public string Same => Of("Nothing changed inside.", "内容没有变化。");
    public string More(long count) => Of($"{count:N0} more", $"另外 {count:N0} 个");
    public string Layers => Of("Layers and configuration", "层与配置");
}
