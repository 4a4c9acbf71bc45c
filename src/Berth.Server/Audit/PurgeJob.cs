using System.Globalization;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Settings;
using Berth.Server.Platform.Text;

namespace Berth.Server.Audit;

/// <summary>
/// Removes old entries, oldest first, a thousand rows of the log in a transaction, so that nobody waits for it. Entries that are still to be sent to a receiver
/// stay until they are.
/// </summary>
internal sealed class PurgeJob(Database database, RuntimeSettings settings, AuditForwarding forwarding, TimeProvider time) : IJobHandler
{
    /// <summary>Kind of the jobs; Harbor's name in small letters.</summary>
    public const string JobKind = "purge_audit_log";

    private const int BatchSize = 1000;

    public string Kind => JobKind;

    public int MaxConcurrent => 1;

    public int? MaxConcurrentOverall => 1;

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        var policy = run.ReadPayload(PurgeJson.Default.PurgePolicy);
        if (policy.Condition() is not { } condition)
        {
            run.Log("no event types are included: nothing to purge");
            run.SetResult(new PurgeResult(0), PurgeJson.Default.PurgeResult);
            return JobOutcome.Done;
        }
        var cutoff = (time.GetUtcNow() - TimeSpan.FromHours(policy.AuditRetentionHour)).ToUnixTimeMilliseconds();
        if (forwarding.TargetOf(await settings.ReadAsync(ct).ConfigureAwait(false)).Length > 0) condition += " AND NOT EXISTS (SELECT 1 FROM audit_forwards f WHERE f.entry_id = audit_entries.id)";
        run.Log($"{(policy.DryRun ? "[dry run] " : "")}purging entries before {UtcText.Of(cutoff)} of the types {policy.IncludeEventTypes}");
        var purged = policy.DryRun
            ? await database.ReadAsync((condition, cutoff), static (s, q, t) => NumberAsync(s, $"SELECT count(*) FROM audit_entries WHERE at < {Text(q.cutoff)} AND {q.condition}", t), ct).ConfigureAwait(false)
            : await PurgeAsync(run, condition, cutoff, ct).ConfigureAwait(false);
        run.Log($"{(policy.DryRun ? "[dry run] would purge" : "purged")} {purged} entries");
        run.SetResult(new PurgeResult(purged), PurgeJson.Default.PurgeResult);
        return JobOutcome.Done;
    }

    private async Task<long> PurgeAsync(JobRun run, string condition, long cutoff, CancellationToken ct)
    {
        long purged = 0;
        (long At, long Id)? from = (long.MinValue, 0);
        while (from is { } start)
        {
            ct.ThrowIfCancellationRequested();
            var (removed, next) = await database.WriteAsync(Durability.Relaxed, async (session, token) => await BatchAsync(session, condition, start, cutoff, token).ConfigureAwait(false), ct).ConfigureAwait(false);
            purged += removed;
            from = next;
            run.Report(null, $"{purged} entries purged");
        }
        return purged;
    }

    // The rows from one key to another, so that those which stay are walked over once.
    private static async Task<(long Removed, (long At, long Id)? Next)> BatchAsync(DbSession session, string condition, (long At, long Id) from, long cutoff, CancellationToken ct)
    {
        (long At, long Id)? next = null;
        await using (var reader = await session.Command(SelectEnd, from.At, from.Id, cutoff, (long)BatchSize).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            if (await reader.ReadAsync(ct).ConfigureAwait(false)) next = (reader.GetInt64(0), reader.GetInt64(1));
        }
        var end = next is { } row ? $"(at < {Text(row.At)} OR at = {Text(row.At)} AND id < {Text(row.Id)})" : $"at < {Text(cutoff)}";
        var range = $"at >= {Text(from.At)} AND (at > {Text(from.At)} OR id >= {Text(from.Id)}) AND {end}";
        await NumberAsync(session, $"DELETE FROM audit_forwards WHERE entry_id IN (SELECT id FROM audit_entries WHERE {range} AND {condition})", ct).ConfigureAwait(false);
        return (await NumberAsync(session, $"DELETE FROM audit_entries WHERE {range} AND {condition}", ct).ConfigureAwait(false), next);
    }

    private static string Text(long number) => number == long.MinValue ? "-9223372036854775807" : number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Runs a text once: what it counts, or how many rows it deletes.</summary>
    private static async ValueTask<long> NumberAsync(DbSession session, string sql, CancellationToken ct)
    {
        await using var command = session.Connection.CreateCommand();
        command.Transaction = session.Transaction;
        command.CommandText = sql;
        if (sql.StartsWith("DELETE", StringComparison.Ordinal)) return await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        return Convert.ToInt64(await command.ExecuteScalarAsync(ct).ConfigureAwait(false), CultureInfo.InvariantCulture);
    }

    private static readonly Statement SelectEnd = new(
        "SELECT at, id FROM audit_entries WHERE at >= @0 AND (at > @0 OR id >= @1) AND at < @2 ORDER BY at, id LIMIT 1 OFFSET @3");
}
