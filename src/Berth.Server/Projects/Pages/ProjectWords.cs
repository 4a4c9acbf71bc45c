using Berth.Server.Ui;

namespace Berth.Server.Projects.Pages;

/// <summary>Words of the pages of projects.</summary>
internal sealed class ProjectWords(Language language) : Wording(language)
{
    public string Projects => Of("Projects", "项目");
    public string Lead => Of("A project is the first part of an image's name, with members, rules and a quota of its own.", "项目是镜像名称的第一段,拥有自己的成员、规则和配额。");
    public string New => Of("New project", "新建项目");
    public string NameHint => Of("Lower case letters, digits and . _ - between them.", "小写字母、数字,中间可用 . _ -");
    public string IsPublic => Of("Public: anybody may pull", "公开:任何人都可以拉取");
    public string Quota => Of("Quota", "配额");
    public string QuotaHint => Of("Such as 10 GiB; empty for the installation's default.", "例如 10 GiB;留空则使用系统默认值。");
    public string QuotaWrong => Of("A quota is a number with a unit, such as 10 GiB.", "配额应为带单位的数字,例如 10 GiB。");
    public string Created => Of("The project is there.", "项目已创建。");
    public string Visibility => Of("Visibility", "可见性");
    public string Repositories => Of("Repositories", "仓库");
    public string Role => Of("Your role", "您的角色");
    public string FilterHint => Of("Filter by name", "按名称筛选");
    public string Mine => Of("Mine", "我的");
    public string EmptyTitle => Of("No projects yet", "还没有项目");
    public string EmptyText => Of("Make one, then push an image into it.", "先创建项目,再推送镜像。");
    public string EmptySignedOut => Of("There is nothing public here. Sign in to see your projects.", "这里没有公开内容。请登录查看您的项目。");
    public string MayNotCreate => Of("Only administrators may make projects here", "此处仅管理员可创建项目");
    public string Settings => Of("Settings", "设置");
    public string General => Of("General", "常规");
    public string Used => Of("Used", "已用");
    public string UsedOf(string used, string all) => Of($"{used} of {all}", $"{used} / {all}");
    public string QuotaOnly => Of("Only administrators change quotas.", "仅管理员可修改配额。");
    public string LimitHint => Of("Such as 10 GiB; empty for no limit.", "例如 10 GiB;留空表示不限。");
    public string Expiry => Of("Expiry", "到期");
    public string ExpiryFromLabels => Of("The label quay.expires-after of an image says when its tags expire", "由镜像的 quay.expires-after 标记决定标签何时到期");
    public string ExpiryHint => Of("Read in the background after a push. The annotation berth.expires-after holds always.", "推送后在后台读取。注解 berth.expires-after 始终有效。");
    public string Rename => Of("Rename", "重命名");
    public string RenameText => Of("Pulls and pushes to the old name go on working until somebody uses it for a new project.", "在旧名称被新项目占用之前,使用旧名称的拉取和推送仍然有效。");
    public string NewName => Of("New name", "新名称");
    public string Renamed => Of("The project has a new name.", "项目已重命名。");
    public string DeleteProject => Of("Delete the project", "删除项目");
    public string DeleteText => Of("Only a project without repositories can be deleted.", "只能删除没有仓库的项目。");
    public string Deleted(string name) => Of($"The project {name} is deleted.", $"项目 {name} 已删除。");
    public string RoleOf(long id) => id switch
    {
        1 => Of("Project admin", "项目管理员"),
        4 => Of("Maintainer", "维护人员"),
        2 => Of("Developer", "开发者"),
        3 => Of("Guest", "访客"),
        5 => Of("Limited guest", "受限访客"),
        _ => Of("Own role", "自定义角色"),
    };
}
