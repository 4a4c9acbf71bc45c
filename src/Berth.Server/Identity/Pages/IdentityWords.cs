using Berth.Server.Ui;

namespace Berth.Server.Identity.Pages;

/// <summary>Words of accounts.</summary>
internal sealed class IdentityWords(Language language) : Wording(language)
{
    public string Account => Of("Account", "账户");
    public string Profile => Of("Profile", "个人资料");
    public string UserName => Of("User name", "用户名");
    public string RealName => Of("Name", "姓名");
    public string Email => Of("E-mail", "邮箱");
    public string Comment => Of("Comment", "备注");
    public string Admin => Of("Administrator", "管理员");
    public string Password => Of("Password", "密码");
    public string MustChange => Of("Choose a new password before you go on.", "请先设置新密码。");
    public string OldPassword => Of("Password now", "当前密码");
    public string NewPassword => Of("New password", "新密码");
    public string Again => Of("New password again", "再次输入新密码");
    public string Different => Of("The two new passwords differ.", "两次输入的新密码不一致。");
    public string PasswordChanged => Of("The password is changed: sign in with it.", "密码已更改,请重新登录。");
    public string Users => Of("Users", "用户");
    public string UsersLead => Of("Everybody who has an account, whatever vouches for them.", "所有拥有账户的人,无论由谁验证。");
    public string NewUser => Of("New user", "新建用户");
    public string FilterUsers => Of("Filter by user name", "按用户名筛选");
    public string UserMade => Of("The user is there.", "用户已创建。");
    public string UserDeleted => Of("The user is deleted.", "用户已删除。");
    public string DeleteUser(string name) => Of($"Delete {name}", $"删除 {name}");
    public string MakeAdmin => Of("Make administrator", "设为管理员");
    public string NoLongerAdmin => Of("No longer administrator", "取消管理员");
    public string Groups => Of("Groups", "组");
    public string You => Of("you", "您");
    public string GroupsLead => Of("Many people at once, as members of projects. Local groups are kept here; others come from the directory or the provider at each sign-in.", "将多人作为整体加入项目。本地组在此维护;其他组在登录时由目录或提供方给出。");
    public string NewGroup => Of("New group", "新建组");
    public string GroupMade => Of("The group is there.", "组已创建。");
    public string GroupKind => Of("Kind", "类型");
    public string GroupKindHint => Of("A group from outside is made here so that it can have roles before anybody of it has come.", "外部组可先在此创建,以便在成员首次登录前分配角色。");
    public string GroupKindOf(long kind) => kind switch
    {
        0 => Of("Local", "本地"),
        1 => "LDAP",
        2 => Of("Proxy header", "代理标头"),
        _ => "OpenID",
    };
    public string GroupDn => Of("Distinguished name", "标识名(DN)");
    public string GroupDnHint => Of("For groups of an LDAP directory only.", "仅用于 LDAP 目录中的组。");
    public string FilterGroups => Of("Filter by name", "按名称筛选");
    public string NoGroupsTitle => Of("No groups yet", "还没有组");
    public string NoGroups => Of("Make one and add it to projects, instead of adding the same people to each.", "创建组并加入项目,无需逐个添加相同的人。");
    public string NoGroupMembers => Of("Nobody is in this group.", "此组还没有成员。");
    public string GroupFromOutside => Of("Who is in it is decided where it comes from; these are those of the last sign-in.", "成员由来源决定;此处为最近登录时的成员。");
    public string RemoveFromGroup(string name) => Of($"Take {name} out of the group", $"将 {name} 移出该组");
    public string DeleteGroup(string name) => Of($"Delete {name}", $"删除 {name}");
    public string DeleteGroupText => Of("Its members lose the roles that they have through it.", "其成员将失去通过该组获得的角色。");
}
