using Berth.Oci;
using Berth.Server.Immutability;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;

namespace Berth.Server.Registry;

/// <summary>
/// DELETE of a tag, a manifest or a blob (OCI distribution spec, "Content Management"). A tag loses only itself; a manifest takes the tags that
/// point to it along; a blob loses its link to the repository. Locked and immutable tags stay, and with them what they point to; so does what is archived. Bytes are freed by garbage
/// collection.
/// </summary>
internal sealed class Deletes(Database database, ContentCache cache, RegistryEvents events, IEnumerable<IDeletionKeeper> keepers, TimeProvider time)
{
    /// <summary>By tag: the tag. By digest: the manifest with the tags that point to it.</summary>
    public async Task ManifestAsync(RegistryRequest request, string referenceText)
    {
        if (ManifestReference.TryParse(referenceText, out var reference) is { } error)
        {
            await request.FailAsync(error).ConfigureAwait(false);
            return;
        }
        var target = new DeleteTarget(request.Rights, request.Caller.Name, request.Address, events.Describe(request));
        var outcome = await database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            var done = reference.IsDigest
                ? await DeleteManifestAsync(session, target, reference.Digest, ct).ConfigureAwait(false)
                : await DeleteTagAsync(session, target, reference.Tag, ct).ConfigureAwait(false);
            if (done.Error is not null) session.Rollback();
            return done;
        }, request.Aborted).ConfigureAwait(false);
        if (outcome.Error is null) Accepted(request);
        else await request.FailAsync(outcome.Error, outcome.Detail).ConfigureAwait(false);
    }

    /// <summary>The repository lets go of the blob, as the protocol asks; its bytes stay while any manifest refers to them.</summary>
    public async Task BlobAsync(RegistryRequest request, string digestText)
    {
        if (!Digest.TryParse(digestText, out var digest))
        {
            await request.FailAsync(OciError.DigestInvalid, digestText).ConfigureAwait(false);
            return;
        }
        var target = new DeleteTarget(request.Rights, request.Caller.Name, request.Address, events.Describe(request));
        var deleted = await database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            if (await LetGoAsync(session, request.Repository, digest, ct).ConfigureAwait(false) is not var (repositoryId, blobId)) return false;
            await Reviews.AddBlobAsync(session, repositoryId, blobId, Now, ct).ConfigureAwait(false);
            await WriteEventAsync(session, target, digest.Value, null, isBlob: true, ct).ConfigureAwait(false);
            session.AfterCommit(() => cache.RemoveBlob(request.Repository, digest));
            return true;
        }, request.Aborted).ConfigureAwait(false);
        if (deleted) Accepted(request);
        else await request.FailAsync(OciError.BlobUnknown, digest.Value).ConfigureAwait(false);
    }

    /// <summary>
    /// Deletes a tag, for whoever already is in a transaction: 1. the repository is held, 2. the tag, 3. what keeps it, 4. the tag, its history, what lists show,
    /// the event. After an outcome with an error the transaction must be rolled back.
    /// </summary>
    public async Task<DeleteOutcome> DeleteTagAsync(DbSession session, DeleteTarget target, string tag, CancellationToken ct)
    {
        // 1.
        var unknown = new DeleteOutcome(OciError.ManifestUnknown, $"{target.Rights.Repository}: {tag}");
        if (await LockAsync(session, target.Rights.Repository, ct).ConfigureAwait(false) is not { } repository) return unknown;

        // 2.
        (string Digest, long ManifestId, TagLocks Locks, bool IsArchived) found;
        await using (var reader = await session.Command(SelectTag, repository.Id, tag).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            if (!await reader.ReadAsync(ct).ConfigureAwait(false)) return unknown;
            found = (reader.GetString(0), reader.GetInt64(1), (TagLocks)reader.GetInt32(2), reader.GetInt32(3) != 0);
        }

        // 3.
        if (found.IsArchived) return ArchivedOutcome($"the tag {tag} of {target.Rights.Repository}");
        if (await KeepsAsync(session, target, repository.ProjectId, tag, found.Locks, ct).ConfigureAwait(false) is { } refusal) return refusal;

        // 4.
        await KeepAsync(session, target, new DeletedContent(repository.ProjectId, target.Rights.Repository, found.ManifestId, found.Digest, false, [tag], target.Actor, Now), ct).ConfigureAwait(false);
        await DeleteTagAsync(session, target, repository.Id, tag, found.Digest, ct).ConfigureAwait(false);
        await ListedManifests.RefreshAsync(session, repository.Id, [found.ManifestId], 0, Now, ct).ConfigureAwait(false);
        await Reviews.AddManifestAsync(session, found.ManifestId, Now, ct).ConfigureAwait(false);
        return DeleteOutcome.Done;
    }

    /// <summary>
    /// Deletes a manifest with the tags that point to it, for whoever already is in a transaction: 1. the repository is held, 2. the manifest and its tags, 3. what
    /// keeps them, 4. tags, manifest, counts, event. After an outcome with an error the transaction must be rolled back.
    /// </summary>
    public async Task<DeleteOutcome> DeleteManifestAsync(DbSession session, DeleteTarget target, Digest digest, CancellationToken ct)
    {
        // 1.
        var unknown = new DeleteOutcome(OciError.ManifestUnknown, $"{target.Rights.Repository}: {digest}");
        if (await LockAsync(session, target.Rights.Repository, ct).ConfigureAwait(false) is not { } repository) return unknown;

        // 2.
        if (await session.ScalarAsync(SelectManifest, [repository.Id, digest.Value], ct).ConfigureAwait(false) is not { } manifestId) return unknown;
        if (await session.ScalarAsync(SelectArchived, [manifestId, repository.Id, digest.Value], ct).ConfigureAwait(false) is not null) return ArchivedOutcome($"{target.Rights.Repository}@{digest}");
        var tags = new List<(string Name, TagLocks Locks)>();
        await using (var reader = await session.Command(SelectTags, manifestId).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await reader.ReadAsync(ct).ConfigureAwait(false)) tags.Add((reader.GetString(0), (TagLocks)reader.GetInt32(1)));
        }

        // 3.
        foreach (var (tag, locks) in tags)
        {
            if (await KeepsAsync(session, target, repository.ProjectId, tag, locks, ct).ConfigureAwait(false) is { } refusal) return refusal;
        }

        // 4.
        await KeepAsync(
            session, target, new DeletedContent(repository.ProjectId, target.Rights.Repository, manifestId, digest.Value, true, [.. tags.Select(t => t.Name)], target.Actor, Now), ct).ConfigureAwait(false);
        foreach (var (tag, _) in tags) await DeleteTagAsync(session, target, repository.Id, tag, digest.Value, ct).ConfigureAwait(false);
        await ManifestRemoval.RemoveAsync(session, repository.Id, [manifestId], Now, ct).ConfigureAwait(false);
        await WriteEventAsync(session, target, digest.Value, null, isBlob: false, ct).ConfigureAwait(false);
        session.AfterCommit(() => cache.RemoveManifest(target.Rights.Repository, digest));
        return DeleteOutcome.Done;
    }

    private static DeleteOutcome ArchivedOutcome(string what) => new(OciError.Archived, $"{what} is archived: take it out of the archive before it is deleted");

    private async ValueTask KeepAsync(DbSession session, DeleteTarget target, DeletedContent content, CancellationToken ct)
    {
        if (target.IsForGood) return;
        foreach (var keeper in keepers) await keeper.KeepAsync(session, content, ct).ConfigureAwait(false);
    }

    private static async ValueTask<(long RepositoryId, long BlobId)?> LetGoAsync(DbSession session, string repository, Digest digest, CancellationToken ct)
    {
        await using var row = await session.Command(DeleteLink, repository, digest.Value).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (row.GetInt64(0), row.GetInt64(1)) : null;
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static async ValueTask<DeleteOutcome?> KeepsAsync(
        DbSession session, DeleteTarget target, long projectId, string tag, TagLocks locks, CancellationToken ct)
    {
        if (!target.Rights.MayDelete(tag)) return new DeleteOutcome(OciError.Denied, $"a rule of the project keeps {target.Actor} from deleting the tag {tag}");
        if (ArtifactKinds.IsHelperTag(tag)) return null;
        if (locks.HasFlag(TagLocks.Delete)) return new DeleteOutcome(OciError.TagImmutable, $"the tag {tag} is locked");
        return await ImmutableTags.IsImmutableAsync(session, projectId, ProjectName.WithoutProject(target.Rights.Repository), tag, ct).ConfigureAwait(false)
            ? new DeleteOutcome(OciError.TagImmutable, $"Failed to process request due to '{target.Rights.Repository}:{tag}' configured as immutable.")
            : null;
    }

    private async ValueTask DeleteTagAsync(DbSession session, DeleteTarget target, long repositoryId, string tag, string digest, CancellationToken ct)
    {
        await session.ExecuteAsync(DeleteTag, [repositoryId, tag], ct).ConfigureAwait(false);
        await session.ExecuteAsync(ManifestCommit.InsertHistory, [repositoryId, tag, null, digest, target.Actor, Now, target.Address], ct).ConfigureAwait(false);
        await WriteEventAsync(session, target, null, tag, isBlob: false, ct).ConfigureAwait(false);
    }

    private async ValueTask WriteEventAsync(DbSession session, DeleteTarget target, string? digest, string? tag, bool isBlob, CancellationToken ct)
    {
        if (!events.Wants(RegistryEventAction.Delete)) return;
        await events.WriteAsync(session, new RegistryEvent
        {
            Action = RegistryEventAction.Delete,
            Repository = target.Rights.Repository,
            Digest = digest,
            Tag = tag,
            IsBlob = isBlob,
            MediaType = isBlob ? "application/octet-stream" : "",
            Actor = target.Actor,
            Request = target.Request,
        }, ct).ConfigureAwait(false);
    }

    private static async ValueTask<(long Id, long ProjectId)?> LockAsync(DbSession session, string repository, CancellationToken ct)
    {
        await using var row = await session.Command(LockRepository, repository).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (row.GetInt64(0), row.GetInt64(1)) : null;
    }

    private static void Accepted(RegistryRequest request)
    {
        request.Http.Response.StatusCode = 202;
        request.Http.Response.ContentLength = 0;
    }

    private static readonly Statement LockRepository = new(
        "SELECT id, project_id FROM repositories WHERE name = @0", "SELECT id, project_id FROM repositories WHERE name = @0 FOR NO KEY UPDATE");

    private static readonly Statement SelectTag = new(
        "SELECT m.digest, m.id, t.locks, m.archive FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = @0 AND t.name = @1");

    private static readonly Statement SelectTags = new("SELECT name, locks FROM tags WHERE manifest_id = @0");

    private static readonly Statement SelectManifest = new("SELECT id FROM manifests WHERE repository_id = @0 AND digest = @1");

    // Itself, or an index that lists it.
    private static readonly Statement SelectArchived = new("""
        SELECT 1 FROM manifests m WHERE m.id = @0 AND (m.archive <> 0
            OR EXISTS (SELECT 1 FROM manifest_children l JOIN manifests p ON p.id = l.manifest_id WHERE l.repository_id = @1 AND l.child_digest = @2 AND p.archive <> 0))
        """);

    private static readonly Statement DeleteTag = new("DELETE FROM tags WHERE repository_id = @0 AND name = @1");

    private static readonly Statement DeleteLink = new("""
        DELETE FROM repository_blobs
        WHERE repository_id = (SELECT id FROM repositories WHERE name = @0) AND blob_id = (SELECT id FROM blobs WHERE digest = @1)
        RETURNING repository_id, blob_id
        """);
}

/// <summary>Where something is deleted, and for whom.</summary>
/// <param name="Rights">What the caller may do in the repository.</param>
/// <param name="Actor">Name in the history of tags.</param>
/// <param name="Address">Address that the request came from; empty for the server itself.</param>
/// <param name="Request">The request behind the events.</param>
internal sealed record DeleteTarget(Access.RepositoryRights Rights, string Actor, string Address, EventRequest Request)
{
    /// <summary>Nothing is kept of it.</summary>
    public bool IsForGood { get; init; }
}

/// <summary>Outcome of a deletion.</summary>
/// <param name="Error">Null when it is done.</param>
/// <param name="Detail">What exactly is in the way.</param>
internal sealed record DeleteOutcome(OciError? Error, string? Detail)
{
    public static readonly DeleteOutcome Done = new(null, null);
}
