using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Scanner.Reports;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Berth.Server.Scanning.Exceptions;

namespace Berth.Server.Scanning;

/// <summary>
/// The summary of scans that artifacts show, in Harbor's form: of an index the sum of its images. As in Harbor its counts are those of the reports; beside them stands what of them does not count
/// (<c>excepted</c>, of Berth alone).
/// </summary>
internal sealed class ScanOverviews(ExceptedCounts excepted) : IArtifactOverviews
{
    // Rank 1 first.
    private static readonly string[] s_ranks = ["Unknown", "Low", "Medium", "High", "Critical"];

    /// <inheritdoc/>
    public ArtifactOverview About => ArtifactOverview.Scan;

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyDictionary<long, RawJson>> ReadAsync(DbSession session, IReadOnlyList<long> manifests, CancellationToken ct)
    {
        // Two statements for a whole page.
        var images = await ImagesOfAsync(session, manifests, ct).ConfigureAwait(false);
        var scans = await ScanRow.ReadAsync(session, images.SelectMany(static own => own).Select(static image => image.Id).Distinct(), ct).ConfigureAwait(false);
        var found = new Dictionary<long, RawJson>();
        foreach (var own in images)
        {
            var scanned = own.Where(image => scans.ContainsKey(image.Id)).ToList();
            if (scanned.Count == 0) continue;
            var summary = Summary([.. scanned.Select(image => scans[image.Id])], own.Count());
            var left = new List<Excepted>();
            foreach (var image in scanned) left.Add(await excepted.OfAsync(session, image.RepositoryId, scans[image.Id], ct).ConfigureAwait(false));
            if (left.Exists(static one => one.Total > 0)) summary["excepted"] = ExceptedOf(left);
            found[own.Key] = new RawJson(new JsonObject { [HarborReport.MediaType] = summary }.ToJsonString());
        }
        return found;
    }

    private static JsonObject ExceptedOf(IReadOnlyList<Excepted> all)
    {
        var summary = new JsonObject();
        for (var rank = s_ranks.Length; rank > 0; rank--)
            if (all.Sum(one => one.Counts[rank]) is > 0 and var count) summary[s_ranks[rank - 1]] = count;
        return new JsonObject { ["total"] = all.Sum(static one => one.Total), ["fixable"] = all.Sum(static one => one.Fixable), ["summary"] = summary };
    }

    // The images of each manifest: itself, or those of an index and the indexes in it.
    private static async ValueTask<ILookup<long, (long Id, long RepositoryId)>> ImagesOfAsync(DbSession session, IReadOnlyList<long> manifests, CancellationToken ct)
    {
        var found = new List<(long Root, long Image, long Repository)>();
        await using var rows = await session.Command(SelectImages, JsonSerializer.Serialize(manifests), ArtifactKinds.Image).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add((rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2)));
        return found.ToLookup(static one => one.Root, static one => (one.Image, one.Repository));
    }

    /// <summary>The summary of one artifact as JSON; null when it was never scanned.</summary>
    public static async ValueTask<string?> ReadOneAsync(DbSession session, long manifest, CancellationToken ct)
    {
        var images = await ScanRequests.ImagesOfAsync(session, manifest, ct).ConfigureAwait(false);
        if (images.Count == 0) return null;
        var scans = await ScanRow.ReadAsync(session, images.Select(static image => image.Id), ct).ConfigureAwait(false);
        return scans.Count == 0 ? null : new JsonObject { [HarborReport.MediaType] = Summary([.. scans.Values], images.Count) }.ToJsonString();
    }

    private static JsonObject Summary(IReadOnlyList<ScanRow> scans, int images)
    {
        var counts = new (string Word, int Count)[]
        {
            ("Critical", scans.Sum(static s => s.Critical)), ("High", scans.Sum(static s => s.High)), ("Medium", scans.Sum(static s => s.Medium)), ("Low", scans.Sum(static s => s.Low)),
            ("Unknown", scans.Sum(static s => s.Unknown)),
        };
        var (start, end) = (scans.Min(static s => s.StartedAt ?? s.RequestedAt), scans.Any(static s => s.FinishedAt is null) ? null : scans.Max(static s => s.FinishedAt));
        var summary = new JsonObject();
        foreach (var (word, count) in counts.Where(static one => one.Count > 0)) summary[word] = count;
        return new JsonObject
        {
            ["report_id"] = scans.Max(static s => s.JobId).ToString(CultureInfo.InvariantCulture),
            ["scan_status"] = StatusOf(scans, images),
            ["severity"] = scans.All(static s => s.ReportedAt is null) ? "" : counts.Where(static one => one.Count > 0).Select(static one => one.Word).FirstOrDefault() ?? "None",
            ["duration"] = end is null ? 0 : (end.Value - start) / 1000,
            ["summary"] = new JsonObject { ["total"] = counts.Sum(static one => one.Count), ["fixable"] = scans.Sum(static s => s.Fixable), ["summary"] = summary },
            ["start_time"] = HarborTime.Of(start),
            ["end_time"] = HarborTime.Of(end),
            ["complete_percent"] = scans.Count(static s => s.FinishedAt is not null) * 100 / Math.Max(1, images),
            ["scanner"] = ScannerOf(scans),
        };
    }

    // The newest report says it.
    private static JsonObject ScannerOf(IReadOnlyList<ScanRow> scans)
    {
        var scanner = scans.MaxBy(static scan => scan.ReportedAt ?? 0)?.Scanner;
        return new JsonObject
        {
            ["name"] = scanner?.Name ?? BuiltInScanner.Name,
            ["vendor"] = scanner?.Vendor ?? BuiltInScanner.Vendor,
            ["version"] = scanner?.Version ?? BuiltInScanner.Version,
        };
    }

    // The least finished one stands for all; one that has a report beats one that failed, as in Harbor.
    internal static string StatusOf(IReadOnlyList<ScanRow> scans, int images)
    {
        foreach (var word in (string[])["Running", "Pending", "Stopped"])
            if (scans.Any(scan => scan.Status == word)) return word;
        return scans.Any(static scan => scan.Status == "Success") || images == 0 ? "Success" : "Error";
    }

    private const string Tree = """
        UNION
            SELECT t.root, c.id, t.depth + 1 FROM tree t JOIN manifest_children l ON l.manifest_id = t.id JOIN manifests c ON c.repository_id = l.repository_id AND c.digest = l.child_digest WHERE t.depth < 4
        )
        SELECT DISTINCT t.root, m.id, m.repository_id FROM tree t JOIN manifests m ON m.id = t.id
        WHERE m.kind = @1 AND m.accessory_kind IS NULL AND NOT EXISTS (SELECT 1 FROM manifest_children l WHERE l.manifest_id = m.id) ORDER BY t.root, m.id
        """;

    private static readonly Statement SelectImages = new(
        $"WITH RECURSIVE tree(root, id, depth) AS (SELECT value, value, 0 FROM json_each(@0) {Tree}",
        $"WITH RECURSIVE tree(root, id, depth) AS (SELECT x::bigint, x::bigint, 0 FROM jsonb_array_elements_text(@0::jsonb) x {Tree}");
}
