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

    /// <summary>What nobody may do with it, whatever their rights.</summary>
    public TagLocks Locks { get; set; }

    /// <summary>Unix milliseconds of the last pull by this name; null before the first.</summary>
    public long? PulledAt { get; set; }

    /// <summary>Unix milliseconds from which it is not there any more; null for one that stays.</summary>
    public long? ExpiresAt { get; set; }

    /// <summary>Its end has been announced.</summary>
    public bool IsExpiryTold { get; set; }
}

/// <summary>What a lock of a tag forbids. Numbers are stored: they only grow.</summary>
[Flags]
public enum TagLocks
{
    None = 0,

    /// <summary>Pulling by the tag.</summary>
    Read = 1,

    /// <summary>Moving the tag.</summary>
    Write = 2,

    /// <summary>Deleting the tag, or the manifest that it points to.</summary>
    Delete = 4,

    /// <summary>Showing the tag in lists.</summary>
    List = 8,
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

    /// <summary>Address that the request came from; empty for the server itself.</summary>
    public string Address { get; set; } = "";

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
        builder.Property(t => t.Locks).HasColumnName("locks");
        builder.Property(t => t.PulledAt).HasColumnName("pulled_at");
        builder.Property(t => t.ExpiresAt).HasColumnName("expires_at");
        builder.Property(t => t.IsExpiryTold).HasColumnName("is_expiry_told").HasDefaultValue(false);
        builder.HasOne<Repository>().WithMany().HasForeignKey(t => t.RepositoryId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Manifest>().WithMany().HasForeignKey(t => t.ManifestId).OnDelete(DeleteBehavior.Restrict);
        builder.HasIndex(t => t.ManifestId);
        builder.HasIndex(t => t.Name);
        builder.HasIndex(t => t.ExpiresAt).HasFilter("expires_at IS NOT NULL");
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
        builder.Property(h => h.Address).HasColumnName("address").HasMaxLength(64);
        builder.Property(h => h.At).HasColumnName("at");
        builder.HasOne<Repository>().WithMany().HasForeignKey(h => h.RepositoryId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(h => new { h.RepositoryId, h.Name, h.Id });
        builder.HasIndex(h => new { h.RepositoryId, h.Id });
    }
}
