using Berth.Server.Ui;

namespace Berth.Server.SignIn.Pages;

/// <summary>Words of the sources that people's accounts come from.</summary>
internal sealed class SourceWords(Language language) : Wording(language)
{
    public string Sources => Of("Identity", "身份来源");
    public string SourcesLead => Of("Where people's accounts come from beside those of this server. Try a source before you save it.", "除本地账户外的账户来源。保存前请先测试。");
    public string NotSetUp => Of("not set up", "未设置");
    public string Test => Of("Test", "测试");
    public string LdapAnswers => Of("The directory answers, and lets the search account in.", "目录服务器可达,查询账户可登录。");
    public string OidcAnswers => Of("There is an OpenID provider at this address.", "该地址存在 OpenID 提供方。");
    public string TestFailed => Of("Nothing that can be used answers at this address.", "该地址没有可用的服务。");
    public string SecretHint => Of("Never shown. Empty keeps the one that is there.", "不会显示。留空则保持不变。");
    public string FixedByFile => Of("fixed by the configuration file", "由配置文件固定");
    public string InForce => Of("OpenID providers on the sign-in page", "登录页上的 OpenID 提供方");
    public string NoProviders => Of("There are none.", "没有。");
    public string MoreInFile => Of("More than one provider, trusted proxies and client certificates are set in the configuration file.", "多个提供方、受信任代理和客户端证书在配置文件中设置。");

    public string SourceOf(string name) => name == "ldap" ? Of("LDAP directory", "LDAP 目录") : Of("OpenID provider", "OpenID 提供方");

    public string SourceTextOf(string name) => name == "ldap"
        ? Of("People sign in with the name and password of the directory; clients do too.", "使用目录的用户名和密码登录,客户端亦可。")
        : Of("People sign in at the provider in the browser; at the command line they use an access token.", "在浏览器中通过提供方登录;命令行使用访问令牌。");

    public string ScopeOf(int depth) => depth switch
    {
        0 => Of("This entry only", "仅此条目"),
        1 => Of("One level below", "下一级"),
        _ => Of("Everything below", "整个子树"),
    };

    /// <summary>What a setting is called.</summary>
    public string SettingOf(string name) => name switch
    {
        "ldap_url" => Of("Address", "地址"),
        "ldap_search_dn" => Of("Account that searches", "查询账户"),
        "ldap_search_password" => Of("Its password", "查询账户密码"),
        "ldap_base_dn" => Of("Where people are", "用户所在位置"),
        "ldap_uid" => Of("Attribute that is the user name", "用户名属性"),
        "ldap_filter" => Of("Filter of people", "用户过滤条件"),
        "ldap_scope" => Of("How deep people are searched", "用户查询深度"),
        "ldap_group_base_dn" => Of("Where groups are", "组所在位置"),
        "ldap_group_search_filter" => Of("Filter of groups", "组过滤条件"),
        "ldap_group_attribute_name" => Of("Attribute that is the group's name", "组名属性"),
        "ldap_group_search_scope" => Of("How deep groups are searched", "组查询深度"),
        "ldap_group_membership_attribute" => Of("Attribute that names a person's groups", "用户所属组属性"),
        "ldap_group_admin_dn" => Of("Group of administrators", "管理员组"),
        "ldap_timeout" => Of("Waits at most (seconds)", "超时(秒)"),
        "ldap_verify_cert" => Of("Check its certificate", "验证证书"),
        "ldap_group_attach_parallel" => Of("Read a person's groups over several connections", "并行读取用户组"),
        "oidc_endpoint" => Of("Issuer", "签发者地址"),
        "oidc_name" => Of("Name on the sign-in page", "登录页上的名称"),
        "oidc_client_id" => Of("Client id", "客户端 ID"),
        "oidc_client_secret" => Of("Client secret", "客户端密钥"),
        "oidc_scope" => Of("Scopes", "授权范围"),
        "oidc_user_claim" => Of("Claim that is the user name", "用户名声明"),
        "oidc_groups_claim" => Of("Claim that names groups", "组声明"),
        "oidc_group_filter" => Of("Only groups that match", "组名过滤(正则)"),
        "oidc_admin_group" => Of("Group of administrators", "管理员组"),
        "oidc_auto_onboard" => Of("A first sign-in makes the account without asking", "首次登录自动创建账户"),
        "oidc_logout" => Of("Signing out here signs out there too", "退出时同时退出提供方"),
        _ => Of("Check its certificate", "验证证书"),
    };

    /// <summary>What is expected; null where the name says it all.</summary>
    public string? SettingHintOf(string name) => name switch
    {
        "ldap_url" => Of("ldap://host:389 or ldaps://host:636.", "ldap://host:389 或 ldaps://host:636。"),
        "oidc_endpoint" => Of("The address below which /.well-known/openid-configuration is.", "其下有 /.well-known/openid-configuration 的地址。"),
        "oidc_group_filter" => Of("A regular expression; empty for all.", "正则表达式;留空表示全部。"),
        "ldap_group_admin_dn" or "oidc_admin_group" => Of("Its members administrate this server.", "其成员为系统管理员。"),
        _ => null,
    };
}
