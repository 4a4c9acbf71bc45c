using Berth.Blobs;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;

namespace Berth.Server.Registry;

/// <summary>
/// Turns a complete upload into a blob of a repository:
/// 1. the intent is recorded, 2. the bytes become content, durably, 3. one transaction records blob, link, review, event and the end of
/// the session. Killed in between, the session's row tells the janitor where the bytes are, and the client may send its last request again.
/// </summary>
internal sealed class BlobCommit(Database database, BlobStores stores, UploadSessions sessions, ContentCache cache, RegistryEvents events, RegistryOptions options, TimeProvider time)
{
    /// <summary>Commits a session that has a row, with all its bytes in <paramref name="body"/>. False when another request has moved or ended it.</summary>
    public async Task<bool> CommitAsync(RegistryRequest request, UploadSession upload, UploadBody body, Digest digest, CancellationToken ct)
    {
        // 1. The row goes on to the end only where another process could go on from there.
        if (!upload.TryIntend(stores, digest)) return false;
        var from = upload.Offset;
        if (body.Saved.Offset == body.Offset) (upload.Offset, upload.State, upload.HashState) = (body.Offset, body.Saved.State, body.SaveHash());
        if (!await sessions.AdvanceAsync(upload, from, digest.Value, IntentOf(stores[upload.Store]), ct).ConfigureAwait(false)) return false;
        return await FinishAsync(request, upload, body, digest).ConfigureAwait(false);
    }

    /// <summary>Commits again what an earlier try of the same request has made content, as <see cref="IBlobStore.ConfirmAsync"/> found.</summary>
    public Task<bool> CommitAgainAsync(RegistryRequest request, UploadSession upload, Digest digest, long size) => RecordAsync(request, upload, digest, size);

    /// <summary>Commits bytes that came in one request, on a file system, and have no row yet.</summary>
    public async Task<bool> CommitNewAsync(RegistryRequest request, UploadSession upload, UploadBody body, Digest digest, CancellationToken ct)
    {
        // 1.
        upload.TryIntend(stores, digest);
        await sessions.StartCommittingAsync(upload, digest, Durability.Relaxed, ct).ConfigureAwait(false);
        return await FinishAsync(request, upload, body, digest).ConfigureAwait(false);
    }

    /// <summary>
    /// Commits a blob that came whole in one request. On a file system its bytes are written while its intent is recorded, as neither needs the other; both are
    /// done before the bytes become content. The row keeps offset 0, for the bytes are not counted on: after a crash the client sends them again.
    /// False when another request has moved or ended the session.
    /// </summary>
    /// <param name="request">The request; null for what the server itself writes, of which no event tells.</param>
    /// <param name="upload">The session, which stands at offset 0.</param>
    /// <param name="isNew">Whether the session has no row yet.</param>
    /// <param name="digest">The verified digest of the bytes.</param>
    /// <param name="content">The bytes.</param>
    public async Task<bool> CommitWholeAsync(RegistryRequest? request, UploadSession upload, bool isNew, Digest digest, ReadOnlyMemory<byte> content)
    {
        // 1. Once this has begun it is carried through, whether the client waits or not.
        var store = stores[upload.Store];
        if (!upload.TryIntend(stores, digest)) return false;
        var intent = isNew
            ? sessions.StartCommittingAsync(upload, digest, IntentOf(store), CancellationToken.None)
            : sessions.AdvanceAsync(upload, 0, digest.Value, IntentOf(store), CancellationToken.None);
        if (store.IsObjectStore && !await intent.ConfigureAwait(false)) return false;
        upload.CommittingDigest = digest.Value;
        try
        {
            await store.WriteUploadAsync(upload.Id, content, CancellationToken.None).ConfigureAwait(false);
        }
        catch
        {
            // Nobody can come back to a session that was never told to a client.
            if (await intent.ConfigureAwait(false) && isNew) await GiveUpAsync(upload, digest).ConfigureAwait(false);
            throw;
        }
        if (!await intent.ConfigureAwait(false)) return false;

        // 2.
        await store.NameUploadAsync(upload.Id, digest, CancellationToken.None).ConfigureAwait(false);

        // 3.
        return await RecordAsync(request, upload, digest, content.Length).ConfigureAwait(false);
    }

