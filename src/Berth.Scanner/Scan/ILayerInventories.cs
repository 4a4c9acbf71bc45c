using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Scan;

/// <summary>Where inventories of layers are kept, so that a layer that images share is read once. It is a memory, not the truth: what is lost is read again.</summary>
public interface ILayerInventories
{
    /// <summary>The inventory of a layer in the current format; null when there is none.</summary>
    ValueTask<LayerInventory?> FindAsync(string diffId, CancellationToken ct);

    /// <summary>Keeps an inventory under its diff id, in the place of an older one.</summary>
    ValueTask StoreAsync(LayerInventory layer, CancellationToken ct);
}
