using Berth.Server.Projects.Naming;
using Berth.Server.Ui;

namespace Berth.Server.Projects.Pages;

/// <summary>Words of the naming policy.</summary>
internal sealed class NamingWords(Language language) : Wording(language)
{
    public string Title => Of("Names", "命名规则");
    public string Lead => Of("Which names tags and repositories may have. What is there already stays.", "标签和仓库可以使用哪些名称。已有内容不受影响。");
    public string Mode => Of("A push that breaks the rules", "违反规则的推送");
    public string LowerCase => Of("Tags in lower case only", "标签仅限小写");
    public string ForbidLatest => Of("No tag latest", "禁止使用 latest 标签");
    public string ForbidVersionOverwrite => Of("Versions such as v1.2.3 are never moved", "v1.2.3 等版本标签不可移动");
    public string Separators => Of("Separators", "分隔符");
    public string SeparatorsHint => Of("Which of . _ - may separate words; * for all of them.", "可用作分隔符的字符(. _ -);* 表示全部。");
    public string Tags => Of("Tags match one of", "标签须匹配其中之一");
    public string Repositories => Of("Repositories match one of", "仓库须匹配其中之一");
    public string PatternsHint => Of("One pattern a line, such as v* or /v[0-9]+/ for a regular expression; empty for anything.", "每行一个模式,例如 v*;正则表达式写作 /v[0-9]+/;留空表示不限。");

    public string Of(NamingMode mode) => mode switch
    {
        NamingMode.Warn => Of("is done with a warning", "允许并警告"),
        NamingMode.Enforce => Of("is refused", "拒绝"),
        _ => Of("is done: the rules are switched off", "允许:规则未启用"),
    };
}
