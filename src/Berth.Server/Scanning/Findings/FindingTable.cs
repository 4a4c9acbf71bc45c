using System.Text.Json;
using Berth.Server.Platform.Data;

namespace Berth.Server.Scanning.Findings;

/// <summary>What a new report changed in the findings of an image.</summary>
/// <param name="Added">Findings that the report before did not have; all of them when there was none.</param>
/// <param name="Removed">How many are no longer there.</param>
/// <param name="Changed">How many are there with another severity, repair or status.</param>
internal sealed record FindingChanges(IReadOnlyList<FindingRow> Added, int Removed, int Changed)
{
    public static FindingChanges None { get; } = new([], 0, 0);

    public bool Any => Added.Count > 0 || Removed > 0 || Changed > 0;
}

/// <summary>The rows of <c>artifact_findings</c>: written in the transaction of the report that has them.</summary>
internal static class FindingTable
{
    /// <summary>Most findings of one image that become rows, the worst first; the report has all.</summary>
    public const int MaxOfImage = 50_000;

    private const int Batch = 2_000;

    /// <summary>
    /// Puts the findings of a report in the place of those before. What is the same stays as it is; what is there again keeps the time when it was first seen. The caller has changed the row of
    /// the image's scan in the same transaction, so that two reports of one image take turns.
    /// </summary>
    public static async ValueTask<FindingChanges> StoreAsync(DbSession session, long manifestId, IReadOnlyList<FindingRow> report, long now, CancellationToken ct)
    {
        var found = report.Count <= MaxOfImage ? report : [.. report.OrderByDescending(static row => row.Severity).Take(MaxOfImage)];
        var (ids, before) = await ReadAsync(session, manifestId, ct).ConfigureAwait(false);
        var (insert, added, gone, changed) = (new List<FindingRow>(), new List<FindingRow>(), new HashSet<(string, string, string, string?)>(before.Keys), 0);
        var delete = new List<long>();
        foreach (var row in found)
        {
            if (!before.TryGetValue(row.Identity, out var old))
            {
                added.Add(row);
                insert.Add(row with { FirstSeen = now });
                continue;
            }
            gone.Remove(row.Identity);
            var next = row with { FirstSeen = old.FirstSeen, FromBase = row.FromBase ?? old.FromBase };
            if (next == old) continue;
            if ((next.Severity, next.FixedVersion, next.Status) != (old.Severity, old.FixedVersion, old.Status)) changed++;
            delete.Add(ids[row.Identity]);
            insert.Add(next);
        }
        delete.AddRange(gone.Select(identity => ids[identity]));
        delete.Sort();
        foreach (var batch in delete.Chunk(Batch))
            await session.ExecuteAsync(Delete, [JsonSerializer.Serialize([.. batch], FindingRowJson.Default.ListInt64)], ct).ConfigureAwait(false);
        foreach (var batch in insert.Chunk(Batch))
            await session.ExecuteAsync(Insert, [manifestId, JsonSerializer.Serialize([.. batch], FindingRowJson.Default.ListFindingRow)], ct).ConfigureAwait(false);
        return new FindingChanges(added, gone.Count, changed);
    }

    private static async ValueTask<(Dictionary<(string, string, string, string?), long> Ids, Dictionary<(string, string, string, string?), FindingRow> Rows)> ReadAsync(
        DbSession session, long manifestId, CancellationToken ct)
    {
        var ids = new Dictionary<(string, string, string, string?), long>();
        var found = new Dictionary<(string, string, string, string?), FindingRow>();
        await using var rows = await session.Command(Select, manifestId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            string? Text(int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
            var row = new FindingRow
            {
                Vulnerability = rows.GetString(1),
                Aliases = Text(2),
                Package = rows.GetString(3),
                Version = rows.GetString(4),
                FixedVersion = Text(5),
                Severity = rows.GetInt16(6),
                Status = rows.GetInt16(7),
                Score = rows.IsDBNull(8) ? null : rows.GetDouble(8),
                Path = Text(9),
                Layer = Text(10),
                FromBase = rows.IsDBNull(11) ? null : rows.GetBoolean(11),
                FirstSeen = rows.GetInt64(12),
            };
            (found[row.Identity], ids[row.Identity]) = (row, rows.GetInt64(0));
        }
        return (ids, found);
    }

    private static readonly Statement Select = new("""
        SELECT id, vulnerability, aliases, package, version, fixed_version, severity, status, score, path, layer, from_base, first_seen FROM artifact_findings WHERE manifest_id = @0
        """);

    private static readonly Statement Delete = new(
        "DELETE FROM artifact_findings WHERE id IN (SELECT value FROM json_each(@0))",
        "DELETE FROM artifact_findings WHERE id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint))");

    private static readonly Statement Insert = new("""
        INSERT INTO artifact_findings (manifest_id, vulnerability, aliases, package, version, fixed_version, severity, status, score, path, layer, from_base, first_seen)
        SELECT @0, value ->> '$.v', value ->> '$.a', value ->> '$.p', value ->> '$.n', value ->> '$.f', value ->> '$.s', value ->> '$.t', CAST(value ->> '$.c' AS REAL), value ->> '$.h',
            value ->> '$.l', value ->> '$.b', value ->> '$.w' FROM json_each(@1)
        """, """
        INSERT INTO artifact_findings (manifest_id, vulnerability, aliases, package, version, fixed_version, severity, status, score, path, layer, from_base, first_seen)
        SELECT @0::bigint, x.v, x.a, x.p, x.n, x.f, x.s, x.t, x.c, x.h, x.l, x.b, x.w FROM jsonb_to_recordset(@1::jsonb)
            AS x(v text, a text, p text, n text, f text, s smallint, t smallint, c double precision, h text, l text, b boolean, w bigint)
        """);
}
