using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Registry;

/// <summary>How much of a limit is used up, for all replicas together. May be lost at any time: then the period begins anew.</summary>
public sealed class RateLimitRow
{
    /// <summary>What is counted, for whom (<see cref="RateKey.Text"/>).</summary>
    public required string Key { get; set; }

    /// <summary>The number of the generic cell rate algorithm: Unix microseconds by the database's clock. In the past: nothing is used up.</summary>
    public long Earliest { get; set; }

    /// <summary>How many the last one who asked was given.</summary>
    public int Granted { get; set; }

    /// <summary>Microseconds for each.</summary>
    public long Step { get; set; }

    /// <summary>Microseconds of the period.</summary>
    public long Period { get; set; }
}

internal sealed class RateLimitRowMap : IEntityTypeConfiguration<RateLimitRow>
{
    public void Configure(EntityTypeBuilder<RateLimitRow> builder)
    {
        builder.ToTable("rate_limits");
        builder.HasKey(r => r.Key);
        builder.Property(r => r.Key).HasColumnName("key").HasMaxLength(300);
        builder.Property(r => r.Earliest).HasColumnName("earliest");
        builder.Property(r => r.Granted).HasColumnName("granted");
        builder.Property(r => r.Step).HasColumnName("step");
        builder.Property(r => r.Period).HasColumnName("period");
    }
}
