using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.GarbageCollection;

/// <summary>Keeps garbage collection from removing anything for a while: a backup is copying what the database named when it began.</summary>
public sealed class GarbageHold
{
    /// <summary>Random; whoever holds knows it.</summary>
    public required string Id { get; set; }

    /// <summary>Unix milliseconds; renewed while it is needed, so that a killed backup does not hold for ever.</summary>
    public long HeldUntil { get; set; }
}

internal sealed class GarbageHoldMap : IEntityTypeConfiguration<GarbageHold>
{
    public void Configure(EntityTypeBuilder<GarbageHold> builder)
    {
        builder.ToTable("gc_holds");
        builder.Property(h => h.Id).HasColumnName("id").HasMaxLength(64);
        builder.Property(h => h.HeldUntil).HasColumnName("held_until");
    }
}
