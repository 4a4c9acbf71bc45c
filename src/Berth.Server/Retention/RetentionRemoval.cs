using Berth.Server.Access;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.Retention;

/// <summary>
/// Carries out a plan, an image in a transaction, in which everything is asked again: 1. a tag that has moved since then stays, and an image that got another tag,
/// 2. an image whose tags all go is deleted with what belongs to it, indexes before what they list, 3. else its tags alone. Locks and immutable rules hold as they do for people.
/// </summary>
internal sealed class RetentionRemoval(Database database, Deletes deletes, ArtifactRemoval removal)
{
    /// <summary>Name in the history of tags, in events and in the trash.</summary>
    public const string Actor = "retention";

    /// <summary>Deletes what goes; says what did not after all.</summary>
    /// <returns>What is gone: positions of images that lost a tag or are gone, and which tags.</returns>
    public async Task<HashSet<(int Image, string? Tag)>> RunAsync(CoveredRepository repository, RepositoryPlan plan, Action<string> log, CancellationToken ct)
    {
        var gone = plan.GoneImages.ToHashSet();
        var done = new HashSet<(int, string?)>();
        var facts = new CandidateFacts(plan.Facts);
        var tagsOf = plan.Facts.Tags.ToLookup(t => t.Image);
        // What lists others was pushed after them.
        foreach (var group in plan.Verdicts.Where(v => v.Goes).GroupBy(v => v.Image).OrderByDescending(g => plan.Facts.Images[g.Key].Id))
        {
            ct.ThrowIfCancellationRequested();
            var tags = group.Where(v => v.Tag is not null).Select(v => v.Tag!).ToList();
            var known = new Known(plan.Facts.Images[group.Key].PushedAt, facts.UsedAt(group.Key), tagsOf[group.Key].Select(t => t.UpdatedAt).DefaultIfEmpty().Max());
            var (deleted, problem) = await RemoveAsync(repository, plan.Facts.Images[group.Key].Digest, known, tags, gone.Contains(group.Key), ct).ConfigureAwait(false);
            if (problem is not null) log($"{repository.Name}@{plan.Facts.Images[group.Key].Digest} stays: {problem}");
            else if (tags.Count == 0) done.Add((group.Key, null));
            done.UnionWith(deleted.Select(t => (group.Key, (string?)t)));
        }
        return done;
    }

    private Task<(IReadOnlyList<string> Tags, string? Problem)> RemoveAsync(CoveredRepository repository, string digest, Known known, List<string> tags, bool isGone, CancellationToken ct) =>
        database.WriteAsync<(IReadOnlyList<string>, string?)>(Durability.Full, async (session, token) =>
        {
            var target = new DeleteTarget(RepositoryRights.Plain(repository.Name, pull: false, push: false, delete: true), Actor, "", new EventRequest("", "", "", "", Actor, ""));

            // 1.
            await Rows.LockRepositoryAsync(session, repository.Id, token).ConfigureAwait(false);
            var now = await TagsAsync(session, repository.Id, digest, token).ConfigureAwait(false);
            if (now is null) return ([], "it is gone already");
            if (await IsYoungerAsync(session, repository.Id, digest, known, token).ConfigureAwait(false)) return ([], "it was pushed or used meanwhile");
            var going = now.Where(tags.Contains).ToList();

            // 2.
            if (isGone && going.Count == now.Count(t => !ArtifactKinds.IsHelperTag(t)))
            {
                var refusal = await removal.RemoveAsync(session, target, repository.Id, digest, token).ConfigureAwait(false);
                if (refusal is null) return (going, null);
                session.Rollback();
                return ([], refusal.Failure!.Value.Message);
            }

            // 3.
            foreach (var tag in going)
            {
                var outcome = await deletes.DeleteTagAsync(session, target, tag, token).ConfigureAwait(false);
                if (outcome.Error is null) continue;
                session.Rollback();
                return ([], outcome.Detail ?? outcome.Error.Message);
            }
            return (going, going.Count == tags.Count && !isGone ? null : "it was pushed or tagged meanwhile");
        }, ct);

    // What the decision was made on, Unix milliseconds; a rule may keep what has been pushed, tagged or pulled by a cluster since.
    private readonly record struct Known(long PushedAt, long UsedAt, long TaggedAt);

    private static async ValueTask<bool> IsYoungerAsync(DbSession session, long repositoryId, string digest, Known known, CancellationToken ct) =>
        await session.ScalarAsync(SelectYounger, [repositoryId, digest, known.PushedAt, known.UsedAt, known.TaggedAt], ct).ConfigureAwait(false) is not null;

    // Null when there is no such manifest.
    private static async ValueTask<List<string>?> TagsAsync(DbSession session, long repositoryId, string digest, CancellationToken ct)
    {
        List<string>? tags = null;
        await using var rows = await session.Command(SelectTags, repositoryId, digest).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            tags ??= [];
            if (!rows.IsDBNull(0)) tags.Add(rows.GetString(0));
        }
        return tags;
    }
    private static readonly Statement SelectYounger = new("""
        SELECT 1 FROM manifests m WHERE m.repository_id = @0 AND m.digest = @1 AND (
            m.pushed_at > @2
            OR EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id AND t.updated_at > @4)
            OR EXISTS (SELECT 1 FROM manifest_uses u WHERE u.manifest_id = m.id AND u.used_at > @3)
            OR EXISTS (SELECT 1 FROM manifest_children l JOIN manifests c ON c.repository_id = l.repository_id AND c.digest = l.child_digest
                JOIN manifest_uses u ON u.manifest_id = c.id WHERE l.manifest_id = m.id AND u.used_at > @3))
        """);

    private static readonly Statement SelectTags = new("SELECT t.name FROM manifests m LEFT JOIN tags t ON t.manifest_id = m.id WHERE m.repository_id = @0 AND m.digest = @1 ORDER BY 1");
}
