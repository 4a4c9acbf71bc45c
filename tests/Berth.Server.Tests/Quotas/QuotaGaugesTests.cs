using System.Text;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Quotas;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Quotas;

/// <summary>Quotas on the metrics page.</summary>
public sealed class QuotaGaugesTests
{
    private static readonly Statement Insert = new(
        "INSERT INTO projects (name, is_public, repository_count, quota_bytes, used_bytes, created_at, updated_at) VALUES (@0, 0, 0, @1, @2, 0, 0)",
        "INSERT INTO projects (name, is_public, repository_count, quota_bytes, used_bytes, created_at, updated_at) VALUES (@0, false, 0, @1, @2, 0, 0)");

    private readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Only_projects_near_their_quota_have_a_name_and_only_so_many(DatabaseKind kind)
    {
        await using var test = await TestDatabase.NewAsync(kind);
        foreach (var (name, quota, used) in new[] { ("free", -1L, 5000L), ("half", 1000, 500), ("near", 1000, 850), ("nearer", 1000, 990), ("full", 1000, 1000) })
            await test.Current.WriteAsync(Durability.Full, (session, token) => session.ExecuteAsync(Insert, [name, quota, used], token).AsTask(), _ct);
        var time = new ManualTime();
        var metrics = new MetricRegistry(NullLogger<MetricRegistry>.Instance);
        new QuotaGauges(test.Current, new MetricsOptions { MaxProjects = 2 }, time).AddTo(metrics);

        var page = await PageAsync(metrics);
        Assert.Contains("berth_quota_projects{state=\"ok\"} 1\n", page);
        Assert.Contains("berth_quota_projects{state=\"warning\"} 2\n", page);
        Assert.Contains("berth_quota_projects{state=\"full\"} 1\n", page);
        Assert.Contains("berth_quota_used_bytes{project=\"full\"} 1000\n", page);
        Assert.Contains("berth_quota_used_bytes{project=\"nearer\"} 990\n", page);
        Assert.Contains("berth_quota_limit_bytes{project=\"nearer\"} 1000\n", page);
        Assert.DoesNotContain("project=\"near\"", page);
        Assert.DoesNotContain("project=\"half\"", page);

        // The figures may be a little old, and are read again after that.
        await test.Current.WriteAsync(Durability.Full, (session, token) => session.ExecuteAsync(Insert, ["another", 1L, 2L], token).AsTask(), _ct);
        Assert.Equal(page, await PageAsync(metrics));
        time.Advance(QuotaGauges.ReadEvery);
        Assert.Contains("berth_quota_projects{state=\"full\"} 2\n", await PageAsync(metrics));
    }

    [Fact]
    public async Task Without_names_projects_are_only_counted()
    {
        await using var test = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        await test.Current.WriteAsync(Durability.Full, (session, token) => session.ExecuteAsync(Insert, ["full", 1L, 2L], token).AsTask(), _ct);
        var metrics = new MetricRegistry(NullLogger<MetricRegistry>.Instance);
        new QuotaGauges(test.Current, new MetricsOptions { MaxProjects = 0 }, TimeProvider.System).AddTo(metrics);
        var page = await PageAsync(metrics);
        Assert.Contains("berth_quota_projects{state=\"full\"} 1\n", page);
        Assert.DoesNotContain("project=", page);
    }

    private async Task<string> PageAsync(MetricRegistry metrics)
    {
        await metrics.RefreshAsync(_ct);
        var page = new LineBuffer();
        metrics.Write(page, openMetrics: false);
        return Encoding.UTF8.GetString(page.Written);
    }
}
