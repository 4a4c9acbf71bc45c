using System.Data.Common;
using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Trash;

/// <summary>
/// Lets go of what has been in the trash long enough, a batch in a transaction; any number of replicas may. What nothing else needs is found by garbage collection: a review
/// is written for each blob, and for a manifest that has lost the last that kept it.
/// </summary>
internal sealed class TrashPurge(Database database, TimeProvider time, ILogger<TrashPurge> logger) : BackgroundService
{
    private const int Batch = 200;
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(1);

    /// <summary>Lets go of everything whose time has come.</summary>
    /// <returns>How many entries.</returns>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        var total = 0;
        while (true)
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var purged = await database.WriteAsync(Durability.Relaxed, async (session, token) =>
            {
                var due = await IdsAsync(session, SelectDue, [now, (long)Batch], token).ConfigureAwait(false);
                return await PurgeAsync(session, due, now, token).ConfigureAwait(false);
            }, ct).ConfigureAwait(false);
            total += purged;
            if (purged < Batch) return total;
        }
    }

    /// <summary>Lets go of entries, for whoever is in a transaction.</summary>
    /// <returns>How many there were.</returns>
    public static async ValueTask<int> PurgeAsync(DbSession session, IReadOnlyCollection<long> ids, long now, CancellationToken ct)
    {
        if (ids.Count == 0) return 0;
        var (count, things) = (0, new HashSet<(string Repository, string Digest)>());
        await using (var rows = await session.Command(DeleteEntries, JsonSerializer.Serialize(ids)).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                count++;
                things.Add((rows.GetString(0), rows.GetString(1)));
            }
        }
        foreach (var (repository, digest) in things.Order())
        {
            await TrashKeeper.LockAsync(session, repository, digest, ct).ConfigureAwait(false);
            if (await session.ScalarAsync(SelectOther, [repository, digest], ct).ConfigureAwait(false) is not null) continue;
            foreach (var blob in await IdsAsync(session, SelectBlobs, [repository, digest], ct).ConfigureAwait(false))
                await Reviews.AddBlobAsync(session, 0, blob, now, ct).ConfigureAwait(false);
            await session.ExecuteAsync(DeleteManifest, [repository, digest], ct).ConfigureAwait(false);
            if (await session.ScalarAsync(SelectLive, [repository, digest], ct).ConfigureAwait(false) is { } live)
                await Reviews.AddManifestAsync(session, live, now, ct).ConfigureAwait(false);
        }
        return count;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(s_interval, time, stoppingToken).ConfigureAwait(false);
                var purged = await RunAsync(stoppingToken).ConfigureAwait(false);
                if (purged > 0) logger.Purged(purged);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is DbException or TimeoutException or InvalidOperationException)
            {
                // The next round goes on: everything that is to be done is a row.
                logger.PurgeFailed(e);
            }
        }
    }

    private static async ValueTask<List<long>> IdsAsync(DbSession session, Statement statement, object?[] values, CancellationToken ct)
    {
        var ids = new List<long>();
        await using var rows = await session.Command(statement, values).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) ids.Add(rows.GetInt64(0));
        return ids;
    }

    private const string Due = "SELECT id FROM trash_entries WHERE purge_at <= @0 ORDER BY purge_at LIMIT @1";
    private static readonly Statement SelectDue = new(Due, Due + " FOR UPDATE SKIP LOCKED");

    private static readonly Statement DeleteEntries = new(
        "DELETE FROM trash_entries WHERE id IN (SELECT value FROM json_each(@0)) RETURNING repository, digest",
        "DELETE FROM trash_entries WHERE id IN (SELECT jsonb_array_elements_text(@0::jsonb)::bigint) RETURNING repository, digest");

    private static readonly Statement SelectOther = new("SELECT id FROM trash_entries WHERE repository = @0 AND digest = @1 LIMIT 1");

    private static readonly Statement SelectBlobs = new("""
        SELECT b.blob_id FROM trash_manifests m JOIN trash_blobs b ON b.trash_manifest_id = m.id WHERE m.repository = @0 AND m.digest = @1 ORDER BY b.blob_id
        """);

    private static readonly Statement DeleteManifest = new("DELETE FROM trash_manifests WHERE repository = @0 AND digest = @1");

    private static readonly Statement SelectLive = new("SELECT m.id FROM repositories r JOIN manifests m ON m.repository_id = r.id WHERE r.name = @0 AND m.digest = @1");
}

internal static partial class TrashPurgeLog
{
    [LoggerMessage(2401, LogLevel.Information, "trash purged: {Entries} entries whose time had come")]
    public static partial void Purged(this ILogger logger, int entries);

    [LoggerMessage(2402, LogLevel.Warning, "purge of the trash failed, will be tried again")]
    public static partial void PurgeFailed(this ILogger logger, Exception error);
}
