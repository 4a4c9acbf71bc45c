using Berth.Server.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Access;

/// <summary>What an access rule allows or denies. Numbers are stored: they only grow.</summary>
[Flags]
public enum RuleActions
{
    None = 0,

    /// <summary>Read manifests, blobs, tags and referrers.</summary>
    Pull = 1,

    /// <summary>Upload and write tags, new and existing.</summary>
    Push = 2,

    /// <summary>Delete manifests, tags and blobs.</summary>
    Delete = 4,

    /// <summary>Upload and write tags that do not exist yet.</summary>
    Create = 8,

    /// <summary>Point an existing tag elsewhere.</summary>
    Retag = 16,
}

/// <summary>
/// Below the project: allows or denies actions on repositories and tags whose names match, for one subject. The most specific rule decides
/// (<see cref="AccessRules"/>); without a rule the role does.
/// </summary>
public sealed class AccessRule
{
    public long Id { get; set; }

    public long ProjectId { get; set; }

    public SubjectKind SubjectKind { get; set; }

    /// <summary>User, group, robot or role; 0 for anybody.</summary>
    public long SubjectId { get; set; }

    /// <summary>Glob over the repository's name without the project: <c>team-a/**</c>.</summary>
    public required string RepositoryPattern { get; set; }

    /// <summary>Glob over tags; <c>**</c> for all of them, and for what has no tag.</summary>
    public required string TagPattern { get; set; }

    public RuleActions Actions { get; set; }

    /// <summary>True allows, false denies.</summary>
    public bool IsAllowed { get; set; }

    /// <summary>Why it is there, for people.</summary>
    public string Description { get; set; } = "";

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }
}

internal sealed class AccessRuleMap : IEntityTypeConfiguration<AccessRule>
{
    public void Configure(EntityTypeBuilder<AccessRule> builder)
    {
        builder.ToTable("access_rules");
        builder.Property(r => r.Id).HasColumnName("id");
        builder.Property(r => r.ProjectId).HasColumnName("project_id");
        builder.Property(r => r.SubjectKind).HasColumnName("subject_kind");
        builder.Property(r => r.SubjectId).HasColumnName("subject_id");
        builder.Property(r => r.RepositoryPattern).HasColumnName("repository_pattern").HasMaxLength(255);
        builder.Property(r => r.TagPattern).HasColumnName("tag_pattern").HasMaxLength(255);
        builder.Property(r => r.Actions).HasColumnName("actions");
        builder.Property(r => r.IsAllowed).HasColumnName("is_allowed");
        builder.Property(r => r.Description).HasColumnName("description");
        builder.Property(r => r.CreatedAt).HasColumnName("created_at");
        builder.HasOne<Project>().WithMany().HasForeignKey(r => r.ProjectId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(r => r.ProjectId);
    }
}
