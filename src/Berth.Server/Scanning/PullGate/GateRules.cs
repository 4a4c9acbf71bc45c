using Berth.Scanner.Exceptions;
using Berth.Server.Scanning.Exceptions;

namespace Berth.Server.Scanning.PullGate;

/// <summary>The decisions of the gate, without any reading.</summary>
internal static class GateRules
{
    /// <summary>How many findings, images and exceptions a refusal names.</summary>
    public const int MaxShown = 5;

    private static readonly string[] s_words = ["", "unknown", "low", "medium", "high", "critical"];

    /// <summary>
    /// Judges an image by what its row says. Not decided (null, null) are images with findings that close the gate unless an exception, or the lack of a repair, takes them out: those need the report.
    /// </summary>
    public static (bool IsOpen, RefusedImage? Refused, DateTimeOffset? ValidUntil) ByRow(GatePolicy policy, GateImage image, DateTimeOffset now)
    {
        if (image.ReportedAt is null) return ByState(policy, image, now);
        // The last good report stands, whatever became of scans since.
        return image.CountFrom(policy.Threshold) == 0 || policy.FixableOnly && image.Fixable == 0 ? (true, null, null) : (false, null, null);
    }

    /// <summary>Judges an image by its report.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="image">The image.</param>
    /// <param name="findings">All findings of the report.</param>
    /// <param name="held">The exceptions; null where there are none.</param>
    public static (RefusedImage? Refused, DateTimeOffset? ValidUntil) ByReport(GatePolicy policy, GateImage image, IReadOnlyList<ReportedFinding> findings, ManifestExceptions? held)
    {
        var counting = new List<ReportedFinding>();
        var ranOut = new List<(string, Suppression)>();
        DateTimeOffset? until = null;
        foreach (var finding in findings.Where(one => one.Rank >= policy.Threshold && (!policy.FixableOnly || one.FixedVersion.Length > 0)))
        {
            if (held?.Find(finding.Finding) is { } suppression)
            {
                if (suppression.ExpiresAt is { } end && (until is null || end < until)) until = end;
                continue;
            }
            counting.Add(finding);
            if (ranOut.Count < MaxShown && held?.FindExpired(finding.Finding) is { } was) ranOut.Add((finding.Finding.Id, was));
        }
        if (counting.Count == 0) return (null, until);
        var counts = new int[6];
        foreach (var finding in counting) counts[finding.Rank]++;
        return (new RefusedImage(image, GateReason.Findings)
        {
            Counts = counts,
            Worst = [.. counting.OrderByDescending(static one => one.Rank).ThenBy(static one => one.Finding.Id, StringComparer.Ordinal).Take(MaxShown)],
            RanOut = ranOut,
        }, until);
    }

    /// <summary>Counts in words: <c>3 findings (1 critical, 2 high)</c>.</summary>
    public static string CountsOf(int[] counts)
    {
        var total = counts.Sum();
        var parts = Enumerable.Range(1, 5).Reverse().Where(rank => counts[rank] > 0).Select(rank => $"{counts[rank]} {s_words[rank]}");
        return $"{total} {(total == 1 ? "finding" : "findings")} ({string.Join(", ", parts)})";
    }

    /// <summary>Counts by their words, without zeros, the worst first.</summary>
    public static Dictionary<string, int> ByWord(int[] counts) => Enumerable.Range(1, 5).Reverse().Where(rank => counts[rank] > 0).ToDictionary(static rank => s_words[rank], rank => counts[rank]);

    private static (bool, RefusedImage?, DateTimeOffset?) ByState(GatePolicy policy, GateImage image, DateTimeOffset now)
    {
        if (!policy.RefusesUnscanned) return (true, null, null);
        var isComing = image is { IsRequested: true, State: ScanState.Requested };
        // By the push, not by the request: asking again and again would keep the gate open for ever.
        var end = DateTimeOffset.FromUnixTimeMilliseconds(image.CreatedAt) + policy.Grace;
        if (isComing && now < end) return (true, null, end);
        return (false, new RefusedImage(image, !image.IsRequested ? GateReason.NotScanned : isComing ? GateReason.BeingScanned : GateReason.ScanFailed), null);
    }
}
