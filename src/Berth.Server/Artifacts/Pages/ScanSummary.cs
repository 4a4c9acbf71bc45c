using System.Text.Json;

namespace Berth.Server.Artifacts.Pages;

/// <summary>What lists show of the scan of an artifact, read from its overview in Harbor's form.</summary>
/// <param name="Status"><c>Pending</c>, <c>Running</c>, <c>Success</c>, <c>Error</c> or <c>Stopped</c>.</param>
/// <param name="HasReport">Whether a scan has ended well at some time; the numbers are of the last one that did.</param>
/// <param name="Counts">Findings that count by severity, the worst first; those that there are none of are left out.</param>
/// <param name="Fixable">Those of them for which there is a repair.</param>
public sealed record ScanSummary(string Status, bool HasReport, IReadOnlyList<(string Severity, long Count)> Counts, long Fixable)
{
    /// <summary>The severities in Harbor's words, the worst first.</summary>
    public static IReadOnlyList<string> Severities { get; } = ["Critical", "High", "Medium", "Low", "Unknown"];

    /// <summary>All findings.</summary>
    public long Total => Counts.Sum(static one => one.Count);

    /// <summary>The summary of an artifact; null when it was never scanned.</summary>
    public static ScanSummary? Of(ArtifactJson artifact)
    {
        if (artifact.ScanOverview is null) return null;
        using var document = JsonDocument.Parse(artifact.ScanOverview.Text);
        if (document.RootElement.EnumerateObject().Select(static one => one.Value).FirstOrDefault() is not { ValueKind: JsonValueKind.Object } overview) return null;
        var (counts, fixable) = (new List<(string, long)>(), 0L);
        if (overview.TryGetProperty("summary", out var summary) && summary.ValueKind == JsonValueKind.Object)
        {
            var excepted = overview.TryGetProperty("excepted", out var some) ? some : default;
            fixable = NumberOf(summary, "fixable") - NumberOf(excepted, "fixable");
            counts.AddRange(Severities.Select(word => (word, CountOf(summary, word) - CountOf(excepted, word))).Where(static one => one.Item2 > 0));
        }
        var hasReport = overview.TryGetProperty("severity", out var severity) && severity.GetString() is { Length: > 0 };
        return new ScanSummary(overview.TryGetProperty("scan_status", out var status) ? status.GetString() ?? "" : "", hasReport, counts, fixable);
    }

    private static long CountOf(JsonElement of, string severity) => of.ValueKind == JsonValueKind.Object && of.TryGetProperty("summary", out var counts) ? NumberOf(counts, severity) : 0;

    private static long NumberOf(JsonElement of, string name) => of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) && value.TryGetInt64(out var number) ? number : 0;
}
