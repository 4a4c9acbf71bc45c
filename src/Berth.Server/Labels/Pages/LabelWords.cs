using Berth.Server.Ui;

namespace Berth.Server.Labels.Pages;

/// <summary>Words of labels.</summary>
internal sealed class LabelWords(Language language) : Wording(language)
{
    public string Labels => Of("Labels", "标记");
    public string Lead => Of("Coloured words to put on artifacts of this project.", "可附加到本项目制品上的彩色标记。");
    public string New => Of("New label", "新建标记");
    public string Color => Of("Colour", "颜色");
    public string Made => Of("The label is there.", "标记已创建。");
    public string Gone => Of("The label is deleted.", "标记已删除。");
    public string DeleteLabel(string name) => Of($"Delete the label {name}", $"删除标记 {name}");
    public string EmptyTitle => Of("No labels yet", "还没有标记");
}
