using Berth.Oci;
using Berth.Server.Platform.Data;

namespace Berth.Server.Registry;

/// <summary>
/// DELETE of a tag, a manifest or a blob (OCI distribution spec, "Content Management"). A tag loses only itself; a manifest takes the tags that
/// point to it along; a blob loses its link to the repository. Bytes are freed by garbage collection.
/// </summary>
internal sealed class Deletes(Database database, ContentCache cache, RegistryEvents events, TimeProvider time)
{
    /// <summary>By tag: the tag. By digest: the manifest with the tags that point to it.</summary>
    public async Task ManifestAsync(RegistryRequest request, string referenceText)
    {
        if (ManifestReference.TryParse(referenceText, out var reference) is { } error)
        {
            await request.FailAsync(error).ConfigureAwait(false);
            return;
        }
        var deleted = await database.WriteAsync(Durability.Full, (session, ct) =>
            reference.IsDigest ? DeleteManifestAsync(session, request, reference.Digest, ct) : DeleteTagAsync(session, request, reference.Tag, ct), request.Aborted).ConfigureAwait(false);
        if (deleted) Accepted(request);
        else await request.FailAsync(OciError.ManifestUnknown, $"{request.Repository}: {reference}").ConfigureAwait(false);
    }

    /// <summary>The repository lets go of the blob, as the protocol asks; its bytes stay while any manifest refers to them.</summary>
    public async Task BlobAsync(RegistryRequest request, string digestText)
    {
        if (!Digest.TryParse(digestText, out var digest))
        {
            await request.FailAsync(OciError.DigestInvalid, digestText).ConfigureAwait(false);
            return;
        }
        var deleted = await database.WriteAsync(Durability.Full, async (session, ct) =>
        {
            if (await session.ExecuteAsync(DeleteLink, [request.Repository, digest.Value], ct).ConfigureAwait(false) == 0) return false;
            await WriteEventAsync(session, request, digest.Value, null, isBlob: true, ct).ConfigureAwait(false);
            session.AfterCommit(() => cache.RemoveBlob(request.Repository, digest));
            return true;
        }, request.Aborted).ConfigureAwait(false);
        if (deleted) Accepted(request);
        else await request.FailAsync(OciError.BlobUnknown, digest.Value).ConfigureAwait(false);
    }

    private async Task<bool> DeleteTagAsync(DbSession session, RegistryRequest request, string tag, CancellationToken ct)
    {
        if (await LockAsync(session, request.Repository, ct).ConfigureAwait(false) is not { } repositoryId) return false;
        string digest;
        await using (var reader = await session.Command(SelectTag, repositoryId, tag).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            if (!await reader.ReadAsync(ct).ConfigureAwait(false)) return false;
            digest = reader.GetString(0);
        }
        await session.ExecuteAsync(DeleteTag, [repositoryId, tag], ct).ConfigureAwait(false);
        await WriteHistoryAsync(session, request, repositoryId, tag, digest, ct).ConfigureAwait(false);
        await WriteEventAsync(session, request, null, tag, isBlob: false, ct).ConfigureAwait(false);
        return true;
    }

    private async Task<bool> DeleteManifestAsync(DbSession session, RegistryRequest request, Digest digest, CancellationToken ct)
    {
        if (await LockAsync(session, request.Repository, ct).ConfigureAwait(false) is not { } repositoryId) return false;
        if (await session.ScalarAsync(SelectManifest, [repositoryId, digest.Value], ct).ConfigureAwait(false) is not { } manifestId) return false;
        var tags = new List<string>();
        await using (var reader = await session.Command(SelectTags, manifestId).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await reader.ReadAsync(ct).ConfigureAwait(false)) tags.Add(reader.GetString(0));
        }
        foreach (var tag in tags)
        {
            await session.ExecuteAsync(DeleteTag, [repositoryId, tag], ct).ConfigureAwait(false);
            await WriteHistoryAsync(session, request, repositoryId, tag, digest.Value, ct).ConfigureAwait(false);
            await WriteEventAsync(session, request, null, tag, isBlob: false, ct).ConfigureAwait(false);
        }
        await session.ExecuteAsync(DeleteOne, [manifestId], ct).ConfigureAwait(false);
        await WriteEventAsync(session, request, digest.Value, null, isBlob: false, ct).ConfigureAwait(false);
        session.AfterCommit(() => cache.RemoveManifest(request.Repository, digest));
        return true;
    }

    private static ValueTask<long?> LockAsync(DbSession session, string repository, CancellationToken ct) => session.ScalarAsync(LockRepository, [repository], ct);

    private ValueTask<int> WriteHistoryAsync(DbSession session, RegistryRequest request, long repositoryId, string tag, string digest, CancellationToken ct) =>
        session.ExecuteAsync(ManifestCommit.InsertHistory, [repositoryId, tag, null, digest, request.Caller.Name, time.GetUtcNow().ToUnixTimeMilliseconds()], ct);

    private async ValueTask WriteEventAsync(DbSession session, RegistryRequest request, string? digest, string? tag, bool isBlob, CancellationToken ct)
    {
        if (!events.Wants(RegistryEventAction.Delete)) return;
        await events.WriteAsync(session, new RegistryEvent
        {
            Action = RegistryEventAction.Delete,
            Repository = request.Repository,
            Digest = digest,
            Tag = tag,
            IsBlob = isBlob,
            MediaType = isBlob ? "application/octet-stream" : "",
            Actor = request.Caller.Name,
            Request = events.Describe(request),
        }, ct).ConfigureAwait(false);
    }

    private static void Accepted(RegistryRequest request)
    {
        request.Http.Response.StatusCode = 202;
        request.Http.Response.ContentLength = 0;
    }

    private static readonly Statement LockRepository = new(
        "SELECT id FROM repositories WHERE name = @0", "SELECT id FROM repositories WHERE name = @0 FOR NO KEY UPDATE");

    private static readonly Statement SelectTag = new(
        "SELECT m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = @0 AND t.name = @1");

    private static readonly Statement SelectTags = new("SELECT name FROM tags WHERE manifest_id = @0");

    private static readonly Statement SelectManifest = new("SELECT id FROM manifests WHERE repository_id = @0 AND digest = @1");

    private static readonly Statement DeleteTag = new("DELETE FROM tags WHERE repository_id = @0 AND name = @1");

    // Its references go with it (foreign keys cascade).
    private static readonly Statement DeleteOne = new("DELETE FROM manifests WHERE id = @0");

    private static readonly Statement DeleteLink = new("""
        DELETE FROM repository_blobs
        WHERE repository_id = (SELECT id FROM repositories WHERE name = @0) AND blob_id = (SELECT id FROM blobs WHERE digest = @1)
        """);
}
