using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Scan;
using Berth.Server.Platform.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning;

/// <summary>What was found in a layer, kept so that no image reads it again.</summary>
public sealed class StoredLayer
{
    /// <summary>Digest of the uncompressed layer, as it was read.</summary>
    public required string DiffId { get; set; }

    /// <summary>The inventory (<see cref="LayerInventoryJson"/>).</summary>
    public required byte[] Content { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long StoredAt { get; set; }
}

internal sealed class StoredLayerMap : IEntityTypeConfiguration<StoredLayer>
{
    public void Configure(EntityTypeBuilder<StoredLayer> builder)
    {
        builder.ToTable("layer_inventories");
        builder.HasKey(l => l.DiffId);
        builder.Property(l => l.DiffId).HasColumnName("diff_id").HasMaxLength(160);
        builder.Property(l => l.Content).HasColumnName("content");
        builder.Property(l => l.StoredAt).HasColumnName("stored_at");
    }
}

/// <summary>The inventories of layers in the database, for all replicas.</summary>
internal sealed class LayerInventories(Database database, TimeProvider time) : ILayerInventories
{
    /// <inheritdoc/>
    public async ValueTask<LayerInventory?> FindAsync(string diffId, CancellationToken ct)
    {
        var stored = await database.ReadAsync(diffId, static async ValueTask<byte[]?> (session, id, token) =>
        {
            await using var row = await session.Command(Select, id).ExecuteReaderAsync(token).ConfigureAwait(false);
            return await row.ReadAsync(token).ConfigureAwait(false) ? row.GetFieldValue<byte[]>(0) : null;
        }, ct).ConfigureAwait(false);
        return stored is not null && LayerInventoryJson.Read(stored) is { } layer && layer.DiffId == diffId ? layer : null;
    }

    /// <inheritdoc/>
    public async ValueTask StoreAsync(LayerInventory layer, CancellationToken ct)
    {
        var content = LayerInventoryJson.Write(layer);
        // Lost in a power cut, it is read again.
        await database.WriteAsync(Durability.Relaxed, async (session, token) =>
            await session.ExecuteAsync(Upsert, [layer.DiffId, content, time.GetUtcNow().ToUnixTimeMilliseconds()], token).ConfigureAwait(false) > 0, ct).ConfigureAwait(false);
    }

    private static readonly Statement Select = new("SELECT content FROM layer_inventories WHERE diff_id = @0");

    private static readonly Statement Upsert = new("""
        INSERT INTO layer_inventories (diff_id, content, stored_at) VALUES (@0, @1, @2)
        ON CONFLICT (diff_id) DO UPDATE SET content = excluded.content, stored_at = excluded.stored_at
        """);
}
