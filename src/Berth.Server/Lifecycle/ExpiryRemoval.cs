using Berth.Server.Access;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Text;
using Berth.Server.Registry;

namespace Berth.Server.Lifecycle;

/// <summary>
/// Lets the expired tags of one manifest go, in one transaction: 1. the repository is held, and what has expired is read again, 2. a manifest whose last tags they are goes with what belongs to
/// it, unless an index lists it, 3. else the tags alone, 4. each is told. What something keeps from being deleted does not expire any more.
/// </summary>
internal sealed class ExpiryRemoval(Database database, Deletes deletes, ArtifactRemoval removal, DomainEvents events, TimeProvider time)
{
    /// <summary>Name in the history of tags, in events and in the trash.</summary>
    public const string Actor = "expiry";

    /// <summary>How many tags went, and how many stay.</summary>
    public async Task<(int Gone, int Kept)> RunAsync(ExpiredManifest manifest, Action<string> log, CancellationToken ct)
    {
        var (gone, problem) = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var done = await RemoveAsync(session, manifest, token).ConfigureAwait(false);
            if (done.Problem is not null) session.Rollback();
            return done;
        }, ct).ConfigureAwait(false);
        if (problem is null) return (gone, 0);
        log($"{manifest.Repository}@{manifest.Digest} stays: {problem}");
        return (0, await KeepAsync(manifest, problem, ct).ConfigureAwait(false));
    }

    private async Task<(int Gone, string? Problem)> RemoveAsync(DbSession session, ExpiredManifest manifest, CancellationToken ct)
    {
        // 1.
        await Rows.LockRepositoryAsync(session, manifest.RepositoryId, ct).ConfigureAwait(false);
        var tags = await TagsAsync(session, manifest.Id, ct).ConfigureAwait(false);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var going = tags.Where(t => t.ExpiresAt <= now).ToList();
        if (going.Count == 0) return (0, null);
        var target = new DeleteTarget(RepositoryRights.Plain(manifest.Repository, pull: false, push: false, delete: true), Actor, "", new EventRequest("", "", "", "", Actor, ""));

        // 2.
        if (going.Count == tags.Count && !await ArtifactRemoval.IsListedByAnIndexAsync(session, manifest.RepositoryId, manifest.Digest, ct).ConfigureAwait(false))
        {
            if (await removal.RemoveAsync(session, target, manifest.RepositoryId, manifest.Digest, ct).ConfigureAwait(false) is { } refusal) return (0, refusal.Failure!.Value.Message);
        }

        // 3.
        else
        {
            foreach (var (tag, _) in going)
            {
                var outcome = await deletes.DeleteTagAsync(session, target, tag, ct).ConfigureAwait(false);
                if (outcome.Error is { } error) return (0, outcome.Detail ?? error.Message);
            }
        }

        // 4.
        foreach (var (tag, end) in going)
        {
            var detail = new TagExpiryDetail(manifest.Repository, tag, manifest.Digest, end!.Value);
            await events.RaiseAsync(session, LifecycleEvents.OfExpiry(TagExpiryDetail.Gone, manifest.ProjectId, detail, $"{manifest.Repository}:{tag} expired at {UtcText.Of(end.Value)}"), ct).ConfigureAwait(false);
        }
        return (going.Count, null);
    }

    // A rule or lock came after the end was set: who made it wants the tag to stay.
    private Task<int> KeepAsync(ExpiredManifest manifest, string why, CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
    {
        await Rows.LockRepositoryAsync(session, manifest.RepositoryId, token).ConfigureAwait(false);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var staying = (await TagsAsync(session, manifest.Id, token).ConfigureAwait(false)).Where(t => t.ExpiresAt <= now).ToList();
        foreach (var (tag, end) in staying)
        {
            await session.ExecuteAsync(ClearExpiry, [manifest.RepositoryId, tag], token).ConfigureAwait(false);
            var detail = new TagExpiryDetail(manifest.Repository, tag, manifest.Digest, end!.Value);
            await events.RaiseAsync(session, LifecycleEvents.OfExpiry("keep", manifest.ProjectId, detail, $"{manifest.Repository}:{tag} does not expire: {why}"), token).ConfigureAwait(false);
        }
        return staying.Count;
    }, ct);

    // Without those that only help to find signatures.
    private static async ValueTask<List<(string Name, long? ExpiresAt)>> TagsAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        var tags = new List<(string, long?)>();
        await using var rows = await session.Command(SelectTags, manifestId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            if (!ArtifactKinds.IsHelperTag(rows.GetString(0))) tags.Add((rows.GetString(0), rows.IsDBNull(1) ? null : rows.GetInt64(1)));
        }
        return tags;
    }
    private static readonly Statement SelectTags = new("SELECT name, expires_at FROM tags WHERE manifest_id = @0 ORDER BY name");
    private static readonly Statement ClearExpiry = new("UPDATE tags SET expires_at = NULL, is_expiry_told = FALSE WHERE repository_id = @0 AND name = @1");
}
