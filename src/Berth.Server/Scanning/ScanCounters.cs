using Berth.Server.Platform.Data;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Scanning.Advisories;

namespace Berth.Server.Scanning;

/// <summary>
/// Scanning on the metrics page: how old the advisories are, what was judged again, how many reports are behind. How many scans wait and how long they take is told with all jobs
/// (<c>berth_jobs{kind="image_scan"}</c>, <c>berth_job_duration_seconds{kind="image_scan"}</c>).
/// </summary>
internal sealed class ScanCounters(Database database, AdvisoryStore advisories, TimeProvider time)
{
    /// <summary>How old the count of reports that are behind may be.</summary>
    public static readonly TimeSpan ReadEvery = TimeSpan.FromSeconds(15);

    private long _rejudged;
    private long _changed;
    private long _behind;
    private long? _readAt;

    /// <summary>An image was judged again.</summary>
    public void Rejudged(bool isChanged)
    {
        Interlocked.Increment(ref _rejudged);
        if (isChanged) Interlocked.Increment(ref _changed);
    }

    /// <summary>Puts the figures on the page.</summary>
    public void AddTo(MetricRegistry metrics)
    {
        metrics.AddRefresh(RefreshAsync);
        metrics.AddGauges("berth_advisory_age_seconds", "Time since the advisory database of this process was built; missing when there is none.", () =>
        {
            using var loan = advisories.Borrow();
            return loan is null ? [] : new[] { new MetricSample(Math.Max(0, (time.GetUtcNow() - loan.Database.Metadata.BuiltAt).TotalSeconds)) };
        });
        metrics.AddCounter("berth_scan_rejudged_total", "Images that this process judged again by another advisory database.", () => Interlocked.Read(ref _rejudged));
        metrics.AddCounter("berth_scan_rejudged_changed_total", "Those of them whose findings changed.", () => Interlocked.Read(ref _changed));
        metrics.AddGauge("berth_scan_reports_behind", "Reports of all replicas that are to be brought up to the newest advisory database.", () => Interlocked.Read(ref _behind));
    }

    private async ValueTask RefreshAsync(CancellationToken ct)
    {
        if (_readAt is { } at && time.GetElapsedTime(at) < ReadEvery) return;
        _readAt = time.GetTimestamp();
        var behind = await database.ReadAsync(0, static async (session, _, token) => await AdvisoryRounds.NewestAsync(session, token).ConfigureAwait(false) is { } round
            ? await session.ScalarAsync(round.IsRollback ? CountOther : CountOlder, [round.BuiltAt], token).ConfigureAwait(false) : 0, ct).ConfigureAwait(false);
        Interlocked.Exchange(ref _behind, behind ?? 0);
    }

    private static readonly Statement CountOlder = new("SELECT COUNT(*) FROM artifact_scans WHERE database_built_at < @0");
    private static readonly Statement CountOther = new("SELECT COUNT(*) FROM artifact_scans WHERE database_built_at < @0 OR database_built_at > @0");
}
