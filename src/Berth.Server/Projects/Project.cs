using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Projects;

/// <summary>
/// A name space of repositories with members, settings and a quota of its own: the first segment of a repository's name.
/// </summary>
public sealed class Project
{
    public long Id { get; set; }

    /// <summary>Unique, lower case (<see cref="ProjectName"/>).</summary>
    public required string Name { get; set; }

    /// <summary>Anybody may pull from it.</summary>
    public bool IsPublic { get; set; }

    /// <summary>Who made it; null for one that made itself, such as <c>library</c>.</summary>
    public long? OwnerId { get; set; }

    /// <summary>Repositories in it, kept in the transactions that add and remove them.</summary>
    public long RepositoryCount { get; set; }

    /// <summary>Largest number of bytes that it may use; -1 for no limit.</summary>
    public long QuotaBytes { get; set; } = -1;

    /// <summary>Bytes that it uses: each blob of its manifests once, and its manifests.</summary>
    public long UsedBytes { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long UpdatedAt { get; set; }
}

/// <summary>A setting of a project, under Harbor's key: <c>public</c> is a column of its own, the others are here.</summary>
public sealed class ProjectMetadata
{
    public long ProjectId { get; set; }

    public required string Name { get; set; }

    public required string Value { get; set; }
}

/// <summary>A name that a project had before: it leads to the project until somebody reuses it.</summary>
public sealed class ProjectRedirect
{
    public required string Name { get; set; }

    public long ProjectId { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }
}

internal sealed class ProjectMap : IEntityTypeConfiguration<Project>
{
    public void Configure(EntityTypeBuilder<Project> builder)
    {
        builder.ToTable("projects");
        builder.Property(p => p.Id).HasColumnName("id");
        builder.Property(p => p.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(p => p.IsPublic).HasColumnName("is_public");
        builder.Property(p => p.OwnerId).HasColumnName("owner_id");
        builder.Property(p => p.RepositoryCount).HasColumnName("repository_count");
        builder.Property(p => p.QuotaBytes).HasColumnName("quota_bytes");
        builder.Property(p => p.UsedBytes).HasColumnName("used_bytes");
        builder.Property(p => p.CreatedAt).HasColumnName("created_at");
        builder.Property(p => p.UpdatedAt).HasColumnName("updated_at");
        builder.HasIndex(p => p.Name).IsUnique();
    }
}

internal sealed class ProjectMetadataMap : IEntityTypeConfiguration<ProjectMetadata>
{
    public void Configure(EntityTypeBuilder<ProjectMetadata> builder)
    {
        builder.ToTable("project_metadata");
        builder.HasKey(m => new { m.ProjectId, m.Name });
        builder.Property(m => m.ProjectId).HasColumnName("project_id");
        builder.Property(m => m.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(m => m.Value).HasColumnName("value");
        builder.HasOne<Project>().WithMany().HasForeignKey(m => m.ProjectId).OnDelete(DeleteBehavior.Cascade);
    }
}

internal sealed class ProjectRedirectMap : IEntityTypeConfiguration<ProjectRedirect>
{
    public void Configure(EntityTypeBuilder<ProjectRedirect> builder)
    {
        builder.ToTable("project_redirects");
        builder.HasKey(r => r.Name);
        builder.Property(r => r.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(r => r.ProjectId).HasColumnName("project_id");
        builder.Property(r => r.CreatedAt).HasColumnName("created_at");
        builder.HasOne<Project>().WithMany().HasForeignKey(r => r.ProjectId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(r => r.ProjectId);
    }
}
