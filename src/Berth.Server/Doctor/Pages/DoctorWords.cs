using Berth.Server.Ui;

namespace Berth.Server.Doctor.Pages;

/// <summary>Words of the checklist.</summary>
internal sealed class DoctorWords(Language language) : Wording(language)
{
    public string Title => Of("Checklist", "检查清单");
    public string Lead => Of("The operator's checklist held against this server, as berth doctor tells it.", "对本服务器执行的运维检查,与 berth doctor 相同。");
    public string Passed => Of("Passed", "通过");
    public string Failed => Of("To do", "待处理");
    public string NotConfigured => Of("Not set up", "未配置");
    public string Question => Of("Question", "检查项");
    public string Finding => Of("Finding", "结果");
    public string Fix => Of("What to do", "处理方法");
    public string Again => Of("Examine again", "重新检查");
}
