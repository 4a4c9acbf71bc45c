using System.Text;
using System.Text.Json;
using Berth.Scanner.Exceptions;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers.Sboms;
using Berth.Scanner.Matching;
using Berth.Scanner.Reports;
using Berth.Scanner.Sbom;
using Berth.Scanner.Tests.Matching;

namespace Berth.Scanner.Tests.Reports;

public sealed class ReportTests(MatchingDatabases databases) : IClassFixture<MatchingDatabases>
{
    private static readonly DateTimeOffset Time = new(2026, 11, 22, 12, 30, 0, TimeSpan.Zero);

    [Fact]
    public void The_Trivy_report_has_the_fields_that_its_readers_use()
    {
        var json = Json(s => TrivyReport.Write(s, Report("image-debian-buster"), listPackages: true));
        Assert.Equal(2, json.GetProperty("SchemaVersion").GetInt32());
        Assert.Equal("debian", json.GetProperty("Metadata").GetProperty("OS").GetProperty("Family").GetString());
        var result = json.GetProperty("Results")[0];
        Assert.Equal("registry.example.com/shop/web:1 (debian 10.1)", result.GetProperty("Target").GetString());
        Assert.Equal("os-pkgs", result.GetProperty("Class").GetString());
        Assert.Equal(91, result.GetProperty("Packages").GetArrayLength());
        var finding = result.GetProperty("Vulnerabilities").EnumerateArray().Single(static v => v.GetProperty("VulnerabilityID").GetString() == "CVE-2019-18224");
        Assert.Equal("2.0.5-1+deb10u1", finding.GetProperty("FixedVersion").GetString());
        Assert.Equal("fixed", finding.GetProperty("Status").GetString());
        Assert.Equal("CRITICAL", finding.GetProperty("Severity").GetString());
        Assert.Equal("nvd", finding.GetProperty("SeveritySource").GetString());
        Assert.Equal("debian", finding.GetProperty("DataSource").GetProperty("ID").GetString());
        Assert.Equal("https://avd.aquasec.com/nvd/cve-2019-18224", finding.GetProperty("PrimaryURL").GetString());
        Assert.StartsWith("pkg:deb/debian/libidn2-0@", finding.GetProperty("PkgIdentifier").GetProperty("PURL").GetString(), StringComparison.Ordinal);
        Assert.Equal(4, finding.GetProperty("VendorSeverity").GetProperty("nvd").GetInt32());
    }

