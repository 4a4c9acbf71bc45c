using Berth.Server.Platform.Data;

namespace Berth.Server.Retention;

/// <summary>What a policy comes to over all repositories.</summary>
/// <param name="Repositories">Repositories that it decides about.</param>
/// <param name="Total">Tags, and images without one.</param>
/// <param name="Going">Those that go.</param>
/// <param name="FreedBytes">Bytes in the blob stores that nothing names any more then.</param>
internal sealed record RetentionSum(int Repositories, long Total, long Going, long FreedBytes);

/// <summary>Goes through the repositories of a policy, one after the other, and decides. A simulation and a run take this same way.</summary>
internal sealed class RetentionWalk(Database database, TimeProvider time)
{
    private const int Batch = 100;

    /// <summary>Decides about every repository that the policy covers, and hands each plan out.</summary>
    /// <param name="policy">Where it holds.</param>
    /// <param name="rules">Its rules, saved or not.</param>
    /// <param name="only">Full name of the only repository to look at; null for all.</param>
    /// <param name="planned">Does with each plan what is to be done.</param>
    /// <param name="deletes">Whether it deletes what goes.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<RetentionSum> RunAsync(
        RetentionPolicy policy, CompiledRuleSet rules, string? only, Func<CoveredRepository, RepositoryPlan, Task> planned, bool deletes, CancellationToken ct)
    {
        var (after, repositories, total, going, freed) = ("", 0, 0L, 0L, new FreedBytes());
        while (true)
        {
            var covered = await database.ReadAsync((policy, after), static (session, q, token) => FactsReader.CoveredAsync(session, q.policy, q.after, Batch, token), ct).ConfigureAwait(false);
            foreach (var repository in covered)
            {
                ct.ThrowIfCancellationRequested();
                after = repository.Name;
                if (only is not null && repository.Name != only) continue;
                var facts = await database.ReadAsync(
                    (repository, policy), static (session, q, token) => FactsReader.ReadAsync(session, q.repository, q.repository.NameFor(q.policy), token), ct).ConfigureAwait(false);
                var plan = RetentionRules.Decide(rules, facts, time.GetUtcNow().ToUnixTimeMilliseconds());
                if (plan.GoneImages.Count > 0)
                {
                    // Before anything goes: what goes is counted with what names it.
                    await database.ReadAsync((freed, plan), static async (session, q, token) =>
                    {
                        await q.freed.AddAsync(session, q.plan.GoneImages.Select(i => q.plan.Facts.Images[i].Id), token).ConfigureAwait(false);
                        return true;
                    }, ct).ConfigureAwait(false);
                }
                (repositories, total, going) = (repositories + 1, total + plan.Verdicts.Count, going + plan.Going);
                await planned(repository, plan).ConfigureAwait(false);
            }
            if (covered.Count < Batch) break;
        }
        var bytes = await database.ReadAsync((freed, deletes), static (session, q, token) => q.freed.SumAsync(session, q.deletes, token), ct).ConfigureAwait(false);
        return new RetentionSum(repositories, total, going, bytes);
    }
}
