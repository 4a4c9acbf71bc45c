using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Registry;

/// <summary>A name that points to a manifest of its repository.</summary>
public sealed class Tag
{
    public long RepositoryId { get; set; }

    public required string Name { get; set; }

    public long ManifestId { get; set; }

    /// <summary>Unix milliseconds of the last move.</summary>
    public long UpdatedAt { get; set; }
}

/// <summary>One move of a tag: who, when, from where to where.</summary>
public sealed class TagHistory
{
    public long Id { get; set; }

    public long RepositoryId { get; set; }

    public required string Name { get; set; }

    /// <summary>Where the tag points now; null when it was deleted.</summary>
    public string? Digest { get; set; }

    /// <summary>Where it pointed before; null when it is new.</summary>
    public string? PreviousDigest { get; set; }

    /// <summary>Name of the caller.</summary>
    public required string Actor { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long At { get; set; }
}

internal sealed class TagMap : IEntityTypeConfiguration<Tag>
{
    public void Configure(EntityTypeBuilder<Tag> builder)
    {
        builder.ToTable("tags");
        builder.HasKey(t => new { t.RepositoryId, t.Name });
        builder.Property(t => t.RepositoryId).HasColumnName("repository_id");
        builder.Property(t => t.Name).HasColumnName("name").HasMaxLength(128);
        builder.Property(t => t.ManifestId).HasColumnName("manifest_id");
        builder.Property(t => t.UpdatedAt).HasColumnName("updated_at");
        builder.HasOne<Repository>().WithMany().HasForeignKey(t => t.RepositoryId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Manifest>().WithMany().HasForeignKey(t => t.ManifestId).OnDelete(DeleteBehavior.Restrict);
        builder.HasIndex(t => t.ManifestId);
    }
}

internal sealed class TagHistoryMap : IEntityTypeConfiguration<TagHistory>
{
    public void Configure(EntityTypeBuilder<TagHistory> builder)
    {
        builder.ToTable("tag_history");
        builder.Property(h => h.Id).HasColumnName("id");
        builder.Property(h => h.RepositoryId).HasColumnName("repository_id");
        builder.Property(h => h.Name).HasColumnName("name").HasMaxLength(128);
        builder.Property(h => h.Digest).HasColumnName("digest").HasMaxLength(135);
        builder.Property(h => h.PreviousDigest).HasColumnName("previous_digest").HasMaxLength(135);
        builder.Property(h => h.Actor).HasColumnName("actor");
        builder.Property(h => h.At).HasColumnName("at");
        builder.HasOne<Repository>().WithMany().HasForeignKey(h => h.RepositoryId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(h => new { h.RepositoryId, h.Name, h.Id });
    }
}
