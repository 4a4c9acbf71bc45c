using Berth.Server.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning.Updates;

/// <summary>A database of advisories that all replicas may use; its bytes are a blob. The one that was used last is in force.</summary>
public sealed class AdvisoryRelease
{
    public long Id { get; set; }

    /// <summary>The blob with the database's file; the row keeps it.</summary>
    public long BlobId { get; set; }

    /// <summary>When the database was built, Unix milliseconds.</summary>
    public long BuiltAt { get; set; }

    /// <summary>When it came, Unix milliseconds.</summary>
    public long PublishedAt { get; set; }

    /// <summary>When it was put in force last, Unix milliseconds; the greatest wins.</summary>
    public long UsedAt { get; set; }

    /// <summary>Who brought it: a user's name, or that of the update.</summary>
    public required string Actor { get; set; }

    /// <summary>What the database says of itself (<see cref="Scanner.Advisories.Database.DatabaseMetadata"/>), JSON, without its buckets.</summary>
    public required string Metadata { get; set; }
}

internal sealed class AdvisoryReleaseMap : IEntityTypeConfiguration<AdvisoryRelease>
{
    public void Configure(EntityTypeBuilder<AdvisoryRelease> builder)
    {
        builder.ToTable("advisory_releases");
        builder.Property(r => r.Id).HasColumnName("id");
        builder.Property(r => r.BlobId).HasColumnName("blob_id");
        builder.Property(r => r.BuiltAt).HasColumnName("built_at");
        builder.Property(r => r.PublishedAt).HasColumnName("published_at");
        builder.Property(r => r.UsedAt).HasColumnName("used_at");
        builder.Property(r => r.Actor).HasColumnName("actor").HasMaxLength(255);
        builder.Property(r => r.Metadata).HasColumnName("metadata");
        builder.HasIndex(r => r.BlobId);
        // A store that lost the bytes loses the row with them.
        builder.HasOne<Blob>().WithMany().HasForeignKey(r => r.BlobId).OnDelete(DeleteBehavior.Cascade);
    }
}
