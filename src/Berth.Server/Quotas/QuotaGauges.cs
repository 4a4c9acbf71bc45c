using Berth.Server.Platform.Data;
using Berth.Server.Platform.Telemetry;

namespace Berth.Server.Quotas;

/// <summary>
/// Quotas on the metrics page: how many projects have one and how full they are, and by name those that are nearly full. Read when the page is asked for, at
/// most every <see cref="ReadEvery"/>.
/// </summary>
internal sealed class QuotaGauges(Database database, MetricsOptions options, TimeProvider time)
{
    /// <summary>How old the figures may be.</summary>
    public static readonly TimeSpan ReadEvery = TimeSpan.FromSeconds(15);

    private Figures _figures = new(0, 0, 0, []);
    private long _readAt;

    /// <summary>Puts the figures on the page.</summary>
    public void AddTo(MetricRegistry metrics)
    {
        metrics.AddRefresh(RefreshAsync);
        const string projects = "Projects with a quota, by how much of it is used: below 85 %, from there on (warning), all of it (full).";
        metrics.AddGauge("berth_quota_projects", projects, () => _figures.Limited - _figures.Warning - _figures.Full, ("state", "ok"));
        metrics.AddGauge("berth_quota_projects", projects, () => _figures.Warning, ("state", "warning"));
        metrics.AddGauge("berth_quota_projects", projects, () => _figures.Full, ("state", "full"));
        metrics.AddGauges("berth_quota_used_bytes", "Bytes that a project uses; only projects that have used 85 % of their quota, at most metrics.maxProjects.",
            () => _figures.Projects.Select(project => new MetricSample(project.Used, ("project", project.Name))));
        metrics.AddGauges("berth_quota_limit_bytes", "Quota of a project; only projects that have used 85 % of it, at most metrics.maxProjects.",
            () => _figures.Projects.Select(project => new MetricSample(project.Limit, ("project", project.Name))));
    }

    private async ValueTask RefreshAsync(CancellationToken ct)
    {
        var now = time.GetTimestamp();
        if (_readAt != 0 && time.GetElapsedTime(_readAt, now) < ReadEvery) return;
        _figures = await database.ReadAsync(options.MaxProjects, static async (session, most, token) =>
        {
            var found = new Figures(0, 0, 0, []);
            await using (var counts = await session.Command(Count, ProjectUsage.WarningShare).ExecuteReaderAsync(token).ConfigureAwait(false))
            {
                if (await counts.ReadAsync(token).ConfigureAwait(false)) found = new Figures(counts.GetInt64(0), counts.GetInt64(1), counts.GetInt64(2), []);
            }
            if (most == 0 || found.Warning + found.Full == 0) return found;
            var projects = new List<ProjectFigures>();
            await using var rows = await session.Command(SelectFullest, ProjectUsage.WarningShare, (long)most).ExecuteReaderAsync(token).ConfigureAwait(false);
            while (await rows.ReadAsync(token).ConfigureAwait(false)) projects.Add(new ProjectFigures(rows.GetString(0), rows.GetInt64(1), rows.GetInt64(2)));
            return found with { Projects = projects };
        }, ct).ConfigureAwait(false);
        _readAt = now;
    }

    private static readonly Statement Count = new("""
        SELECT COUNT(*),
            COALESCE(SUM(CASE WHEN used_bytes >= quota_bytes * @0 AND used_bytes < quota_bytes THEN 1 ELSE 0 END), 0),
            COALESCE(SUM(CASE WHEN used_bytes >= quota_bytes THEN 1 ELSE 0 END), 0)
        FROM projects WHERE quota_bytes > 0
        """);

    private static readonly Statement SelectFullest = new("""
        SELECT name, used_bytes, quota_bytes FROM projects WHERE quota_bytes > 0 AND used_bytes >= quota_bytes * @0
        ORDER BY used_bytes * 1.0 / quota_bytes DESC, name LIMIT @1
        """);

    private sealed record Figures(long Limited, long Warning, long Full, IReadOnlyList<ProjectFigures> Projects);

    private sealed record ProjectFigures(string Name, long Used, long Limit);
}
