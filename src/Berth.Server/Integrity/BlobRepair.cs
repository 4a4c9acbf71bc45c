using Berth.Blobs;
using Berth.Blobs.Encryption;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Integrity;

/// <summary>
/// Heals quarantined blobs: where their bytes are right again (a folder that was not mounted), where another configured store has the same content under its
/// digest, and where a move or a push has let go of a copy that is not removed yet. <see cref="Fsck"/> also finds copies that no row names. A push of the content heals
/// a blob by itself.
/// </summary>
internal sealed class BlobRepair(Database database, BlobStores stores, BlobCopy copy, Quarantine quarantine, ScrubCounters counters, ILogger<BlobRepair> logger)
{
    private const int PageSize = 100;

    /// <summary>Tries all that are quarantined; how many were healed.</summary>
    public async Task<int> RunAsync(Pace pace, CancellationToken ct)
    {
        var healed = 0;
        for (var after = 0L; await RecordedBlob.NextQuarantinedAsync(database, after, PageSize, ct).ConfigureAwait(false) is { Count: > 0 } page; after = page[^1].Id)
        {
            foreach (var blob in page)
            {
                if (await TryAsync(blob, pace, ct).ConfigureAwait(false)) healed++;
            }
        }
        return healed;
    }

    /// <summary>Tries one that is quarantined.</summary>
    public async Task<bool> TryAsync(RecordedBlob blob, Pace pace, CancellationToken ct)
    {
        var isHealed = await TryInPlaceAsync(blob, pace, ct).ConfigureAwait(false);
        foreach (var place in isHealed ? [] : await OtherPlacesAsync(blob, ct).ConfigureAwait(false))
        {
            isHealed = await TryFromAsync(blob, place, pace, ct).ConfigureAwait(false);
            if (isHealed) break;
        }
        if (isHealed) counters.Healed();
        return isHealed;
    }

    /// <summary>Gives a quarantined blob an object that no row names, if that is its content. False when it is nobody's.</summary>
    /// <param name="at">Where the object lies.</param>
    /// <param name="content">What the store says of it.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<bool> AdoptAsync(BlobLocation at, StoredContent content, CancellationToken ct)
    {
        var wanted = await RecordedBlob.QuarantinedOfSizeAsync(database, content.Size, ct).ConfigureAwait(false);
        if (content.Key is null) wanted.RemoveAll(blob => blob.Digest != content.Digest);
        foreach (var algorithm in wanted.Select(blob => blob.Digest.Algorithm).Distinct().ToList())
        {
            if (await DigestAsync(at, content, algorithm, ct).ConfigureAwait(false) is not { } digest) return false;
            if (wanted.Find(blob => blob.Digest == digest) is not { } blob || !await quarantine.PointAsync(blob, at, ct).ConfigureAwait(false)) continue;
            counters.Healed();
            return true;
        }
        return false;
    }

    // Null when it cannot be read.
    private async Task<Digest?> DigestAsync(BlobLocation at, StoredContent content, DigestAlgorithm algorithm, CancellationToken ct)
    {
        try
        {
            using var reader = await stores.OpenReadAsync(at, content.Digest, 0, ct).ConfigureAwait(false);
            return reader is null ? null : await ContentCheck.HashAsync(reader, algorithm, Pace.Unlimited, null, ct).ConfigureAwait(false);
        }
        catch (DamagedContentException)
        {
            return null;
        }
    }

    private async ValueTask<List<BlobLocation>> OtherPlacesAsync(RecordedBlob blob, CancellationToken ct)
    {
        var places = stores.Names.Select(name => new BlobLocation(name, null)).ToHashSet();
        await database.ReadAsync((blob, places), static async (session, q, token) =>
        {
            await using var rows = await session.Command(SelectLetGo, q.blob.Digest.Value).ExecuteReaderAsync(token).ConfigureAwait(false);
            while (await rows.ReadAsync(token).ConfigureAwait(false)) q.places.Add(new BlobLocation(rows.GetString(0), rows.IsDBNull(1) ? null : rows.GetString(1)));
            return true;
        }, ct).ConfigureAwait(false);
        return [.. places.Where(place => place != blob.Location && stores.Has(place.Store))];
    }

    private async Task<bool> TryInPlaceAsync(RecordedBlob blob, Pace pace, CancellationToken ct)
    {
        try
        {
            return await ContentCheck.RunAsync(stores, blob, pace, ct).ConfigureAwait(false) == BlobHealth.Good && await quarantine.RemoveAsync(blob, ct).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            logger.NotRepaired(e, blob.Digest.Value, blob.Location.Store);
            return false;
        }
    }

    private async Task<bool> TryFromAsync(RecordedBlob blob, BlobLocation from, Pace pace, CancellationToken ct)
    {
        try
        {
            using var source = await stores.OpenReadAsync(from, blob.Digest, 0, ct).ConfigureAwait(false);
            if (source is null || source.Length != blob.Size) return false;
            // To where it was; where that store is not in the settings any more, to the default one.
            var to = stores.Has(blob.Location.Store) ? blob.Location.Store : stores.Default;
            if (await copy.RunAsync(source, blob.Digest, to, pace, ct).ConfigureAwait(false) is not { } copied) return false;
            return await quarantine.ReplaceAsync(blob, copied, copy.LocationOf(copied, blob.Digest), from.Store, ct).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            logger.NotRepaired(e, blob.Digest.Value, from.Store);
            return false;
        }
    }

    private static readonly Statement SelectLetGo = new("SELECT store, key FROM blob_removals WHERE digest = @0 LIMIT 100");
}

internal static partial class BlobRepairLog
{
    [LoggerMessage(1821, LogLevel.Warning, "blob {Digest} was not repaired from the store {Store}, which failed")]
    public static partial void NotRepaired(this ILogger logger, Exception error, string digest, string store);
}
