using System.Text;
using Berth.Scanner.Advisories;
using Berth.Scanner.Secrets;

namespace Berth.Scanner.Tests.Secrets;

public sealed class SecretScannerTests
{
    // Put together here, so that no scanner of repositories takes this file for a leak.
    private static readonly string GitHubToken = "ghp_" + new string('a', 30) + "012345";
    private static readonly string AwsKey = "AKIA" + "Q3EGRIJ7WLMNO2PT";

    [Fact]
    public void A_token_is_found_with_its_line_and_never_shown()
    {
        var finding = Assert.Single(Scan("app/.env", $"A=1\nB=2\nTOKEN={GitHubToken}\n"));
        Assert.Equal(("github-pat", Severity.Critical, 3, 3, "app/.env"), (finding.RuleId, finding.Severity, finding.StartLine, finding.EndLine, finding.Path));
        Assert.Equal("TOKEN=" + new string('*', GitHubToken.Length), finding.Match);
    }

    [Fact]
    public void Several_secrets_in_one_line_hide_each_other()
    {
        var findings = Scan("x.txt", $"key {AwsKey} token {GitHubToken}");
        Assert.Equal(["aws-access-key-id", "github-pat"], findings.Select(static f => f.RuleId));
        Assert.All(findings, static f => Assert.DoesNotContain("ghp_", f.Match, StringComparison.Ordinal));
    }

    [Fact]
    public void A_private_key_is_found_over_its_lines()
    {
        var key = "-----BEGIN RSA " + "PRIVATE KEY-----\n" + string.Join('\n', Enumerable.Repeat(new string('M', 64), 3)) + "\n-----END";
        var finding = Assert.Single(Scan("etc/ssl/server.key", key));
        Assert.Equal(("private-key", 2), (finding.RuleId, finding.StartLine));
        Assert.True(finding.EndLine >= 4);
    }

    [Theory]
    [InlineData("usr/share/doc/x.txt")]
    [InlineData("app/node_modules/x/index.js")]
    [InlineData("readme.md")]
    public void Places_of_examples_are_left_out(string path) => Assert.Empty(Scan(path, GitHubToken));

    [Fact]
    public void Examples_binaries_and_empty_files_have_no_secrets()
    {
        Assert.Empty(Scan("x.env", "AWS=AKIA" + "IOSFODNN7EXAMPLE"));
        Assert.Empty(Scan("x.bin", "\0" + GitHubToken));
        Assert.Empty(Scan("x.env", ""));
        Assert.False(SecretScanner.Default.Wants("x.env", SecretScanner.MaxFileBytes + 1));
    }

    [Fact]
    public void A_rule_file_of_Trivy_adds_replaces_and_disables()
    {
        var scanner = SecretRuleFile.Read("""
            rules:
              - id: internal-token
                category: general
                title: Internal token
                severity: HIGH
                path: "\\.conf$"
                keywords: [corp]
                regex: (?i)corp-(?P<secret>[0-9a-f]{8})
                secret-group-name: secret
                allow-rules:
                  - id: zero
                    regex: "00000000"
            disable-rules:
              - github-pat
            """u8);
        var found = scanner.Scan("a.conf", Encoding.UTF8.GetBytes($"x CORP-12ab34cd y\nCORP-00000000\n{GitHubToken}"));
        Assert.Equal(["internal-token x CORP-******** y"], found.Select(static f => $"{f.RuleId} {f.Match}"));
        Assert.Empty(scanner.Scan("a.txt", "corp-12ab34cd"u8));
        Assert.Single(SecretRuleFile.Read("enable-builtin-rules: [github-pat]"u8).Scan("x.env", Encoding.UTF8.GetBytes($"{AwsKey} {GitHubToken}")));
    }

    [Theory]
    [InlineData("rules:\n  - id: x\n")]
    [InlineData("rules:\n  - id: x\n    regex: '(a'\n")]
    [InlineData("rules:\n  - id: x\n    regex: '(?=a)b'\n")]
    [InlineData("rules: [")]
    public void A_rule_that_cannot_be_run_is_refused(string text) => Assert.Throws<FormatException>(() => SecretRuleFile.Read(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Every_rule_has_its_own_id_and_can_be_run()
    {
        Assert.Equal(BuiltInSecretRules.All.Count, BuiltInSecretRules.All.Select(static r => r.Id).Distinct(StringComparer.Ordinal).Count());
        Assert.All(BuiltInSecretRules.All, static r => Assert.NotEmpty(r.Keywords));
        Assert.Empty(SecretScanner.Default.Scan("x.txt", Encoding.UTF8.GetBytes(new string('a', 2_000_000) + " AKIA ghp_ eyJ sk_live_ aws")));
    }

    private static IReadOnlyList<SecretFinding> Scan(string path, string text) => SecretScanner.Default.Scan(path, Encoding.UTF8.GetBytes(text));
}
