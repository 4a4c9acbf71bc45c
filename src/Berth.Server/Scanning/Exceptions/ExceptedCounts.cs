using Berth.Server.Access;
using Berth.Server.Platform.Data;

namespace Berth.Server.Scanning.Exceptions;

/// <summary>Findings of an image that do not count.</summary>
/// <param name="Counts">By their rank: [1] unknown to [5] critical.</param>
/// <param name="Fixable">Those of them with a repair.</param>
internal sealed record Excepted(int[] Counts, int Fixable)
{
    /// <summary>None.</summary>
    public static Excepted None { get; } = new(new int[6], 0);

    /// <summary>All of them.</summary>
    public int Total => Counts.Sum();
}

/// <summary>
/// Counts for lists of images how many findings do not count now. Images without exceptions cost nothing; of the others the report is read once, and what came out is remembered until exceptions
/// change or one of those that were used runs out. Documents that are attached to images are not asked: they lie in stores, and a list of images is one transaction of the database.
/// </summary>
internal sealed class ExceptedCounts(ScanExceptions exceptions, TimeProvider time)
{
    private readonly RecentMap<Key, Remembered> _known = new(8192);

    /// <summary>What does not count of an image's last good report.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="repositoryId">The repository of the image.</param>
    /// <param name="scan">The image's scan.</param>
    /// <param name="ct">Cancels.</param>
    public async ValueTask<Excepted> OfAsync(DbSession session, long repositoryId, ScanRow scan, CancellationToken ct)
    {
        if (scan.Total == 0 || scan.ReportedAt is not { } reportedAt) return Excepted.None;
        if ((await exceptions.OfRepositoryAsync(session, repositoryId, ct).ConfigureAwait(false)).Sources.Count == 0) return Excepted.None;
        var key = new Key(scan.ManifestId, reportedAt, scan.DatabaseBuiltAt ?? 0, scan.Total);
        var now = time.GetUtcNow();
        if (_known.TryGet(key, out var known) && exceptions.IsCurrent(known.Version) && !(known.ValidUntil <= now)) return known.Excepted;
        var version = exceptions.Version;
        var held = await exceptions.OfManifestAsync(session, scan.ManifestId, ct).ConfigureAwait(false);
        if (held is null || await ScanRow.ReadReportAsync(session, scan.ManifestId, ct).ConfigureAwait(false) is not { } packed) return Excepted.None;
        var (excepted, until) = Count(ReportedFindings.Read(StoredReport.Unpack(packed)), held);
        _known.Set(key, new Remembered(version, excepted, until));
        return excepted;
    }

    private static (Excepted, DateTimeOffset?) Count(IReadOnlyList<ReportedFinding> findings, ManifestExceptions held)
    {
        var (counts, fixable) = (new int[6], 0);
        DateTimeOffset? until = null;
        held = held.For(findings);
        foreach (var finding in findings)
        {
            if (finding.Rank == 0 || held.Find(finding.Finding) is not { } suppression) continue;
            counts[finding.Rank]++;
            if (finding.FixedVersion.Length > 0) fixable++;
            if (suppression.ExpiresAt is { } end && (until is null || end < until)) until = end;
        }
        return (new Excepted(counts, fixable), until);
    }

    private readonly record struct Key(long ManifestId, long ReportedAt, long DatabaseBuiltAt, int Findings);

    private sealed record Remembered(long Version, Excepted Excepted, DateTimeOffset? ValidUntil);
}
