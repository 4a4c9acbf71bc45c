using Berth.Scanner.Advisories;

namespace Berth.Scanner.Secrets;

/// <summary>The rules that are always there. Only forms that their givers publish and that are hard to meet by chance.</summary>
public static class BuiltInSecretRules
{
    public static IReadOnlyList<SecretRule> All { get; } =
    [
        Rule("aws-access-key-id", "AWS", "AWS access key id", Severity.Critical, @"(?:^|[^0-9A-Za-z])(?P<secret>(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA)[A-Z2-7]{16})(?:[^0-9A-Za-z]|$)", "AKIA", "ASIA", "AROA", "AIDA", "AGPA", "ANPA", "ANVA"),
        Rule("aws-secret-access-key", "AWS", "AWS secret access key", Severity.Critical, @"(?i)aws_?(?:secret)?_?(?:access)?_?key['""]?\s*(?::|=>|=)\s*['""]?(?P<secret>[A-Za-z0-9/+=]{40})(?:['""\s]|$)", "aws"),
        Rule("github-pat", "GitHub", "GitHub personal access token", Severity.Critical, @"(?P<secret>ghp_[0-9a-zA-Z]{36})", "ghp_"),
        Rule("github-oauth", "GitHub", "GitHub OAuth access token", Severity.Critical, @"(?P<secret>gho_[0-9a-zA-Z]{36})", "gho_"),
        Rule("github-app-token", "GitHub", "GitHub app token", Severity.Critical, @"(?P<secret>(?:ghu|ghs)_[0-9a-zA-Z]{36})", "ghu_", "ghs_"),
        Rule("github-refresh-token", "GitHub", "GitHub refresh token", Severity.Critical, @"(?P<secret>ghr_[0-9a-zA-Z]{36,76})", "ghr_"),
        Rule("github-fine-grained-pat", "GitHub", "GitHub fine-grained personal access token", Severity.Critical, @"(?P<secret>github_pat_[a-zA-Z0-9]{22}_[a-zA-Z0-9]{59})", "github_pat_"),
        Rule("gitlab-pat", "GitLab", "GitLab personal access token", Severity.Critical, @"(?P<secret>glpat-[0-9a-zA-Z_\-]{20,52})", "glpat-"),
        Rule("private-key", "AsymmetricPrivateKey", "Private key", Severity.High, @"-----BEGIN (?:[A-Z0-9 ]{0,32} )?PRIVATE KEY(?: BLOCK)?-----\s*(?P<secret>[A-Za-z0-9+/=\s\\:,\-]{64,})", "PRIVATE KEY"),
        Rule("age-secret-key", "Age", "Age secret key", Severity.High, @"(?P<secret>AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})", "AGE-SECRET-KEY-1"),
        Rule("slack-access-token", "Slack", "Slack token", Severity.High, @"(?P<secret>xox[baprs]-[0-9a-zA-Z\-]{10,250})", "xoxb-", "xoxa-", "xoxp-", "xoxr-", "xoxs-"),
        Rule("slack-web-hook", "Slack", "Slack web hook", Severity.Medium, @"(?P<secret>https://hooks\.slack\.com/services/T[A-Za-z0-9_]{8,12}/B[A-Za-z0-9_]{8,12}/[A-Za-z0-9_]{20,30})", "hooks.slack.com"),
        Rule("stripe-secret-token", "Stripe", "Stripe secret key", Severity.Critical, @"(?P<secret>(?:sk|rk)_live_[0-9a-zA-Z]{16,128})", "sk_live_", "rk_live_"),
        Rule("gcp-api-key", "Google", "Google API key", Severity.High, @"(?P<secret>AIza[0-9A-Za-z\-_]{35})(?:[^0-9A-Za-z\-_]|$)", "AIza"),
        Rule("gcp-service-account", "Google", "Google Cloud service account", Severity.Critical, @"(?P<secret>""type"":\s*""service_account"")", "service_account"),
        Rule("npm-access-token", "npm", "npm access token", Severity.Critical, @"(?P<secret>npm_[0-9a-zA-Z]{36})", "npm_"),
        Rule("pypi-upload-token", "PyPI", "PyPI upload token", Severity.High, @"(?P<secret>pypi-AgEIcHlwaS5vcmc[A-Za-z0-9\-_]{50,1000})", "pypi-AgEIcHlwaS5vcmc"),
        Rule("rubygems-api-token", "RubyGems", "RubyGems API token", Severity.High, @"(?P<secret>rubygems_[a-f0-9]{48})", "rubygems_"),
        Rule("nuget-api-key", "NuGet", "NuGet API key", Severity.High, @"(?:^|[^0-9A-Za-z])(?P<secret>oy2[a-z0-9]{43})(?:[^0-9A-Za-z]|$)", "oy2"),
        Rule("dockerconfig-secret", "Docker", "Docker registry password", Severity.High, @"""auth""\s*:\s*""(?P<secret>[A-Za-z0-9+/]{12,}={0,2})""", "\"auths\""),
        Rule("jwt-token", "JWT", "JSON web token", Severity.Medium, @"(?:^|[^0-9A-Za-z_.\-])(?P<secret>eyJ[a-zA-Z0-9_\-]{14,}\.eyJ[a-zA-Z0-9_\-]{14,}\.[a-zA-Z0-9_\-]{16,})", "eyJ"),
        Rule("sendgrid-api-token", "SendGrid", "SendGrid API token", Severity.Medium, @"(?P<secret>SG\.[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43})", "SG."),
        Rule("hugging-face-access-token", "HuggingFace", "Hugging Face access token", Severity.Critical, @"(?:^|[^0-9A-Za-z])(?P<secret>hf_[A-Za-z0-9]{34,40})(?:[^0-9A-Za-z]|$)", "hf_"),
        Rule("anthropic-api-key", "Anthropic", "Anthropic API key", Severity.Critical, @"(?P<secret>sk-ant-(?:api|admin)[0-9]{2}-[A-Za-z0-9_\-]{80,120})", "sk-ant-"),
        Rule("openai-api-key", "OpenAI", "OpenAI API key", Severity.Critical, @"(?P<secret>sk-(?:proj-|svcacct-)?[A-Za-z0-9_\-]{20,100}T3BlbkFJ[A-Za-z0-9_\-]{20,100})", "T3BlbkFJ"),
        Rule("digitalocean-token", "DigitalOcean", "DigitalOcean token", Severity.Critical, @"(?P<secret>do[opr]_v1_[a-f0-9]{64})", "dop_v1_", "doo_v1_", "dor_v1_"),
        Rule("databricks-api-token", "Databricks", "Databricks API token", Severity.Medium, @"(?:^|[^0-9A-Za-z])(?P<secret>dapi[a-f0-9]{32}(?:-[0-9])?)(?:[^0-9A-Za-z]|$)", "dapi"),
        Rule("azure-storage-key", "Azure", "Azure storage account key", Severity.Critical, @"AccountKey=(?P<secret>[A-Za-z0-9+/]{86}==)", "AccountKey="),
        Rule("hashicorp-vault-token", "HashiCorp", "Vault token", Severity.High, @"(?P<secret>hv[sb]\.[A-Za-z0-9_\-]{24,300})", "hvs.", "hvb."),
        Rule("hashicorp-tf-api-token", "HashiCorp", "Terraform Cloud token", Severity.Medium, @"(?P<secret>[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9\-_=]{60,70})", "atlasv1"),
        Rule("shopify-token", "Shopify", "Shopify token", Severity.High, @"(?P<secret>shp(?:ss|at|ca|pa)_[a-fA-F0-9]{32})", "shpss_", "shpat_", "shpca_", "shppa_"),
        Rule("telegram-bot-token", "Telegram", "Telegram bot token", Severity.Medium, @"(?:^|[^0-9A-Za-z])(?P<secret>[0-9]{8,10}:AA[A-Za-z0-9_\-]{33})(?:[^0-9A-Za-z_\-]|$)", ":AA"),
        Rule("new-relic-user-api-key", "NewRelic", "New Relic user API key", Severity.Medium, @"(?P<secret>NRAK-[A-Z0-9]{27})", "NRAK-"),
        Rule("doppler-api-token", "Doppler", "Doppler API token", Severity.Medium, @"(?P<secret>dp\.pt\.[a-zA-Z0-9]{43})", "dp.pt."),
        Rule("postman-api-token", "Postman", "Postman API token", Severity.Medium, @"(?P<secret>PMAK-[a-f0-9]{24}-[a-f0-9]{34})", "PMAK-"),
    ];

    /// <summary>Places where only examples and other people's test data lie.</summary>
    public static IReadOnlyList<SecretAllowRule> AllowRules { get; } =
    [
        new("examples", @"(?i)example", ""),
        new("usr-dirs", "", @"^usr/(?:share|include|lib)/"),
        new("tests", "", @"(?:^|/)(?:tests?|testdata|fixtures|spec)/"),
        new("node-modules", "", @"(?:^|/)node_modules/"),
        new("vendor", "", @"(?:^|/)(?:vendor|site-packages|dist-packages|gems)/"),
        new("documents", "", @"\.(?:md|rst|adoc)$"),
    ];

    private static SecretRule Rule(string id, string category, string title, Severity severity, string pattern, params string[] keywords) =>
        new(id, category, title, severity, pattern) { Keywords = keywords, Group = "secret" };
}
