using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.GarbageCollection.Pages;

/// <summary>Words of garbage collection.</summary>
internal sealed class GarbageWords(Language language) : Wording(language)
{
    public string Title => Of("Garbage collection", "垃圾回收");
    public string Lead => Of("Space comes back by itself, a little after nothing needs it any more. Nothing has to be stopped for it.", "不再需要的空间会在稍后自动释放,无需停机。");
    public string DueBytes => Of("Freed by a run now", "立即运行可释放");
    public string DueBlobs => Of("Blobs due", "到期数据块");
    public string DueManifests => Of("Untagged manifests due", "到期无标签清单");
    public string Pending => Of("Being removed", "正在移除");
    public string RunNow => Of("Run now", "立即运行");
    public string Untagged => Of("Delete untagged manifests too", "同时删除无标签清单");
    public string DryRun => Of("Only tell what would go", "仅模拟");
    public string Started => Of("A run is on its way.", "任务已开始。");
    public string Runs => Of("Runs", "运行记录");
    public string NoRuns => Of("Nobody has asked for a run: collection goes on in the background.", "尚无手动运行:回收在后台持续进行。");
    public string How => Of("How", "方式");
    /// <summary>How a run was asked for and what it came to, of the parameters that Harbor's interface shows as JSON.</summary>
    public string HowOf(string? parameters)
    {
        if (string.IsNullOrEmpty(parameters) || JsonNode.Parse(parameters) is not JsonObject run) return "";
        var isDry = run["dry_run"]?.GetValue<bool>() == true;
        var parts = new List<string>();
        if (isDry) parts.Add(DryRun);
        if (run["delete_untagged"]?.GetValue<bool>() == true) parts.Add(Untagged);
        if (run["freed_space"]?.GetValue<long>() is { } freed)
        {
            var (size, blobs, manifests) = (Sizes.Text(freed), Count(run["purged_blobs"]?.GetValue<long>() ?? 0, "blob", "blobs", "个数据块"), Count(run["purged_manifests"]?.GetValue<long>() ?? 0, "manifest", "manifests", "个清单"));
            parts.Add(isDry ? Of($"would free {size}: {blobs}, {manifests}", $"可释放 {size}:{blobs},{manifests}") : Of($"freed {size}: {blobs}, {manifests}", $"已释放 {size}:{blobs},{manifests}"));
        }
        return string.Join("; ", parts);
    }

    public string Stop => Of("Stop", "停止");
    public string Stopped => Of("The run is told to stop.", "已请求停止。");
    public string Log => Of("Log", "日志");
    public string Why => Of("Why is it still there?", "为什么还保留着?");
    public string WhyLead => Of("Enter the digest of a blob or a manifest.", "输入数据块或清单的摘要。");
    public string Ask => Of("Ask", "查询");
    public string Unknown => Of("Nothing here has this digest.", "没有此摘要对应的内容。");
}
