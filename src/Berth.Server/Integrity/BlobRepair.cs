using Berth.Blobs;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Integrity;

/// <summary>
/// Heals quarantined blobs: where their bytes are right again (a folder that was not mounted), and where another configured store has the same content under its
/// digest. A push of the content heals a blob by itself.
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
        foreach (var store in isHealed ? [] : stores.Names.Where(name => name != blob.Location.Store || blob.Location.Key is not null))
        {
            isHealed = await TryFromAsync(blob, store, pace, ct).ConfigureAwait(false);
            if (isHealed) break;
        }
        if (isHealed) counters.Healed();
        return isHealed;
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

    private async Task<bool> TryFromAsync(RecordedBlob blob, string from, Pace pace, CancellationToken ct)
    {
        try
        {
            using var source = await stores[from].OpenReadAsync(new BlobPlace(blob.Digest, null), 0, ct).ConfigureAwait(false);
            if (source is null || source.Length != blob.Size) return false;
            // To where it was; where that store is not in the settings any more, to the default one.
            var to = stores.Has(blob.Location.Store) ? blob.Location.Store : stores.Default;
            if (await copy.RunAsync(source, blob.Digest, to, pace, ct).ConfigureAwait(false) is not { } copied) return false;
            return await quarantine.ReplaceAsync(blob, copied, copy.LocationOf(copied, blob.Digest), from, ct).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            logger.NotRepaired(e, blob.Digest.Value, from);
            return false;
        }
    }
}

internal static partial class BlobRepairLog
{
    [LoggerMessage(1821, LogLevel.Warning, "blob {Digest} was not repaired from the store {Store}, which failed")]
    public static partial void NotRepaired(this ILogger logger, Exception error, string digest, string store);
}
