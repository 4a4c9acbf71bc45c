using System.Globalization;
using System.Text.Json;
using Berth.Server.Platform.Data;

namespace Berth.Server.Scanning.Findings;

/// <summary>What images have together.</summary>
internal sealed record ScanCounts
{
    /// <summary>Images that can be scanned.</summary>
    public long Images { get; init; }

    /// <summary>Those with a report.</summary>
    public long Scanned { get; init; }

    public long Critical { get; init; }

    public long High { get; init; }

    public long Medium { get; init; }

    public long Low { get; init; }

    public long Unknown { get; init; }

    public long Fixable { get; init; }

    public long Total => Critical + High + Medium + Low + Unknown;
}

/// <summary>An image with its counts.</summary>
internal sealed record WorstImage(long ManifestId, long ProjectId, string Repository, string Digest, int Critical, int High, int Medium, int Low, int Unknown, int Fixable);

/// <summary>A flaw with an example of where it is.</summary>
internal sealed record WorstFlaw(string Vulnerability, int Severity, double Score, string Package, string Version);

/// <summary>Counts of reports: of the installation, of projects, of a repository. Exceptions are not applied.</summary>
internal static class ScanStatistics
{
    /// <summary>Counts of all images of the projects (null: of all) and, if given, of the one repository.</summary>
    public static async ValueTask<ScanCounts> CountAsync(DbSession session, IReadOnlyList<long>? projects, long? repositoryId, CancellationToken ct)
    {
        var (where, values) = Where(session.Kind, "r.project_id", projects);
        if (repositoryId is { } repository) (where, values) = ($"{where} AND m.repository_id = @{values.Count}", [.. values, repository]);
        await using var command = session.OneTimeCommand($"{SelectCounts}{where}", values);
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await row.ReadAsync(ct).ConfigureAwait(false);
        return new ScanCounts
        {
            Images = row.GetInt64(0),
            Scanned = row.GetInt64(1),
            Critical = row.GetInt64(2),
            High = row.GetInt64(3),
            Medium = row.GetInt64(4),
            Low = row.GetInt64(5),
            Unknown = row.GetInt64(6),
            Fixable = row.GetInt64(7),
        };
    }

