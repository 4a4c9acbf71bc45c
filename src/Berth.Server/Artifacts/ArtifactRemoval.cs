using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.Artifacts;

/// <summary>
/// Deletes an artifact as Harbor does, in one transaction: 1. what the reference names, which no index may list, 2. what belongs to it, with what belongs to that in turn,
/// 3. its tags and itself, 4. its children that have no tag and no other index. An immutable or locked tag of any of them keeps all of it.
/// </summary>
internal sealed class ArtifactRemoval(Database database, Deletes deletes, ArtifactTargets targets)
{
    /// <summary>Deletes what a reference names in the repository of a request.</summary>
    public Task<ApiResult> RunAsync(RegistryRequest request, string reference, CancellationToken ct)
    {
        var target = targets.Deletion(request);
        return database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var refusal = await DeleteAsync(session, target, reference, token).ConfigureAwait(false);
            if (refusal is not null) session.Rollback();
            return refusal ?? ApiResult.Done;
        }, ct);
    }

    /// <summary>
    /// Steps 2 to 4 for whoever is in a transaction and holds the repository; an artifact that an index lists stays. After a refusal the transaction must be rolled back.
    /// </summary>
    public async Task<ApiResult?> RemoveAsync(DbSession session, DeleteTarget target, long repositoryId, string digest, CancellationToken ct) =>
        await IsListedByAnIndexAsync(session, repositoryId, digest, ct).ConfigureAwait(false)
            ? ApiResult.Fail(s_referenced, "the artifact is listed by an index")
            : await DeleteDeeplyAsync(session, target, repositoryId, digest, [], ct).ConfigureAwait(false);

    private async Task<ApiResult?> DeleteAsync(DbSession session, DeleteTarget target, string reference, CancellationToken ct)
    {
        // 1.
        var name = target.Rights.Repository;
        if (await session.ScalarAsync(LockRepository, [name], ct).ConfigureAwait(false) is not { } repositoryId) return ArtifactApi.NotFound(null, name, reference);
        if (await ArtifactRows.FindAsync(session, repositoryId, reference, ct).ConfigureAwait(false) is not { } root)
            return ApiResult.NotFound($"artifact {ArtifactApi.Shown(name, reference)} not found");
        if (!target.Rights.May(RepositoryAction.Delete)) return ApiResult.Forbidden($"a rule of the project keeps {target.Actor} from deleting in {name}");
        if (await IsListedByAnIndexAsync(session, repositoryId, root.Digest, ct).ConfigureAwait(false))
            return ApiResult.Fail(s_referenced, "the deleting artifact is referenced by others");
        return await DeleteDeeplyAsync(session, target, repositoryId, root.Digest, [], ct).ConfigureAwait(false);
    }

    private async Task<ApiResult?> DeleteDeeplyAsync(
        DbSession session, DeleteTarget target, long repositoryId, string digest, HashSet<string> seen, CancellationToken ct)
    {
        if (!seen.Add(digest)) return null;

        // 2.
        foreach (var accessory in await Accessories.DigestsAsync(session, repositoryId, digest, ct).ConfigureAwait(false))
        {
            if (await DeleteDeeplyAsync(session, target, repositoryId, accessory, seen, ct).ConfigureAwait(false) is { } refusal) return refusal;
        }

        // 3.
        var children = await ChildrenAsync(session, repositoryId, digest, ct).ConfigureAwait(false);
        var outcome = await deletes.DeleteManifestAsync(session, target, Digest.Parse(digest), ct).ConfigureAwait(false);
        // What a fallback index listed may have gone with it already.
        if (outcome.Error is { } error && error != OciError.ManifestUnknown) return ArtifactTargets.Answer(error, outcome.Detail ?? error.Message);

        // 4.
        foreach (var child in children)
        {
            if (await session.ScalarAsync(CountTags, [repositoryId, child], ct).ConfigureAwait(false) > 0) continue;
            if (await IsListedByAnIndexAsync(session, repositoryId, child, ct).ConfigureAwait(false)) continue;
            if (await DeleteDeeplyAsync(session, target, repositoryId, child, seen, ct).ConfigureAwait(false) is { } refusal) return refusal;
        }
        return null;
    }

    private static async ValueTask<List<string>> ChildrenAsync(DbSession session, long repositoryId, string digest, CancellationToken ct)
    {
        var children = new List<string>();
        await using var rows = await session.Command(SelectChildren, repositoryId, digest).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) children.Add(rows.GetString(0));
        return children;
    }

    // Not by the index of a fallback tag, which only lists what belongs to another artifact.
    internal static async ValueTask<bool> IsListedByAnIndexAsync(DbSession session, long repositoryId, string digest, CancellationToken ct)
    {
        await using var rows = await session.Command(SelectParentTags, repositoryId, digest).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            if (rows.IsDBNull(0) || !ArtifactKinds.IsHelperTag(rows.GetString(0))) return true;
        }
        return false;
    }

    private static readonly ApiError s_referenced = new("VIOLATE_FOREIGN_KEY_CONSTRAINT", 412);

    private static readonly Statement LockRepository = new(
        "SELECT id FROM repositories WHERE name = @0", "SELECT id FROM repositories WHERE name = @0 FOR NO KEY UPDATE");

    private static readonly Statement SelectParentTags = new("""
        SELECT t.name FROM manifest_children l LEFT JOIN tags t ON t.manifest_id = l.manifest_id WHERE l.repository_id = @0 AND l.child_digest = @1
        """);

    private static readonly Statement SelectChildren = new("""
        SELECT l.child_digest FROM manifests m JOIN manifest_children l ON l.manifest_id = m.id WHERE m.repository_id = @0 AND m.digest = @1
        """);

    private static readonly Statement CountTags = new("""
        SELECT COUNT(*) FROM manifests m JOIN tags t ON t.manifest_id = m.id WHERE m.repository_id = @0 AND m.digest = @1
        """);
}
