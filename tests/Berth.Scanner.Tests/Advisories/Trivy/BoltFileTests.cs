using System.Text;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Trivy;
using Berth.Scanner.Tests.Matching;

namespace Berth.Scanner.Tests.Advisories.Trivy;

public sealed class BoltFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_pair_of_a_database_is_found_and_buckets_come_in_order()
    {
        using var file = new BoltFile(MatchingDatabases.TrivyFile(_folder.Path));
        var pairs = All(file);
        Assert.Equal(147, pairs.Count);
        Assert.Equal(147, pairs.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(file.Root().Select(static b => Encoding.UTF8.GetString(b.Key.Span)).Order(StringComparer.Ordinal), file.Root().Select(static b => Encoding.UTF8.GetString(b.Key.Span)));
        Assert.Contains("alpine 3.10/musl/CVE-2019-14697={\"FixedVersion\":\"1.1.20-r5\"}", pairs);
        Assert.Contains("Red Hat CPE/repository/rhel-7-server-rpms=[869]", pairs);
    }

    [Fact]
    public void A_damaged_file_ends_in_a_refusal_or_in_fewer_pairs()
    {
        var whole = File.ReadAllBytes(MatchingDatabases.TrivyFile(_folder.Path));
        var path = _folder.Of("damaged.db");
        var random = new Random(3);
        var refused = 0;
        for (var i = 0; i < 250; i++)
        {
            var damaged = (byte[])whole.Clone();
            if (i % 5 == 0)
                damaged = damaged[..random.Next(damaged.Length)];
            for (var n = 0; n < 20; n++)
            {
                // Mostly where the pages' heads and elements are.
                var at = random.Next(damaged.Length / 4096 + 1) * 4096 + random.Next(200);
                if (at < damaged.Length)
                    damaged[at] = (byte)random.Next(256);
            }
            File.WriteAllBytes(path, damaged);
            try
            {
                using var file = new BoltFile(path);
                Assert.True(All(file).Count < 10_000);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }
        Assert.True(refused > 50, $"only {refused} refused");
    }

    [Fact]
    public void A_page_that_points_at_itself_is_refused()
    {
        var bytes = File.ReadAllBytes(MatchingDatabases.TrivyFile(_folder.Path));
        foreach (var page in Enumerable.Range(2, (bytes.Length / 4096) - 2))
        {
            if (bytes[(page * 4096) + 8] == 1)
                BitConverter.TryWriteBytes(bytes.AsSpan((page * 4096) + 16 + 8), (long)page);
        }
        File.WriteAllBytes(_folder.Of("circle.db"), bytes);
        using var file = new BoltFile(_folder.Of("circle.db"));
        Assert.Throws<InvalidDataException>(() => All(file));
    }

    [Fact]
    public void A_database_of_a_newer_schema_is_refused()
    {
        using var builder = new AdvisoryDatabaseBuilder(_folder.Of("x.advisories"));
        var path = MatchingDatabases.TrivyFile(_folder.Path);
        Assert.Throws<InvalidDataException>(() => TrivyDatabaseImport.Read(path, """{"Version":3}"""u8.ToArray(), "trivy.db", builder, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void What_is_no_database_is_refused()
    {
        File.WriteAllText(_folder.Of("text.db"), "hello");
        Assert.Throws<InvalidDataException>(() => new BoltFile(_folder.Of("text.db")));
    }

    private static List<string> All(BoltFile file)
    {
        var pairs = new List<string>();
        Add(file.Root(), "");
        return pairs;

        void Add(IEnumerable<BoltFile.Pair> level, string path)
        {
            foreach (var pair in level)
            {
                var name = path + Encoding.UTF8.GetString(pair.Key.Span);
                if (pair.IsBucket && path.Count(static c => c == '/') < 8)
                    Add(file.Walk(pair.Value), name + "/");
                else
                    pairs.Add($"{name}={Encoding.UTF8.GetString(pair.Value.Span)}");
            }
        }
    }
}
