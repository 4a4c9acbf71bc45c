using Berth.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Registry;

/// <summary>Content that the blob store holds, once for all repositories.</summary>
public sealed class Blob
{
    public long Id { get; set; }

    public required string Digest { get; set; }

    /// <summary>Size in bytes.</summary>
    public long Size { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Name of the store that has the bytes.</summary>
    public string Store { get; set; } = "";

    /// <summary>Key within the store; null where the digest says the path.</summary>
    public string? Key { get; set; }

    /// <summary>Unix milliseconds since when the bytes are known to be wrong or missing; null when they are not. The next push of the same content heals it.</summary>
    public long? QuarantinedAt { get; set; }
}

/// <summary>A repository holds a blob: only through such a link may it be used.</summary>
public sealed class RepositoryBlob
{
    public long RepositoryId { get; set; }

    public long BlobId { get; set; }

    /// <summary>Unix milliseconds of the last push or mount.</summary>
    public long LinkedAt { get; set; }
}

internal sealed class BlobMap : IEntityTypeConfiguration<Blob>
{
    public void Configure(EntityTypeBuilder<Blob> builder)
    {
        builder.ToTable("blobs");
        builder.Property(b => b.Id).HasColumnName("id");
        builder.Property(b => b.Digest).HasColumnName("digest").HasMaxLength(135);
        builder.Property(b => b.Size).HasColumnName("size");
        builder.Property(b => b.CreatedAt).HasColumnName("created_at");
        builder.Property(b => b.Store).HasColumnName("store").HasMaxLength(64).HasDefaultValue(BlobStores.DefaultName);
        builder.Property(b => b.Key).HasColumnName("key").HasMaxLength(160);
        builder.Property(b => b.QuarantinedAt).HasColumnName("quarantined_at");
        builder.HasIndex(b => b.Digest).IsUnique();
        builder.HasIndex(b => b.QuarantinedAt).HasFilter("quarantined_at IS NOT NULL");
    }
}

internal sealed class RepositoryBlobMap : IEntityTypeConfiguration<RepositoryBlob>
{
    public void Configure(EntityTypeBuilder<RepositoryBlob> builder)
    {
        builder.ToTable("repository_blobs");
        builder.HasKey(l => new { l.RepositoryId, l.BlobId });
        builder.Property(l => l.RepositoryId).HasColumnName("repository_id");
        builder.Property(l => l.BlobId).HasColumnName("blob_id");
        builder.Property(l => l.LinkedAt).HasColumnName("linked_at");
        builder.HasOne<Repository>().WithMany().HasForeignKey(l => l.RepositoryId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Blob>().WithMany().HasForeignKey(l => l.BlobId).OnDelete(DeleteBehavior.Restrict);
        builder.HasIndex(l => l.BlobId);
    }
}