    /// <summary>The images with the most critical findings, then high, then medium ones; those without any are left out.</summary>
    public static async ValueTask<List<WorstImage>> WorstAsync(DbSession session, IReadOnlyList<long>? projects, int limit, CancellationToken ct)
    {
        var found = new List<WorstImage>();
        var (where, values) = Where(session.Kind, "r.project_id", projects);
        await using var command = session.OneTimeCommand(string.Create(CultureInfo.InvariantCulture, $"{SelectWorst}{where} ORDER BY s.critical DESC, s.high DESC, s.medium DESC, s.manifest_id LIMIT {limit}"), values);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            found.Add(new WorstImage(
                rows.GetInt64(0), rows.GetInt64(1), rows.GetString(2), rows.GetString(3), rows.GetInt32(4), rows.GetInt32(5), rows.GetInt32(6), rows.GetInt32(7), rows.GetInt32(8), rows.GetInt32(9)));
        }
        return found;
    }

    /// <summary>The flaws with the highest CVSS scores that some image has. Each costs two looks into an index, however many images there are.</summary>
    public static async ValueTask<List<WorstFlaw>> WorstFlawsAsync(DbSession session, int limit, CancellationToken ct)
    {
        var found = new List<WorstFlaw>();
        var (score, id) = (double.MaxValue, "");
        while (found.Count < limit)
        {
            await using var row = await session.Command(SelectNextFlaw, score, id).ExecuteReaderAsync(ct).ConfigureAwait(false);
            if (!await row.ReadAsync(ct).ConfigureAwait(false)) break;
            (score, id) = (row.GetDouble(0), row.GetString(1));
            // Two packages may give one flaw two scores: the higher one counts.
            if (!found.Exists(flaw => flaw.Vulnerability == id)) found.Add(new WorstFlaw(id, row.GetInt16(2), score, row.GetString(3), row.GetString(4)));
        }
        return found;
    }

    /// <summary>The trend of projects (null: of all together) from a day on, the oldest first; days on which nobody counted are left out.</summary>
    public static async ValueTask<List<ScanTrend>> TrendAsync(DbSession session, IReadOnlyList<long>? projects, int fromDay, CancellationToken ct)
    {
        var found = new List<ScanTrend>();
        var (where, values) = Where(session.Kind, "t.project_id", projects);
        await using var command = session.OneTimeCommand(string.Create(CultureInfo.InvariantCulture, $"{SelectTrend} WHERE t.day >= {fromDay}{where} GROUP BY t.day ORDER BY t.day"), values);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            found.Add(new ScanTrend
            {
                Day = rows.GetInt32(0),
                Images = rows.GetInt64(1),
                Critical = rows.GetInt64(2),
                High = rows.GetInt64(3),
                Medium = rows.GetInt64(4),
                Low = rows.GetInt64(5),
                Unknown = rows.GetInt64(6),
                Fixable = rows.GetInt64(7),
            });
        }
        return found;
    }

    /// <summary>Writes the counts of all projects into the rows of a day.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="now">The moment; its day in UTC.</param>
    /// <param name="keepDays">Days that are kept.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>Projects.</returns>
    public static async ValueTask<int> WriteTrendAsync(DbSession session, DateTimeOffset now, int keepDays, CancellationToken ct)
    {
        var day = DayOf(now);
        await session.ExecuteAsync(DeleteTrend, [day - keepDays], ct).ConfigureAwait(false);
        return await session.ExecuteAsync(UpsertTrend, [day], ct).ConfigureAwait(false);
    }

    /// <summary>Days since 1970-01-01 (UTC).</summary>
    public static int DayOf(DateTimeOffset at) => (int)(at.ToUnixTimeSeconds() / 86_400);

    /// <summary>The date of such a number, as in <c>2026-11-22</c>.</summary>
    public static string DateOf(int day) => DateTimeOffset.FromUnixTimeSeconds(day * 86_400L).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    // Nothing for all projects: a condition that is always true would keep the databases from their indexes.
    private static (string Where, List<object?> Values) Where(DatabaseKind kind, string column, IReadOnlyList<long>? projects) =>
        projects is null ? ("", [])
        : kind == DatabaseKind.Sqlite ? ($" AND {column} IN (SELECT value FROM json_each(@0))", [JsonSerializer.Serialize(projects, FindingRowJson.Default.IReadOnlyListInt64)])
        : ($" AND {column} = ANY(@0)", [projects.ToArray()]);

    private const string SelectCounts = $"""
        SELECT COUNT(*), COUNT(s.reported_at), CAST(COALESCE(SUM(s.critical), 0) AS bigint), CAST(COALESCE(SUM(s.high), 0) AS bigint), CAST(COALESCE(SUM(s.medium), 0) AS bigint),
            CAST(COALESCE(SUM(s.low), 0) AS bigint), CAST(COALESCE(SUM(s.unknown), 0) AS bigint), CAST(COALESCE(SUM(s.fixable), 0) AS bigint)
        FROM manifests m JOIN repositories r ON r.id = m.repository_id LEFT JOIN artifact_scans s ON s.manifest_id = m.id AND s.reported_at IS NOT NULL
        WHERE m.kind = '{Registry.ArtifactKinds.Image}' AND m.accessory_kind IS NULL AND NOT EXISTS (SELECT 1 FROM manifest_children l WHERE l.manifest_id = m.id)
        """;

    private const string SelectWorst = """
        SELECT s.manifest_id, r.project_id, r.name, m.digest, s.critical, s.high, s.medium, s.low, s.unknown, s.fixable
        FROM artifact_scans s JOIN manifests m ON m.id = s.manifest_id JOIN repositories r ON r.id = m.repository_id
        WHERE s.reported_at IS NOT NULL AND s.critical + s.high + s.medium > 0
        """;

    private static readonly Statement SelectNextFlaw = new("""
        SELECT f.score, f.vulnerability, f.severity, f.package, f.version FROM artifact_findings f
        WHERE f.score IS NOT NULL AND (f.score < @0 OR (f.score = @0 AND f.vulnerability < @1)) ORDER BY f.score DESC, f.vulnerability DESC LIMIT 1
        """, """
        SELECT f.score, f.vulnerability, f.severity, f.package, f.version FROM artifact_findings f
        WHERE f.score IS NOT NULL AND (f.score, f.vulnerability) < (@0::double precision, @1::text) ORDER BY f.score DESC, f.vulnerability DESC LIMIT 1
        """);

    private const string SelectTrend = """
        SELECT t.day, CAST(SUM(t.images) AS bigint), CAST(SUM(t.critical) AS bigint), CAST(SUM(t.high) AS bigint), CAST(SUM(t.medium) AS bigint), CAST(SUM(t.low) AS bigint),
            CAST(SUM(t.unknown) AS bigint), CAST(SUM(t.fixable) AS bigint)
        FROM scan_trend t
        """;

    private static readonly Statement DeleteTrend = new("DELETE FROM scan_trend WHERE day < @0");

    private const string Upsert = """
        INSERT INTO scan_trend (project_id, day, images, critical, high, medium, low, unknown, fixable)
        SELECT r.project_id, {0}, COUNT(*), SUM(s.critical), SUM(s.high), SUM(s.medium), SUM(s.low), SUM(s.unknown), SUM(s.fixable)
        FROM artifact_scans s JOIN manifests m ON m.id = s.manifest_id JOIN repositories r ON r.id = m.repository_id WHERE s.reported_at IS NOT NULL GROUP BY r.project_id ORDER BY r.project_id
        ON CONFLICT (project_id, day) DO UPDATE SET images = excluded.images, critical = excluded.critical, high = excluded.high, medium = excluded.medium, low = excluded.low,
            unknown = excluded.unknown, fixable = excluded.fixable
        """;

    private static readonly Statement UpsertTrend = new(Upsert.Replace("{0}", "@0", StringComparison.Ordinal), Upsert.Replace("{0}", "@0::int", StringComparison.Ordinal));
}
