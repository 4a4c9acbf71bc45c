using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;

namespace Berth.Server.Scanning.Sboms;

/// <summary>How far the bill of materials of an image is.</summary>
/// <param name="ManifestId">The image.</param>
/// <param name="JobId">Job of the newest request.</param>
/// <param name="Status">Harbor's word: <c>Pending</c>, <c>Running</c>, <c>Success</c>, <c>Error</c> or <c>Stopped</c>.</param>
/// <param name="RequestedAt">Unix milliseconds.</param>
/// <param name="StartedAt">Unix milliseconds; null before it has begun.</param>
/// <param name="FinishedAt">Unix milliseconds; null while it waits or runs.</param>
/// <param name="Problem">Why it failed; null when it did not.</param>
/// <param name="SbomDigest">The manifest with the document; null when there is none.</param>
internal sealed record SbomRow(long ManifestId, long JobId, string Status, long RequestedAt, long? StartedAt, long? FinishedAt, string? Problem, string? SbomDigest);

/// <summary>What artifacts show of their bills of materials, in Harbor's form; of an index, where each child has its own, the state of all and the document of the first.</summary>
internal sealed class SbomOverviews : IArtifactOverviews
{
    /// <inheritdoc/>
    public ArtifactOverview About => ArtifactOverview.Sbom;

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyDictionary<long, RawJson>> ReadAsync(DbSession session, IReadOnlyList<long> manifests, CancellationToken ct)
    {
        var found = new Dictionary<long, RawJson>();
        foreach (var manifest in manifests)
        {
            var images = await ScanRequests.ImagesOfAsync(session, manifest, ct).ConfigureAwait(false);
            if (images.Count == 0) continue;
            var rows = await ReadRowsAsync(session, images.Select(static image => image.Id), ct).ConfigureAwait(false);
            if (rows.Count > 0) found[manifest] = new RawJson(Overview(rows).ToJsonString());
        }
        return found;
    }

    /// <summary>What is known of images' bills of materials; those that nobody asked for are left out.</summary>
    public static async ValueTask<List<SbomRow>> ReadRowsAsync(DbSession session, IEnumerable<long> manifests, CancellationToken ct)
    {
        var found = new List<SbomRow>();
        await using var rows = await session.Command(Select, JsonSerializer.Serialize(manifests)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            found.Add(new SbomRow(
                rows.GetInt64(0), rows.GetInt64(1), ScanRow.StatusOf((ScanState)rows.GetInt32(2), rows.IsDBNull(3) ? null : (JobState)rows.GetInt32(3)), rows.GetInt64(4),
                rows.IsDBNull(5) ? null : rows.GetInt64(5), rows.IsDBNull(6) ? null : rows.GetInt64(6), rows.IsDBNull(7) ? null : rows.GetString(7), rows.IsDBNull(8) ? null : rows.GetString(8)));
        }
        return found;
    }

    private static JsonObject Overview(List<SbomRow> rows)
    {
        var (start, end) = (rows.Min(static row => row.StartedAt ?? row.RequestedAt), rows.Exists(static row => row.FinishedAt is null) ? null : rows.Max(static row => row.FinishedAt));
        var status = new[] { "Running", "Pending", "Stopped", "Error" }.FirstOrDefault(word => rows.Exists(row => row.Status == word)) ?? "Success";
        return new JsonObject
        {
            ["report_id"] = rows.Max(static row => row.JobId).ToString(CultureInfo.InvariantCulture),
            ["scan_status"] = status,
            ["sbom_digest"] = rows.Select(static row => row.SbomDigest).FirstOrDefault(static digest => digest is not null) ?? "",
            ["duration"] = end is null ? 0 : (end.Value - start) / 1000,
            ["start_time"] = HarborTime.Of(start),
            ["end_time"] = HarborTime.Of(end),
            ["scanner"] = new JsonObject { ["name"] = BuiltInScanner.Name, ["vendor"] = BuiltInScanner.Vendor, ["version"] = BuiltInScanner.Version },
        };
    }

    private const string Columns = "s.manifest_id, s.job_id, s.state, j.state, s.requested_at, s.started_at, s.finished_at, s.problem, s.sbom_digest";

    private static readonly Statement Select = new(
        $"SELECT {Columns} FROM json_each(@0) x JOIN artifact_sboms s ON s.manifest_id = x.value LEFT JOIN jobs j ON j.id = s.job_id ORDER BY s.manifest_id",
        $"SELECT {Columns} FROM artifact_sboms s LEFT JOIN jobs j ON j.id = s.job_id WHERE s.manifest_id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint)) ORDER BY s.manifest_id");
}
