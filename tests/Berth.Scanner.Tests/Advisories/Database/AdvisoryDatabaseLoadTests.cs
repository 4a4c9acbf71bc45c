using System.Diagnostics;
using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;

namespace Berth.Scanner.Tests.Advisories.Database;

/// <summary>What a database of the size of Trivy's costs. Run by name: it takes a while.</summary>
public sealed class AdvisoryDatabaseLoadTests(ITestOutputHelper output)
{
    [Fact(Explicit = true), Trait("run", "by hand")]
    public void Three_hundred_thousand_advisories_are_built_in_a_minute_and_half_a_gigabyte()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Of("large.advisories");
        var clock = Stopwatch.StartNew();
        var random = new Random(1);
        DatabaseMetadata metadata;
        using (var builder = new AdvisoryDatabaseBuilder(path))
        {
            for (var i = 0; i < 300_000; i++)
            {
                // Each flaw has details of a usual length and stands in five releases.
                var id = $"CVE-{2000 + (i % 27)}-{i}";
                for (var release = 8; release < 13; release++)
                    builder.Add(new AdvisoryBucket($"debian {release}", "trivy"), $"source-{random.Next(20_000)}", new Advisory(id) { FixedVersion = $"{i % 9}.{i % 31}-{release}" });
                builder.Add("trivy", new VulnerabilityDetail(id)
                {
                    Title = $"flaw number {i} in a component",
                    Description = string.Create(900, random, static (text, r) => { foreach (ref var c in text) c = (char)('a' + r.Next(20)); }),
                    VendorSeverities = new Dictionary<string, Severity> { ["nvd"] = (Severity)(i % 5), ["redhat"] = Severity.Low },
                    References = [.. Enumerable.Range(0, 8).Select(n => $"https://example.com/advisories/{i}/{n}")],
                });
                builder.AddPrediction(id, new ExploitPrediction(random.NextDouble(), random.NextDouble()));
            }
            metadata = builder.Complete(DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken);
        }
        var built = clock.Elapsed;
        var peak = Process.GetCurrentProcess().PeakWorkingSet64 / (1024 * 1024);
        clock.Restart();
        using var database = AdvisoryDatabase.Open(path);
        var bucket = database.Buckets("debian 12")[0];
        var found = Enumerable.Range(0, 1000).Sum(i => database.Advisories(bucket, $"source-{i}").Count());
        output.WriteLine($"{metadata.Advisories} advisories, {metadata.Details} details built in {built.TotalSeconds:0.0} s, peak {peak} MB, file {new FileInfo(path).Length / (1024 * 1024)} MB; 1000 packages with {found} advisories looked up in {clock.ElapsedMilliseconds} ms");
        Assert.True(built < TimeSpan.FromSeconds(60), $"took {built}");
        Assert.True(peak < 500, $"took {peak} MB");
    }
}
