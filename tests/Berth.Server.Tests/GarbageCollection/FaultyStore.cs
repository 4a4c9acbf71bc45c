using Berth.Blobs;
using Berth.Server.Tests.Platform.Storage;

namespace Berth.Server.Tests.GarbageCollection;

/// <summary>A store that fails once, before or after a given removal, as a killed process would leave it.</summary>
internal sealed class FaultyStore(IBlobStore store, int failAt, bool isRemovedFirst) : StoreWrapper(store)
{
    private int _removals;

    public override async ValueTask DeleteAsync(BlobPlace place, CancellationToken ct)
    {
        var isDue = ++_removals == failAt;
        if (isDue && !isRemovedFirst) throw new IOException("the store was cut off");
        await base.DeleteAsync(place, ct);
        if (isDue) throw new IOException("the store was cut off");
    }
}
