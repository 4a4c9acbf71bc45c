using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Berth.Scanner.Inventory.Layers;

/// <summary>The stored form of a <see cref="LayerInventory"/>: JSON in Brotli.</summary>
public static class LayerInventoryJson
{
    private const int MaxBytes = 512 << 20;

    /// <summary>Bytes to keep under the diff id.</summary>
    public static byte[] Write(LayerInventory layer)
    {
        using var buffer = new MemoryStream();
        using (var brotli = new BrotliStream(buffer, CompressionLevel.Fastest)) JsonSerializer.Serialize(brotli, layer, LayerInventoryContext.Default.LayerInventory);
        return buffer.ToArray();
    }

    /// <summary>The inventory, or null when it is damaged or was written in another <see cref="LayerInventory.Format"/>: then the layer is read again.</summary>
    public static LayerInventory? Read(ReadOnlyMemory<byte> stored)
    {
        try
        {
            using var brotli = new BrotliStream(new MemoryStream(stored.ToArray(), writable: false), CompressionMode.Decompress);
            using var counted = new CountedStream(brotli, null, count =>
            {
                if (count > MaxBytes) throw new InvalidDataException("stored inventory is too large");
            });
            var layer = JsonSerializer.Deserialize(counted, LayerInventoryContext.Default.LayerInventory);
            return layer?.Format == LayerInventory.CurrentFormat ? layer : null;
        }
        catch (Exception e) when (e is JsonException or InvalidDataException or InvalidOperationException or IOException)
        {
            // The cache is not the truth: whatever is wrong with an entry, the layer itself can be read again.
            return null;
        }
    }
}

/// <summary>Generated reading and writing.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, UseStringEnumConverter = true)]
[JsonSerializable(typeof(LayerInventory))]
internal sealed partial class LayerInventoryContext : JsonSerializerContext;
