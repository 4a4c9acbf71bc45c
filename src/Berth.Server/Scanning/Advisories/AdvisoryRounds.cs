using System.Data.Common;
using Berth.Server.Platform.Data;

namespace Berth.Server.Scanning.Advisories;

/// <summary>What a process's advisory database means for the reports of the installation.</summary>
internal enum RoundDecision
{
    /// <summary>Reports are judged by another database, which is to stay: this process is behind, or somebody went back elsewhere.</summary>
    Behind,

    /// <summary>Reports are judged by this database already, but for those that are left over.</summary>
    Same,

    /// <summary>Reports are to be judged by this database from now on: it is newer.</summary>
    Newer,

    /// <summary>Reports are to be judged by this database from now on: somebody went back to it.</summary>
    Rollback,
}

/// <summary>The rows of <c>advisory_rounds</c>, and which databases follow each other. Pure but for the statements.</summary>
internal static class AdvisoryRounds
{
    private const int Kept = 100;

    /// <summary>
    /// Decides by the newest round. Replicas get a database at different moments: one that still has, or only now gets, an older one is behind. It is a way back only where the database of the
    /// round stands behind it on the same shelf, and was chosen after the round's.
    /// </summary>
    public static RoundDecision Decide(AdvisoryRound? newest, AdvisoryUse use)
    {
        if (newest is null) return RoundDecision.Newer;
        if (use.BuiltAt == newest.BuiltAt) return RoundDecision.Same;
        // Those who still have what others went back from do not undo that.
        if (use.BuiltAt > newest.BuiltAt) return newest.IsRollback && use.UsedAt <= newest.UsedAt ? RoundDecision.Behind : RoundDecision.Newer;
        return use.Later.Contains(newest.BuiltAt) && use.UsedAt > newest.UsedAt ? RoundDecision.Rollback : RoundDecision.Behind;
    }

    /// <summary>The newest round; null when there was none.</summary>
    public static async ValueTask<AdvisoryRound?> NewestAsync(DbSession session, CancellationToken ct) => (await ListAsync(session, 1, ct).ConfigureAwait(false)).FirstOrDefault();

    /// <summary>Rounds, the newest first.</summary>
    public static async ValueTask<List<AdvisoryRound>> ListAsync(DbSession session, int limit, CancellationToken ct)
    {
        var found = new List<AdvisoryRound>();
        await using var rows = await session.Command(Select, (long)limit).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(Read(rows));
        return found;
    }

    /// <summary>Begins a round, and forgets the oldest ones.</summary>
    public static async ValueTask<long> BeginAsync(DbSession session, AdvisoryUse use, bool isRollback, long now, CancellationToken ct)
    {
        var id = await session.ScalarAsync(Insert, [use.BuiltAt, use.UsedAt, isRollback, now], ct).ConfigureAwait(false) ?? throw new InvalidOperationException("the database returned no id");
        await session.ExecuteAsync(DeleteOld, [id - Kept], ct).ConfigureAwait(false);
        return id;
    }

    /// <summary>Adds to the numbers of a round.</summary>
    public static async ValueTask CountAsync(DbSession session, long id, long affected, long judged, long changed, long newFindings, CancellationToken ct) =>
        await session.ExecuteAsync(Count, [id, affected, judged, changed, newFindings], ct).ConfigureAwait(false);

    /// <summary>Ends a round.</summary>
    public static async ValueTask FinishAsync(DbSession session, long id, long now, CancellationToken ct) => await session.ExecuteAsync(Finish, [id, now], ct).ConfigureAwait(false);

    /// <summary>Whether reports are left that another database has judged: those of images that no scan waits for.</summary>
    public static async ValueTask<bool> HasLeftoversAsync(DbSession session, AdvisoryRound round, CancellationToken ct) =>
        round.FinishedAt is null || await session.ScalarAsync(round.IsRollback ? SelectOther : SelectOlder, [round.BuiltAt], ct).ConfigureAwait(false) is not null;

    /// <summary>The databases, by when they were built, whose reports a round replaces.</summary>
    public static async ValueTask<List<long>> BasesAsync(DbSession session, AdvisoryRound round, CancellationToken ct)
    {
        var found = new List<long>();
        await using var rows = await session.Command(round.IsRollback ? SelectBasesOther : SelectBasesOlder, round.BuiltAt).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(rows.GetInt64(0));
        return found;
    }

    private static AdvisoryRound Read(DbDataReader row) => new()
    {
        Id = row.GetInt64(0),
        BuiltAt = row.GetInt64(1),
        UsedAt = row.GetInt64(2),
        IsRollback = row.GetBoolean(3),
        StartedAt = row.GetInt64(4),
        FinishedAt = row.IsDBNull(5) ? null : row.GetInt64(5),
        Affected = row.GetInt64(6),
        Judged = row.GetInt64(7),
        Changed = row.GetInt64(8),
        NewFindings = row.GetInt64(9),
    };

    private static readonly Statement Select = new(
        "SELECT id, built_at, used_at, is_rollback, started_at, finished_at, affected, judged, changed, new_findings FROM advisory_rounds ORDER BY id DESC LIMIT @0");

    private static readonly Statement Insert = new("""
        INSERT INTO advisory_rounds (built_at, used_at, is_rollback, started_at, affected, judged, changed, new_findings) VALUES (@0, @1, @2, @3, 0, 0, 0, 0) RETURNING id
        """);

    private static readonly Statement DeleteOld = new("DELETE FROM advisory_rounds WHERE id <= @0");

    private static readonly Statement Count = new(
        "UPDATE advisory_rounds SET affected = affected + @1, judged = judged + @2, changed = changed + @3, new_findings = new_findings + @4 WHERE id = @0");

    private static readonly Statement Finish = new("UPDATE advisory_rounds SET finished_at = @1 WHERE id = @0 AND finished_at IS NULL");

    // state 1: a scan that waits will judge by itself, and what could not be scanned cannot be judged either.
    private static readonly Statement SelectOlder = new("SELECT 1 FROM artifact_scans WHERE database_built_at < @0 AND state = 1 LIMIT 1");

    private static readonly Statement SelectOther = new(
        "SELECT 1 FROM artifact_scans WHERE (database_built_at < @0 OR database_built_at > @0) AND state = 1 LIMIT 1");

    private static readonly Statement SelectBasesOlder = new("SELECT DISTINCT database_built_at FROM artifact_scans WHERE database_built_at < @0 ORDER BY 1 DESC");

    private static readonly Statement SelectBasesOther = new("SELECT DISTINCT database_built_at FROM artifact_scans WHERE database_built_at < @0 OR database_built_at > @0 ORDER BY 1 DESC");
}
