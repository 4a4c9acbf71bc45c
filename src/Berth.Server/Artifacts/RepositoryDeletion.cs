using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Immutability;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Projects;
using Berth.Server.Registry;

namespace Berth.Server.Artifacts;

/// <summary>
/// Deletes a repository with all that is in it: 1. no tag may keep it, 2. its manifests, so many in a transaction that others can write in between, each checked again,
/// 3. the repository itself once nothing is left. Cut off in between, it is smaller, and the next call goes on.
/// </summary>
internal sealed class RepositoryDeletion(Database database, Deletes deletes, ArtifactTargets targets, DomainEvents events, TimeProvider time)
{
    private const int Batch = 100;

    /// <summary>Deletes the repository that a call names.</summary>
    public async Task<ApiResult> RunAsync(ApiCall call, string name, CancellationToken ct)
    {
        var project = call.Project!;
        var repository = await database.ReadAsync(name, static (s, n, t) => RepositoryPath.FindAsync(s, n, t), ct).ConfigureAwait(false);
        if (repository is null) return ApiResult.NotFound($"repository {name} not found");
        var request = await targets.RequestAsync(call, project, repository.Name, ProjectPermissions.RepositoryDelete, ct).ConfigureAwait(false);
        if (!request.Rights.May(RepositoryAction.Delete)) return ApiResult.Forbidden($"a rule of the project keeps {call.Caller.Name} from deleting in {repository.Name}");

        // 1.
        var target = targets.Deletion(request);
        var kept = await database.ReadAsync((repository, request.Rights), static (s, q, t) => FindKeptTagAsync(s, q.repository, q.Rights, t), ct).ConfigureAwait(false);
        if (kept is not null) return kept;

        var actor = call.Actor;
        while (true)
        {
            var result = await database.WriteAsync(Durability.Full, async (session, token) =>
            {
                // 2.
                var digests = await ReadBatchAsync(session, repository.Id, token).ConfigureAwait(false);
                foreach (var digest in digests)
                {
                    var outcome = await deletes.DeleteManifestAsync(session, target, Digest.Parse(digest), token).ConfigureAwait(false);
                    if (outcome.Error is not { } error) continue;
                    session.Rollback();
                    return ArtifactTargets.Answer(error, outcome.Detail ?? error.Message);
                }
                if (digests.Count > 0) return null;

                // 3.
                return await DeleteEmptyAsync(session, repository, project, actor, token).ConfigureAwait(false);
            }, ct).ConfigureAwait(false);
            if (result is not null) return result;
        }
    }

    private async ValueTask<ApiResult?> DeleteEmptyAsync(DbSession session, RepositoryPath repository, ProjectFacts project, EventActor actor, CancellationToken ct)
    {
        if (await session.ScalarAsync(LockRepository, [repository.Id], ct).ConfigureAwait(false) is null) return ApiResult.NotFound($"repository {repository.Name} not found");
        // Somebody has pushed in the meantime: another round.
        if (await session.ScalarAsync(SelectAny, [repository.Id], ct).ConfigureAwait(false) is not null) return null;
        // Links, history and redirects go with it (foreign keys cascade).
        await Reviews.AddBlobsOfRepositoryAsync(session, repository.Id, time.GetUtcNow().ToUnixTimeMilliseconds(), ct).ConfigureAwait(false);
        await session.ExecuteAsync(Delete, [repository.Id], ct).ConfigureAwait(false);
        await session.ExecuteAsync(CountRepository, [repository.ProjectId], ct).ConfigureAwait(false);
        await events.RaiseAsync(session, new DomainEvent
        {
            Operation = "delete",
            ResourceType = "repository",
            Resource = repository.Name,
            ProjectId = project.Id,
            ProjectName = project.Name,
            Actor = actor,
            Description = $"repository {repository.Name} deleted",
        }, ct).ConfigureAwait(false);
        return ApiResult.Done;
    }

    private static async ValueTask<ApiResult?> FindKeptTagAsync(DbSession session, RepositoryPath repository, RepositoryRights rights, CancellationToken ct)
    {
        if (await session.ScalarAsync(SelectAnyArchived, [repository.Id], ct).ConfigureAwait(false) is not null)
            return ApiResult.Fail(ApiError.PreconditionFailed, $"{repository.Name} holds archived artifacts: take them out of the archive before it is deleted");
        var hasRules = await session.ScalarAsync(SelectAnyRule, [repository.ProjectId], ct).ConfigureAwait(false) is not null;
        var tags = new List<(string Name, TagLocks Locks)>();
        await using (var rows = await session.Command(SelectTags, repository.Id).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) tags.Add((rows.GetString(0), (TagLocks)rows.GetInt32(1)));
        }
        foreach (var (tag, locks) in tags)
        {
            if (!rights.MayDelete(tag)) return ApiResult.Forbidden($"a rule of the project keeps you from deleting the tag {tag}");
            if (ArtifactKinds.IsHelperTag(tag)) continue;
            if (locks.HasFlag(TagLocks.Delete)) return ApiResult.Fail(ApiError.PreconditionFailed, $"the tag {tag} is locked");
            if (hasRules && await ImmutableTags.IsImmutableAsync(session, repository.ProjectId, ProjectName.WithoutProject(repository.Name), tag, ct).ConfigureAwait(false))
                return ApiResult.Fail(ApiError.PreconditionFailed, $"the tag {tag} configured as immutable, cannot be deleted");
        }
        return null;
    }

    private static async ValueTask<List<string>> ReadBatchAsync(DbSession session, long repositoryId, CancellationToken ct)
    {
        var digests = new List<string>(Batch);
        await using var rows = await session.Command(SelectBatch, repositoryId, (long)Batch).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) digests.Add(rows.GetString(0));
        return digests;
    }

    private static readonly Statement LockRepository = new("SELECT id FROM repositories WHERE id = @0", "SELECT id FROM repositories WHERE id = @0 FOR UPDATE");
    private static readonly Statement SelectAny = new("SELECT id FROM manifests WHERE repository_id = @0 LIMIT 1");
    private static readonly Statement SelectAnyArchived = new("SELECT id FROM manifests WHERE repository_id = @0 AND archive <> 0 LIMIT 1");
    private static readonly Statement SelectBatch = new("SELECT digest FROM manifests WHERE repository_id = @0 ORDER BY digest LIMIT @1");
    private static readonly Statement SelectTags = new("SELECT name, locks FROM tags WHERE repository_id = @0");
    private static readonly Statement SelectAnyRule = new("SELECT id FROM immutable_rules WHERE project_id = @0 AND NOT is_disabled LIMIT 1");
    private static readonly Statement Delete = new("DELETE FROM repositories WHERE id = @0");
    private static readonly Statement CountRepository = new("UPDATE projects SET repository_count = repository_count - 1 WHERE id = @0");
}
