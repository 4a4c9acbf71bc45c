using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.GarbageCollection;

/// <summary>
/// Somebody needs what the database referred to a moment ago, a backup for example: while a row is there whose time has not come, nothing may remove
/// bytes from a blob store. The row is renewed as long as its owner lives; one that was killed holds nothing up for longer than <see cref="Lifetime"/>.
/// </summary>
public sealed class CollectionHold
{
    /// <summary>How long a hold lasts unless it is renewed.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(2);

    /// <summary>Who holds; random.</summary>
    public required string Id { get; set; }

    /// <summary>When it ends, Unix milliseconds.</summary>
    public long Until { get; set; }

    /// <summary>Why, for people.</summary>
    public required string Reason { get; set; }
}

internal sealed class CollectionHoldMap : IEntityTypeConfiguration<CollectionHold>
{
    public void Configure(EntityTypeBuilder<CollectionHold> builder)
    {
        builder.ToTable("gc_holds");
        builder.HasKey(h => h.Id);
        builder.Property(h => h.Id).HasColumnName("id").HasMaxLength(64);
        builder.Property(h => h.Until).HasColumnName("until");
        builder.Property(h => h.Reason).HasColumnName("reason").HasMaxLength(200).HasDefaultValue("");
    }
}
