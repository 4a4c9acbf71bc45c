using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Notifications;

/// <summary>An event that one endpoint has yet to receive; written in the transaction of the change that it tells of.</summary>
public sealed class Delivery
{
    /// <summary>Grows with time; the order of delivery.</summary>
    public long Id { get; set; }

    /// <summary>Name of the endpoint.</summary>
    public required string Endpoint { get; set; }

    /// <summary>The event as JSON, without the envelope.</summary>
    public required string Event { get; set; }

    /// <summary>Tries that failed.</summary>
    public int Attempts { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds until which one worker has this row to itself; 0 when it is free.</summary>
    public long LeasedUntil { get; set; }
}

internal sealed class DeliveryMap : IEntityTypeConfiguration<Delivery>
{
    public void Configure(EntityTypeBuilder<Delivery> builder)
    {
        builder.ToTable("notification_deliveries");
        builder.Property(d => d.Id).HasColumnName("id");
        builder.Property(d => d.Endpoint).HasColumnName("endpoint").HasMaxLength(255);
        builder.Property(d => d.Event).HasColumnName("event");
        builder.Property(d => d.Attempts).HasColumnName("attempts");
        builder.Property(d => d.CreatedAt).HasColumnName("created_at");
        builder.Property(d => d.LeasedUntil).HasColumnName("leased_until");
        builder.HasIndex(d => new { d.Endpoint, d.Id });
    }
}
