using Berth.Server.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Registry;

/// <summary>A named set of manifests, tags and links to blobs.</summary>
public sealed class Repository
{
    public long Id { get; set; }

    public long ProjectId { get; set; }

    /// <summary>Full name, such as <c>library/debian</c>.</summary>
    public required string Name { get; set; }

    /// <summary>Markdown for people.</summary>
    public string Description { get; set; } = "";

    /// <summary>How often a manifest was pulled by clients.</summary>
    public long PullCount { get; set; }

    /// <summary>Artifacts that lists show (<see cref="Manifest.IsListed"/>), kept in the transactions that change them.</summary>
    public long ArtifactCount { get; set; }

    /// <summary>Unix milliseconds of the last push or change.</summary>
    public long UpdatedAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }
}

/// <summary>A name that a repository had before: it leads to the repository until somebody reuses it.</summary>
public sealed class RepositoryRedirect
{
    public required string Name { get; set; }

    public long RepositoryId { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }
}

internal sealed class RepositoryMap : IEntityTypeConfiguration<Repository>
{
    public void Configure(EntityTypeBuilder<Repository> builder)
    {
        builder.ToTable("repositories");
        builder.Property(r => r.Id).HasColumnName("id");
        builder.Property(r => r.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(r => r.CreatedAt).HasColumnName("created_at");
        builder.Property(r => r.ProjectId).HasColumnName("project_id");
        builder.Property(r => r.Description).HasColumnName("description");
        builder.Property(r => r.PullCount).HasColumnName("pull_count");
        builder.Property(r => r.ArtifactCount).HasColumnName("artifact_count");
        builder.Property(r => r.UpdatedAt).HasColumnName("updated_at");
        builder.HasOne<Project>().WithMany().HasForeignKey(r => r.ProjectId).OnDelete(DeleteBehavior.Restrict);
        builder.HasIndex(r => r.Name).IsUnique();
        builder.HasIndex(r => new { r.ProjectId, r.Name });
        builder.HasIndex(r => new { r.ProjectId, r.UpdatedAt });
        builder.HasIndex(r => r.UpdatedAt);
        builder.HasIndex(r => new { r.CreatedAt, r.Id });
    }
}

internal sealed class RepositoryRedirectMap : IEntityTypeConfiguration<RepositoryRedirect>
{
    public void Configure(EntityTypeBuilder<RepositoryRedirect> builder)
    {
        builder.ToTable("repository_redirects");
        builder.HasKey(r => r.Name);
        builder.Property(r => r.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(r => r.RepositoryId).HasColumnName("repository_id");
        builder.Property(r => r.CreatedAt).HasColumnName("created_at");
        builder.HasOne<Repository>().WithMany().HasForeignKey(r => r.RepositoryId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(r => r.RepositoryId);
    }
}
