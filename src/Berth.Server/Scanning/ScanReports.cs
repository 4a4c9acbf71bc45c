using System.Text;
using Berth.Scanner.Advisories;
using Berth.Scanner.Reports;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Adapters;
using Berth.Server.Scanning.Findings;

namespace Berth.Server.Scanning;

/// <summary>Puts a report with its counts and its findings into the database, in one transaction. A judgement by an older advisory database never takes the place of one by a newer one.</summary>
internal static class ScanReports
{
    /// <summary>Diff ids of a report's layers as they are kept.</summary>
    public static string DiffIdsOf(ScanReport report) => string.Join(' ', report.Layers.Select(static layer => layer.DiffId));

    /// <summary>Stores the report of a scan, unless there is one by a newer database.</summary>
    /// <returns>What changed in the findings; null when the newer report stays, or the image is gone.</returns>
    public static async ValueTask<FindingChanges?> StoreAsync(DbSession session, long manifestId, ScanReport report, byte[] packed, long now, DateTimeOffset builtAt, CancellationToken ct) =>
        await session.ExecuteAsync(Store, Values(manifestId, report, packed, now, builtAt), ct).ConfigureAwait(false) == 0
            ? null : await FindingTable.StoreAsync(session, manifestId, await RowsAsync(session, manifestId, report, ct).ConfigureAwait(false), now, ct).ConfigureAwait(false);

    /// <summary>Stores the report of judging again, if the report that was there is still by the database that it was by.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="manifestId">The image.</param>
    /// <param name="before">When the database of the present report was built, Unix milliseconds.</param>
    /// <param name="report">The report.</param>
    /// <param name="packed">The same as it is kept.</param>
    /// <param name="now">Unix milliseconds.</param>
    /// <param name="builtAt">When the database was built.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>What changed in the findings; null when somebody else was faster, or the image is gone.</returns>
    public static async ValueTask<FindingChanges?> ReplaceAsync(
        DbSession session, long manifestId, long before, ScanReport report, byte[] packed, long now, DateTimeOffset builtAt, CancellationToken ct) =>
        await session.ExecuteAsync(Replace, [.. Values(manifestId, report, packed, now, builtAt), before], ct).ConfigureAwait(false) == 0
            ? null : await FindingTable.StoreAsync(session, manifestId, await RowsAsync(session, manifestId, report, ct).ConfigureAwait(false), now, ct).ConfigureAwait(false);

    // Which layers are those of a base image was found out by the scan, and written before.
    private static async ValueTask<IReadOnlyList<FindingRow>> RowsAsync(DbSession session, long manifestId, ScanReport report, CancellationToken ct)
    {
        var rows = FindingRow.Of(report);
        if (await session.ScalarAsync(SelectBaseLayers, [manifestId], ct).ConfigureAwait(false) is not { } count) return rows;
        var layers = report.Layers.Select(static layer => layer.DiffId).ToList();
        return [.. rows.Select(row => row.Layer is { } layer && layers.IndexOf(layer) is >= 0 and var at ? row with { FromBase = at < count } : row)];
    }

    /// <summary>Stores the report of a scanner outside, which is by no advisory database of ours: judging again leaves it alone.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="manifestId">The image.</param>
    /// <param name="report">The report.</param>
    /// <param name="packed">The same as it is kept.</param>
    /// <param name="scanner">Who has made it, as JSON (<see cref="ScannerNameJson"/>).</param>
    /// <param name="now">Unix milliseconds.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>What changed in the findings.</returns>
    public static async ValueTask<FindingChanges> StoreOutsideAsync(DbSession session, long manifestId, OutsideReport report, byte[] packed, string scanner, long now, CancellationToken ct)
    {
        await session.ExecuteAsync(
            StoreOutside, [manifestId, now, packed, report.Critical, report.High, report.Medium, report.Low, report.Unknown, report.Fixable, scanner], ct).ConfigureAwait(false);
        return await FindingTable.StoreAsync(session, manifestId, FindingRow.OfHarborReport(Encoding.UTF8.GetString(report.Json)), now, ct).ConfigureAwait(false);
    }

    private static object?[] Values(long manifestId, ScanReport report, byte[] packed, long now, DateTimeOffset builtAt)
    {
        object Count(Severity severity) => report.Findings.Count(finding => finding.Severity == severity);
        return
        [
            manifestId, now, builtAt.ToUnixTimeMilliseconds(), packed, Count(Severity.Critical), Count(Severity.High), Count(Severity.Medium), Count(Severity.Low), Count(Severity.Unknown),
            report.Findings.Count(static finding => finding.FixedVersions.Count > 0),
        ];
    }

    private static readonly Statement SelectBaseLayers = new("SELECT base_layers FROM artifact_contents WHERE manifest_id = @0");

    private const string Update = """
        UPDATE artifact_scans SET reported_at = @1, database_built_at = @2, report = @3, critical = @4, high = @5, medium = @6, low = @7, unknown = @8, fixable = @9, scanner = NULL WHERE manifest_id = @0
        """;

    private static readonly Statement Store = new(Update + " AND (database_built_at IS NULL OR database_built_at <= @2)");

    private static readonly Statement StoreOutside = new("""
        UPDATE artifact_scans SET reported_at = @1, database_built_at = NULL, report = @2, critical = @3, high = @4, medium = @5, low = @6, unknown = @7, fixable = @8, scanner = @9 WHERE manifest_id = @0
        """);

    private static readonly Statement Replace = new(Update + " AND database_built_at = @10");
}
