using System.Text;
using Berth.Scanner.Exceptions;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;

namespace Berth.Scanner.Tests.Exceptions;

public sealed class ExceptionTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);
    private static readonly ExceptionSubject Image = new(Now)
    {
        Distribution = new Distribution("debian", "12"),
        ProductIds = ["pkg:oci/web@sha256%3Aaa?repository_url=registry.example.com%2Fshop%2Fweb", "sha256:aa"],
    };

    private static readonly Finding Lodash = new("GHSA-p6mc-m468-83gw", new Package(PackageType.Npm, "lodash", "4.17.15") { Path = "app/node_modules/lodash/package.json" })
    {
        Aliases = ["CVE-2020-8203"],
    };

    private static readonly Finding OpenSsl = new("CVE-2024-1", new Package(PackageType.Dpkg, "libssl3", "3.0.1-1") { SourceName = "openssl", Architecture = "amd64" });

    [Fact]
    public void An_allow_list_covers_ids_and_aliases_until_it_or_the_row_expires()
    {
        var list = new CveAllowList("allow list of the project", [new("CVE-2020-8203", "not reachable"), new("CVE-2024-1", "old", Now.AddDays(-1))], Now.AddDays(7));
        Assert.Equal(new Suppression("allow list of the project", SuppressionStatus.Ignored, "not reachable", Now.AddDays(7)), list.Find(Lodash, Image));
        Assert.Null(list.Find(OpenSsl, Image));
        Assert.Null(list.Find(Lodash, Image with { Now = Now.AddDays(7) }));
    }

    [Fact]
    public void An_ignore_file_of_lines_keeps_the_comments_as_reasons()
    {
        var file = TrivyIgnoreFile.Parse(".trivyignore", Encoding.UTF8.GetBytes("# accepted by the board\nCVE-2020-8203 exp:2026-12-01\n\nCVE-2024-1 exp:2026-11-01 # gone\nCVE-2024-2 exp:soon\n"));
        Assert.Equal(new Suppression(".trivyignore", SuppressionStatus.Ignored, "accepted by the board", new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero)), file.Find(Lodash, Image));
        Assert.Null(file.Find(OpenSsl, Image));
        Assert.Null(file.Find(OpenSsl with { Id = "CVE-2024-2" }, Image));
        Assert.Null(file.Find(Lodash, Image with { Now = Now.AddYears(1) }));
    }

    [Fact]
    public void An_ignore_file_in_YAML_narrows_by_path_and_package()
    {
        var file = TrivyIgnoreFile.Parse(".trivyignore.yaml", """
            vulnerabilities:
              - id: CVE-2020-8203
                paths:
                  - "app/**/package.json"
                statement: Only the build uses it
                expired_at: 2026-12-31
              - id: CVE-2024-1
                purls:
                  - pkg:deb/debian/libssl3
                statement: Patched by hand
              - id: CVE-2024-3
                purls: ["pkg:deb/debian/zlib1g"]
            secrets:
              - id: private-key
                paths: ["etc/*.pem"]
            """u8);
        Assert.Equal("Only the build uses it", file.Find(Lodash, Image)?.Reason);
        Assert.Equal("Patched by hand", file.Find(OpenSsl, Image)?.Reason);
        Assert.Null(file.Find(Lodash with { Package = Lodash.Package with { Path = "srv/package.json" } }, Image));
        Assert.Null(file.Find(OpenSsl with { Id = "CVE-2024-3" }, Image));
        Assert.True(Assert.Single(file.Secrets).HasPath("etc/key.pem"));
        Assert.False(file.Secrets[0].HasPath("etc/ssl/key.pem"));
    }

    [Theory]
    [InlineData("vulnerabilities:\n  - statement: no id\n")]
    [InlineData("vulnerabilities:\n  - id: CVE-1\n    expired_at: later\n")]
    [InlineData("vulnerabilities: [")]
    public void A_broken_ignore_file_says_so(string text) =>
        Assert.Throws<FormatException>(() => TrivyIgnoreFile.Parse("x.yaml", Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("pkg:oci/web@sha256%3Aaa", "pkg:npm/lodash@4.17.15", true)]
    [InlineData("pkg:oci/web", "", true)]
    [InlineData("sha256:aa", "pkg:npm/lodash", true)]
    [InlineData("pkg:npm/lodash@4.17.15", "", true)]
    [InlineData("pkg:oci/web", "pkg:npm/minimist", false)]
    [InlineData("pkg:oci/other", "", false)]
    [InlineData("pkg:npm/lodash@4.17.21", "", false)]
    public void OpenVEX_names_the_image_with_the_package_or_the_package_itself(string product, string subcomponent, bool suppressed)
    {
        var subcomponents = subcomponent.Length == 0 ? "" : $$""","subcomponents":[{"@id":"{{subcomponent}}"}]""";
        var document = OpenVexDocument.Parse(Encoding.UTF8.GetBytes($$$"""
            {"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.com/vex/1","timestamp":"2026-01-01T00:00:00Z","statements":[
              {"vulnerability":{"name":"CVE-2020-8203"},"products":[{"@id":"{{{product}}}"{{{subcomponents}}} }],"status":"not_affected","justification":"vulnerable_code_not_in_execute_path"}]}
            """));
        var suppression = document.Find(Lodash, Image);
        Assert.Equal(suppressed ? new Suppression("https://example.com/vex/1", SuppressionStatus.NotAffected, "vulnerable_code_not_in_execute_path") : null, suppression);
    }

    [Fact]
    public void The_newest_OpenVEX_statement_counts()
    {
        var document = OpenVexDocument.Parse("""
            {"@context":"https://openvex.dev/ns","@id":"d","statements":[
              {"vulnerability":{"name":"CVE-2020-8203"},"products":[{"@id":"pkg:npm/lodash"}],"status":"affected","timestamp":"2026-03-01T00:00:00Z"},
              {"vulnerability":{"name":"CVE-2020-8203"},"products":[{"@id":"pkg:npm/lodash"}],"status":"fixed","timestamp":"2026-02-01T00:00:00Z"}]}
            """u8.ToArray());
        Assert.Null(document.Find(Lodash, Image));
    }

    [Fact]
    public void CycloneDX_VEX_names_components_by_reference_link_or_package_URL()
    {
        var document = CycloneDxVex.Parse("""
            {"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:1","components":[{"bom-ref":"c1","name":"lodash","purl":"pkg:npm/lodash@4.17.15"}],
             "vulnerabilities":[
              {"id":"CVE-2020-8203","analysis":{"state":"not_affected","justification":"code_not_reachable","detail":"never called"},"affects":[{"ref":"urn:cdx:1/1#c1"}]},
              {"id":"CVE-2024-1","analysis":{"state":"exploitable"},"affects":[{"ref":"pkg:deb/debian/libssl3@3.0.1-1"}]},
              {"id":"CVE-2024-9","analysis":{"state":"resolved"},"affects":[{"ref":"pkg:deb/debian/libssl3"}]}]}
            """u8.ToArray());
        Assert.Equal(new Suppression("urn:uuid:1", SuppressionStatus.NotAffected, "code_not_reachable: never called"), document.Find(Lodash, Image));
        Assert.Null(document.Find(OpenSsl, Image));
        Assert.Equal(SuppressionStatus.Fixed, document.Find(OpenSsl with { Id = "CVE-2024-9" }, Image)?.Status);
        Assert.Null(document.Find(Lodash with { Package = Lodash.Package with { Name = "underscore" } }, Image));
    }

    [Fact]
    public void The_first_source_that_knows_a_finding_gives_the_reason_and_nothing_is_lost()
    {
        var set = new ExceptionSet([new CveAllowList("system", [new("CVE-2020-8203", "first")]), new CveAllowList("project", [new("CVE-2020-8203", "second")])]);
        var (counted, suppressed) = set.Apply([Lodash, OpenSsl], Image);
        Assert.Equal([OpenSsl], counted);
        Assert.Equal("first", Assert.Single(suppressed).Suppression.Reason);
    }

    [Theory]
    [InlineData("**/package.json", "package.json", true)]
    [InlineData("**/package.json", "a/b/package.json", true)]
    [InlineData("*.json", "a/b.json", false)]
    [InlineData("a/{b,c}/?.txt", "a/c/x.txt", true)]
    [InlineData("a/[!b].txt", "a/b.txt", false)]
    [InlineData("a.txt", "abtxt", false)]
    public void Path_patterns_match_as_shells_do(string pattern, string path, bool matches) => Assert.Equal(matches, new PathPattern(pattern).Matches(path));

    [Theory]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("not json")]
    public void What_is_no_VEX_document_is_refused(string text)
    {
        Assert.Throws<FormatException>(() => OpenVexDocument.Parse(Encoding.UTF8.GetBytes(text)));
        Assert.Throws<FormatException>(() => CycloneDxVex.Parse(Encoding.UTF8.GetBytes(text)));
    }
}
