using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// Looks at all manifests, not only at those that something happened to: lets go of those without a tag in every repository, as Harbor's run with
/// <c>delete_untagged</c>, or has them reviewed after days were set. Repository by repository, a batch in a transaction.
/// </summary>
internal sealed class UntaggedSweep(Database database, GarbageOptions options, TimeProvider time)
{
    /// <summary>Removes manifests without a tag that are older than the delay; how many.</summary>
    public async Task<long> RunAsync(Action<string> tell, CancellationToken ct)
    {
        var total = 0L;
        for (var id = 0L; await NextAsync(id, ct).ConfigureAwait(false) is { } repository;)
        {
            id = repository;
            // What a removal leaves without its index or subject is found by asking again from the start.
            while (await RoundAsync(repository, tell, ct).ConfigureAwait(false) is var round && round > 0) total += round;
        }
        return total;
    }

    /// <summary>Has manifests without a tag looked at: days were set, for a project or, with null, for the installation. What has a review keeps it.</summary>
    public async Task ReviewAsync(long? projectId, CancellationToken ct)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        for (var id = 0L; await NextAsync(id, ct).ConfigureAwait(false) is { } repository;)
        {
            id = repository;
            await database.WriteAsync(Durability.Full, async (session, token) =>
                await session.ExecuteAsync(InsertReviews, [repository, now, projectId ?? -1], token).ConfigureAwait(false), ct).ConfigureAwait(false);
        }
    }

    private async Task<long> RoundAsync(long repository, Action<string> tell, CancellationToken ct)
    {
        for (var (count, after) = (0L, ""); ;)
        {
            var now = time.GetUtcNow();
            var removed = await database.WriteAsync(Durability.Full, (session, token) => UntaggedManifests.RemoveAsync(
                session, repository, after, (now - options.Delay).ToUnixTimeMilliseconds(), options.BatchSize, now.ToUnixTimeMilliseconds(), token), ct).ConfigureAwait(false);
            foreach (var digest in removed) tell($"untagged manifest removed: {digest}");
            count += removed.Count;
            if (removed.Count < options.BatchSize) return count;
            after = removed[^1];
        }
    }

    private ValueTask<long?> NextAsync(long after, CancellationToken ct) =>
        database.ReadAsync(after, static (session, id, token) => session.ScalarAsync(SelectNext, [id], token), ct);

    private static readonly Statement SelectNext = new("SELECT id FROM repositories WHERE id > @0 ORDER BY id LIMIT 1");

    private static readonly Statement InsertReviews = new("""
        INSERT INTO manifest_reviews (manifest_id, since, look_from)
        SELECT m.id, @1, @1 FROM manifests m JOIN repositories r ON r.id = m.repository_id
        WHERE m.repository_id = @0 AND (@2 < 0 OR r.project_id = @2) AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id) ORDER BY m.id
        ON CONFLICT (manifest_id) DO NOTHING
        """);
}
