using Berth.Server.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Access;

/// <summary>
/// An account for programs, with permissions of its own (Harbor's robot accounts, version 2). It has one secret, or two while one replaces the other.
/// </summary>
public sealed class Robot
{
    public long Id { get; set; }

    /// <summary>Name without the prefix: <c>ci</c> of the system, <c>project+ci</c> of a project. Unique.</summary>
    public required string Name { get; set; }

    /// <summary>Project that it belongs to; null for one of the system.</summary>
    public long? ProjectId { get; set; }

    public string Description { get; set; } = "";

    /// <summary>Hash of the secret; null while it has none and signs in by a trusted issuer only.</summary>
    public string? SecretHash { get; set; }

    /// <summary>Hash of the secret before, which is good until <see cref="PreviousSecretEndsAt"/>.</summary>
    public string? PreviousSecretHash { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long? PreviousSecretEndsAt { get; set; }

    public bool IsDisabled { get; set; }

    /// <summary>Unix milliseconds; null for never.</summary>
    public long? ExpiresAt { get; set; }

    /// <summary>Days that it was made for; -1 for no end.</summary>
    public int DurationDays { get; set; }

    /// <summary>Who made it: <c>user</c> or <c>robot</c>, with the id.</summary>
    public required string CreatorKind { get; set; }

    public long CreatorId { get; set; }

    /// <summary>Unix milliseconds of the last sign-in, kept roughly; null before the first.</summary>
    public long? LastUsedAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long UpdatedAt { get; set; }
}

/// <summary>What a robot may do in one project, in all projects, or in the system.</summary>
public sealed class RobotPermission
{
    public long Id { get; set; }

    public long RobotId { get; set; }

    public PermissionScope Scope { get; set; }

    /// <summary>Null for all projects, and for the system.</summary>
    public long? ProjectId { get; set; }

    /// <summary><c>resource:action</c>, separated by commas.</summary>
    public required string Permissions { get; set; }
}

internal sealed class RobotMap : IEntityTypeConfiguration<Robot>
{
    public void Configure(EntityTypeBuilder<Robot> builder)
    {
        builder.ToTable("robots");
        builder.Property(r => r.Id).HasColumnName("id");
        builder.Property(r => r.Name).HasColumnName("name").HasMaxLength(512);
        builder.Property(r => r.ProjectId).HasColumnName("project_id");
        builder.Property(r => r.Description).HasColumnName("description");
        builder.Property(r => r.SecretHash).HasColumnName("secret_hash");
        builder.Property(r => r.PreviousSecretHash).HasColumnName("previous_secret_hash");
        builder.Property(r => r.PreviousSecretEndsAt).HasColumnName("previous_secret_ends_at");
        builder.Property(r => r.IsDisabled).HasColumnName("is_disabled");
        builder.Property(r => r.ExpiresAt).HasColumnName("expires_at");
        builder.Property(r => r.DurationDays).HasColumnName("duration_days");
        builder.Property(r => r.CreatorKind).HasColumnName("creator_kind").HasMaxLength(16);
        builder.Property(r => r.CreatorId).HasColumnName("creator_id");
        builder.Property(r => r.LastUsedAt).HasColumnName("last_used_at");
        builder.Property(r => r.CreatedAt).HasColumnName("created_at");
        builder.Property(r => r.UpdatedAt).HasColumnName("updated_at");
        builder.HasOne<Project>().WithMany().HasForeignKey(r => r.ProjectId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(r => r.Name).IsUnique();
        builder.HasIndex(r => r.ProjectId);
    }
}

internal sealed class RobotPermissionMap : IEntityTypeConfiguration<RobotPermission>
{
    public void Configure(EntityTypeBuilder<RobotPermission> builder)
    {
        builder.ToTable("robot_permissions");
        builder.Property(p => p.Id).HasColumnName("id");
        builder.Property(p => p.RobotId).HasColumnName("robot_id");
        builder.Property(p => p.Scope).HasColumnName("scope");
        builder.Property(p => p.ProjectId).HasColumnName("project_id");
        builder.Property(p => p.Permissions).HasColumnName("permissions");
        builder.HasOne<Robot>().WithMany().HasForeignKey(p => p.RobotId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Project>().WithMany().HasForeignKey(p => p.ProjectId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(p => p.RobotId);
        builder.HasIndex(p => p.ProjectId);
    }
}
