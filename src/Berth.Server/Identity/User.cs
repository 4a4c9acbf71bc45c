using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Identity;

/// <summary>A person or program with a password in the database.</summary>
public sealed class User
{
    public long Id { get; set; }

    /// <summary>Sign-in name, unique.</summary>
    public required string Name { get; set; }

    /// <summary>Hash by ASP.NET Core Identity's password hasher.</summary>
    public required string PasswordHash { get; set; }

    /// <summary>May do everything.</summary>
    public bool IsAdmin { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }
}

internal sealed class UserMap : IEntityTypeConfiguration<User>
{
    public void Configure(EntityTypeBuilder<User> builder)
    {
        builder.ToTable("users");
        builder.Property(u => u.Id).HasColumnName("id");
        builder.Property(u => u.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(u => u.PasswordHash).HasColumnName("password_hash");
        builder.Property(u => u.IsAdmin).HasColumnName("is_admin");
        builder.Property(u => u.CreatedAt).HasColumnName("created_at");
        builder.HasIndex(u => u.Name).IsUnique();
    }
}
