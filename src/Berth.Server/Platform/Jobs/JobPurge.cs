using Berth.Server.Platform.Data;

namespace Berth.Server.Platform.Jobs;

/// <summary>Removes finished jobs, and their logs, that are older than the settings keep them or more than they keep.</summary>
internal sealed class JobPurge(Database database, JobOptions options, IReadOnlyList<string> kinds, TimeProvider time)
{
    /// <summary>Jobs of one transaction.</summary>
    private const int BatchSize = 200;

    private static readonly JobState[] s_finished = [JobState.Succeeded, JobState.Failed, JobState.Cancelled];

    /// <summary>Removes what need not be kept.</summary>
    /// <returns>How many jobs.</returns>
    public async Task<long> RunAsync(CancellationToken ct)
    {
        var before = (time.GetUtcNow() - options.KeepFinished).ToUnixTimeMilliseconds();
        var removed = await RemoveAsync(DeleteOld, [before, (long)BatchSize], ct).ConfigureAwait(false);
        foreach (var kind in kinds)
        {
            foreach (var state in s_finished)
            {
                var last = await database.ReadAsync((kind, state, options.MaxFinished), static (session, which, token) =>
                    session.ScalarAsync(SelectFirstTooMany, [which.kind, (int)which.state, (long)which.MaxFinished], token), ct).ConfigureAwait(false);
                if (last is { } id) removed += await RemoveAsync(DeleteUpTo, [kind, (int)state, id, (long)BatchSize], ct).ConfigureAwait(false);
            }
        }
        return removed;
    }

    private async Task<long> RemoveAsync(Statement statement, object?[] values, CancellationToken ct)
    {
        for (long total = 0; ;)
        {
            var removed = await database.WriteAsync(Durability.Relaxed, (session, token) => session.ExecuteAsync(statement, values, token).AsTask(), ct).ConfigureAwait(false);
            total += removed;
            if (removed < BatchSize) return total;
        }
    }

    private static readonly Statement DeleteOld = new(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at IS NOT NULL AND finished_at < @0 ORDER BY finished_at LIMIT @1)");

    private static readonly Statement SelectFirstTooMany = new("SELECT id FROM jobs WHERE kind = @0 AND state = @1 ORDER BY id DESC LIMIT 1 OFFSET @2");

    private static readonly Statement DeleteUpTo = new(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE kind = @0 AND state = @1 AND id <= @2 ORDER BY id LIMIT @3)");
}
