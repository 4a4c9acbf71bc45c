using Berth.Server.Ui;

namespace Berth.Server.Artifacts.Pages;

/// <summary>Words of the comparison of two artifacts.</summary>
internal sealed class CompareWords(Language language) : Wording(language)
{
    public string Title => Of("Compare", "比较");
    public string TitleOf(string left, string right) => Of($"{left} and {right}", $"{left} 与 {right}");
    public string Left => Of("Left", "左");
    public string Right => Of("Right", "右");
    public string Hint => Of("A tag or a digest of this repository.", "此仓库中的标签或摘要。");
    public string Swap => Of("Swap", "互换");
    public string Show => Of("Compare", "比较");
    public string ChooseTwo => Of("Choose two tags, or two artifacts.", "请选择两个标签或两个制品。");
    public string SameArtifact => Of("Both are the same artifact: they have one digest.", "两者是同一制品:摘要相同。");
    public string Difference => Of("Difference", "差值");
    public string SharedLayers => Of("Shared layers", "共享的层");
    public string OnlyIn(string name) => Of($"Only in {name}", $"仅在 {name} 中");
    public string Layers => Of("Layers", "层");
    public string Same => Of("same", "相同");
    public string Config => Of("Configuration", "配置");
    public string Annotations => Of("Annotations", "注解");
    public string Overview => Of("Overview", "概览");
    public string Platforms => Of("Platforms", "平台");
    public string Absent => Of("not there", "无");
    public string AllSame(long count) => Of($"All the same: {count:N0}.", $"全部相同:{count:N0} 项。");
    public string AlsoSame(long count) => Of($"{count:N0} more are the same.", $"另有 {count:N0} 项相同。");
    public string Inside => Of("Packages and findings", "软件包与漏洞");
    public string CompareWith => Of("Compare with", "比较对象");
}
