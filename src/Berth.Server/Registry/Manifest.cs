using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Registry;

/// <summary>A manifest or index in a repository, with the exact bytes that were pushed.</summary>
public sealed class Manifest
{
    public long Id { get; set; }

    public long RepositoryId { get; set; }

    public required string Digest { get; set; }

    public required string MediaType { get; set; }

    /// <summary>Type shown in referrers lists: artifactType, else the configuration's media type.</summary>
    public string? ArtifactType { get; set; }

    /// <summary>Digest of the manifest that this one is about; it need not exist.</summary>
    public string? Subject { get; set; }

    /// <summary>Annotations as JSON, kept beside the bytes for lists of referrers and artifacts; null without any.</summary>
    public string? Annotations { get; set; }

    /// <summary>Unix milliseconds of the last push.</summary>
    public long PushedAt { get; set; }

    /// <summary>Size in bytes.</summary>
    public int Size { get; set; }

    public required byte[] Content { get; set; }

    /// <summary>Size of the manifest with the blobs it names; of an index, with all that its manifests have. Bytes.</summary>
    public long TotalSize { get; set; }

    /// <summary>What it is, for people (<see cref="ArtifactKinds"/>): <c>IMAGE</c>, <c>CHART</c>, <c>SBOM</c> …</summary>
    public string Kind { get; set; } = "";

    /// <summary>
    /// Whether lists of artifacts show it by itself. Not shown are manifests that an index names and no tag, and what belongs to another artifact
    /// (<see cref="AccessoryKind"/>).
    /// </summary>
    public bool IsListed { get; set; } = true;

    /// <summary>
    /// What it is to its subject: <c>signature.cosign</c>, <c>signature.notation</c>, <c>sbom.harbor</c>, <c>subject.accessory</c> …; null for
    /// what stands alone.
    /// </summary>
    public string? AccessoryKind { get; set; }

    /// <summary>How often clients pulled it.</summary>
    public long PullCount { get; set; }

    /// <summary>Unix milliseconds of the last pull; 0 before the first, so that both databases sort it in the same way.</summary>
    public long PulledAt { get; set; }

    /// <summary>Unix milliseconds of the first push.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Media type of the configuration; an index has its own, or the one that its annotations name.</summary>
    public string ConfigType { get; set; } = "";

    /// <summary>
    /// What lists show of the configuration and of the entries of an index, as JSON; null until somebody asks for the first time, so that a push need not
    /// read a blob.
    /// </summary>
    public string? Details { get; set; }

    /// <summary>Whether it was set aside for good.</summary>
    public ArchiveState Archive { get; set; }

    /// <summary>Unix milliseconds since when; null when it is not.</summary>
    public long? ArchivedAt { get; set; }
}

/// <summary>Whether a manifest is archived. Numbers are stored: they only grow.</summary>
public enum ArchiveState
{
    None = 0,

    /// <summary>It and its tags do not go: not by rules, not by expiry, not by hand.</summary>
    Archived = 1,

    /// <summary>The same, and it is not pulled until somebody reactivates it.</summary>
    Withheld = 2,
}

/// <summary>A manifest refers to a blob: its configuration or a layer.</summary>
public sealed class ManifestBlob
{
    public long ManifestId { get; set; }

    public long BlobId { get; set; }
}

/// <summary>An index refers to a manifest of its repository, which may be missing from a sparse index.</summary>
public sealed class ManifestChild
{
    public long ManifestId { get; set; }

    public required string ChildDigest { get; set; }

    public long RepositoryId { get; set; }
}

