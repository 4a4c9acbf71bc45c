using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;

namespace Berth.Scanner.Tests.Advisories.Database;

public sealed class AdvisoryDatabaseTests : IDisposable
{
    private static readonly DateTimeOffset Built = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);
    private static readonly AdvisoryBucket Debian = new("debian 12", "debian") { SourceId = "debian", SourceName = "Debian Security Tracker" };
    private static readonly AdvisoryBucket Npm = new("npm::ghsa", "trivy");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_put_in_comes_out_again()
    {
        var advisory = new Advisory("CVE-2024-1")
        {
            FixedVersion = "1.2-3",
            AffectedVersion = "1.0",
            Severity = Severity.High,
            Status = FixStatus.WillNotFix,
            VendorIds = ["DSA-1"],
            Arches = ["amd64"],
            VulnerableVersions = ["< 2", ">= 3, < 4"],
            PatchedVersions = ["2"],
            UnaffectedVersions = ["< 1"],
            IsOsv = true,
            Versions = ["1.0", "1.1"],
            Ranges = [new OsvRange(OsvRangeKind.Semantic, [new(OsvEventKind.Introduced, "0"), new(OsvEventKind.Fixed, "1.2"), new(OsvEventKind.Limit, "*")])],
            Entries = [new AdvisoryEntry { FixedVersion = "9", Status = FixStatus.Affected, Arches = ["x86_64"], VendorIds = ["RHSA-1"], Products = [1, 70000], Flaws = [new("CVE-2024-2", Severity.Low)] }],
        };
        var detail = new VulnerabilityDetail("CVE-2024-1")
        {
            Title = "Überlauf",
            Description = new string('x', 70_000),
            Severity = Severity.Critical,
            Cwes = ["CWE-79"],
            References = ["https://example.com/1"],
            Aliases = ["GHSA-1"],
            VendorSeverities = new Dictionary<string, Severity> { ["nvd"] = Severity.High },
            Published = Built,
            Modified = Built.AddDays(1),
            Cvss = new Dictionary<string, CvssScores> { ["nvd"] = new() { V3Vector = "CVSS:3.1/AV:N", V3Score = 9.8, V2Vector = "AV:N", V2Score = 7.5, V4Vector = "CVSS:4.0/AV:N", V4Score = 9.3 } },
        };
        using var database = Build("one", builder =>
        {
            builder.Add(Debian, "openssl", advisory);
            builder.Add("debian", detail);
            builder.AddPrediction("CVE-2024-1", new ExploitPrediction(0.123456, 0.98));
            builder.AddExploitation("CVE-2024-1", new KnownExploitation(new DateOnly(2024, 5, 1), new DateOnly(2024, 6, 1), true));
            builder.AddProducts("repository", "rhel-9", [3, 5]);
            builder.AddSource(new DatabaseSource("debian", "tracker.json") { UpdatedAt = Built, Records = 1 });
        });

        Assert.Equivalent(advisory, Assert.Single(database.Advisories(database.Buckets("debian 12")[0], "openssl")), strict: true);
        Assert.Equivalent(detail, database.Detail("CVE-2024-1", "debian"), strict: true);
        Assert.Equal(new ExploitPrediction(0.123456, 0.98), database.Prediction("CVE-2024-1"));
        Assert.Equal(new KnownExploitation(new DateOnly(2024, 5, 1), new DateOnly(2024, 6, 1), true), database.Exploitation("CVE-2024-1"));
        Assert.Equal([3, 5], database.Products("repository", "rhel-9"));
        Assert.Equal((1L, 1L, 1L, 1L), (database.Metadata.Advisories, database.Metadata.Details, database.Metadata.Predictions, database.Metadata.KnownExploitations));
        Assert.Equal("Debian Security Tracker", database.Buckets("debian 12")[0].SourceName);
        Assert.Equal(Built, database.Metadata.NewestSource);
    }

    [Fact]
    public void A_package_gets_only_its_own_advisories()
    {
        using var database = Build("names", static builder =>
        {
            foreach (var package in (string[])["open", "openssl", "openssl-libs", "opens"])
                builder.Add(Debian, package, new Advisory("CVE-" + package));
        });
        var bucket = database.Buckets("debian 12")[0];
        Assert.Equal(["CVE-openssl"], database.Advisories(bucket, "openssl").Select(static a => a.Id));
        Assert.Empty(database.Advisories(bucket, "openss"));
        Assert.Empty(database.Advisories(bucket, "zlib"));
        Assert.Empty(database.Advisories(bucket, "open\0ssl"));
        Assert.Empty(database.Advisories(Npm, "openssl"));
        Assert.Null(database.Detail("CVE-none"));
        Assert.Null(database.Prediction("CVE-none"));
    }

    [Fact]
    public void Many_records_in_any_order_are_sorted_in_little_memory_and_the_last_of_equals_stays()
    {
        const int Count = 20_000;
        var path = _folder.Of("many.advisories");
        using (var builder = new AdvisoryDatabaseBuilder(path, sortMemoryBytes: 128 * 1024))
        {
            var random = new Random(5);
            foreach (var i in Enumerable.Range(0, Count).OrderBy(_ => random.Next()))
            {
                builder.Add(Npm, $"package-{i % 500}", new Advisory($"CVE-{i}") { FixedVersion = "old" });
                builder.Add(Npm, $"package-{i % 500}", new Advisory($"CVE-{i}") { FixedVersion = "new" });
            }
            Assert.Equal(Count, builder.Complete(Built, TestContext.Current.CancellationToken).Advisories);
        }
        using var database = AdvisoryDatabase.Open(path);
        Assert.All(database.Advisories(Npm, "package-7"), static a => Assert.Equal("new", a.FixedVersion));
        Assert.Equal(Count / 500, database.Advisories(Npm, "package-7").Count());
        Assert.Equal(Count, database.Advisories(Npm).Count());
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void What_differs_between_two_databases_is_found()
    {
        using var older = Build("older", static builder =>
        {
            builder.Add(Debian, "a", new Advisory("CVE-1") { FixedVersion = "1" });
            builder.Add(Debian, "b", new Advisory("CVE-2") { FixedVersion = "1" });
            builder.Add(Debian, "c", new Advisory("CVE-3"));
            builder.Add("debian", new VulnerabilityDetail("CVE-1"));
        });
        using var newer = Build("newer", static builder =>
        {
            builder.Add(Debian, "a", new Advisory("CVE-1") { FixedVersion = "1" });
            builder.Add(Debian, "b", new Advisory("CVE-2") { FixedVersion = "2" });
            builder.Add(Debian, "d", new Advisory("CVE-4"));
            builder.Add("debian", new VulnerabilityDetail("CVE-1") { Severity = Severity.High });
            builder.Add("osv", new VulnerabilityDetail("GHSA-1") { Aliases = ["CVE-1"] });
            builder.AddProducts("repository", "rhel-9", [1]);
        });
        Assert.Equal(
            ["Changed b CVE-2", "Removed c CVE-3", "Added d CVE-4"],
            AdvisoryChanges.Between(older, newer).Select(static c => $"{c.Kind} {c.Package} {c.Advisory.Id}"));
        Assert.Equal(["CVE-1", "GHSA-1"], AdvisoryChanges.Details(older, newer));
        Assert.Equal(["GHSA-1"], AdvisoryChanges.Namesakes(newer, new HashSet<string> { "CVE-1" }));
        Assert.Empty(AdvisoryChanges.Namesakes(newer, new HashSet<string>()));
        Assert.True(AdvisoryChanges.HaveOtherProducts(older, newer));
        Assert.False(AdvisoryChanges.HaveOtherProducts(newer, newer));
        Assert.Equal(3, AdvisoryChanges.Between(null, newer).Count());
        Assert.Empty(AdvisoryChanges.Between(newer, newer));
    }

    [Fact]
    public void A_damaged_file_is_refused_and_never_answers_wrongly()
    {
        using (Build("whole", static builder => builder.Add(Debian, "openssl", new Advisory("CVE-1") { FixedVersion = "1.2-3" })))
        {
        }
        var whole = File.ReadAllBytes(_folder.Of("whole.advisories"));
        var path = _folder.Of("damaged.advisories");
        var random = new Random(11);
        for (var i = 0; i < 400; i++)
        {
            var damaged = (byte[])whole.Clone();
            if (i % 4 == 0)
                damaged = damaged[..random.Next(damaged.Length)];
            else
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(path, damaged);
            try
            {
                using var database = AdvisoryDatabase.Open(path);
                foreach (var bucket in database.Buckets("debian 12"))
                    Assert.Equal("1.2-3", Assert.Single(database.Advisories(bucket, "openssl")).FixedVersion);
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    [Fact]
    public void A_database_of_another_schema_says_so()
    {
        using (Build("schema", static _ => { }))
        {
        }
        var bytes = File.ReadAllBytes(_folder.Of("schema.advisories"));
        bytes[8] = 9;
        File.WriteAllBytes(_folder.Of("schema.advisories"), bytes);
        Assert.Contains("schema 9", Assert.Throws<InvalidDataException>(() => AdvisoryDatabase.Open(_folder.Of("schema.advisories"))).Message, StringComparison.Ordinal);
    }

    private AdvisoryDatabase Build(string name, Action<AdvisoryDatabaseBuilder> fill)
    {
        var path = _folder.Of(name + ".advisories");
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            fill(builder);
            builder.Complete(Built, TestContext.Current.CancellationToken);
        }
        return AdvisoryDatabase.Open(path);
    }
}
