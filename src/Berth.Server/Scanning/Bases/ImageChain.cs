using Berth.Server.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning.Bases;

/// <summary>An image begins with a sequence of layers: one row for each of its lengths, so that images with a common beginning are found by one key.</summary>
public sealed class ImageChain
{
    public long ManifestId { get; set; }

    /// <summary>How many layers; 0 in the one row of an image whose layers nobody can tell.</summary>
    public int Layers { get; set; }

    /// <summary>The sequence (<see cref="ChainIds"/>); empty with 0 layers.</summary>
    public required string ChainId { get; set; }

    /// <summary>Whether these are all layers of the image.</summary>
    public bool IsWhole { get; set; }
}

internal sealed class ImageChainMap : IEntityTypeConfiguration<ImageChain>
{
    public void Configure(EntityTypeBuilder<ImageChain> builder)
    {
        builder.ToTable("image_chains");
        builder.HasKey(c => new { c.ManifestId, c.Layers });
        builder.Property(c => c.ManifestId).HasColumnName("manifest_id");
        builder.Property(c => c.Layers).HasColumnName("layers");
        builder.Property(c => c.ChainId).HasColumnName("chain_id").HasMaxLength(160);
        builder.Property(c => c.IsWhole).HasColumnName("is_whole");
        builder.HasOne<Manifest>().WithMany().HasForeignKey(c => c.ManifestId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(c => new { c.ChainId, c.IsWhole });
    }
}
