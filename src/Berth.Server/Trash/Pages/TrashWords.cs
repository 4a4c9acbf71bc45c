using Berth.Server.Ui;

namespace Berth.Server.Trash.Pages;

/// <summary>Words of the trash.</summary>
internal sealed class TrashWords(Language language) : Wording(language)
{
    public string Title => Of("Trash", "回收站");
    public string Lead(long days) => Of($"What people or retention delete rests here for {days:N0} {(days == 1 ? "day" : "days")}, without counting against the quota.", $"用户或保留规则删除的内容会在此保留 {days:N0} 天,不占用配额。");
    public string Off => Of("The trash of this project is off: what is deleted is gone at once.", "此项目的回收站已关闭:删除后立即消失。");
    public string EmptyTitle => Of("Nothing has been deleted", "没有已删除的内容");
    public string EmptyText => Of("Deleted tags and images show here, and come back with their exact bytes, tags and signatures.", "删除的标签和镜像会显示在这里,可连同原始内容、标签和签名一起恢复。");
    public string NothingHere => Of("Nothing of this repository is in the trash.", "回收站中没有此仓库的内容。");
    public string What => Of("What", "内容");
    public string Deleted => Of("Deleted", "删除时间");
    public string By => Of("By", "删除者");
    public string Left => Of("Goes for good", "永久删除");
    public string DaysLeft(long days) => Count(days, "day left", "days left", "天后");
    public string LastDay => Of("less than a day left", "不足一天");
    public string GoingNow => Of("being removed", "正在移除");
    public string Untagged => Of("without a tag", "无标签");
    public string TagOnly => Of("tag only", "仅标签");
    public string TagOnlyHint => Of("Only the tag was deleted: its image is still there.", "只删除了标签,镜像仍然存在。");
    public string Restore => Of("Restore", "恢复");
    public string RestoreSelected => Of("Restore selected", "恢复所选");
    public string Overwrite => Of("Also move back tags that point elsewhere now", "同时移回现已指向其他内容的标签");
    public string Restored(long count) => Of($"Restored: {count:N0}.", $"已恢复 {count:N0} 项。");
    public string Purge => Of("Delete for good", "永久删除");
    public string PurgeText => Of("The selected entries can never be restored.", "所选内容将无法再恢复。");
    public string Purged(long count) => Of($"Gone for good: {count:N0}.", $"已永久删除 {count:N0} 项。");
    public string Empty => Of("Empty the trash", "清空回收站");
    public string EmptyAllText => Of("Everything in this trash goes for good. Its bytes come back a little later.", "回收站中的全部内容将被永久删除,空间稍后释放。");
    public string Emptied => Of("The trash is being emptied.", "正在清空回收站。");
    public string Window => Of("Keep for…", "保留时长…");
    public string WindowTitle => Of("How long deleted things are kept", "已删除内容的保留时长");
    public string Days => Of("Days", "天数");
    public string DaysHint(long days) => Of($"0 switches the trash off; empty for the installation's {days:N0}. It holds for what is deleted from now on.", $"0 表示关闭回收站;留空则使用系统默认的 {days:N0} 天。仅对此后删除的内容生效。");
    public string DaysWrong => Of("Days must be a whole number.", "天数必须为整数。");
    public string NothingSelected => Of("Select something first.", "请先选择。");
    public string Select(string what) => Of($"Select {what}", $"选择 {what}");
    public string SelectAll => Of("Select all on this page", "选择本页全部");
    public string Older => Of("Older", "更早");
    public string OnlyOf(string repository) => Of($"Only {repository}", $"仅 {repository}");
}
