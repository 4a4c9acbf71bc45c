using Berth.Server.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Trash;

/// <summary>
/// A deleted tag, or a deleted manifest that had none, until its window ends. While it is there, garbage collection takes the manifest for tagged. It names project and
/// repository without keys: what they belonged to may be gone.
/// </summary>
public sealed class TrashEntry
{
    public long Id { get; set; }

    public long ProjectId { get; set; }

    /// <summary>Full name of the repository, as it is called now or was at the end.</summary>
    public required string Repository { get; set; }

    public required string Digest { get; set; }

    /// <summary>Null for a manifest without one.</summary>
    public string? Tag { get; set; }

    /// <summary>Who deleted it.</summary>
    public required string Actor { get; set; }

    /// <summary>Unix milliseconds. What was deleted together has the same.</summary>
    public long DeletedAt { get; set; }

    /// <summary>Unix milliseconds from which it may go for good.</summary>
    public long PurgeAt { get; set; }
}

/// <summary>A deleted manifest with everything that brings it back byte for byte.</summary>
public sealed class TrashManifest
{
    public long Id { get; set; }

    public long ProjectId { get; set; }

    /// <summary>Full name of the repository.</summary>
    public required string Repository { get; set; }

    public required string Digest { get; set; }

    public required string MediaType { get; set; }

    public required byte[] Content { get; set; }

    /// <summary>Digest of the manifest that it is about.</summary>
    public string? Subject { get; set; }

    /// <summary>Size of the manifest with the blobs that it names, in bytes.</summary>
    public long TotalSize { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long PushedAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds; 0 for never.</summary>
    public long PulledAt { get; set; }

    public long PullCount { get; set; }

    /// <summary>Ids of its labels, JSON.</summary>
    public required string Labels { get; set; }
}

/// <summary>A blob that a manifest in the trash names: it stays.</summary>
public sealed class TrashBlob
{
    public long TrashManifestId { get; set; }

    public long BlobId { get; set; }
}

internal sealed class TrashEntryMap : IEntityTypeConfiguration<TrashEntry>
{
    public void Configure(EntityTypeBuilder<TrashEntry> builder)
    {
        builder.ToTable("trash_entries");
        builder.Property(e => e.Id).HasColumnName("id");
        builder.Property(e => e.ProjectId).HasColumnName("project_id");
        builder.Property(e => e.Repository).HasColumnName("repository").HasMaxLength(255);
        builder.Property(e => e.Digest).HasColumnName("digest").HasMaxLength(135);
        builder.Property(e => e.Tag).HasColumnName("tag").HasMaxLength(128);
        builder.Property(e => e.Actor).HasColumnName("actor");
        builder.Property(e => e.DeletedAt).HasColumnName("deleted_at");
        builder.Property(e => e.PurgeAt).HasColumnName("purge_at");
        builder.HasIndex(e => new { e.Repository, e.Digest });
        builder.HasIndex(e => new { e.ProjectId, e.Id });
        builder.HasIndex(e => e.PurgeAt);
    }
}

internal sealed class TrashManifestMap : IEntityTypeConfiguration<TrashManifest>
{
    public void Configure(EntityTypeBuilder<TrashManifest> builder)
    {
        builder.ToTable("trash_manifests");
        builder.Property(m => m.Id).HasColumnName("id");
        builder.Property(m => m.ProjectId).HasColumnName("project_id");
        builder.Property(m => m.Repository).HasColumnName("repository").HasMaxLength(255);
        builder.Property(m => m.Digest).HasColumnName("digest").HasMaxLength(135);
        builder.Property(m => m.MediaType).HasColumnName("media_type").HasMaxLength(255);
        builder.Property(m => m.Content).HasColumnName("content");
        builder.Property(m => m.Subject).HasColumnName("subject").HasMaxLength(135);
        builder.Property(m => m.TotalSize).HasColumnName("total_size");
        builder.Property(m => m.PushedAt).HasColumnName("pushed_at");
        builder.Property(m => m.CreatedAt).HasColumnName("created_at");
        builder.Property(m => m.PulledAt).HasColumnName("pulled_at");
        builder.Property(m => m.PullCount).HasColumnName("pull_count");
        builder.Property(m => m.Labels).HasColumnName("labels");
        builder.HasIndex(m => new { m.Repository, m.Digest }).IsUnique();
        builder.HasIndex(m => new { m.Repository, m.Subject }).HasFilter("subject IS NOT NULL");
    }
}

internal sealed class TrashBlobMap : IEntityTypeConfiguration<TrashBlob>
{
    public void Configure(EntityTypeBuilder<TrashBlob> builder)
    {
        builder.ToTable("trash_blobs");
        builder.HasKey(b => new { b.TrashManifestId, b.BlobId });
        builder.Property(b => b.TrashManifestId).HasColumnName("trash_manifest_id");
        builder.Property(b => b.BlobId).HasColumnName("blob_id");
        builder.HasOne<TrashManifest>().WithMany().HasForeignKey(b => b.TrashManifestId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Blob>().WithMany().HasForeignKey(b => b.BlobId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(b => b.BlobId);
    }
}