internal sealed class ManifestMap : IEntityTypeConfiguration<Manifest>
{
    public void Configure(EntityTypeBuilder<Manifest> builder)
    {
        builder.ToTable("manifests");
        builder.Property(m => m.Id).HasColumnName("id");
        builder.Property(m => m.RepositoryId).HasColumnName("repository_id");
        builder.Property(m => m.Digest).HasColumnName("digest").HasMaxLength(135);
        builder.Property(m => m.MediaType).HasColumnName("media_type").HasMaxLength(255);
        builder.Property(m => m.ArtifactType).HasColumnName("artifact_type");
        builder.Property(m => m.Subject).HasColumnName("subject").HasMaxLength(135);
        builder.Property(m => m.Annotations).HasColumnName("annotations");
        builder.Property(m => m.PushedAt).HasColumnName("pushed_at");
        builder.Property(m => m.Size).HasColumnName("size");
        builder.Property(m => m.Content).HasColumnName("content");
        builder.Property(m => m.TotalSize).HasColumnName("total_size");
        builder.Property(m => m.Kind).HasColumnName("kind").HasMaxLength(64);
        builder.Property(m => m.IsListed).HasColumnName("is_listed");
        builder.Property(m => m.AccessoryKind).HasColumnName("accessory_kind").HasMaxLength(64);
        builder.Property(m => m.PullCount).HasColumnName("pull_count");
        builder.Property(m => m.PulledAt).HasColumnName("pulled_at").HasDefaultValue(0L);
        builder.Property(m => m.CreatedAt).HasColumnName("created_at");
        builder.Property(m => m.ConfigType).HasColumnName("config_type").HasMaxLength(255).HasDefaultValue("");
        builder.Property(m => m.Details).HasColumnName("details");
        builder.Property(m => m.Archive).HasColumnName("archive").HasDefaultValue(ArchiveState.None);
        builder.Property(m => m.ArchivedAt).HasColumnName("archived_at");
        builder.HasIndex(m => m.RepositoryId).HasFilter("archive <> 0");
        builder.HasOne<Repository>().WithMany().HasForeignKey(m => m.RepositoryId).OnDelete(DeleteBehavior.Cascade);
        // Lists in the order of digests and lookups of ids read the index alone (on PostgreSQL).
        builder.HasIndex(m => new { m.RepositoryId, m.Digest }).IsUnique().IncludeProperties(m => new { m.Id, m.IsListed });
        builder.HasIndex(m => new { m.RepositoryId, m.Subject, m.Digest }).HasFilter("subject IS NOT NULL");
        // The pages of artifact lists are found in one of these alone, without the rows, which hold the manifests' bytes.
        builder.HasIndex(m => new { m.RepositoryId, m.PushedAt, m.Id, m.IsListed }).HasFilter("is_listed");
        builder.HasIndex(m => new { m.RepositoryId, m.Id, m.IsListed }).HasFilter("is_listed");
        builder.HasIndex(m => new { m.RepositoryId, m.PulledAt, m.Id, m.IsListed }).HasFilter("is_listed");
        builder.HasIndex(m => new { m.RepositoryId, m.TotalSize, m.Id, m.IsListed }).HasFilter("is_listed");
        builder.HasIndex(m => new { m.RepositoryId, m.Kind, m.PushedAt, m.Id, m.IsListed, m.ConfigType }).HasFilter("is_listed");
        builder.HasIndex(m => m.Digest);
    }
}

internal sealed class ManifestBlobMap : IEntityTypeConfiguration<ManifestBlob>
{
    public void Configure(EntityTypeBuilder<ManifestBlob> builder)
    {
        builder.ToTable("manifest_blobs");
        builder.HasKey(b => new { b.ManifestId, b.BlobId });
        builder.Property(b => b.ManifestId).HasColumnName("manifest_id");
        builder.Property(b => b.BlobId).HasColumnName("blob_id");
        builder.HasOne<Manifest>().WithMany().HasForeignKey(b => b.ManifestId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Blob>().WithMany().HasForeignKey(b => b.BlobId).OnDelete(DeleteBehavior.Restrict);
        builder.HasIndex(b => b.BlobId);
    }
}

internal sealed class ManifestChildMap : IEntityTypeConfiguration<ManifestChild>
{
    public void Configure(EntityTypeBuilder<ManifestChild> builder)
    {
        builder.ToTable("manifest_children");
        builder.HasKey(c => new { c.ManifestId, c.ChildDigest });
        builder.Property(c => c.ManifestId).HasColumnName("manifest_id");
        builder.Property(c => c.ChildDigest).HasColumnName("child_digest").HasMaxLength(135);
        builder.Property(c => c.RepositoryId).HasColumnName("repository_id");
        builder.HasOne<Manifest>().WithMany().HasForeignKey(c => c.ManifestId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(c => new { c.RepositoryId, c.ChildDigest });
    }
}
