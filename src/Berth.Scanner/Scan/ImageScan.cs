using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Secrets;

namespace Berth.Scanner.Scan;

/// <summary>Reads what is in an image: each layer once, two at a time, or not at all when its inventory is known. May be used from many threads.</summary>
/// <param name="known">Inventories of layers that were read before; null to read all.</param>
/// <param name="limits">What a layer may cost.</param>
/// <param name="secrets">Looks for secrets; null leaves them out.</param>
public sealed class ImageScan(ILayerInventories? known, LayerLimits limits, SecretScanner? secrets = null)
{
    private const int LayersAtOnce = 2;
    private const int MaxLayers = 1000;

    private readonly LayerWalker walker = new(AnalyzerSet.All, limits, secrets);

    /// <summary>The inventories of the layers, the lowest first.</summary>
    /// <param name="image">The image.</param>
    /// <param name="progress">Told of each layer that is read or known already, with the number of those done; null for nobody.</param>
    /// <param name="ct">Ends the scan.</param>
    /// <exception cref="LayerRefusedException">A layer cannot be read or is not what the image says.</exception>
    /// <exception cref="ImageRefusedException">The image has too many layers.</exception>
    public async Task<IReadOnlyList<LayerInventory>> ReadAsync(ImageContent image, Action<ImageLayer, bool>? progress, CancellationToken ct)
    {
        if (image.Layers.Count > MaxLayers) throw new ImageRefusedException($"image has {image.Layers.Count} layers, up to {MaxLayers} are read");
        var found = new LayerInventory[image.Layers.Count];
        // The same layer may stand in an image twice; it is read once.
        var groups = image.Layers.Select((layer, at) => (Layer: layer, At: at)).GroupBy(one => one.Layer.DiffId.Length > 0 ? one.Layer.DiffId : one.Layer.Digest, StringComparer.Ordinal);
        var settings = new ParallelOptions { MaxDegreeOfParallelism = LayersAtOnce, CancellationToken = ct };
        await Parallel.ForEachAsync(groups, settings, async (group, token) =>
        {
            var layer = group.First().Layer;
            var (inventory, wasKnown) = await LayerAsync(layer, token);
            foreach (var (_, at) in group) found[at] = inventory;
            progress?.Invoke(layer, wasKnown);
        });
        return found;
    }

    /// <summary>What is in the image as a container would see it.</summary>
    public async Task<ImageInventory> InventoryAsync(ImageContent image, PackageSources sources, CancellationToken ct) =>
        ImageInventory.Join(await ReadAsync(image, null, ct), sources);

    private async Task<(LayerInventory Inventory, bool WasKnown)> LayerAsync(ImageLayer layer, CancellationToken ct)
    {
        var old = known is null || layer.DiffId.Length == 0 ? null : await known.FindAsync(layer.DiffId, ct);
        if (old is not null && (secrets is null || old.SecretRules == secrets.Id)) return (secrets is null ? old with { Secrets = [] } : old, true);
        var read = await walker.ReadAsync(layer.Open, ct);
        if (layer.DiffId.Length > 0 && read.DiffId != layer.DiffId) throw new LayerRefusedException($"layer {layer.Digest} unpacks to {read.DiffId}, the image says {layer.DiffId}");
        // An inventory without secrets does not take the place of one that has them.
        if (known is not null && (old is null || secrets is not null)) await known.StoreAsync(read, ct);
        return (read, false);
    }
}