    [Fact]
    public void Lock_files_are_targets_of_their_own_and_installed_packages_stand_together()
    {
        var npm = Json(s => TrivyReport.Write(s, Report("real-npm-shop-lock", "app/package-lock.json"))).GetProperty("Results")[0];
        Assert.Equal(("app/package-lock.json", "npm"), (npm.GetProperty("Target").GetString(), npm.GetProperty("Type").GetString()));
        var installed = Json(s => TrivyReport.Write(s, Report("real-npm-shop-installed"))).GetProperty("Results")[0];
        Assert.Equal(("Node.js", "node-pkg"), (installed.GetProperty("Target").GetString(), installed.GetProperty("Type").GetString()));
        Assert.EndsWith("package.json", installed.GetProperty("Vulnerabilities")[0].GetProperty("PkgPath").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Suppressed_findings_are_shown_with_their_reason_when_asked()
    {
        var report = Suppressed(Report("image-debian-buster"));
        var json = Json(s => TrivyReport.Write(s, report, showSuppressed: true)).GetProperty("Results")[0];
        var modified = Assert.Single(json.GetProperty("ExperimentalModifiedFindings").EnumerateArray());
        Assert.Equal("accepted", modified.GetProperty("Statement").GetString());
        Assert.Equal("CVE-2019-18224", modified.GetProperty("Finding").GetProperty("VulnerabilityID").GetString());
        Assert.DoesNotContain("CVE-2019-18224", TableReport.Write(report), StringComparison.Ordinal);
        Assert.Contains("accepted", TableReport.Write(report, showSuppressed: true), StringComparison.Ordinal);
        Assert.Contains("\"justification\": \"accepted\"", Text(s => SarifReport.Write(s, report)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_is_readable_and_obeys_no_escape_sequences()
    {
        var report = Report("image-alpine-310");
        var evil = report.Findings[0] with { Detail = report.Findings[0].Detail! with { Title = "a\u001b[31mred\nline" } };
        var table = TableReport.Write(report with { Findings = [evil, .. report.Findings.Skip(1)] });
        Assert.DoesNotContain('\u001b', table);
        Assert.Contains("Total: 4 (UNKNOWN: 0, LOW: 0, MEDIUM: 4, HIGH: 0, CRITICAL: 0)", table, StringComparison.Ordinal);
        Assert.Contains("│ libcrypto1.1 │ CVE-2019-1549 │ MEDIUM   │ fixed  │ 1.1.1c-r0 │ 1.1.1d-r0 │", table, StringComparison.Ordinal);
        var lines = table.Split('\n').Where(static l => l.StartsWith('│') || l.StartsWith('├')).ToList();
        Assert.All(lines, l => Assert.Equal(lines[0].Length, l.Length));
    }

    [Fact]
    public void SARIF_has_a_rule_a_flaw_and_a_result_a_finding()
    {
        var report = Report("image-alpine-310");
        var run = Json(s => SarifReport.Write(s, report)).GetProperty("runs")[0];
        var rules = run.GetProperty("tool").GetProperty("driver").GetProperty("rules").EnumerateArray().ToList();
        Assert.Equal(2, rules.Count);
        Assert.Equal(4, run.GetProperty("results").GetArrayLength());
        Assert.All(run.GetProperty("results").EnumerateArray(), r =>
            Assert.Equal(r.GetProperty("ruleId").GetString(), rules[r.GetProperty("ruleIndex").GetInt32()].GetProperty("id").GetString()));
        Assert.Equal("5.3", rules[0].GetProperty("properties").GetProperty("security-severity").GetString());
        Assert.Equal("warning", rules[0].GetProperty("defaultConfiguration").GetProperty("level").GetString());
    }

    [Fact]
    public void The_report_for_Harbor_has_its_words()
    {
        var json = Json(s => HarborReport.Write(s, Report("image-debian-buster"), "shop/web", "1"));
        Assert.Equal("Critical", json.GetProperty("severity").GetString());
        Assert.Equal("shop/web", json.GetProperty("artifact").GetProperty("repository").GetString());
        var finding = json.GetProperty("vulnerabilities").EnumerateArray().Single(static v => v.GetProperty("id").GetString() == "CVE-2019-18224");
        Assert.Equal(("libidn2-0", "2.0.5-1", "2.0.5-1+deb10u1"), (finding.GetProperty("package").GetString(), finding.GetProperty("version").GetString(), finding.GetProperty("fix_version").GetString()));
        Assert.Equal(9.8, finding.GetProperty("preferred_cvss").GetProperty("score_v3").GetDouble());
        Assert.Equal("None", Json(s => HarborReport.Write(s, new ScanReport("empty", Time))).GetProperty("severity").GetString());
    }

    [Fact]
    public void Bills_of_materials_name_every_package_and_are_the_same_bytes_each_time()
    {
        foreach (var id in (string[])["image-debian-buster", "image-opensuse-leap-151", "real-npm-shop-lock", "real-jars-boot", "real-go-binary"])
        {
            var report = Report(id);
            var shuffled = report with { Packages = [.. report.Packages.Reverse()] };
            var cyclone = Text(s => CycloneDxWriter.Write(s, report, withFindings: true));
            var spdx = Text(s => SpdxWriter.Write(s, report));
            Assert.Equal(cyclone, Text(s => CycloneDxWriter.Write(s, shuffled, withFindings: true)));
            Assert.Equal(spdx, Text(s => SpdxWriter.Write(s, shuffled)));
            var read = SbomPackages.Read(Encoding.UTF8.GetBytes(cyclone));
            var names = report.Packages.Select(static p => (p.Type, p.Name, PackageVersions.Full(p).TrimStart('v'))).ToHashSet();
            Assert.Equal(names.Count, read.Select(static p => (p.Type, p.Name, PackageVersions.Full(p))).ToHashSet().Count);
            // The image itself is a package of an SPDX document.
            Assert.Equal(names.Count, SbomPackages.Read(Encoding.UTF8.GetBytes(spdx)).Where(static p => p.Type != PackageType.Other).Select(static p => (p.Type, p.Name, PackageVersions.Full(p))).ToHashSet().Count);
        }
    }

    [Fact]
    public void SPDX_as_lines_says_the_same_and_no_name_begins_a_line_of_its_own()
    {
        var report = Report("image-debian-buster");
        var evil = report.Packages[0] with { Name = "evil\nPackageName: other", Path = "a</text>\nb" };
        report = report with { Packages = [evil, .. report.Packages.Skip(1)] };
        var lines = Text(s => SpdxTagValueWriter.Write(s, report)).Split('\n');
        var json = Json(s => SpdxWriter.Write(s, report));
        Assert.Equal(["SPDXVersion: SPDX-2.3", "DataLicense: CC0-1.0", "SPDXID: SPDXRef-DOCUMENT"], lines[..3]);
        Assert.Equal(json.GetProperty("packages").GetArrayLength(), lines.Count(static line => line.StartsWith("PackageName: ", StringComparison.Ordinal)));
        Assert.Equal(json.GetProperty("relationships").GetArrayLength(), lines.Count(static line => line.StartsWith("Relationship: ", StringComparison.Ordinal)));
        Assert.Contains("PackageName: evil PackageName: other", lines);
        Assert.Contains("AnnotationComment: <text>FilePath: a</ text>", lines);
        Assert.Contains(lines, static line => line.StartsWith("ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/libidn2-0@2.0.5-1", StringComparison.Ordinal));
        Assert.All(lines, static line => Assert.Matches("^$|^[A-Za-z]+: |^b</text>$", line));
    }

    [Fact]
    public void The_predicate_of_a_scan_holds_the_report_and_when_it_was_made()
    {
        var json = Json(s => VulnerabilityPredicate.Write(s, Report("image-alpine-310") with { ToolVersion = "1.2.3" }));
        var scanner = json.GetProperty("scanner");
        Assert.Equal(("pkg:generic/berth@1.2.3", "1.2.3"), (scanner.GetProperty("uri").GetString(), scanner.GetProperty("version").GetString()));
        Assert.Equal(4, scanner.GetProperty("result").GetProperty("Results")[0].GetProperty("Vulnerabilities").GetArrayLength());
        Assert.Equal(("2026-11-22T12:30:00Z", "2026-11-22T12:30:00Z"), (json.GetProperty("metadata").GetProperty("scanStartedOn").GetString(), json.GetProperty("metadata").GetProperty("scanFinishedOn").GetString()));
    }

    [Fact]
    public void The_snapshot_for_GitHub_has_every_package_and_the_commit()
    {
        var report = Report("real-npm-shop-installed");
        var variables = new Dictionary<string, string> { ["GITHUB_SHA"] = "abc", ["GITHUB_REF"] = "refs/heads/main", ["GITHUB_WORKFLOW"] = "build", ["GITHUB_JOB"] = "scan", ["GITHUB_RUN_ID"] = "7", ["GITHUB_REPOSITORY"] = "o/r" };
        var json = Json(s => GitHubSnapshot.Write(s, report, variables));
        Assert.Equal(("abc", "refs/heads/main"), (json.GetProperty("sha").GetString(), json.GetProperty("ref").GetString()));
        Assert.Equal(("build_scan", "7"), (json.GetProperty("job").GetProperty("correlator").GetString(), json.GetProperty("job").GetProperty("id").GetString()));
        Assert.Equal("https://github.com/o/r", json.GetProperty("detector").GetProperty("url").GetString());
        var manifest = json.GetProperty("manifests").GetProperty("Node.js");
        Assert.Equal("registry.example.com/shop/web:1@sha256:" + new string('a', 64), manifest.GetProperty("file").GetProperty("source_location").GetString());
        var resolved = manifest.GetProperty("resolved").EnumerateObject().Select(static one => one.Value.GetProperty("package_url").GetString()).ToList();
        Assert.Equal(report.Packages.DistinctBy(static p => (p.Name, p.Version, p.Path)).Count(), resolved.Count);
        Assert.Contains(resolved, static url => url!.StartsWith("pkg:npm/lodash@", StringComparison.Ordinal));
    }

    [Fact]
    public void A_bill_of_materials_gives_the_findings_of_the_image_it_was_made_of()
    {
        foreach (var id in (string[])["image-debian-buster", "image-alpine-310", "real-alma9", "real-debian12-base", "real-python-site", "real-npm-shop-installed"])
        {
            var given = MatchingCase.Load(id);
            var matcher = new Matcher(given.IsGolden ? databases.Trivy : databases.Osv);
            var subject = given.Subject();
            foreach (var text in (string[])[Text(s => CycloneDxWriter.Write(s, Report(id))), Text(s => SpdxWriter.Write(s, Report(id)))])
            {
                var bytes = Encoding.UTF8.GetBytes(text);
                var again = new MatchSubject
                {
                    Distribution = SbomPackages.ReadDistribution(bytes),
                    Packages = SbomPackages.Read(bytes),
                };
                // Package URLs of Python write names in small letters.
                Assert.Equal(matcher.Match(subject).Select(f => given.Line(f).ToUpperInvariant()).Order(StringComparer.Ordinal), matcher.Match(again).Select(f => given.Line(f).ToUpperInvariant()).Order(StringComparer.Ordinal));
            }
        }
    }

    /// <summary>Writes documents for validation with the official schemas by a program of another language.</summary>
    [Fact(Explicit = true), Trait("run", "by hand")]
    public void Documents_for_validators_are_written()
    {
        var folder = Environment.GetEnvironmentVariable("BERTH_TEST_DOCUMENTS") ?? Path.Combine(Path.GetTempPath(), "berth-documents");
        Directory.CreateDirectory(folder);
        foreach (var id in MatchingCase.Ids())
        {
            var report = Suppressed(Report(id));
            File.WriteAllText(Path.Combine(folder, id + ".cdx.json"), Text(s => CycloneDxWriter.Write(s, report)));
            File.WriteAllText(Path.Combine(folder, id + ".vex.cdx.json"), Text(s => CycloneDxWriter.Write(s, report, withFindings: true)));
            File.WriteAllText(Path.Combine(folder, id + ".spdx.json"), Text(s => SpdxWriter.Write(s, report)));
            File.WriteAllText(Path.Combine(folder, id + ".sarif"), Text(s => SarifReport.Write(s, report)));
            File.WriteAllText(Path.Combine(folder, id + ".txt"), TableReport.Write(report, showSuppressed: true));
            File.WriteAllText(Path.Combine(folder, id + ".json"), Text(s => TrivyReport.Write(s, report, listPackages: true, showSuppressed: true)));
        }
        Assert.NotEmpty(Directory.GetFiles(folder, "*.sarif"));
    }

    private static ScanReport Suppressed(ScanReport report)
    {
        var (counted, suppressed) = new ExceptionSet([new CveAllowList("list", [new("CVE-2019-18224", "accepted")])]).Apply(report.Findings, new ExceptionSubject(Time));
        return report with { Findings = counted, Suppressed = suppressed };
    }

    private ScanReport Report(string id, string path = "")
    {
        var given = MatchingCase.Load(id);
        var subject = given.Subject();
        if (path.Length > 0)
            subject = subject with { Packages = [.. subject.Packages.Select(p => p with { Path = path })] };
        return new ScanReport("registry.example.com/shop/web:1", Time)
        {
            Distribution = subject.Distribution,
            Packages = subject.Packages,
            Digest = "sha256:" + new string('a', 64),
            ImageId = "sha256:" + new string('b', 64),
            Layers = [new ReportLayer("sha256:" + new string('c', 64), "sha256:" + new string('d', 64), 1234)],
            RepoTags = ["registry.example.com/shop/web:1"],
            Findings = new Matcher(given.IsGolden ? databases.Trivy : given.IsNative ? databases.Native : databases.Osv).Match(subject),
        };
    }

    private static string Text(Action<Stream> write)
    {
        using var memory = new MemoryStream();
        write(memory);
        return Encoding.UTF8.GetString(memory.ToArray());
    }

    private static JsonElement Json(Action<Stream> write) => JsonDocument.Parse(Text(write)).RootElement;
}
