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

    public string SystemRobotsLead => Of("Accounts for programs that work in several projects, or in all of them: replication, scanners, cluster pulls.", "供在多个或全部项目中工作的程序使用:复制、扫描、集群拉取。");
    public string SystemRobotNameHint => Of("Short and telling: replication, cluster-eu.", "简短明了,如 replication、cluster-eu。");
    public string RobotProjects => Of("Projects", "项目");
    public string RobotProjectsHint => Of("* for all of them, those to come included; or names with commas between.", "* 表示全部项目(包括以后创建的);或用逗号分隔的名称。");
    public string NoSystemRobots => Of("Make one for what works in more than one project. For a pipeline of one project, make the robot there.", "为跨项目的程序创建。单个项目的流水线请在项目内创建。");
    public string FilterRobots => Of("Filter by name", "按名称筛选");

    public string Roles => Of("Roles", "角色");
    public string RolesLead => Of("What members of a project may do in it. Every installation has the first five; others are made of single rights.", "成员在项目中的权限。前五个为内置角色,其他角色可由单项权限组成。");
    public string NewRole => Of("New role", "新建角色");
    public string RoleMade => Of("The role is there.", "角色已创建。");
    public string Right => Of("Right", "权限");
    public string DeleteRole(string name) => Of($"Delete {name}", $"删除 {name}");
    public string DeleteRoleText => Of("Only a role that nobody has can be deleted.", "只能删除未分配给任何人的角色。");

    public string Rules => Of("Access rules", "访问规则");
    public string RulesLead => Of("Below the roles: who may do more or less in some repositories or with some tags. What is denied stays denied, whatever else allows it.", "在角色之下,针对部分仓库或标签增减权限。拒绝优先于任何允许。");
    public string NewRule => Of("New rule", "新建规则");
    public string RuleMade => Of("The rule is in force.", "规则已生效。");
    public string DeleteRule => Of("Delete the rule", "删除规则");
    public string NoRulesTitle => Of("No access rules", "没有访问规则");
    public string NoRules => Of("Roles alone decide. Add a rule to protect release/** from all but a robot, or to open one repository to somebody.", "目前仅由角色决定。可添加规则,例如仅允许机器人写入 release/**,或将某个仓库开放给某人。");
    public string Who => Of("Who", "对象");
    public string SubjectName => Of("Name", "名称");
    public string RuleRepository => Of("Repositories", "仓库");
    public string RuleRepositoryHint => Of("Without the project: **, release/**.", "不含项目名,如 **、release/**。");
    public string RuleTag => Of("Tags", "标签");
    public string RuleTagHint => Of("Such as v*; empty for all.", "例如 v*;留空表示全部。");
    public string Effect => Of("Effect", "效果");
    public string Allow => Of("Allow", "允许");
    public string Deny => Of("Deny", "拒绝");
    public string SubjectOf(string kind) => kind switch
    {
        "role" => Role,
        "anybody" => Of("Anybody", "任何人"),
        _ => KindOf(kind),
    };
    public string ActionOf(string action) => action switch
    {
        "pull" => RightPull,
        "push" => RightPush,
        "delete" => Of("Delete", "删除"),
        "create" => Of("Create repositories", "创建仓库"),
        _ => Of("Move tags", "移动标签"),
    };
}
