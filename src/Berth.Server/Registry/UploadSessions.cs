using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;

namespace Berth.Server.Registry;

/// <summary>Rows of upload sessions. Writes are relaxed but for the last, which makes the blob, and the one before it where nothing but the row says where the bytes are: they are promised by the blob's commit alone.</summary>
internal sealed class UploadSessions(Database database, TimeProvider time)
{
    /// <summary>Starts a session; null when the caller has too many open.</summary>
    public Task<UploadSession?> StartAsync(string repository, string owner, string store, DigestAlgorithm algorithm, int maxPerOwner, CancellationToken ct)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var upload = new UploadSession
        {
            Id = NewId(),
            Repository = repository,
            Owner = owner,
            Algorithm = algorithm.Name,
            Store = store,
            StartedAt = now,
            UpdatedAt = now,
        };
        return database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            if (await session.ScalarAsync(CountOfOwner, [owner, maxPerOwner], token).ConfigureAwait(false) >= maxPerOwner) return null;
            await session.ExecuteAsync(Insert, [upload.Id, repository, owner, upload.Algorithm, null, 0L, now, store, null], token).ConfigureAwait(false);
            return upload;
        }, ct);
    }

    /// <summary>Records a session that no client knows of and that is about to be committed.</summary>
    public Task<bool> StartCommittingAsync(UploadSession upload, Digest digest, Durability durability, CancellationToken ct) =>
        database.WriteAsync(durability, async (session, token) =>
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            await Rows.LockDigestAsync(session, digest.Value, token).ConfigureAwait(false);
            await session.ExecuteAsync(Insert, [upload.Id, upload.Repository, upload.Owner, upload.Algorithm, digest.Value, upload.Offset, now, upload.Store, upload.CommittingKey], token).ConfigureAwait(false);
            return true;
        }, ct);

    /// <summary>A session of this repository and owner; null when there is none, which is also the answer to somebody else.</summary>
    public ValueTask<UploadSession?> FindAsync(string id, string repository, string owner, CancellationToken ct) =>
        database.ReadAsync((id, repository, owner), static async (session, q, token) =>
        {
            await using var reader = await session.Command(Select, q.id, q.repository, q.owner).ExecuteReaderAsync(token).ConfigureAwait(false);
            if (!await reader.ReadAsync(token).ConfigureAwait(false)) return null;
            return new UploadSession
            {
                Id = q.id,
                Repository = q.repository,
                Owner = q.owner,
                Offset = reader.GetInt64(0),
                Algorithm = reader.GetString(1),
                HashState = reader.IsDBNull(2) ? null : reader.GetFieldValue<byte[]>(2),
                CommittingDigest = reader.IsDBNull(3) ? null : reader.GetString(3),
                StartedAt = reader.GetInt64(4),
                UpdatedAt = reader.GetInt64(5),
                Store = reader.GetString(6),
                State = reader.IsDBNull(7) ? null : reader.GetString(7),
                CommittingKey = reader.IsDBNull(8) ? null : reader.GetString(8),
            };
        }, ct);

    /// <summary>
    /// Moves a session forward from the offset that the caller started at. False when another request has moved it, or it is gone. A commit
    /// that was begun stays in the row: its bytes may have their content name (<see cref="UploadSession.TryIntend"/>).
    /// </summary>
    public Task<bool> AdvanceAsync(UploadSession upload, long fromOffset, string? committingDigest, Durability durability, CancellationToken ct) =>
        database.WriteAsync(durability, async (session, token) =>
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (committingDigest is not null) await Rows.LockDigestAsync(session, committingDigest, token).ConfigureAwait(false);
            return await session.ExecuteAsync(Advance, [upload.Id, fromOffset, upload.Offset, upload.HashState, committingDigest, now, upload.State, committingDigest is null ? null : upload.CommittingKey], token).ConfigureAwait(false) == 1;
        }, ct);

    /// <summary>
    /// Ends a session without a blob; false when it is gone already. Where a commit was begun, the row stays for the janitor, who removes the bytes
    /// that may have their content name; no client finds it any more.
    /// </summary>
    public Task<bool> DeleteAsync(string id, CancellationToken ct) =>
        database.WriteAsync(Durability.Relaxed, async (session, token) =>
            await session.ExecuteAsync(DeleteUncommitted, [id], token).ConfigureAwait(false) == 1
            || await session.ExecuteAsync(Abandon, [id], token).ConfigureAwait(false) == 1, ct);

    /// <summary>
    /// Ends a session without a blob, where the bytes lie under a key of their own: what is left of them is removed by garbage collection, whatever happens
    /// to this process. False when it is gone already.
    /// </summary>
    /// <param name="upload">The session.</param>
    /// <param name="location">Where its bytes may be.</param>
    /// <param name="after">How long the store may still be at a write that was given up.</param>
    /// <param name="ct">Cancels it.</param>
    public Task<bool> GiveUpAsync(UploadSession upload, BlobLocation location, TimeSpan after, CancellationToken ct) =>
        database.WriteAsync(Durability.Relaxed, async (session, token) =>
        {
            if (!await DeleteAsync(session, upload.Id, token).ConfigureAwait(false)) return false;
            var now = time.GetUtcNow();
            await BlobRemovals.AddUploadAsync(session, location, upload, now.ToUnixTimeMilliseconds(), (now + after).ToUnixTimeMilliseconds(), token).ConfigureAwait(false);
            return true;
        }, ct);

    /// <summary>Ends a session within a transaction; false when it is gone already.</summary>
    public static async ValueTask<bool> DeleteAsync(DbSession session, string id, CancellationToken ct) =>
        await session.ExecuteAsync(DeleteOne, [id], ct).ConfigureAwait(false) == 1;

    /// <summary>A new session id: 128 random bits as hexadecimal digits.</summary>
    public static string NewId() => System.Security.Cryptography.RandomNumberGenerator.GetHexString(32, lowercase: true);

    private static readonly Statement CountOfOwner = new("SELECT count(*) FROM (SELECT 1 FROM uploads WHERE owner = @0 LIMIT @1) AS u");

    private static readonly Statement Insert = new("""
        INSERT INTO uploads (id, repository, owner, algorithm, committing_digest, byte_offset, started_at, updated_at, store, committing_key)
        VALUES (@0, @1, @2, @3, @4, @5, @6, @6, @7, @8)
        """);

    private static readonly Statement Select = new("""
        SELECT byte_offset, algorithm, hash_state, committing_digest, started_at, updated_at, store, state, committing_key FROM uploads WHERE id = @0 AND repository = @1 AND owner = @2
        """);

    private static readonly Statement Advance = new("""
        UPDATE uploads SET byte_offset = @2, hash_state = @3, committing_digest = coalesce(@4, committing_digest), updated_at = @5, state = @6,
            committing_key = coalesce(@7, committing_key)
        WHERE id = @0 AND byte_offset = @1
        """);

    private static readonly Statement DeleteUncommitted = new("DELETE FROM uploads WHERE id = @0 AND committing_digest IS NULL");

    private static readonly Statement Abandon = new("UPDATE uploads SET repository = '', owner = '', updated_at = 0 WHERE id = @0");

    private static readonly Statement DeleteOne = new("DELETE FROM uploads WHERE id = @0");
}
