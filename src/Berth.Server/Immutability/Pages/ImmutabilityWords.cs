using Berth.Server.Ui;

namespace Berth.Server.Immutability.Pages;

/// <summary>Words of immutability rules.</summary>
internal sealed class ImmutabilityWords(Language language) : Wording(language)
{
    public string Title => Of("Immutability", "不可变规则");
    public string Lead => Of("Tags that a rule selects can neither be moved nor deleted, by anybody.", "规则选中的标签任何人都不能移动或删除。");
    public string New => Of("New rule", "新建规则");
    public string Repositories => Of("Repositories", "仓库");
    public string Tags => Of("Tags", "标签");
    public string PatternHint => Of("* within a segment, ** across; {a,b} for alternatives.", "* 匹配一段,** 跨段匹配,{a,b} 表示多选。");
    public string Matching => Of("matching", "匹配");
    public string Except => Of("all except", "排除");
    public string Made => Of("The rule holds from now on.", "规则已生效。");
    public string Gone => Of("The rule is deleted.", "规则已删除。");
    public string DeleteRule => Of("Delete the rule", "删除规则");
    public string EmptyTitle => Of("No rules yet", "还没有规则");
    public string Turn(bool isOff) => isOff ? Of("Enable", "启用") : Of("Disable", "停用");
    public string On => Of("in force", "生效中");
    public string Off => Of("off", "已停用");
}
