using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Folder;
using Berth.Scanner.Tests.Matching;

namespace Berth.Scanner.Tests.Advisories.Folder;

public sealed class FolderImportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Alpines_data_base_is_known_by_its_content()
    {
        using var database = Import("main.json", """
            {"distroversion":"v3.19","reponame":"main","urlprefix":"https://dl-cdn.alpinelinux.org/alpine","packages":[
             {"pkg":{"name":"openssl","secfixes":{"3.1.4-r5":["CVE-2024-0727","CVE_2024_1 (+ regression)"],"3.1.4-r9":["CVE-2024-0727"],"0":["CVE-2020-1"]}}},
             {"pkg":{"name":""}},{"other":1}]}
            """);
        var bucket = Assert.Single(database.Buckets("alpine 3.19"));
        Assert.Equal(["CVE-2024-0727 3.1.4-r9"], database.Advisories(bucket, "openssl").Where(static a => a.Id.StartsWith("CVE-2024-0", StringComparison.Ordinal)).Select(static a => $"{a.Id} {a.FixedVersion}"));
        Assert.DoesNotContain(database.Advisories(bucket, "openssl"), static a => a.Id == "CVE-2020-1");
        Assert.Equal("alpine", bucket.SourceId);
    }

    [Fact]
    public void Debians_tracker_gives_fixes_and_reasons_by_release()
    {
        using var database = Import("tracker.json", """
            {"openssl":{"CVE-2024-1":{"description":"a flaw","releases":{
               "bookworm":{"status":"resolved","fixed_version":"3.0.1-1","urgency":"not yet assigned"},
               "bullseye":{"status":"open","urgency":"unimportant","nodsa_reason":"ignored"},
               "sid":{"status":"resolved","fixed_version":"3.2"},
               "trixie":{"status":"resolved","fixed_version":"0"}}}},
             "nginx":{"CVE-2024-2":{"releases":{"bookworm":{"status":"open","urgency":"end-of-life"},"bullseye":{"status":"undetermined"}}}}}
            """);
        Assert.Equal("3.0.1-1", One(database, "debian 12", "openssl").FixedVersion);
        Assert.Equal((FixStatus.WillNotFix, Severity.Low), (One(database, "debian 11", "openssl").Status, One(database, "debian 11", "openssl").Severity));
        Assert.Equal(FixStatus.EndOfLife, One(database, "debian 12", "nginx").Status);
        Assert.Empty(database.Buckets("debian 13"));
        Assert.Equal("a flaw", database.Detail("CVE-2024-1")?.Description);
    }

    [Fact]
    public void A_tracker_larger_than_any_buffer_is_read_as_a_stream()
    {
        var text = new StringBuilder("{");
        for (var i = 0; i < 3000; i++)
            text.Append(i == 0 ? "" : ",").Append($$$"""  "package-{{{i}}}" : {"CVE-2024-{{{i}}}":{"description":"{{{new string('d', 300)}}}","releases":{"bookworm":{"status":"resolved","fixed_version":"1.{{{i}}}" } } } } """);
        using var database = Import("large.json", text.Append('}').ToString());
        Assert.Equal(3000, database.Metadata.Advisories);
        Assert.Equal("1.2999", One(database, "debian 12", "package-2999").FixedVersion);
    }

    [Fact]
    public void Scores_and_exploited_flaws_are_taken_over()
    {
        File.WriteAllText(_folder.Of("in/epss.csv"), "#model_version:v2025.03.14,score_date:2026-11-20T00:00:00+0000\ncve,epss,percentile\nCVE-2024-1,0.5,0.9\nCVE-2024-2,seven,0.9\n");
        using var database = Import("kev.json", """
            {"catalogVersion":"1","dateReleased":"2026-11-19T00:00:00Z","vulnerabilities":[
             {"cveID":"CVE-2024-1","dateAdded":"2024-02-03","dueDate":"2024-03-01","knownRansomwareCampaignUse":"Known"},{"cveID":"CVE-2024-9","dateAdded":"unknown"}]}
            """);
        Assert.Equal(new ExploitPrediction(0.5, 0.9), database.Prediction("CVE-2024-1"));
        Assert.Null(database.Prediction("CVE-2024-2"));
        Assert.Equal(new KnownExploitation(new DateOnly(2024, 2, 3), new DateOnly(2024, 3, 1), true), database.Exploitation("CVE-2024-1"));
        Assert.Equal(["epss 1 1 2026-11-20", "kev 1 1 2026-11-19"], database.Metadata.Sources.Select(static s => $"{s.Feed} {s.Records} {s.Skipped} {s.UpdatedAt:yyyy-MM-dd}"));
    }

    [Fact]
    public void An_archive_of_OSV_is_taken_over_without_what_was_withdrawn_or_broken()
    {
        using (var zip = ZipFile.Open(_folder.Of("in/all.zip"), ZipArchiveMode.Create))
        {
            Add(zip, "GHSA-1.json", """
                {"id":"GHSA-1","aliases":["CVE-2024-1"],"modified":"2026-01-02T00:00:00Z","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[
                {"package":{"ecosystem":"PyPI","name":"Foo.Bar_baz"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]},{"type":"GIT","events":[{"introduced":"abc"}]}]},
                {"package":{"ecosystem":"PyPI","name":"foo-bar-baz"},"versions":["3.0"]},{"package":{"ecosystem":"Android","name":"x"}}]}
                """);
            Add(zip, "GHSA-2.json", """{"id":"GHSA-2","withdrawn":"2026-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"foo"}}]}""");
            Add(zip, "GHSA-3.json", "{");
            Add(zip, "notes.txt", "no advisory");
        }
        using var database = Import("empty.txt", "");
        var advisory = One(database, "osv::PyPI", "foo-bar-baz");
        Assert.Equal(["3.0"], advisory.Versions);
        Assert.Equal(new OsvEvent(OsvEventKind.Fixed, "2"), Assert.Single(advisory.Ranges).Events[1]);
        var detail = database.Detail("GHSA-1")!;
        Assert.Equal((Severity.Critical, 9.8, "CVE-2024-1"), (detail.Severity, detail.Cvss["ghsa"].V3Score, Assert.Single(detail.Aliases)));
        var source = Assert.Single(database.Metadata.Sources);
        Assert.Equal((1, 2, "all.zip"), (source.Records, source.Skipped, source.Name));
        Assert.Equal(1, database.Metadata.Advisories);
    }

    [Fact]
    public void Trivys_layer_is_unpacked_and_taken_over()
    {
        var trivy = MatchingDatabases.TrivyFile(_folder.Path);
        using (var packed = new GZipStream(File.Create(_folder.Of("in/db.tar.gz")), CompressionMode.Compress))
        using (var tar = new TarWriter(packed))
        {
            tar.WriteEntry(trivy, "trivy.db");
            tar.WriteEntry(TestFiles.Of("matching", "metadata.json"), "metadata.json");
        }
        using var database = Import("empty.txt", "");
        Assert.Equal("1.1.20-r5", One(database, "alpine 3.10", "musl").FixedVersion);
        Assert.Equal("Alpine Secdb", database.Buckets("alpine 3.10")[0].SourceName);
        Assert.Equal(new DateTimeOffset(2026, 11, 21, 6, 0, 0, TimeSpan.Zero), Assert.Single(database.Metadata.Sources).UpdatedAt);
        Assert.Equal(2, database.Metadata.Sources[0].NextUpdate?.Day - 20);
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_counted_and_stops_nothing()
    {
        File.WriteAllText(_folder.Of("in/broken.db"), "no database");
        File.WriteAllText(_folder.Of("in/broken.json.gz"), "no gzip");
        File.WriteAllText(_folder.Of("in/lines.jsonl"), "{\n\n{\"id\":\"GHSA-9\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"left-pad\"},\"versions\":[\"1.0.0\"]}]}\n");
        using var database = Import("broken.json", "[");
        Assert.Equal("1.0.0", Assert.Single(One(database, "osv::npm", "left-pad").Versions));
        Assert.Equal(3, database.Metadata.Sources.Count(static s => s.Feed == "unreadable"));
    }

    private static Advisory One(AdvisoryDatabase database, string bucket, string package) => Assert.Single(database.Advisories(Assert.Single(database.Buckets(bucket)), package));

    private static void Add(ZipArchive zip, string name, string text)
    {
        using var writer = new StreamWriter(zip.CreateEntry(name).Open());
        writer.Write(text);
    }

    private AdvisoryDatabase Import(string name, string text)
    {
        File.WriteAllText(_folder.Of("in/" + name), text);
        using (var builder = new AdvisoryDatabaseBuilder(_folder.Of("out.advisories")))
        {
            FolderImport.Read(_folder.Of("in"), builder, TestContext.Current.CancellationToken);
            builder.Complete(DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken);
        }
        return AdvisoryDatabase.Open(_folder.Of("out.advisories"));
    }

    public FolderImportTests() => Directory.CreateDirectory(_folder.Of("in"));
}
