using System.Buffers;
using Berth.Blobs;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Berth.Server.Registry;

namespace Berth.Server.Integrity;

/// <summary>
/// Copies content into a store, hashed as it passes. The copy is an upload with a row, as one of a client is: killed anywhere, <see cref="UploadJanitor"/> finds it.
/// 1. the row, 2. the bytes, and how far they are each 64 MiB, 3. the intent to commit, when the digest is right, 4. the commit. The caller ends the row
/// (<see cref="UploadSessions.DeleteAsync(Platform.Data.DbSession, string, CancellationToken)"/>) in the transaction that names the copy's place.
/// </summary>
internal sealed class BlobCopy(BlobStores stores, UploadSessions sessions, RegistryOptions options)
{
    private const string Owner = "system:copy";
    private const long SaveEvery = 64 << 20;

    /// <summary>Copies; null, and nothing is left, when the bytes are not those of the digest.</summary>
    public async Task<UploadSession?> RunAsync(IBlobReader source, Digest digest, string to, Pace pace, CancellationToken ct)
    {
        // 1.
        var upload = await sessions.StartAsync("", Owner, to, digest.Algorithm, int.MaxValue, ct).ConfigureAwait(false)
            ?? throw new InvalidOperationException("a copy was not begun");
        try
        {
            if (await CopyAsync(source, upload, digest, pace, ct).ConfigureAwait(false)) return upload;
        }
        catch
        {
            await GiveUpAsync(upload, digest).ConfigureAwait(false);
            throw;
        }
        await GiveUpAsync(upload, digest).ConfigureAwait(false);
        return null;
    }

    /// <summary>Where a copy lies.</summary>
    public BlobLocation LocationOf(UploadSession copy, Digest digest) => copy.LocationIn(stores, digest);

    /// <summary>Lets go of a copy that is not needed.</summary>
    public async Task GiveUpAsync(UploadSession copy, Digest digest)
    {
        var at = LocationOf(copy, digest);
        if (at.Key is not null)
        {
            // A write that was cut off may be carried out yet.
            var after = copy.CommittingDigest is null ? TimeSpan.Zero : options.CommitPatience;
            await sessions.GiveUpAsync(copy, at, after, CancellationToken.None).ConfigureAwait(false);
            return;
        }
        await sessions.DeleteAsync(copy.Id, CancellationToken.None).ConfigureAwait(false);
        await stores[copy.Store].DeleteUploadAsync(copy.Id, copy.State, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task<bool> CopyAsync(IBlobReader source, UploadSession upload, Digest digest, Pace pace, CancellationToken ct)
    {
        await using var appender = await stores[upload.Store].OpenUploadAsync(upload.Mark, ct).ConfigureAwait(false);
        // 2.
        var actual = await ContentCheck.HashAsync(source, digest.Algorithm, pace, async bytes =>
        {
            await appender.AppendAsync(new ReadOnlySequence<byte>(bytes), ct).ConfigureAwait(false);
            if (appender.Offset - upload.Offset >= SaveEvery) await AdvanceAsync(upload, await appender.SaveAsync(ct).ConfigureAwait(false), null, ct).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
        if (actual != digest) return false;
        // 3. From here on it is carried through.
        upload.TryIntend(stores, digest);
        await AdvanceAsync(upload, appender.Saved, digest.Value, CancellationToken.None).ConfigureAwait(false);
        // 4.
        await appender.CommitAsync(digest, CancellationToken.None).ConfigureAwait(false);
        return true;
    }

    private async Task AdvanceAsync(UploadSession upload, UploadMark saved, string? committing, CancellationToken ct)
    {
        var from = upload.Offset;
        if (saved.Offset > from) (upload.Offset, upload.State) = (saved.Offset, saved.State);
        upload.CommittingDigest = committing ?? upload.CommittingDigest;
        // Before a commit the row must be on disk: in a bucket nothing else finds the object.
        var durability = committing is null ? Durability.Relaxed : Durability.Full;
        if (!await sessions.AdvanceAsync(upload, from, committing, durability, ct).ConfigureAwait(false)) throw new IOException($"the row of copy {upload.Id} is gone");
    }
}
