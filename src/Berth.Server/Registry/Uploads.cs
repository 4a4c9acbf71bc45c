using Berth.Blobs;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Storage;
using Berth.Server.Projects;
using Berth.Server.Quotas;
using Microsoft.AspNetCore.Http.Features;

namespace Berth.Server.Registry;

/// <summary>
/// Blobs on their way in (OCI distribution spec, "Pushing Blobs"): POST starts a session, or brings the whole blob, or mounts one;
/// PATCH adds bytes; PUT adds the last ones and commits; GET tells where it stands; DELETE gives up.
/// </summary>
internal sealed class Uploads(
    UploadSessions sessions, ActiveUploads active, BlobCommit commit, BlobStores stores, Database database, ICallerSource access,
    FullProjects full, RegistryOptions options, HttpOptions http, TimeProvider time)
{
    private const int MaxMountCandidates = 50;

    /// <summary>POST: 1. mount, if asked for and possible; 2. the whole blob, if it comes along; 3. else a session.</summary>
    public async Task StartAsync(RegistryRequest request)
    {
        var query = request.Http.Request.Query;

        // 1.
        if (query["mount"].ToString() is { Length: > 0 } mount && await MountAsync(request, mount, query["from"].ToString()).ConfigureAwait(false)) return;

        // 2. and 3. A project without room for a manifest has none for bytes either.
        if (await full.WhyFullAsync(request.Rights.Project, request.Repository, RegistryEvents.ActorOf(request), request.Aborted).ConfigureAwait(false) is { } why)
        {
            await request.FailAsync(OciError.QuotaExceeded, why).ConfigureAwait(false);
            return;
        }
        if (query["digest"].ToString() is { Length: > 0 } digestText)
        {
            if (!Digest.TryParse(digestText, out var digest)) await request.FailAsync(OciError.DigestInvalid, digestText).ConfigureAwait(false);
            else await ReceiveWholeAsync(request, digest).ConfigureAwait(false);
            return;
        }

        var algorithm = DigestAlgorithm.Sha256;
        if (query["digest-algorithm"].ToString() is { Length: > 0 } name && !DigestAlgorithm.TryParse(name, out algorithm))
        {
            await request.FailAsync(OciError.DigestInvalid, $"unknown digest algorithm {name}").ConfigureAwait(false);
            return;
        }
        var store = StoreFor(request);
        if (stores[store].FreeBytes == 0) throw new StoreFullException("the disk is full: free space or lower storage.minFreeBytes");
        var upload = await sessions.StartAsync(request.Repository, request.Caller.Id, store, algorithm, options.MaxUploadsPerCaller, request.Aborted).ConfigureAwait(false);
        if (upload is null)
        {
            await request.FailAsync(OciError.TooManyRequests, "too many uploads are open: finish or cancel some").ConfigureAwait(false);
            return;
        }
        Describe(request, upload);
        if (options.ChunkMinBytes > 0) request.Http.Response.Headers["OCI-Chunk-Min-Length"] = options.ChunkMinBytes.ToString();
        request.Http.Response.StatusCode = 202;
        request.Http.Response.ContentLength = 0;
    }

    /// <summary>PATCH: a chunk with Content-Range, or any bytes without.</summary>
    public async Task PatchAsync(RegistryRequest request, string id)
    {
        using var turn = await TakeTurnAsync(request, id).ConfigureAwait(false);
        if (turn is null || await FindAsync(request, id).ConfigureAwait(false) is not { } upload) return;
        if (!await CheckRangeAsync(request, upload).ConfigureAwait(false)) return;
        if (!DigestAlgorithm.TryParse(upload.Algorithm, out var algorithm)) throw new InvalidOperationException($"upload {id} has an unknown algorithm");
        if (!await ReceiveAsync(request, upload, algorithm, turn.Token).ConfigureAwait(false)) return;
        Describe(request, upload);
        request.Http.Response.StatusCode = 202;
        request.Http.Response.ContentLength = 0;
    }

    /// <summary>PUT: 1. the session and the digest, 2. the last bytes, if any, 3. the digest is compared, 4. the blob is committed.</summary>
    public async Task FinishAsync(RegistryRequest request, string id)
    {
        // 1.
        if (!Digest.TryParse(request.Http.Request.Query["digest"].ToString(), out var digest))
        {
            await request.FailAsync(OciError.DigestInvalid, "the digest parameter is missing or not a digest").ConfigureAwait(false);
            return;
        }
        using var turn = await TakeTurnAsync(request, id).ConfigureAwait(false);
        if (turn is null || await FindAsync(request, id).ConfigureAwait(false) is not { } upload) return;
        if (!await CheckRangeAsync(request, upload).ConfigureAwait(false)) return;
        if (upload.Offset == 0 && SmallBody.Comes(request.Http.Request, options.MaxBlobBytes))
        {
            await FinishSmallAsync(request, upload, digest, turn.Token).ConfigureAwait(false);
            return;
        }
        // An upload that had got as far as its commit is only committed again.
        if (upload.CommittingDigest == digest.Value && await FindCommittedAsync(request, upload, digest, turn.Token).ConfigureAwait(false) is { } size)
        {
            await AnswerAsync(request, digest, await commit.CommitAgainAsync(request, upload, digest, size).ConfigureAwait(false)).ConfigureAwait(false);
            return;
        }

        // 2. and 3.
        await using var body = await UploadBody.OpenAsync(stores[upload.Store], upload, digest.Algorithm, turn.Token).ConfigureAwait(false);
        if (!await ReceiveLastAsync(request, body, turn.Token).ConfigureAwait(false)) return;
        if (body.Digest() is var actual && actual != digest)
        {
            await RefuseAsync(request, upload, actual).ConfigureAwait(false);
            return;
        }

        // 4.
        await AnswerAsync(request, digest, await commit.CommitAsync(request, upload, body, digest, request.Aborted).ConfigureAwait(false)).ConfigureAwait(false);
    }

    // Content that an earlier try of this PUT has made, with all the bytes that this one would bring.
    private async ValueTask<long?> FindCommittedAsync(RegistryRequest request, UploadSession upload, Digest digest, CancellationToken ct)
    {
        var size = await stores[upload.Store].ConfirmAsync(upload.LocationIn(stores, digest).PlaceOf(digest), ct).ConfigureAwait(false);
        return size == upload.Offset || size == upload.Offset + request.Http.Request.ContentLength ? size : null;
    }

    // Steps 2 to 4 for a blob of which nothing had come before and which comes whole and small now.
    private async Task FinishSmallAsync(RegistryRequest request, UploadSession upload, Digest digest, CancellationToken ct)
    {
        using var body = await SmallBody.ReadAsync(request.Http.Request, ct).ConfigureAwait(false);
        request.Facts.BytesReceived += body.Content.Length;
        if (body.Digest(digest.Algorithm) is var actual && actual != digest) await RefuseAsync(request, upload, actual).ConfigureAwait(false);
        else await AnswerAsync(request, digest, await commit.CommitWholeAsync(request, upload, isNew: false, digest, body.Content).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task RefuseAsync(RegistryRequest request, UploadSession upload, Digest actual)
    {
        await commit.GiveUpAsync(upload, default).ConfigureAwait(false);
        await request.FailAsync(OciError.DigestInvalid, $"the content has the digest {actual}").ConfigureAwait(false);
    }

    private async Task AnswerAsync(RegistryRequest request, Digest digest, bool isCommitted)
    {
        if (isCommitted) Created(request, digest);
        else await request.FailAsync(OciError.BlobUploadUnknown, "the upload was moved or ended by another request").ConfigureAwait(false);
    }

    /// <summary>GET: where the upload stands.</summary>
    public async Task StatusAsync(RegistryRequest request, string id)
    {
        if (await FindAsync(request, id).ConfigureAwait(false) is not { } upload) return;
        Describe(request, upload);
        request.Http.Response.StatusCode = 204;
    }

    /// <summary>DELETE: ends the session and drops its bytes.</summary>
    public async Task CancelAsync(RegistryRequest request, string id)
    {
        using var turn = await TakeTurnAsync(request, id).ConfigureAwait(false);
        if (turn is null || await FindAsync(request, id).ConfigureAwait(false) is not { } upload) return;
        await commit.GiveUpAsync(upload, default).ConfigureAwait(false);
        request.Http.Response.StatusCode = 204;
    }

    // ---- POST ----

    private async Task<bool> MountAsync(RegistryRequest request, string digestText, string from)
    {
        // Whatever stands in the way of a mount, the client may upload instead: the answer is then a session.
        if (!Digest.TryParse(digestText, out var digest)) return false;
        var candidates = from.Length > 0
            ? [from]
            : await database.ReadAsync(digest, static (s, d, ct) => HoldersAsync(s, d, ct), request.Aborted).ConfigureAwait(false);
        foreach (var candidate in candidates)
        {
            if (!RepositoryName.IsValid(candidate)) continue;
            var rights = await access.RightsAsync(request.Caller, candidate, request.Aborted).ConfigureAwait(false);
            if (!rights.May(RepositoryAction.Pull)) continue;
            if (!await commit.MountAsync(request, rights.Repository, digest, request.Aborted).ConfigureAwait(false)) continue;
            Created(request, digest);
            return true;
        }
        return false;
    }

    private static async ValueTask<List<string>> HoldersAsync(DbSession session, Digest digest, CancellationToken ct)
    {
        var names = new List<string>();
        await using var reader = await session.Command(SelectHolders, digest.Value, MaxMountCandidates).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) names.Add(reader.GetString(0));
        return names;
    }

    private async Task ReceiveWholeAsync(RegistryRequest request, Digest digest)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var upload = new UploadSession
        {
            Id = UploadSessions.NewId(),
            Repository = request.Repository,
            Owner = request.Caller.Id,
            Algorithm = digest.Algorithm.Name,
            Store = StoreFor(request),
            StartedAt = now,
            UpdatedAt = now,
        };
        if (SmallBody.Comes(request.Http.Request, options.MaxBlobBytes))
        {
            await ReceiveSmallAsync(request, upload, digest).ConfigureAwait(false);
            return;
        }
        var store = stores[upload.Store];
        // Where bytes lie under the key of their upload, nothing but its row would find them after a crash.
        if (store.IsObjectStore) await sessions.StartCommittingAsync(upload, digest, Durability.Relaxed, request.Aborted).ConfigureAwait(false);
        var isCommitting = false;
        try
        {
            await using var body = await UploadBody.OpenAsync(store, upload, digest.Algorithm, request.Aborted).ConfigureAwait(false);
            if (!await ReceiveLastAsync(request, body, request.Aborted).ConfigureAwait(false)) return;
            if (body.Digest() is var actual && actual != digest)
            {
                await request.FailAsync(OciError.DigestInvalid, $"the content has the digest {actual}").ConfigureAwait(false);
                return;
            }
            isCommitting = true;
            var isDone = store.IsObjectStore
                ? await commit.CommitAsync(request, upload, body, digest, request.Aborted).ConfigureAwait(false)
                : await commit.CommitNewAsync(request, upload, body, digest, request.Aborted).ConfigureAwait(false);
            if (isDone) Created(request, digest);
            else await request.FailAsync(OciError.BlobUploadUnknown).ConfigureAwait(false);
        }
        finally
        {
            // There is no session to come back to. A commit that was begun and not finished is the janitor's.
            if (!isCommitting) await commit.GiveUpAsync(upload, digest).ConfigureAwait(false);
        }
    }

    private async Task ReceiveSmallAsync(RegistryRequest request, UploadSession upload, Digest digest)
    {
        using var body = await SmallBody.ReadAsync(request.Http.Request, request.Aborted).ConfigureAwait(false);
        request.Facts.BytesReceived += body.Content.Length;
        if (body.Digest(digest.Algorithm) is var actual && actual != digest)
        {
            await request.FailAsync(OciError.DigestInvalid, $"the content has the digest {actual}").ConfigureAwait(false);
            return;
        }
        await AnswerAsync(request, digest, await commit.CommitWholeAsync(request, upload, isNew: true, digest, body.Content).ConfigureAwait(false)).ConfigureAwait(false);
    }

    // ---- bytes ----

    // Takes in the body of a PATCH and keeps what came of it, also when the client breaks off. False when an error was answered.
    private async Task<bool> ReceiveAsync(RegistryRequest request, UploadSession upload, DigestAlgorithm algorithm, CancellationToken ct)
    {
        var rowOffset = upload.Offset;
        await using var body = await UploadBody.OpenAsync(stores[upload.Store], upload, algorithm, ct).ConfigureAwait(false);
        AllowAnySize(request);
        var before = upload.Offset;
        async ValueTask<bool> KeepAsync()
        {
            var mark = await body.SaveAsync(CancellationToken.None).ConfigureAwait(false);
            (upload.Offset, upload.State, upload.HashState) = (mark.Offset, mark.State, body.SaveHash());
            var kept = await sessions.AdvanceAsync(upload, rowOffset, null, Durability.Relaxed, CancellationToken.None).ConfigureAwait(false);
            if (kept) rowOffset = upload.Offset;
            return kept;
        }
        bool fits;
        try
        {
            fits = await body.ReceiveAsync(request.Http.Request.BodyReader, options.MaxBlobBytes, async () => await KeepAsync().ConfigureAwait(false), ct).ConfigureAwait(false);
        }
        catch (Exception) when (body.Offset > rowOffset)
        {
            // The client comes back and goes on from here.
            await KeepAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            request.Facts.BytesReceived += body.Offset - before;
        }
        if (!fits)
        {
            await commit.GiveUpAsync(upload, default).ConfigureAwait(false);
            await request.FailAsync(OciError.TooLarge, $"a blob may have {options.MaxBlobBytes} bytes").ConfigureAwait(false);
            return false;
        }
        // A chunk that came without Content-Length is held against its Content-Range here; what it brought is cut off by the next one.
        if (ByteRanges.TryParseContentRange(request.Http.Request.Headers.ContentRange.ToString(), out var range) && range.Last + 1 != body.Offset)
        {
            await request.FailAsync(OciError.SizeInvalid, $"Content-Range names {range.Length} bytes, {body.Offset - before} came").ConfigureAwait(false);
            return false;
        }
        if (await KeepAsync().ConfigureAwait(false)) return true;
        await request.FailAsync(OciError.BlobUploadUnknown, "the upload was moved or ended by another request").ConfigureAwait(false);
        return false;
    }

    // Takes in the last bytes without keeping a state. False when an error was answered.
    private async Task<bool> ReceiveLastAsync(RegistryRequest request, UploadBody body, CancellationToken ct)
    {
        AllowAnySize(request);
        var before = body.Offset;
        var fits = await body.ReceiveAsync(request.Http.Request.BodyReader, options.MaxBlobBytes, null, ct).ConfigureAwait(false);
        request.Facts.BytesReceived += body.Offset - before;
        if (!fits) await request.FailAsync(OciError.TooLarge, $"a blob may have {options.MaxBlobBytes} bytes").ConfigureAwait(false);
        return fits;
    }

    private string StoreFor(RegistryRequest request) => stores.NameFor(ProjectName.Of(request.Repository));

    private static void AllowAnySize(RegistryRequest request)
    {
        if (request.Http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
    }

    // ---- sessions ----

    private async ValueTask<ActiveUploads.Turn?> TakeTurnAsync(RegistryRequest request, string id)
    {
        var turn = await active.EnterAsync(id, request.Aborted).ConfigureAwait(false);
        if (turn is null) await request.FailAsync(OciError.TooManyRequests, "another request is writing to this upload").ConfigureAwait(false);
        return turn;
    }

    private async ValueTask<UploadSession?> FindAsync(RegistryRequest request, string id)
    {
        var upload = IsId(id) ? await sessions.FindAsync(id, request.Repository, request.Caller.Id, request.Aborted).ConfigureAwait(false) : null;
        if (upload is null) await request.FailAsync(OciError.BlobUploadUnknown).ConfigureAwait(false);
        return upload;
    }

    // A chunk must start where the upload stands and be as long as it says.
    private async ValueTask<bool> CheckRangeAsync(RegistryRequest request, UploadSession upload)
    {
        var header = request.Http.Request.Headers.ContentRange.ToString();
        if (header.Length == 0) return true;
        if (!ByteRanges.TryParseContentRange(header, out var range))
        {
            await request.FailAsync(OciError.BlobUploadInvalid, $"cannot read Content-Range {header}").ConfigureAwait(false);
            return false;
        }
        if (range.First != upload.Offset)
        {
            Describe(request, upload);
            await request.FailAsync(OciError.RangeInvalid, $"the upload stands at {upload.Offset}").ConfigureAwait(false);
            return false;
        }
        if (request.Http.Request.ContentLength is { } length && length != range.Length)
        {
            await request.FailAsync(OciError.SizeInvalid, $"Content-Range names {range.Length} bytes, Content-Length {length}").ConfigureAwait(false);
            return false;
        }
        return true;
    }

    private void Describe(RegistryRequest request, UploadSession upload)
    {
        var headers = request.Http.Response.Headers;
        headers.Location = request.Link(http, $"{request.Repository}/blobs/uploads/{upload.Id}");
        headers.Range = $"0-{Math.Max(0, upload.Offset - 1)}";
        headers["Docker-Upload-UUID"] = upload.Id;
    }

    private void Created(RegistryRequest request, Digest digest)
    {
        var headers = request.Http.Response.Headers;
        headers.Location = request.Link(http, $"{request.Repository}/blobs/{digest}");
        headers["Docker-Content-Digest"] = digest.Value;
        request.Http.Response.StatusCode = 201;
        request.Http.Response.ContentLength = 0;
    }

    private static bool IsId(string id) => id.Length == 32 && id.All(char.IsAsciiHexDigitLower);

    private static readonly Statement SelectHolders = new("""
        SELECT r.name FROM blobs b
        JOIN repository_blobs l ON l.blob_id = b.id
        JOIN repositories r ON r.id = l.repository_id
        WHERE b.digest = @0 LIMIT @1
        """);
}
