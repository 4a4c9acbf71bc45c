using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Identity;

/// <summary>Somebody is signed in with a browser.</summary>
public sealed class UserSession
{
    public long Id { get; set; }

    /// <summary>SHA-256 of the cookie's value in hexadecimal digits: who reads the database cannot take a session over.</summary>
    public required string TokenHash { get; set; }

    public long UserId { get; set; }

    /// <summary>Address at sign-in. Personal.</summary>
    public string Address { get; set; } = "";

    /// <summary>Browser at sign-in. Personal.</summary>
    public string UserAgent { get; set; } = "";

    /// <summary>Name of the OIDC provider and its id_token, for signing out there too; encrypted. Null otherwise. Secret.</summary>
    public string? Provider { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds, kept to the minute.</summary>
    public long LastSeenAt { get; set; }

    /// <summary>Unix milliseconds at which it ends whatever happens.</summary>
    public long ExpiresAt { get; set; }
}

internal sealed class UserSessionMap : IEntityTypeConfiguration<UserSession>
{
    public void Configure(EntityTypeBuilder<UserSession> builder)
    {
        builder.ToTable("user_sessions");
        builder.Property(s => s.Id).HasColumnName("id");
        builder.Property(s => s.TokenHash).HasColumnName("token_hash").HasMaxLength(64);
        builder.Property(s => s.UserId).HasColumnName("user_id");
        builder.Property(s => s.Address).HasColumnName("address").HasMaxLength(64);
        builder.Property(s => s.UserAgent).HasColumnName("user_agent").HasMaxLength(512);
        builder.Property(s => s.Provider).HasColumnName("provider");
        builder.Property(s => s.CreatedAt).HasColumnName("created_at");
        builder.Property(s => s.LastSeenAt).HasColumnName("last_seen_at");
        builder.Property(s => s.ExpiresAt).HasColumnName("expires_at");
        builder.HasOne<User>().WithMany().HasForeignKey(s => s.UserId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(s => s.TokenHash).IsUnique();
        builder.HasIndex(s => s.UserId);
        builder.HasIndex(s => s.ExpiresAt);
    }
}
