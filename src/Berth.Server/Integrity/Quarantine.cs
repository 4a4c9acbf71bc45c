using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Storage;
using Berth.Server.Registry;

namespace Berth.Server.Integrity;

/// <summary>
/// Takes blobs whose bytes are wrong or missing out of service, and back in. Every replica forgets what it remembers of blobs; the event goes with the change.
/// </summary>
internal sealed class Quarantine(Database database, DomainEvents events, TimeProvider time)
{
    private const string ResourceType = "blob";

    /// <summary>Takes a blob out of service; false when its row says something else by now.</summary>
    public Task<bool> AddAsync(RecordedBlob blob, BlobHealth health, CancellationToken ct) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (await session.ExecuteAsync(Put, [blob.Id, blob.Location.Store, blob.Location.Key, now], token).ConfigureAwait(false) == 0) return false;
            var what = health == BlobHealth.Missing ? "its bytes are missing" : "its bytes are not those of its digest";
            await ToldAsync(session, "quarantine", blob, $"blob {blob.Digest} is quarantined: {what} in the store {blob.Location.Store}", token).ConfigureAwait(false);
            return true;
        }, ct);

    /// <summary>Puts a blob back into service where it lies; false when its row says something else by now.</summary>
    public Task<bool> RemoveAsync(RecordedBlob blob, CancellationToken ct) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ExecuteAsync(Heal, [blob.Id, blob.Location.Store, blob.Location.Key, blob.Location.Store, blob.Location.Key], token).ConfigureAwait(false) == 0) return false;
            await ToldAsync(session, "heal", blob, $"blob {blob.Digest} is healed: its bytes in the store {blob.Location.Store} are right", token).ConfigureAwait(false);
            return true;
        }, ct);

    /// <summary>Puts a blob back into service with the copy that an upload holds (<see cref="BlobCopy"/>); its old bytes are let go of.</summary>
    public Task<bool> ReplaceAsync(RecordedBlob blob, UploadSession copy, BlobLocation at, string from, CancellationToken ct) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await Rows.LockDigestAsync(session, blob.Digest.Value, token).ConfigureAwait(false);
            if (!await UploadSessions.DeleteAsync(session, copy.Id, token).ConfigureAwait(false)) return false;
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var isHealed = await session.ExecuteAsync(Heal, [blob.Id, blob.Location.Store, blob.Location.Key, at.Store, at.Key], token).ConfigureAwait(false) == 1;
            if (at != blob.Location) await BlobRemovals.AddAsync(session, isHealed ? blob.Location : at, blob.Digest.Value, blob.Size, now, token).ConfigureAwait(false);
            if (isHealed) await ToldAsync(session, "heal", blob, $"blob {blob.Digest} is healed: copied from the store {from} to {at.Store}", token).ConfigureAwait(false);
            return isHealed;
        }, ct);

    /// <summary>Puts a blob back into service with an object that is its content and that no row names; its old bytes are let go of.</summary>
    public Task<bool> PointAsync(RecordedBlob blob, BlobLocation at, CancellationToken ct) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await Rows.LockDigestAsync(session, blob.Digest.Value, token).ConfigureAwait(false);
            if (await session.ExecuteAsync(Heal, [blob.Id, blob.Location.Store, blob.Location.Key, at.Store, at.Key], token).ConfigureAwait(false) == 0) return false;
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (at != blob.Location) await BlobRemovals.AddAsync(session, blob.Location, blob.Digest.Value, blob.Size, now, token).ConfigureAwait(false);
            await ToldAsync(session, "heal", blob, $"blob {blob.Digest} is healed: its bytes were found in the store {at.Store}", token).ConfigureAwait(false);
            return true;
        }, ct);

    private async ValueTask ToldAsync(DbSession session, string operation, RecordedBlob blob, string description, CancellationToken ct)
    {
        await session.AnnounceAsync(Topics.Repositories, "", ct).ConfigureAwait(false);
        await events.RaiseAsync(session, new DomainEvent
        {
            Operation = operation,
            ResourceType = ResourceType,
            Resource = blob.Digest.Value,
            Actor = EventActor.System,
            Description = description,
        }, ct).ConfigureAwait(false);
    }

    private const string AsRead = " WHERE id = @0 AND store = @1 AND key IS NOT DISTINCT FROM @2 AND quarantined_at IS ";

    private static readonly Statement Put = new("UPDATE blobs SET quarantined_at = @3" + AsRead + "NULL");
    private static readonly Statement Heal = new("UPDATE blobs SET store = @3, key = @4, quarantined_at = NULL" + AsRead + "NOT NULL");
}
