using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Exceptions;

namespace Berth.Server.Scanning.PullGate;

/// <summary>
/// Judges images: by the counts of their last good scan where those suffice, else by its report and the exceptions that hold now. What was made of a report is remembered until exceptions change or one
/// of those that were used runs out.
/// </summary>
internal sealed class GateJudge(Database database, ScanExceptions exceptions, TimeProvider time)
{
    private readonly RecentMap<Key, Remembered> _judged = new(4096);

    /// <summary>Judges what is pulled together.</summary>
    public async ValueTask<GateVerdict> JudgeAsync(GatePolicy policy, IReadOnlyList<GateImage> images, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        List<RefusedImage>? refused = null;
        DateTimeOffset? until = null;
        foreach (var image in images)
        {
            var (isOpen, no, end) = GateRules.ByRow(policy, image, now);
            if (!isOpen && no is null) (no, end) = await ByReportAsync(policy, image, now, ct).ConfigureAwait(false);
            if (no is not null) (refused ??= []).Add(no);
            if (end is not null && (until is null || end < until)) until = end;
        }
        return new GateVerdict(policy, refused ?? []) { ValidUntil = until };
    }

    private async ValueTask<(RefusedImage?, DateTimeOffset?)> ByReportAsync(GatePolicy policy, GateImage image, DateTimeOffset now, CancellationToken ct)
    {
        var key = new Key(image.ManifestId, image.ReportedAt ?? 0, image.DatabaseBuiltAt, image.CountFrom(1), policy.Threshold, policy.FixableOnly);
        if (_judged.TryGet(key, out var known) && exceptions.IsCurrent(known.Version) && !(known.ValidUntil <= now)) return (known.Refused, known.ValidUntil);
        var version = exceptions.Version;
        var packed = await database.ReadAsync(image.ManifestId, static (session, id, token) => ScanRow.ReadReportAsync(session, id, token), ct).ConfigureAwait(false);
        var held = await exceptions.OfManifestAsync(image.ManifestId, withUntrusted: false, ct).ConfigureAwait(false);
        // It went while it was judged: what is not known is not pulled.
        if (packed is null || held is null) return (new RefusedImage(image, GateReason.NotScanned), null);
        var findings = ReportedFindings.Read(StoredReport.Unpack(packed));
        var (refused, until) = GateRules.ByReport(policy, image, findings, held.IsEmpty ? null : held.For(findings));
        // Attached documents come and go without a word: what they decided is asked again each time.
        if (!held.Sources.TrustsAttached) _judged.Set(key, new Remembered(version, refused, until));
        return (refused, until);
    }

    private readonly record struct Key(long ManifestId, long ReportedAt, long DatabaseBuiltAt, int Findings, int Threshold, bool FixableOnly);

    private sealed record Remembered(long Version, RefusedImage? Refused, DateTimeOffset? ValidUntil);
}
