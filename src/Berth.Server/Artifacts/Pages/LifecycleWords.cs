using Berth.Server.Ui;

namespace Berth.Server.Artifacts.Pages;

/// <summary>Words of an artifact's life: its end, the archive, its stage.</summary>
internal sealed class LifecycleWords(Language language) : Wording(language)
{
    /// <summary>Stages in order.</summary>
    public static readonly IReadOnlyList<string> Stages = ["development", "test", "release"];

    public string Title => Of("Lifecycle", "生命周期");
    public string Stage => Of("Stage", "阶段");
    public string NoStage => Of("None", "无");
    public string StageSaved => Of("The stage is set.", "阶段已设置。");
    public string Archived => Of("Archived", "已归档");
    public string Withheld => Of("Archived, pulls refused", "已归档,禁止拉取");
    public string ArchiveText => Of("What is archived is not deleted by anybody: not by rules, not by expiry, not by hand.", "已归档的内容不会被规则、到期或人工删除。");
    public string Archive => Of("Archive", "归档");
    public string Withhold => Of("Refuse pulls too", "同时禁止拉取");
    public string Reactivate => Of("Allow pulls again", "恢复拉取");
    public string Unarchive => Of("Take out of the archive", "取消归档");
    public string ArchiveSaved => Of("Done.", "已完成。");
    public string Expires => Of("Expires", "到期");
    public string ExpiryOf => Of("Tag", "标签");
    public string ExpiresAfter => Of("Expires after", "多久后到期");
    public string ExpiryHint => Of("Such as 12h, 2d or 3w; empty: never.", "例如 12h、2d 或 3w;留空表示永不到期。");
    public string ExpirySaved(string tag) => Of($"The end of {tag} is set.", $"{tag} 的到期时间已设置。");
    public string ExpiryCleared(string tag) => Of($"{tag} does not expire.", $"{tag} 不会到期。");

    public string StageOf(string stage) => stage switch
    {
        "development" => Of("Development", "开发"),
        "test" => Of("Test", "测试"),
        "release" => Of("Release", "发布"),
        _ => Archived,
    };
}
