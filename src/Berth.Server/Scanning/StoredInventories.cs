using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Scan;

namespace Berth.Server.Scanning;

/// <summary>What is in an image, from the inventories of its layers alone: nothing of the image but its configuration is read.</summary>
internal sealed class StoredInventories(StoredImages images, LayerInventories layers)
{
    /// <summary>The image and what is in it; null when it is gone, is no image, or has a layer that no scan has read.</summary>
    public async Task<(ImageContent Image, ImageInventory Inventory)?> FindAsync(long manifestId, CancellationToken ct)
    {
        if (await images.FindAsync(manifestId, ct).ConfigureAwait(false) is not { } target) return null;
        ImageContent image;
        try
        {
            image = await images.OpenAsync(target, ct).ConfigureAwait(false);
        }
        catch (ImageRefusedException)
        {
            // What cannot be scanned has no inventory; the scan says why.
            return null;
        }
        var known = await layers.FindAsync([.. image.Layers.Select(static layer => layer.DiffId).Distinct(StringComparer.Ordinal)], ct).ConfigureAwait(false);
        var read = new List<LayerInventory>(image.Layers.Count);
        foreach (var layer in image.Layers)
        {
            if (!known.TryGetValue(layer.DiffId, out var inventory)) return null;
            read.Add(inventory);
        }
        return (image, ImageInventory.Join(read, PackageSources.WithoutLocks));
    }
}
