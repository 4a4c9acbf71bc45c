using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Access;

/// <summary>A role that somebody has made beside the five that every installation has (<see cref="BuiltInRoles"/>).</summary>
public sealed class Role
{
    /// <summary>From <see cref="BuiltInRoles.FirstCustomId"/> on.</summary>
    public long Id { get; set; }

    /// <summary>Unique among roles.</summary>
    public required string Name { get; set; }

    public string Description { get; set; } = "";

    /// <summary>What it allows in a project: <c>resource:action</c>, separated by commas.</summary>
    public required string Permissions { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }
}

internal sealed class RoleMap : IEntityTypeConfiguration<Role>
{
    public void Configure(EntityTypeBuilder<Role> builder)
    {
        builder.ToTable("roles");
        builder.Property(r => r.Id).HasColumnName("id").ValueGeneratedNever();
        builder.Property(r => r.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(r => r.Description).HasColumnName("description");
        builder.Property(r => r.Permissions).HasColumnName("permissions");
        builder.Property(r => r.CreatedAt).HasColumnName("created_at");
        builder.HasIndex(r => r.Name).IsUnique();
    }
}
