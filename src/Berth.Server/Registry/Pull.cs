using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;

namespace Berth.Server.Registry;

/// <summary>
/// Reading manifests and blobs (OCI distribution spec, "Pull"). By tag: one query, then the bytes from the cache. By digest and blobs:
/// no query while the repository is known to hold them.
/// </summary>
internal sealed class Pull(Database database, BlobStores stores, BlobRedirect redirect, ContentCache cache, RegistryEvents events, GarbageOptions garbage, IEnumerable<IPullCounter> counters,
    IEnumerable<IPullGate> gates, TimeProvider time)
{
    private const string ImmutableFor1Year = "max-age=31536000, immutable";

    private readonly IPullCounter[] _counters = [.. counters];
    private readonly IPullGate[] _gates = [.. gates];

    /// <summary>
    /// GET or HEAD of a manifest: 1. the reference, 2. the manifest, 3. what the client accepts, 4. the gates, 5. the answer, 6. the event.
    /// </summary>
    public async Task ManifestAsync(RegistryRequest request, string referenceText)
    {
        // 1.
        if (ManifestReference.TryParse(referenceText, out var reference) is { } error)
        {
            await request.FailAsync(error).ConfigureAwait(false);
            return;
        }

        // 2.
        if (!reference.IsDigest && !request.Rights.MayPull(reference.Tag))
        {
            await request.FailAsync(OciError.Denied, $"a rule of the project keeps {request.Caller.Name} from pulling the tag {reference.Tag}").ConfigureAwait(false);
            return;
        }
        var manifest = await FindAsync(request.Repository, reference, request.Aborted).ConfigureAwait(false);

        // 3.
        if (manifest is not null && !reference.IsDigest) manifest = await NegotiateAsync(request, manifest).ConfigureAwait(false);
        if (manifest is null)
        {
            await request.FailAsync(OciError.ManifestUnknown, $"{request.Repository}: {reference}").ConfigureAwait(false);
            return;
        }

        if (manifest.IsWithheld)
        {
            await request.FailAsync(OciError.Archived, $"{request.Repository}: {reference} is archived: somebody who may write has to reactivate it before it can be pulled").ConfigureAwait(false);
            return;
        }

        // 4.
        foreach (var gate in _gates)
        {
            if (await gate.CheckAsync(request, reference.Tag, manifest).ConfigureAwait(false) is not { } refusal) continue;
            await request.FailAsync(refusal).ConfigureAwait(false);
            return;
        }

        // 5.
        var response = request.Http.Response;
        response.Headers.ETag = manifest.ETag;
        response.Headers["Docker-Content-Digest"] = manifest.DigestHeader;
        if (reference.IsDigest) response.Headers.CacheControl = ImmutableFor1Year;
        if (Content.IsNotModified(request.Http, manifest.ETag))
        {
            response.StatusCode = 304;
            return;
        }
        response.Headers.ContentType = manifest.MediaType;
        response.ContentLength = manifest.Size;
        if (!request.IsHead) await response.BodyWriter.WriteAsync(manifest.Bytes, request.Aborted).ConfigureAwait(false);

        // 6. A HEAD is an event too, as in Docker Registry: that is how clients look whether they have to pull. Counted is what was sent.
        if (!request.IsHead)
        {
            foreach (var counter in _counters) counter.Count(request.Repository, reference.Tag, manifest.Digest, request.Caller.IsScanner);
        }
        await events.WritePullAsync(request, reference.Tag, manifest, isBlob: false).ConfigureAwait(false);
    }

    /// <summary>GET or HEAD of a blob: 1. the digest, 2. the link, 3. the answer, whole, in ranges or by a URL of the store, 4. the event.</summary>
    public async Task BlobAsync(RegistryRequest request, string digestText)
    {
        // 1.
        if (!Digest.TryParse(digestText, out var digest))
        {
            await request.FailAsync(OciError.DigestInvalid, digestText).ConfigureAwait(false);
            return;
        }

        // 2.
        var blob = cache.FindBlob(request.Repository, digest) ?? await FindBlobAsync(request.Repository, digest, request.IsHead, request.Aborted).ConfigureAwait(false);
        if (blob is null)
        {
            var isQuarantined = await IsQuarantinedAsync(request, digest).ConfigureAwait(false);
            await request.FailAsync(OciError.BlobUnknown, isQuarantined ? $"{digest} is quarantined: its bytes are wrong or missing in the store; push it again" : digest.Value).ConfigureAwait(false);
            return;
        }

        // 3.
        var headers = request.Http.Response.Headers;
        headers.ETag = blob.ETag;
        headers["Docker-Content-Digest"] = blob.DigestHeader;
        headers.CacheControl = ImmutableFor1Year;
        headers.AcceptRanges = "bytes";
        if (Content.IsNotModified(request.Http, blob.ETag))
        {
            request.Http.Response.StatusCode = 304;
            return;
        }
        if (!request.IsHead && await redirect.FindAsync(request.Http, blob, request.Aborted).ConfigureAwait(false) is { } url)
        {
            // The URL is only good for a while: nobody may keep this answer.
            headers.CacheControl = "no-store";
            headers.Location = url.AbsoluteUri;
            request.Http.Response.StatusCode = 307;
            request.Http.Response.ContentLength = 0;
        }
        else if (!await SendAsync(request, blob).ConfigureAwait(false))
        {
            return;
        }

        // 4.
        if (!request.IsHead) await events.WritePullAsync(request, "", blob, isBlob: true).ConfigureAwait(false);
    }

    private async ValueTask<CachedContent?> FindAsync(string repository, ManifestReference reference, CancellationToken ct)
    {
        if (!reference.IsDigest)
            return cache.FindTaggedInOutage(repository, reference.Tag) ?? await database.ReadAsync((repository, reference.Tag, cache, time.GetUtcNow().ToUnixTimeMilliseconds()), static (s, q, token) => ByTagAsync(s, q.repository, q.Tag, q.cache, q.Item4, token), ct).ConfigureAwait(false);
        return cache.FindManifest(repository, reference.Digest)
            ?? await database.ReadAsync((repository, reference.Digest, cache), static (s, q, token) => ByDigestAsync(s, q.repository, q.Digest, q.cache, token), ct).ConfigureAwait(false);
    }

    private static async ValueTask<CachedContent?> ByTagAsync(DbSession session, string repository, string tag, ContentCache cache, long now, CancellationToken ct)
    {
        await using var reader = await session.Command(SelectByTag, repository, tag, now).ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await reader.ReadAsync(ct).ConfigureAwait(false)) return null;
        var digest = Digest.Parse(reader.GetString(0));
        cache.AddTag(repository, tag, digest);
        // The row's bytes are only read when the cache does not have them.
        var isWithheld = reader.GetInt32(4) == (int)ArchiveState.Withheld;
        if (cache.FindManifestBytes(repository, digest) is { } known && known.IsWithheld == isWithheld) return known;
        return Remember(cache, repository, new CachedContent(digest, reader.GetString(1), reader.GetInt32(2), reader.GetFieldValue<byte[]>(3), isWithheld: isWithheld));
    }

    private static async ValueTask<CachedContent?> ByDigestAsync(DbSession session, string repository, Digest digest, ContentCache cache, CancellationToken ct)
    {
        await using var reader = await session.Command(SelectByDigest, repository, digest.Value).ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await reader.ReadAsync(ct).ConfigureAwait(false)) return null;
        return Remember(cache, repository, new CachedContent(
            digest, reader.GetString(0), reader.GetInt32(1), reader.GetFieldValue<byte[]>(2), isWithheld: reader.GetInt32(3) == (int)ArchiveState.Withheld));
    }

    private static CachedContent Remember(ContentCache cache, string repository, CachedContent content)
    {
        cache.AddManifest(repository, content);
        return content;
    }

    // Who asks with HEAD is about to push an image that names the blob. One that garbage collection may soon take away is not there for them: they upload
    // it again, and it stays.
    private async ValueTask<CachedContent?> FindBlobAsync(string repository, Digest digest, bool isHead, CancellationToken ct)
    {
        var found = await database.ReadAsync((repository, digest), static (s, q, token) => FindBlobAsync(s, q.repository, q.digest, token), ct).ConfigureAwait(false);
        if (found is not { } blob) return null;
        var isLeaving = blob.ReviewSince is { } since && garbage.IsNear(since, time.GetUtcNow());
        if (isLeaving && isHead) return null;
        var bytes = blob.Size <= ContentCache.MaxBlobBytes ? await Content.ReadWholeAsync(stores, blob.Location, digest, (int)blob.Size, ct).ConfigureAwait(false) : null;
        var content = new CachedContent(digest, "application/octet-stream", blob.Size, bytes, blob.Location);
        if (!isLeaving) cache.AddBlob(repository, content);
        return content;
    }

    // Where the bytes are not where they were when this process last looked, they may have been moved meanwhile: the row tells.
    private async ValueTask<bool> SendAsync(RegistryRequest request, CachedContent blob)
    {
        if (await Content.SendAsync(request, blob, stores).ConfigureAwait(false)) return true;
        cache.RemoveBlob(request.Repository, blob.Digest);
        var now = await FindBlobAsync(request.Repository, blob.Digest, request.IsHead, request.Aborted).ConfigureAwait(false);
        if (now is not null && now.Location != blob.Location && await Content.SendAsync(request, now, stores).ConfigureAwait(false)) return true;
        await request.FailAsync(OciError.BlobUnknown, $"{blob.Digest} is recorded but its bytes are missing from the store").ConfigureAwait(false);
        return false;
    }

    // Asked only where a GET fails: a HEAD before a push has no body that could tell.
    private async ValueTask<bool> IsQuarantinedAsync(RegistryRequest request, Digest digest) =>
        !request.IsHead && await database.ReadAsync((request.Repository, digest), static async (session, q, token) =>
            await session.ScalarAsync(SelectQuarantined, [q.Repository, q.digest.Value], token).ConfigureAwait(false) is not null, request.Aborted).ConfigureAwait(false);

    private static async ValueTask<FoundBlob?> FindBlobAsync(DbSession session, string repository, Digest digest, CancellationToken ct)
    {
        await using var row = await session.Command(SelectBlob, repository, digest.Value).ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
        return new FoundBlob(row.GetInt64(0), new BlobLocation(row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2)), row.IsDBNull(3) ? null : row.GetInt64(3));
    }

    // Clients from before multi-arch images ask for a Docker manifest only: they get the one for linux/amd64, as Docker Registry gives it.
    private async ValueTask<CachedContent?> NegotiateAsync(RegistryRequest request, CachedContent manifest)
    {
        if (manifest.MediaType != MediaTypes.DockerManifestList || !Content.AcceptsOnlyDockerManifest(request.Http.Request)) return manifest;
        if (!ManifestReader.TryRead(manifest.Bytes, MediaTypes.DockerManifestList, out var list, out _)) return manifest;
        var child = list.Manifests.FirstOrDefault(m => m is { Os: "linux", Architecture: "amd64", MediaType: MediaTypes.DockerManifest });
        if (child is null) return manifest;
        return cache.FindManifest(request.Repository, child.Digest)
            ?? await database.ReadAsync((request.Repository, child.Digest, cache), static (s, q, token) => ByDigestAsync(s, q.Repository, q.Digest, q.cache, token), request.Aborted).ConfigureAwait(false);
    }

    // Lock 1 keeps a tag from being pulled (TagLocks.Read). A tag whose time has come is gone.
    private static readonly Statement SelectByTag = new("""
        SELECT m.digest, m.media_type, m.size, m.content, m.archive FROM repositories r
        JOIN tags t ON t.repository_id = r.id AND t.name = @1 AND (t.locks & 1) = 0 AND (t.expires_at IS NULL OR t.expires_at > @2)
        JOIN manifests m ON m.id = t.manifest_id
        WHERE r.name = @0
        """);

    private static readonly Statement SelectByDigest = new("""
        SELECT m.media_type, m.size, m.content, m.archive FROM repositories r
        JOIN manifests m ON m.repository_id = r.id AND m.digest = @1
        WHERE r.name = @0
        """);

    // The review counts only while no manifest of the project names the blob.
    internal static readonly Statement SelectBlob = new("""
        SELECT b.size, b.store, b.key, CASE WHEN v.since IS NULL OR EXISTS (SELECT 1 FROM project_blobs p WHERE p.project_id = r.project_id AND p.blob_id = b.id)
            THEN NULL ELSE v.since END
        FROM repositories r
        JOIN blobs b ON b.digest = @1 AND b.quarantined_at IS NULL
        JOIN repository_blobs l ON l.repository_id = r.id AND l.blob_id = b.id
        LEFT JOIN blob_reviews v ON v.blob_id = b.id AND v.repository_id = r.id
        WHERE r.name = @0
        """);

    private static readonly Statement SelectQuarantined = new("""
        SELECT 1 FROM repositories r
        JOIN blobs b ON b.digest = @1 AND b.quarantined_at IS NOT NULL
        JOIN repository_blobs l ON l.repository_id = r.id AND l.blob_id = b.id
        WHERE r.name = @0
        """);

    /// <param name="Size">Bytes.</param>
    /// <param name="Location">Where they lie.</param>
    /// <param name="ReviewSince">Since when no manifest names it, in Unix milliseconds; null when one does.</param>
    private readonly record struct FoundBlob(long Size, BlobLocation Location, long? ReviewSince);
}

/// <summary>Counts pulls of manifests. Called on the path of every pull: it takes no more than a short lock, and never throws.</summary>
internal interface IPullCounter
{
    /// <summary>A manifest was sent.</summary>
    /// <param name="repository">Name of the repository.</param>
    /// <param name="tag">Tag that it was asked for by; empty for a digest.</param>
    /// <param name="digest">The manifest.</param>
    /// <param name="byScanner">Whether a scanner asked, to look at it.</param>
    void Count(string repository, string tag, Oci.Digest digest, bool byScanner);
}
