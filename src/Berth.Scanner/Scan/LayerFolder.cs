using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Scan;

/// <summary>Keeps inventories of layers as files of a folder, which several processes may share.</summary>
public sealed class LayerFolder(string folder) : ILayerInventories
{
    private const string Sha256 = "sha256:";

    /// <inheritdoc/>
    public async ValueTask<LayerInventory?> FindAsync(string diffId, CancellationToken ct)
    {
        if (PathOf(diffId) is not { } path || !File.Exists(path)) return null;
        try
        {
            return LayerInventoryJson.Read(await File.ReadAllBytesAsync(path, ct)) is { } layer && layer.DiffId == diffId ? layer : null;
        }
        catch (IOException)
        {
            // Another process may be replacing or clearing it; the layer itself can be read again.
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask StoreAsync(LayerInventory layer, CancellationToken ct)
    {
        if (PathOf(layer.DiffId) is not { } path) return;
        Directory.CreateDirectory(folder);
        var part = $"{path}.{Path.GetRandomFileName()}";
        try
        {
            await File.WriteAllBytesAsync(part, LayerInventoryJson.Write(layer), ct);
            File.Move(part, path, overwrite: true);
        }
        finally
        {
            File.Delete(part);
        }
    }

    // The diff id comes from a stranger's image: only a digest becomes a name.
    private string? PathOf(string diffId)
    {
        if (!diffId.StartsWith(Sha256, StringComparison.Ordinal) || diffId.Length != Sha256.Length + 64) return null;
        var hex = diffId[Sha256.Length..];
        return hex.All(char.IsAsciiHexDigitLower) ? Path.Combine(folder, hex + ".layer") : null;
    }
}
