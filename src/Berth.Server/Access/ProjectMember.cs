using Berth.Server.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Access;

/// <summary>Who a membership or an access rule is about. Numbers are stored: they only grow.</summary>
public enum SubjectKind
{
    /// <summary>A user, by <c>users.id</c>.</summary>
    User = 1,

    /// <summary>A group of users, by <c>user_groups.id</c>.</summary>
    Group = 2,

    /// <summary>A robot account, by <c>robots.id</c>.</summary>
    Robot = 3,

    /// <summary>Everybody with a role in the project, by role id. In access rules only.</summary>
    Role = 4,

    /// <summary>Everybody, signed in or not. In access rules only.</summary>
    Anybody = 5,
}

/// <summary>Somebody has a role in a project.</summary>
public sealed class ProjectMember
{
    public long Id { get; set; }

    public long ProjectId { get; set; }

    public SubjectKind SubjectKind { get; set; }

    /// <summary>Whose row, in the table of the kind.</summary>
    public long SubjectId { get; set; }

    /// <summary>A built-in or custom role.</summary>
    public long RoleId { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }
}

internal sealed class ProjectMemberMap : IEntityTypeConfiguration<ProjectMember>
{
    public void Configure(EntityTypeBuilder<ProjectMember> builder)
    {
        builder.ToTable("project_members");
        builder.Property(m => m.Id).HasColumnName("id");
        builder.Property(m => m.ProjectId).HasColumnName("project_id");
        builder.Property(m => m.SubjectKind).HasColumnName("subject_kind");
        builder.Property(m => m.SubjectId).HasColumnName("subject_id");
        builder.Property(m => m.RoleId).HasColumnName("role_id");
        builder.Property(m => m.CreatedAt).HasColumnName("created_at");
        builder.HasOne<Project>().WithMany().HasForeignKey(m => m.ProjectId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(m => new { m.ProjectId, m.SubjectKind, m.SubjectId }).IsUnique();
        builder.HasIndex(m => new { m.SubjectKind, m.SubjectId });
    }
}
