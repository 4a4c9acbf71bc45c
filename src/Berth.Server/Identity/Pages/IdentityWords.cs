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
}
