using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Identity;

/// <summary>Where a group comes from: Harbor's numbers, which only grow.</summary>
public enum GroupKind
{
    /// <summary>Members are kept in the database.</summary>
    Local = 0,

    /// <summary>A group of a directory, by its distinguished name.</summary>
    Ldap = 1,

    /// <summary>A group that a trusted proxy names.</summary>
    Proxy = 2,

    /// <summary>A group that an OIDC provider names in a claim.</summary>
    Oidc = 3,
}

/// <summary>Users who get rights together.</summary>
public sealed class UserGroup
{
    public long Id { get; set; }

    /// <summary>Unique among groups of the kind.</summary>
    public required string Name { get; set; }

    public GroupKind Kind { get; set; }

    /// <summary>Distinguished name in lower case, for groups of a directory; else null.</summary>
    public string? LdapDn { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }
}

/// <summary>A user is in a group; for groups from outside, as of the user's last sign-in.</summary>
public sealed class UserGroupMember
{
    public long GroupId { get; set; }

    public long UserId { get; set; }
}

internal sealed class UserGroupMap : IEntityTypeConfiguration<UserGroup>
{
    public void Configure(EntityTypeBuilder<UserGroup> builder)
    {
        builder.ToTable("user_groups");
        builder.Property(g => g.Id).HasColumnName("id");
        builder.Property(g => g.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(g => g.Kind).HasColumnName("kind");
        builder.Property(g => g.LdapDn).HasColumnName("ldap_dn").HasMaxLength(1024);
        builder.Property(g => g.CreatedAt).HasColumnName("created_at");
        builder.HasIndex(g => new { g.Kind, g.Name }).IsUnique();
        builder.HasIndex(g => g.LdapDn).IsUnique().HasFilter("ldap_dn IS NOT NULL");
    }
}

internal sealed class UserGroupMemberMap : IEntityTypeConfiguration<UserGroupMember>
{
    public void Configure(EntityTypeBuilder<UserGroupMember> builder)
    {
        builder.ToTable("user_group_members");
        builder.HasKey(m => new { m.UserId, m.GroupId });
        builder.Property(m => m.GroupId).HasColumnName("group_id");
        builder.Property(m => m.UserId).HasColumnName("user_id");
        builder.HasOne<UserGroup>().WithMany().HasForeignKey(m => m.GroupId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<User>().WithMany().HasForeignKey(m => m.UserId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(m => m.GroupId);
    }
}
