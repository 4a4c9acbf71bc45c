using Berth.Server.Ui;

namespace Berth.Server.Audit.Pages;

/// <summary>Words of the audit log.</summary>
internal sealed class AuditPageWords(Language language) : Wording(language)
{
    public string Title => Of("Audit", "审计");
    public string FilterHint => Of("Filter by user name", "按用户名筛选");
    public string When => Of("When", "时间");
    public string Who => Of("Who", "操作者");
    public string What => Of("What", "操作");
    public string On => Of("On", "对象");
    public string Details => Of("Details", "详情");
    public string Failed => Of("failed", "失败");
    public string Nothing => Of("Nothing has been recorded.", "没有记录。");
}
