using System.Text;
using System.Text.Json;
using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;
using Berth.Scanner.Reports;
using Berth.Scanner.Reports.Templates;

namespace Berth.Scanner.Tests.Reports;

public sealed class ReportTemplateTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 4, 5, 6, 7, 89, TimeSpan.Zero);

    [Theory]
    [InlineData("a{{ 1 }}b", "a1b")]
    [InlineData("a {{- 1 -}} b", "a1b")]
    [InlineData("a {{- /* nothing */ -}} b", "ab")]
    [InlineData("{{/* only */}}x", "x")]
    [InlineData("{{ len . }}", "1")]
    [InlineData("{{ range . }}{{ .Type }}:{{ .Class }}{{ end }}", "node-pkg:lang-pkgs")]
    [InlineData("{{ (index . 0).Target }}", "Node.js")]
    [InlineData("{{ range $i, $r := . }}{{ $i }}={{ $r.Type }}{{ end }}", "0=node-pkg")]
    [InlineData("{{ range .  }}{{ range .Misconfigurations }}x{{ else }}none{{ end }}{{ end }}", "none")]
    [InlineData("{{ range . }}{{ range .Vulnerabilities }}{{ .Vulnerability.Severity }} {{ .PkgName }}@{{ .InstalledVersion }}{{ end }}{{ end }}", "HIGH left-pad@1.3.0")]
    [InlineData("{{ with (index . 0) }}{{ .Type }}{{ end }}{{ with nil }}x{{ else }}y{{ end }}", "node-pkgy")]
    [InlineData("{{ if eq 1 2 }}a{{ else if eq 2 2 }}b{{ else }}c{{ end }}", "b")]
    [InlineData("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2")]
    [InlineData("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", "21")]
    [InlineData("{{ range 5 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}", "02")]
    [InlineData("{{ range list \"b\" \"a\" }}{{ . }}{{ $ | len }}{{ end }}", "b1a1")]
    [InlineData("{{ and 1 0 2 }}{{ or 0 \"x\" }}{{ not true }}", "0xfalse")]
    [InlineData("{{ and false (index (list) 3) }}", "false")]
    [InlineData("{{ eq 1 2 1 }}{{ ne 1 1 }}{{ lt 1 2 }}{{ le 2 2 }}{{ gt 1.5 1 }}{{ ge \"a\" \"b\" }}", "truefalsetruetruetruefalse")]
    [InlineData("{{ if not (eq (index . 0).Type \"\") }}x{{ end }}{{ eq (index . 0).Nothing \"\" }}", "xtrue")]
    [InlineData("{{ printf \"%s|%5d|%-4s|%05d|%.2f|%q|%v|%t|%x|%%\" \"a\" 7 \"b\" 42 1.5 \"q\\\"\\n\" true false 255 }}", "a|    7|b   |00042|1.50|\"q\\\"\\n\"|true|false|ff|%")]
    [InlineData("{{ \"a<b>&'\\\"\" | escapeXML }} {{ escapeString \"<\" }} {{ escapeXML \"a\\nb\" }}", "a&lt;b&gt;&amp;&#39;&#34; &lt; a&#xA;b")]
    [InlineData("{{ \"Ab\" | toLower }}{{ \"Ab\" | toUpper }}{{ replace \"b\" \"c\" \"abb\" }}{{ endWithPeriod \"x\" }}{{ endWithPeriod \"x.\" }}", "abABaccx.x.")]
    [InlineData("{{ now | date \"2006-01-02T15:04:05.999999999Z07:00\" }}", "2026-03-04T05:06:07.089Z")]
    [InlineData("{{ now | date \"Mon Jan _2 3:04PM 06\" }} {{ now }}", "Wed Mar  4 5:06AM 26 2026-03-04 05:06:07.089 +0000 UTC")]
    [InlineData("{{ env \"REGION\" }}-{{ getEnv \"NONE\" }}-{{ appVersion }}", "eu--1.2.3")]
    [InlineData("{{ \"a (b 1)\" | splitList \"(\" | last | trimSuffix \")\" }}", "b 1")]
    [InlineData("{{ \"ab cd\" | regexFind \"[^\\\\s]+\" }}{{ \"https://x\" | regexMatch \"^(https?|ftp)://.+\" }}{{ regexReplaceAll \"b+\" \"abbc\" \"x\" }}", "abtrueaxc")]
    [InlineData("{{ $l := list }}{{ $l = append $l 1 }}{{ $l = append $l 2 }}{{ $l }}{{ join \"-\" $l }}{{ first $l }}", "[1 2]1-21")]
    [InlineData("{{ default \"d\" \"\" }}{{ empty nil }}{{ ternary 1 2 true }}{{ add 1 2 3 }}{{ sub 5 3 }}{{ div 7 2 }}{{ mod 7 2 }}", "dtrue16231")]
    [InlineData("{{ substr 0 2 \"abc\" }}{{ trunc 1 \"abc\" }}{{ quote \"a\" }}{{ toString 3 }}{{ `raw\\n` }}", "aba\"a\"3raw\\n")]
    [InlineData("{{ (index . 0).CauseMetadata.StartLine }}{{ (index (index . 0).CVSS (sourceID \"nvd\")).V3Score }}", "00")]
    [InlineData("{{ define \"row\" }}<{{ . }}>{{ end }}{{ range list 1 2 }}{{ template \"row\" . }}{{ end }}{{ template \"row\" \"x\" | printf \"%s!\" }}", "<1><2><x!>")]
    [InlineData("{{ template \"later\" }}{{ define \"later\" }}[{{ . }}{{ $ }}]{{ end }}", "[]")]
    [InlineData("{{ $x := 1 }}{{ block \"b\" $x }}{{ $y := . }}{{ $y }}{{ $ }}{{ end }}{{ define \"b\" }} {{ end }}{{ $x }}", "111")]
    [InlineData("{{ block \"b\" 1 }}one{{ end }}{{ define \"b\" }}{{ if . }}two{{ else }}none{{ end }}{{ end }}{{ template \"b\" }}", "twonone")]
    [InlineData("{{ define \"down\" }}{{ . }}{{ if gt . 0 }}{{ template \"down\" (sub . 1) }}{{ end }}{{ end }}{{ template \"down\" 3 }}", "3210")]
    public void Templates_do_what_Gos_do(string template, string expected) => Assert.Equal(expected, Write(template));

    [Theory]
    [InlineData("{{ if true }}", "an \"end\" is missing")]
    [InlineData("{{ end }}", "stands alone")]
    [InlineData("{{ nothing }}", "not known")]
    [InlineData("{{ template \"x\" }}", "the template \"x\" is not defined")]
    [InlineData("{{ template x }}", "name of a template is missing")]
    [InlineData("{{ define \"x\" }}", "an \"end\" is missing")]
    [InlineData("{{ define \"x\" }}{{ else }}{{ end }}", "stands alone")]
    [InlineData("{{ if true }}{{ define \"x\" }}{{ end }}{{ end }}", "inside of something else")]
    [InlineData("{{ $x := 1 }}{{ define \"x\" }}{{ $x }}{{ end }}{{ template \"x\" }}", "not declared")]
    [InlineData("{{ define \"x\" }}{{ template \"x\" }}{{ end }}{{ template \"x\" }}", "too deeply")]
    [InlineData("{{ .A", "no end")]
    [InlineData("{{ \"a }}", "no end")]
    [InlineData("{{ ( 1 }}", "\")\" is missing")]
    [InlineData("{{ 1 | 2 }}", "takes no arguments")]
    [InlineData("{{ $x }}", "not declared")]
    [InlineData("a\n\n{{ index (list) 3 }}", "line 3")]
    [InlineData("{{ len }}", "argument is missing")]
    [InlineData("{{ repeat 100000000 \"abc\" }}", "too long")]
    [InlineData("{{ range 1000000 }}{{ range 1000000 }}{{ end }}{{ end }}", "does too much")]
    public void What_is_broken_or_boundless_is_told_with_its_line(string template, string expected) =>
        Assert.Contains(expected, Assert.Throws<TemplateException>(() => Write(template)).Message, StringComparison.Ordinal);

    [Fact]
    public void Nesting_without_end_and_nonsense_end_with_a_message()
    {
        Assert.Throws<TemplateException>(() => Write(string.Concat(Enumerable.Repeat("{{ if (", 5000))));
        Assert.Throws<TemplateException>(() => Write("{{ " + new string('(', 5000)));
        var random = new Random(11);
        string[] words = ["{{", "}}", "{{-", "-}}", " ", "if", "else", "end", "range", "with", ".", ".A", "$x", ":=", "=", "|", "(", ")", "\"a\"", "1", "len", "index", "/*", "*/", "\n", ",", "-"];
        for (var i = 0; i < 5000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => words[random.Next(words.Length)]));
            try
            {
                Write(text);
            }
            catch (TemplateException e)
            {
                Assert.NotEmpty(e.Message);
            }
        }
    }

    [Fact]
    public void A_report_for_GitLab_is_valid_json()
    {
        var text = Write("""
            {"version":"{{ appVersion }}","vulnerabilities":[
            {{- $first := true }}{{- range . }}{{- range .Vulnerabilities -}}
            {{- if $first -}}{{- $first = false -}}{{ else -}},{{- end }}
            {"id":"{{ .VulnerabilityID }}","name":{{ .Title | printf "%q" }},"links":[{{- $links := list -}}{{- range .References -}}{{- if . | regexMatch "^https?://.+" -}}{{- $links = append $links . -}}{{- end -}}{{- end -}}
            {{- range $i, $url := $links }}{{- if $i }},{{ end }}{"url":"{{ $url }}"}{{- end }}]}
            {{- end -}}{{- end }}
            ]}
            """);
        using var json = JsonDocument.Parse(text);
        var found = json.RootElement.GetProperty("vulnerabilities")[0];
        Assert.Equal(("CVE-2020-1", "pads \"left\"", 2), (found.GetProperty("id").GetString(), found.GetProperty("name").GetString(), found.GetProperty("links").GetArrayLength()));
    }

    private static string Write(string template)
    {
        var package = new Package(PackageType.Npm, "left-pad", "1.3.0") { Path = "app/node_modules/left-pad/package.json" };
        var finding = new Finding("CVE-2020-1", package)
        {
            InstalledVersion = "1.3.0",
            Severity = Severity.High,
            Detail = new VulnerabilityDetail("CVE-2020-1") { Title = "pads \"left\"", References = ["https://a.example.com/1", "gopher://b", "http://c.example.com"] },
        };
        var report = new ScanReport("shop/web:1", Now) { ToolVersion = "1.2.3", Packages = [package], Findings = [finding] };
        var output = new MemoryStream();
        ReportTemplate.Parse(template).Write(output, report, new Dictionary<string, string> { ["REGION"] = "eu" });
        return Encoding.UTF8.GetString(output.ToArray());
    }
}
