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

    public string Promote => Of("Promote", "晋级");
    public string PromoteSelected => Of("Promote selected", "晋级所选");
    public string PromoteTitle => Of("Promote to another repository", "晋级到其他仓库");
    public string PromoteText => Of("All tags or none, with signatures, SBOMs and attestations. No bytes are copied.", "全部标签要么一起完成,要么都不变;签名、SBOM 和证明一并带走,不复制数据。");
    public string PromoteSelectedText => Of("The tags of the selected artifacts are promoted together: all or none, with signatures, SBOMs and attestations.", "所选制品的标签一起晋级:要么全部完成,要么都不变;签名、SBOM 和证明一并带走。");
    public string PromoteTags => Of("Tags", "标签");
    public string ToProject => Of("To the project", "目标项目");
    public string ToRepository => Of("Repository there", "目标仓库");
    public string StageThere => Of("Stage there", "目标阶段");
    public string StageKept => Of("As it is", "保持不变");
    public string Overwrite => Of("Move tags that point elsewhere there", "移动目标仓库中指向其他制品的同名标签");
    public string PromoteAs => Of("Tag there", "目标标签");
    public string PromoteAsHint => Of("Another name, when one tag is promoted; empty for the same.", "仅晋级一个标签时可另取名称;留空表示同名。");
    public string PromoteWhere => Of("Say to which project and repository.", "请指定目标项目和仓库。");
    public string NothingToPromote => Of("Choose tags to promote first.", "请先选择要晋级的标签。");
    public string Promoted(long count, string where) => Of($"Promoted to {where}: {Count(count, "tag", "tags", "个标签")}", $"已晋级到 {where}:{Count(count, "tag", "tags", "个标签")}");

    public string StageOf(string stage) => stage switch
    {
        "development" => Of("Development", "开发"),
        "test" => Of("Test", "测试"),
        "release" => Of("Release", "发布"),
        _ => Archived,
    };
}
