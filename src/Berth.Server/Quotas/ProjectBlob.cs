using Berth.Server.Projects;
using Berth.Server.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Quotas;

/// <summary>How often the manifests of a project name a blob: while they do, its bytes count once for the project.</summary>
public sealed class ProjectBlob
{
    public long ProjectId { get; set; }

    public long BlobId { get; set; }

    /// <summary>Manifests that name it; never 0, the row goes instead.</summary>
    public long ManifestCount { get; set; }
}

internal sealed class ProjectBlobMap : IEntityTypeConfiguration<ProjectBlob>
{
    public void Configure(EntityTypeBuilder<ProjectBlob> builder)
    {
        builder.ToTable("project_blobs");
        builder.HasKey(b => new { b.ProjectId, b.BlobId });
        builder.Property(b => b.ProjectId).HasColumnName("project_id");
        builder.Property(b => b.BlobId).HasColumnName("blob_id");
        builder.Property(b => b.ManifestCount).HasColumnName("manifest_count");
        builder.HasOne<Project>().WithMany().HasForeignKey(b => b.ProjectId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Blob>().WithMany().HasForeignKey(b => b.BlobId).OnDelete(DeleteBehavior.Restrict);
        builder.HasIndex(b => b.BlobId);
    }
}
