using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;
using Berth.Scanner.Tests.Advisories;

namespace Berth.Scanner.Tests.Matching;

public sealed class MatcherTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static readonly Package RpmCurl = new(PackageType.Rpm, "curl", "7.61.1") { Release = "11.el8", Architecture = "x86_64" };

    [Theory]
    [InlineData("x86_64", true)]
    [InlineData("aarch64", false)]
    public void Entries_of_Oracle_and_Rocky_must_fit_the_architecture(string arch, bool found)
    {
        var advisory = new Advisory("CVE-1") { FixedVersion = "7.61.1-12.el8", Entries = [new AdvisoryEntry { FixedVersion = "7.61.1-12.el8", Arches = ["x86_64"] }] };
        Assert.Equal(found, Find("rocky 8", "curl", advisory, new Distribution("rocky", "8.9"), RpmCurl with { Architecture = arch }).Count == 1);
        Assert.Equal(found, Find("Oracle Linux 8", "curl", advisory, new Distribution("oracle", "8.9"), RpmCurl with { Architecture = arch }).Count == 1);
    }

    [Theory]
    [InlineData("2.28-151.ksplice1.el8", "100.el8", false)]
    [InlineData("2.28-151.ksplice1.el8", "100.ksplice1.el8", true)]
    [InlineData("2.28-151.el8_fips", "100.el8", false)]
    [InlineData("2.28-151.el8", "100.el8", true)]
    public void Oracle_compares_only_one_flavour(string fixedVersion, string release, bool found) => Assert.Equal(found, Find(
        "Oracle Linux 8", "glibc", new Advisory("CVE-1") { FixedVersion = fixedVersion }, new Distribution("oracle", "8.9"),
        new Package(PackageType.Rpm, "glibc", "2.28") { Release = release, Architecture = "x86_64" }).Count == 1);

    [Fact]
    public void Of_several_sources_in_Trivys_database_that_know_a_flaw_by_one_id_the_last_decides()
    {
        AdvisoryBucket first = new("cargo::GitHub Security Advisory Rust", "trivy"), last = new("cargo::RustSec Advisory Database", "trivy");
        var path = _folder.Of("sources");
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            builder.Add(first, "time", new Advisory("CVE-1") { VulnerableVersions = ["<0.2.23"], PatchedVersions = ["0.2.23"] });
            builder.Add(last, "time", new Advisory("CVE-1") { VulnerableVersions = [">=0.2.7, <0.2.23"], PatchedVersions = ["0.2.0", "0.2.23"] });
            builder.Add(first, "time", new Advisory("CVE-2") { VulnerableVersions = ["<0.2.23"] });
            builder.Complete(DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken);
        }
        using var database = AdvisoryDatabase.Open(path);
        var matcher = new Matcher(database);
        string Lines(string version) => string.Join("; ", matcher.Match(new MatchSubject { Packages = [new Package(PackageType.Cargo, "time", version)] }).Select(finding => $"{finding.Id} {finding.FixedVersion}"));
        Assert.Equal("CVE-2 0.2.23", Lines("0.1.43"));
        Assert.Equal("CVE-1 0.2.0, 0.2.23; CVE-2 0.2.23", Lines("0.2.8"));
        // The same when one advisory is held against one package.
        var package = new Package(PackageType.Cargo, "time", "0.2.8");
        var subject = new MatchSubject { Packages = [package] };
        Assert.Empty(matcher.Judge(subject, package, first, "time", database.Advisories(first, "time").First(advisory => advisory.Id == "CVE-1")));
        Assert.Single(matcher.Judge(subject, package, last, "time", database.Advisories(last, "time").First(advisory => advisory.Id == "CVE-1")));
    }

    [Fact]
    public void Parts_of_Kubernetes_are_judged_by_its_own_feed()
    {
        var advisory = new Advisory("CVE-1") { VulnerableVersions = ["< 1.24.14", ">= 1.25.0, < 1.25.9"], PatchedVersions = ["1.24.14", "1.25.9"] };
        string Fixed(string version) => string.Join("; ", Find("k8s::Official Kubernetes CVE Feed", "k8s.io/kubelet", advisory, null, new Package(PackageType.Kubernetes, "k8s.io/kubelet", version)).Select(one => one.FixedVersion));
        Assert.Equal("1.24.14, 1.25.9", Fixed("1.25.3"));
        Assert.Equal("", Fixed("1.25.9"));
    }

    [Theory]
    [InlineData("v5.4.19", true)]
    [InlineData("5.4.19", true)]
    [InlineData("v5.4.20", false)]
    public void Versions_of_Composer_stay_as_their_file_has_them_and_are_compared_without_the_letter(string version, bool found)
    {
        var advisory = new Advisory("CVE-1") { VulnerableVersions = [">= 5.0.0, < 5.4.20"], PatchedVersions = ["5.4.20"] };
        var findings = Find("composer::GitHub Security Advisory Composer", "v/kernel", advisory, null, new Package(PackageType.Composer, "v/kernel", version));
        Assert.Equal(found ? [version] : [], findings.Select(one => one.InstalledVersion));
    }

    [Fact]
    public void A_module_is_part_of_the_name_and_a_package_of_an_unknown_module_is_not_judged()
    {
        var npm = new Package(PackageType.Rpm, "npm", "8.0.0") { Release = "1.module_el8.4.0", Modularity = "nodejs:12:8030020201124152102:229f0a1c", Architecture = "x86_64" };
        var alma = new Distribution("alma", "8.5");
        Assert.Single(Find("alma 8", "nodejs:12::npm", new Advisory("CVE-1") { FixedVersion = "0:8.1-1" }, alma, npm));
        Assert.Equal("8.1-1", Find("alma 8", "nodejs:12::npm", new Advisory("CVE-1") { FixedVersion = "0:8.1-1" }, alma, npm)[0].FixedVersion);
        Assert.Empty(Find("alma 8", "npm", new Advisory("CVE-1") { FixedVersion = "0:8.1-1" }, alma, npm with { Modularity = "" }));
    }

    [Fact]
    public void The_repositories_of_Alpine_win_over_its_release()
    {
        var package = new Package(PackageType.Apk, "git", "2.34-r0");
        var advisory = new Advisory("CVE-1") { FixedVersion = "2.35.2-r0" };
        using var database = Build("alpine edge", "git", advisory);
        var subject = new MatchSubject { Distribution = new Distribution("alpine", "3.15.4"), Packages = [package] };
        Assert.Empty(new Matcher(database).Match(subject));
        Assert.Single(new Matcher(database).Match(subject with { RepositoryRelease = "edge" }));
    }

    [Theory]
    [InlineData("debian", "debian 12", true)]
    [InlineData("ubuntu", "ubuntu 12", true)]
    [InlineData("wolfi", "wolfi", false)]
    [InlineData("photon", "Photon OS 12", false)]
    public void Without_a_fix_all_versions_have_the_flaw_only_where_the_source_means_that(string family, string bucket, bool found)
    {
        var type = family is "debian" or "ubuntu" ? PackageType.Dpkg : family == "wolfi" ? PackageType.Apk : PackageType.Rpm;
        var findings = Find(bucket, "bash", new Advisory("CVE-1"), new Distribution(family, "12"), new Package(type, "bash", "5.0-r1"));
        Assert.Equal(found, findings.Count == 1);
        Assert.All(findings, static f => Assert.Equal(FixStatus.Affected, f.Status));
    }

    [Theory]
    [InlineData("openssl", "5.oe2203sp3", true)]
    [InlineData("openssl-libs", "5.oe2203sp3", true)]
    [InlineData("openssl-libs", "7.oe2203sp3", false)]
    [InlineData("openssl-libs", "8.oe2203sp3", false)]
    public void The_advisories_of_openEuler_name_source_packages_without_their_epochs(string name, string release, bool found)
    {
        var advisory = new Advisory("OESA-1")
        {
            IsOsv = true,
            Ranges = [new OsvRange(OsvRangeKind.Ecosystem, [new(OsvEventKind.Introduced, "0"), new(OsvEventKind.Fixed, "1.1.1wa-7.oe2203sp3")])],
        };
        var package = new Package(PackageType.Rpm, name, "1.1.1wa") { Epoch = 1, Release = release, SourceName = "openssl" };
        var findings = Find("osv::openEuler:22.03-LTS-SP3", "openssl", advisory, new Distribution("openeuler", "22.03-LTS-SP3"), package);
        Assert.Equal(found ? ["1:1.1.1wa-5.oe2203sp3 1.1.1wa-7.oe2203sp3 openeuler"] : [], findings.Select(static f => $"{f.InstalledVersion} {f.FixedVersion} {f.Source.SourceId}"));
        Assert.Empty(Find("osv::openEuler:22.03-LTS-SP1", "openssl", advisory, new Distribution("openeuler", "22.03-LTS-SP3"), package));
        var subject = new MatchSubject { Distribution = new Distribution("openeuler", "22.03-LTS-SP3"), Packages = [package] };
        Assert.Contains(MatchKey.Of(new AdvisoryBucket("osv::openEuler:22.03-LTS-SP3", "osv"), "openssl"), MatchKey.Of(subject, package));
    }

    [Fact]
    public void Red_Hat_judges_by_the_products_of_the_content_sets_and_takes_the_highest_fix()
    {
        var path = _folder.Of("redhat.db");
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            var bucket = new AdvisoryBucket("Red Hat", "trivy");
            builder.Add(bucket, "openssl", Erratum("RHSA-1", "1:1.1-2", 5, "CVE-1"));
            builder.Add(bucket, "openssl", Erratum("RHSA-2", "1:1.1-4", 5, "CVE-1", "CVE-2"));
            builder.Add(bucket, "openssl", Erratum("RHSA-3", "1:1.1-9", 7, "CVE-3"));
            builder.AddProducts("repository", "rhel-8-for-x86_64-baseos-rpms", [5]);
            builder.AddProducts("repository", "special", [7]);
            builder.AddProducts("nvr", "ubi8-1-x86_64", [7]);
            builder.Complete(DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken);
        }
        using var database = AdvisoryDatabase.Open(path);
        var subject = new MatchSubject
        {
            Distribution = new Distribution("redhat", "8.4"),
            Packages = [new Package(PackageType.Rpm, "openssl", "1.1") { Epoch = 1, Release = "3", Architecture = "x86_64" }],
        };
        Assert.Equal(["CVE-1 1:1.1-4 RHSA-2", "CVE-2 1:1.1-4 RHSA-2"], Lines(subject));
        Assert.Equal(["CVE-3 1:1.1-9 RHSA-3"], Lines(subject with { ContentSets = ["special__8"] }));
        Assert.Equal(["CVE-3 1:1.1-9 RHSA-3"], Lines(subject with { ContentSets = [], Nvr = "ubi8-1-x86_64" }));

        IEnumerable<string> Lines(MatchSubject given) => new Matcher(database).Match(given).Select(static f => $"{f.Id} {f.FixedVersion} {string.Join(',', f.VendorIds)}");
    }

    [Theory]
    [InlineData("1.0", true, "1.5")]
    [InlineData("1.5", false, "")]
    [InlineData("1.9", false, "")]
    [InlineData("2.0", true, "")]
    [InlineData("2.4", true, "")]
    [InlineData("2.5", false, "")]
    [InlineData("3.1-odd", true, "")]
    public void Events_of_OSV_hold_in_the_order_of_the_versions(string version, bool found, string fix)
    {
        var advisory = new Advisory("GHSA-1")
        {
            IsOsv = true,
            Versions = ["3.1-odd"],
            Ranges = [new OsvRange(OsvRangeKind.Semantic,
                [new(OsvEventKind.LastAffected, "2.4"), new(OsvEventKind.Introduced, "2.0"), new(OsvEventKind.Fixed, "1.5"), new(OsvEventKind.Introduced, "0"), new(OsvEventKind.Limit, "9")])],
        };
        var findings = Find("osv::npm", "left-pad", advisory, null, new Package(PackageType.Npm, "left-pad", version));
        Assert.Equal(found, findings.Count == 1);
        Assert.All(findings, f => Assert.Equal(fix, f.FixedVersion));
    }

    [Fact]
    public void Findings_of_several_sources_become_one_under_the_CVE()
    {
        var path = _folder.Of("join.db");
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            builder.Add(new AdvisoryBucket("npm::ghsa", "trivy") { SourceId = "ghsa" }, "lodash", new Advisory("CVE-2020-8203") { VulnerableVersions = ["< 4.17.20"], PatchedVersions = ["4.17.20"] });
            builder.Add(new AdvisoryBucket("osv::npm", "osv"), "lodash", Open("GHSA-1"));
            builder.Add("osv", new VulnerabilityDetail("GHSA-1") { Aliases = ["CVE-2020-8203"] });
            builder.Add(new AdvisoryBucket("osv::npm", "osv"), "lodash", Open("GHSA-2"));
            builder.AddPrediction("CVE-2020-8203", new ExploitPrediction(0.25, 0.5));
            builder.Complete(DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken);
        }
        using var database = AdvisoryDatabase.Open(path);
        var subject = new MatchSubject { Packages = [new Package(PackageType.Npm, "lodash", "4.17.15")] };
        Assert.Equal(3, new Matcher(database).Match(subject).Count);
        var joined = new Matcher(database, new MatchOptions { JoinAliases = true }).Match(subject);
        Assert.Equal(["CVE-2020-8203 [GHSA-1] 4.17.20", "GHSA-2 [] "], joined.Select(static f => $"{f.Id} [{string.Join(',', f.Aliases)}] {f.FixedVersion}"));
        Assert.Equal(0.25, joined[0].Prediction?.Probability);
    }

    [Theory]
    [InlineData("auto", "debian", Severity.Low)]
    [InlineData("nvd", "nvd", Severity.High)]
    [InlineData("ghsa", "", Severity.Unknown)]
    public void The_severity_is_that_of_the_wanted_source(string wanted, string source, Severity severity)
    {
        var path = _folder.Of("severity.db");
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            builder.Add(new AdvisoryBucket("debian 12", "trivy") { SourceId = "debian" }, "bash", new Advisory("CVE-1"));
            builder.Add("trivy", new VulnerabilityDetail("CVE-1") { VendorSeverities = new Dictionary<string, Severity> { ["nvd"] = Severity.High, ["debian"] = Severity.Low } });
            builder.Complete(DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken);
        }
        using var database = AdvisoryDatabase.Open(path);
        var subject = new MatchSubject { Distribution = new Distribution("debian", "12.1"), Packages = [new Package(PackageType.Dpkg, "bash", "5.2-1")] };
        var finding = Assert.Single(new Matcher(database, new MatchOptions { SeveritySources = [wanted] }).Match(subject));
        Assert.Equal((severity, source), (finding.Severity, finding.SeveritySource));
    }

    private static Advisory Open(string id) => new(id) { IsOsv = true, Ranges = [new OsvRange(OsvRangeKind.Semantic, [new(OsvEventKind.Introduced, "0")])] };

    private static Advisory Erratum(string id, string fix, int product, params string[] flaws) => new(id)
    {
        Entries = [new AdvisoryEntry { FixedVersion = fix, Products = [product], Flaws = [.. flaws.Select(static f => new CoveredFlaw(f, Severity.High))] }],
    };

    [Theory]
    [InlineData("debian", "debian 12", PackageType.Dpkg, 0)]
    [InlineData("redhat", "osv::Red Hat:enterprise_linux:9::appstream", PackageType.Rpm, 0)]
    [InlineData("echo", "echo", PackageType.Dpkg, 1)]
    public void Packages_of_other_publishers_are_judged_only_by_those_who_speak_of_them(string family, string bucket, PackageType type, int found)
    {
        var advisory = new Advisory("CVE-1") { FixedVersion = "2.0", Severity = Severity.Low };
        var package = new Package(type, "agent", "1.0") { IsThirdParty = true };
        Assert.Equal(found, Find(bucket, "agent", advisory, new Distribution(family, "12"), package).Count);
        Assert.All(Find(bucket, "agent", advisory, new Distribution(family, "1"), package), static finding => Assert.Equal(("echo", Severity.Low), (finding.SeveritySource, finding.Severity)));
    }

    [Theory]
    [InlineData("debian", 1)]
    [InlineData("", 1)]
    [InlineData("unheard-of", 1)]
    [InlineData("ubuntu", 0)]
    [InlineData("wolfi", 0)]
    public void A_package_that_a_document_gives_to_another_distribution_is_not_judged_by_this_one(string space, int found) => Assert.Equal(found, Find(
        "debian 12", "bash", new Advisory("CVE-1"), new Distribution("debian", "12"), new Package(PackageType.Dpkg, "bash", "5.0-1") { Namespace = space }).Count);

    [Fact]
    public void Keys_of_rpm_are_no_packages_that_can_be_judged() => Assert.Empty(Find(
        "amazon linux 2", "gpg-pubkey", new Advisory("CVE-1") { FixedVersion = "9-1" }, new Distribution("amazon", "2 (Karoo)"), new Package(PackageType.Rpm, "gpg-pubkey", "1") { Release = "1" }));

    [Fact]
    public void Bottlerocket_has_one_list_of_advisories_for_all_releases() => Assert.Single(Find(
        "bottlerocket", "glibc", new Advisory("CVE-1") { FixedVersion = "1:2.43-1.br1" }, new Distribution("bottlerocket", "1.34.0"), new Package(PackageType.Rpm, "glibc", "2.43") { Release = "1.br0", Epoch = 1 }));

    [Fact]
    public void Extended_support_of_Ubuntu_takes_the_place_of_the_release_once_there_are_advisories_for_it()
    {
        var package = new Package(PackageType.Dpkg, "bash", "5.0-1");
        var plain = new MatchSubject { Distribution = new Distribution("ubuntu", "18.04"), Packages = [package] };
        var extended = plain with { Distribution = new Distribution("ubuntu", "18.04") { IsExtended = true } };
        var path = _folder.Of("ubuntu");
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            builder.Add(new AdvisoryBucket("ubuntu 18.04", "trivy"), "bash", new Advisory("CVE-1"));
            builder.Add(new AdvisoryBucket("ubuntu 18.04-ESM", "trivy"), "bash", new Advisory("CVE-2") { FixedVersion = "5.0-2" });
            builder.Complete(DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken);
        }
        using var both = AdvisoryDatabase.Open(path);
        using var only = Build("ubuntu 18.04", "bash", new Advisory("CVE-1"));
        static string Ids(AdvisoryDatabase database, MatchSubject subject) => string.Join(' ', new Matcher(database).Match(subject).Select(static f => f.Id));
        Assert.Equal(("CVE-1", "CVE-2"), (Ids(both, plain), Ids(both, extended)));
        Assert.Equal(("CVE-1", "CVE-1"), (Ids(only, plain), Ids(only, extended)));
        // The index leads both to the same image.
        var bucket = new AdvisoryBucket("ubuntu 18.04-ESM", "trivy");
        Assert.Contains(MatchKey.Of(bucket, "bash"), MatchKey.Of(extended, package));
        Assert.Single(new Matcher(both).Judge(extended, package, bucket, "bash", both.Advisories(bucket, "bash").Single()));
    }

    private IReadOnlyList<Finding> Find(string bucket, string name, Advisory advisory, Distribution? distribution, Package package)
    {
        using var database = Build(bucket, name, advisory);
        return new Matcher(database).Match(new MatchSubject { Distribution = distribution, Packages = [package] });
    }

    private AdvisoryDatabase Build(string bucket, string name, Advisory advisory)
    {
        var path = _folder.Of($"{Guid.CreateVersion7()}.db");
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            builder.Add(new AdvisoryBucket(bucket, bucket.StartsWith("osv", StringComparison.Ordinal) ? "osv" : "trivy"), name, advisory);
            builder.Complete(DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken);
        }
        return AdvisoryDatabase.Open(path);
    }
}
