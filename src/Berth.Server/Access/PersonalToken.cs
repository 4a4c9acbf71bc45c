using Berth.Server.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Access;

/// <summary>A personal access token: stands for a user's password in programs, for some of the user's rights and for some time.</summary>
public sealed class PersonalToken
{
    public long Id { get; set; }

    public long UserId { get; set; }

    /// <summary>Unique among the user's tokens.</summary>
    public required string Name { get; set; }

    /// <summary>SHA-256 of the token in hexadecimal digits: the token is random and long, so a slow hash would protect nothing.</summary>
    public required string TokenHash { get; set; }

    /// <summary>What it is good for, as <see cref="TokenScopes"/> writes it; empty for all that the user may do.</summary>
    public string Scopes { get; set; } = "";

    /// <summary>Unix milliseconds; null for never.</summary>
    public long? ExpiresAt { get; set; }

    /// <summary>Unix milliseconds of the last use, kept roughly; null before the first.</summary>
    public long? LastUsedAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }
}

internal sealed class PersonalTokenMap : IEntityTypeConfiguration<PersonalToken>
{
    public void Configure(EntityTypeBuilder<PersonalToken> builder)
    {
        builder.ToTable("personal_tokens");
        builder.Property(t => t.Id).HasColumnName("id");
        builder.Property(t => t.UserId).HasColumnName("user_id");
        builder.Property(t => t.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(t => t.TokenHash).HasColumnName("token_hash").HasMaxLength(64);
        builder.Property(t => t.Scopes).HasColumnName("scopes");
        builder.Property(t => t.ExpiresAt).HasColumnName("expires_at");
        builder.Property(t => t.LastUsedAt).HasColumnName("last_used_at");
        builder.Property(t => t.CreatedAt).HasColumnName("created_at");
        builder.HasOne<User>().WithMany().HasForeignKey(t => t.UserId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(t => t.TokenHash).IsUnique();
        builder.HasIndex(t => new { t.UserId, t.Name }).IsUnique();
    }
}
