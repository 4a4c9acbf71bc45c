using Berth.Server.Ui;

namespace Berth.Server.Access.Pages;

/// <summary>Words of members, robots and tokens.</summary>
internal sealed class AccessWords(Language language) : Wording(language)
{
    public string Members => Of("Members", "成员");
    public string MembersLead => Of("Who may do what in this project. Administrators of the installation may do everything anyway.", "谁可以在此项目中做什么。系统管理员始终拥有全部权限。");
    public string AddMember => Of("Add member", "添加成员");
    public string MemberName => Of("Name of the user, group or robot", "用户、组或机器人的名称");
    public string Kind => Of("Kind", "类型");
    public string KindOf(string kind) => kind switch
    {
        "group" => Of("Group", "组"),
        "robot" => Of("Robot", "机器人"),
        _ => Of("User", "用户"),
    };
    public string Role => Of("Role", "角色");
    public string MemberAdded => Of("The member is added.", "成员已添加。");
    public string MemberRemoved => Of("The member is removed.", "成员已移除。");
    public string RoleChanged => Of("The role is changed.", "角色已更改。");
    public string NoMembers => Of("Nobody is a member yet.", "还没有成员。");
    public string Change => Of("Change", "更改");
    public string RemoveMember(string name) => Of($"Remove {name}", $"移除 {name}");
    public string RoleOf(long id, string name) => id switch
    {
        1 => Of("Project admin", "项目管理员"),
        4 => Of("Maintainer", "维护人员"),
        2 => Of("Developer", "开发者"),
        3 => Of("Guest", "访客"),
        5 => Of("Limited guest", "受限访客"),
        _ => name,
    };

    public string Robots => Of("Robots", "机器人账户");
    public string RobotsLead => Of("Accounts for programs: a secret of their own, only the rights that you tick, and an end.", "供程序使用的账户:独立密钥、仅限所选权限、可设有效期。");
    public string NewRobot => Of("New robot", "新建机器人");
    public string RobotNameHint => Of("Short and telling: ci, cluster-eu. The project's name is put in front.", "简短明了,如 ci、cluster-eu。系统会自动加上项目名前缀。");
    public string Days => Of("Days until it ends", "有效天数");
    public string DaysHint => Of("-1 for no end.", "-1 表示不过期。");
    public string Rights => Of("Rights", "权限");
    public string RightPull => Of("Pull", "拉取");
    public string RightPush => Of("Push", "推送");
    public string RightDelete => Of("Delete artifacts and tags", "删除制品与标签");
    public string RightRead => Of("List repositories and artifacts", "列出仓库与制品");
    public string NoRights => Of("Tick at least one right.", "请至少选择一项权限。");
    public string RobotMade => Of("Copy the secret now: it is shown this once.", "请立即复制密钥:只显示这一次。");
    public string SignInWith => Of("Sign in with it", "登录命令");
    public string FirstPush => Of("Then push", "然后推送");
    public string Ends => Of("Ends", "到期");
    public string NoEnd => Of("no end", "不过期");
    public string NewSecret => Of("New secret", "重置密钥");
    public string NewSecretText => Of("The secret of before stops working one day from now.", "旧密钥将在一天后失效。");
    public string RobotDeleted => Of("The robot is deleted.", "机器人已删除。");
    public string DeleteRobot(string name) => Of($"Delete {name}", $"删除 {name}");
    public string NoRobotsTitle => Of("No robots yet", "还没有机器人账户");
    public string NoRobots => Of("Make one for your pipeline instead of putting somebody's password there.", "请为流水线创建机器人账户,而不是使用个人密码。");

    public string Tokens => Of("Access tokens", "访问令牌");
    public string TokensLead => Of("Instead of your password at the command line: each can be limited, ends by itself, and can be revoked alone.", "在命令行中代替密码使用:可限制范围、自动过期、单独吊销。");
    public string NewToken => Of("New token", "新建令牌");
    public string TokenNameHint => Of("Where it is used: laptop, backup script.", "用途:笔记本、备份脚本。");
    public string Scopes => Of("Limited to", "限定范围");
    public string ScopesHint => Of("Such as library:read, team:push; empty for all that you may do.", "例如 library:read, team:push;留空则拥有您的全部权限。");
    public string Everything => Of("everything", "全部");
    public string TokenMade => Of("Copy the token now: it is shown this once.", "请立即复制令牌:只显示这一次。");
    public string TokenRevoked => Of("The token is revoked.", "令牌已吊销。");
    public string Revoke => Of("Revoke", "吊销");
    public string LastUsed => Of("Last used", "最近使用");
    public string NoTokensTitle => Of("No tokens yet", "还没有令牌");
}
