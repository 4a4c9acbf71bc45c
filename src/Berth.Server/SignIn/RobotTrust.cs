using Berth.Server.Access;
using Berth.Server.Identity.Federation;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.SignIn;

/// <summary>
/// The fact that tokens of an outside issuer stand for a robot account when their claims match: a machine needs no secret of ours.
/// </summary>
public sealed class RobotTrust
{
    public long Id { get; set; }

    /// <summary>The robot whose rights the machine gets.</summary>
    public long RobotId { get; set; }

    /// <summary>Name for people, unique for the robot.</summary>
    public required string Name { get; set; }

    /// <summary>Exactly what tokens say in <c>iss</c>.</summary>
    public required string Issuer { get; set; }

    /// <summary>What tokens must say in <c>aud</c>: it keeps tokens that were meant for somebody else out.</summary>
    public required string Audience { get; set; }

    /// <summary><see cref="ClaimRules"/> as JSON.</summary>
    public required string Claims { get; set; }

    /// <summary>Where the keys are, when the issuer has no discovery document that Berth can reach; null for discovery.</summary>
    public string? JwksUri { get; set; }

    /// <summary>The keys themselves (RFC 7517 section 5) of an issuer that Berth cannot reach, a Kubernetes cluster for example.</summary>
    public string? Jwks { get; set; }

    /// <summary>Unix milliseconds; null for no end.</summary>
    public long? ExpiresAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>What tokens are held against.</summary>
    internal MachineTrust ToTrust() => new(Id, Issuer, Audience, Claims, JwksUri, Jwks, ExpiresAt);
}

internal sealed class RobotTrustMap : IEntityTypeConfiguration<RobotTrust>
{
    public void Configure(EntityTypeBuilder<RobotTrust> builder)
    {
        builder.ToTable("robot_trusts");
        builder.Property(t => t.Id).HasColumnName("id");
        builder.Property(t => t.RobotId).HasColumnName("robot_id");
        builder.Property(t => t.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(t => t.Issuer).HasColumnName("issuer").HasMaxLength(1024);
        builder.Property(t => t.Audience).HasColumnName("audience").HasMaxLength(1024);
        builder.Property(t => t.Claims).HasColumnName("claims");
        builder.Property(t => t.JwksUri).HasColumnName("jwks_uri").HasMaxLength(2048);
        builder.Property(t => t.Jwks).HasColumnName("jwks");
        builder.Property(t => t.ExpiresAt).HasColumnName("expires_at");
        builder.Property(t => t.CreatedAt).HasColumnName("created_at");
        builder.HasOne<Robot>().WithMany().HasForeignKey(t => t.RobotId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(t => new { t.RobotId, t.Name }).IsUnique();
        builder.HasIndex(t => t.Issuer);
    }
}
