using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Access;

/// <summary>
/// Failed sign-ins with a name, whether anybody has the name or not: what is kept for names that exist only would tell which do.
/// </summary>
public sealed class SignInFailure
{
    /// <summary>The name as it was given.</summary>
    public required string Name { get; set; }

    /// <summary>Failures since the last success or the last lock.</summary>
    public int Count { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long LastFailedAt { get; set; }

    /// <summary>Unix milliseconds until which the name is locked; null when it is not.</summary>
    public long? LockedUntil { get; set; }
}

/// <summary>Somebody has signed in with a name from a network: a lock of the name does not hold there.</summary>
public sealed class KnownNetwork
{
    /// <summary>The name that signed in.</summary>
    public required string Name { get; set; }

    /// <summary>SHA-256 of name and network (IPv4 address, IPv6 /64) in hexadecimal digits: addresses of people are not kept in the open.</summary>
    public required string Network { get; set; }

    /// <summary>Unix milliseconds, kept to the day.</summary>
    public long LastSeenAt { get; set; }
}

internal sealed class SignInFailureMap : IEntityTypeConfiguration<SignInFailure>
{
    public void Configure(EntityTypeBuilder<SignInFailure> builder)
    {
        builder.ToTable("sign_in_failures");
        builder.HasKey(f => f.Name);
        builder.Property(f => f.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(f => f.Count).HasColumnName("count");
        builder.Property(f => f.LastFailedAt).HasColumnName("last_failed_at");
        builder.Property(f => f.LockedUntil).HasColumnName("locked_until");
        builder.HasIndex(f => f.LastFailedAt);
    }
}

internal sealed class KnownNetworkMap : IEntityTypeConfiguration<KnownNetwork>
{
    public void Configure(EntityTypeBuilder<KnownNetwork> builder)
    {
        builder.ToTable("known_networks");
        builder.HasKey(n => new { n.Name, n.Network });
        builder.Property(n => n.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(n => n.Network).HasColumnName("network").HasMaxLength(64);
        builder.Property(n => n.LastSeenAt).HasColumnName("last_seen_at");
        builder.HasIndex(n => n.LastSeenAt);
    }
}