    /// <summary>
    /// Gives up an upload. Where its bytes lie under a key of their own, one transaction ends the session and lets go of them; on a file system the session ends, then
    /// the bytes go, and those that a crash leaves are found by the janitor.
    /// </summary>
    /// <param name="upload">The session; it need not have a row.</param>
    /// <param name="digest">What it may have been committed as; the default for anything.</param>
    /// <param name="isStale">Nobody has been at it for longer than a commit takes.</param>
    public async Task GiveUpAsync(UploadSession upload, Digest digest, bool isStale = false)
    {
        var location = upload.LocationIn(stores, digest);
        if (location.Key is not null)
        {
            // A write that was cut off may be carried out yet: looking at once would find nothing, and the bytes would come after.
            var after = upload.CommittingDigest is null || isStale ? TimeSpan.Zero : options.CommitPatience;
            await sessions.GiveUpAsync(upload, location, after, CancellationToken.None).ConfigureAwait(false);
            return;
        }
        await sessions.DeleteAsync(upload.Id, CancellationToken.None).ConfigureAwait(false);
        await stores[upload.Store].DeleteUploadAsync(upload.Id, upload.State, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Links a blob that another repository holds; false when it does not.</summary>
    public Task<bool> MountAsync(RegistryRequest request, string from, Digest digest, CancellationToken ct) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await using var reader = await session.Command(SelectLinked, from, digest.Value).ExecuteReaderAsync(token).ConfigureAwait(false);
            if (!await reader.ReadAsync(token).ConfigureAwait(false)) return false;
            var (blobId, size) = (reader.GetInt64(0), reader.GetInt64(1));
            await reader.DisposeAsync().ConfigureAwait(false);
            return await LinkAsync(session, request, request.Repository, blobId, digest, size, RegistryEventAction.Mount, from, token).ConfigureAwait(false);
        }, ct);

    private async Task<bool> FinishAsync(RegistryRequest request, UploadSession upload, UploadBody body, Digest digest)
    {
        // 2. Once this has begun it is carried through, whether the client waits or not.
        await body.CommitAsync(digest, CancellationToken.None).ConfigureAwait(false);

        // 3.
        return await RecordAsync(request, upload, digest, body.Offset).ConfigureAwait(false);
    }

    private Task<bool> RecordAsync(RegistryRequest? request, UploadSession upload, Digest digest, long size)
    {
        var location = upload.LocationIn(stores, digest);
        return database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (!await UploadSessions.DeleteAsync(session, upload.Id, token).ConfigureAwait(false))
            {
                // Given up meanwhile, perhaps before the bytes were there to be removed; or committed by another try of the request.
                if (location.Key is not null) await BlobRemovals.AddUnlessUsedAsync(session, location, digest.Value, size, now, token).ConfigureAwait(false);
                return false;
            }
            var blobId = await Rows.FindOrAddBlobAsync(session, digest.Value, size, location, now, token).ConfigureAwait(false);
            return await LinkAsync(session, request, request?.Repository ?? upload.Repository, blobId, digest, size, RegistryEventAction.Push, null, token).ConfigureAwait(false);
        }, CancellationToken.None);
    }

    // False when the project is gone meanwhile, and with it the right to push.
    private async ValueTask<bool> LinkAsync(
        DbSession session, RegistryRequest? request, string repository, long blobId, Digest digest, long size, RegistryEventAction action, string? from, CancellationToken ct)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (await Rows.FindOrAddRepositoryAsync(session, repository, request?.Rights.Seed, now, ct).ConfigureAwait(false) is not { } repositoryId)
        {
            session.Rollback();
            return false;
        }
        await Rows.LinkBlobAsync(session, repositoryId, blobId, now, ct).ConfigureAwait(false);
        if (request is { } asked && events.Wants(action))
        {
            await events.WriteAsync(session, new RegistryEvent
            {
                Action = action,
                Repository = repository,
                Digest = digest.Value,
                MediaType = "application/octet-stream",
                Size = size,
                IsBlob = true,
                FromRepository = from,
                Actor = asked.Caller.Name,
                Request = events.Describe(asked),
            }, ct).ConfigureAwait(false);
        }
        session.AfterCommit(() => cache.RemoveBlob(repository, digest));
        return true;
    }

    // On a file system a scan of the uploads' folder finds what has no row. In a bucket nothing does: the row must be on disk before the object can be.
    private static Durability IntentOf(IBlobStore store) => store.IsObjectStore ? Durability.Full : Durability.Relaxed;

    private static readonly Statement SelectLinked = new("""
        SELECT b.id, b.size FROM repositories r
        JOIN blobs b ON b.digest = @1 AND b.quarantined_at IS NULL
        JOIN repository_blobs l ON l.repository_id = r.id AND l.blob_id = b.id
        WHERE r.name = @0
        """, """
        SELECT b.id, b.size FROM repositories r
        JOIN blobs b ON b.digest = @1 AND b.quarantined_at IS NULL
        JOIN repository_blobs l ON l.repository_id = r.id AND l.blob_id = b.id
        WHERE r.name = @0
        FOR SHARE OF l
        """);
}
