using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Identity;

/// <summary>A person who can sign in.</summary>
public sealed class User
{
    public long Id { get; set; }

    /// <summary>Sign-in name, unique among all sources.</summary>
    public required string Name { get; set; }

    /// <summary>Mail address; empty when none is known. Personal.</summary>
    public string Email { get; set; } = "";

    /// <summary>Name for people. Personal.</summary>
    public string RealName { get; set; } = "";

    public string Comment { get; set; } = "";

    /// <summary>Hash by ASP.NET Core Identity's password hasher; empty when the password is kept elsewhere. Secret.</summary>
    public required string PasswordHash { get; set; }

    /// <summary>Where the user comes from: <c>local</c>, <c>ldap</c>, <c>oidc:NAME</c>, <c>proxy</c>, <c>certificate</c>.</summary>
    public string Source { get; set; } = LocalSource;

    /// <summary>Name in the source: an LDAP distinguished name, an OIDC subject; null for local users.</summary>
    public string? ExternalId { get; set; }

    /// <summary>May do everything.</summary>
    public bool IsAdmin { get; set; }

    /// <summary>The source says that the user is an administrator, as of the last sign-in.</summary>
    public bool IsAdminBySource { get; set; }

    /// <summary>May not sign in.</summary>
    public bool IsDisabled { get; set; }

    /// <summary>Must choose a new password before anything else.</summary>
    public bool MustChangePassword { get; set; }

    /// <summary>Hash of the secret that stands for the password in command line clients (Harbor's CLI secret); null when there is none. Secret.</summary>
    public string? CliSecretHash { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long UpdatedAt { get; set; }

    /// <summary>Value of <see cref="Source"/> for users whose password is in the database.</summary>
    public const string LocalSource = "local";
}

internal sealed class UserMap : IEntityTypeConfiguration<User>
{
    public void Configure(EntityTypeBuilder<User> builder)
    {
        builder.ToTable("users");
        builder.Property(u => u.Id).HasColumnName("id");
        builder.Property(u => u.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(u => u.Email).HasColumnName("email").HasMaxLength(255).HasDefaultValue("");
        builder.Property(u => u.RealName).HasColumnName("real_name").HasMaxLength(255).HasDefaultValue("");
        builder.Property(u => u.Comment).HasColumnName("comment").HasDefaultValue("");
        builder.Property(u => u.PasswordHash).HasColumnName("password_hash");
        builder.Property(u => u.Source).HasColumnName("source").HasMaxLength(64).HasDefaultValue(User.LocalSource);
        builder.Property(u => u.ExternalId).HasColumnName("external_id");
        builder.Property(u => u.IsAdmin).HasColumnName("is_admin");
        builder.Property(u => u.IsAdminBySource).HasColumnName("is_admin_by_source").HasDefaultValue(false);
        builder.Property(u => u.IsDisabled).HasColumnName("is_disabled").HasDefaultValue(false);
        builder.Property(u => u.MustChangePassword).HasColumnName("must_change_password").HasDefaultValue(false);
        builder.Property(u => u.CliSecretHash).HasColumnName("cli_secret_hash");
        builder.Property(u => u.CreatedAt).HasColumnName("created_at");
        builder.Property(u => u.UpdatedAt).HasColumnName("updated_at").HasDefaultValue(0L);
        builder.HasIndex(u => u.Name).IsUnique();
        builder.HasIndex(u => new { u.Source, u.ExternalId }).IsUnique().HasFilter("external_id IS NOT NULL");
        builder.HasIndex(u => u.Email);
    }
}
