using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Audit;

/// <summary>One thing that somebody did. Rows are added, never changed, and purged by age.</summary>
public sealed class AuditEntry
{
    public long Id { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long At { get; set; }

    /// <summary>Project that it happened in, even when it is gone; null for the system.</summary>
    public long? ProjectId { get; set; }

    /// <summary>What was done: <c>create</c>, <c>delete</c>, <c>pull</c>, <c>login</c> …</summary>
    public required string Operation { get; set; }

    /// <summary>To what kind of thing: <c>artifact</c>, <c>project</c>, <c>robot</c> …</summary>
    public required string ResourceType { get; set; }

    /// <summary>Its name at that time.</summary>
    public required string Resource { get; set; }

    /// <summary>Name of the caller.</summary>
    public required string Actor { get; set; }

    /// <summary>Address that the request came from; empty for the server itself.</summary>
    public string Address { get; set; } = "";

    /// <summary>Id of the request in the logs.</summary>
    public string RequestId { get; set; } = "";

    /// <summary>A sentence for people.</summary>
    public string Description { get; set; } = "";

    public bool IsSuccessful { get; set; } = true;

    /// <summary>How often it happened in the same second: pulls that differ in nothing else are one row.</summary>
    public int Count { get; set; } = 1;
}

/// <summary>An entry that is still to be sent to the receiver of audit entries. Written with the entry, deleted once the receiver has it.</summary>
public sealed class AuditForward
{
    public long EntryId { get; set; }
}

internal sealed class AuditForwardMap : IEntityTypeConfiguration<AuditForward>
{
    public void Configure(EntityTypeBuilder<AuditForward> builder)
    {
        builder.ToTable("audit_forwards");
        builder.HasKey(f => f.EntryId);
        builder.Property(f => f.EntryId).HasColumnName("entry_id").ValueGeneratedNever();
    }
}

/// <summary>The process that sends entries: one of all replicas, so that they keep their order. There is one row.</summary>
public sealed class AuditForwardLease
{
    public int Id { get; set; }

    /// <summary>Random name of the process.</summary>
    public required string Owner { get; set; }

    /// <summary>Unix milliseconds after which another process may take over.</summary>
    public long ExpiresAt { get; set; }
}

internal sealed class AuditForwardLeaseMap : IEntityTypeConfiguration<AuditForwardLease>
{
    public void Configure(EntityTypeBuilder<AuditForwardLease> builder)
    {
        builder.ToTable("audit_forward_leases");
        builder.Property(l => l.Id).HasColumnName("id").ValueGeneratedNever();
        builder.Property(l => l.Owner).HasColumnName("owner").HasMaxLength(64);
        builder.Property(l => l.ExpiresAt).HasColumnName("expires_at");
    }
}

internal sealed class AuditEntryMap : IEntityTypeConfiguration<AuditEntry>
{
    public void Configure(EntityTypeBuilder<AuditEntry> builder)
    {
        builder.ToTable("audit_entries");
        builder.Property(e => e.Id).HasColumnName("id");
        builder.Property(e => e.At).HasColumnName("at");
        builder.Property(e => e.ProjectId).HasColumnName("project_id");
        builder.Property(e => e.Operation).HasColumnName("operation").HasMaxLength(32);
        builder.Property(e => e.ResourceType).HasColumnName("resource_type").HasMaxLength(32);
        builder.Property(e => e.Resource).HasColumnName("resource");
        builder.Property(e => e.Actor).HasColumnName("actor").HasMaxLength(512);
        builder.Property(e => e.Address).HasColumnName("address").HasMaxLength(64);
        builder.Property(e => e.RequestId).HasColumnName("request_id").HasMaxLength(128);
        builder.Property(e => e.Description).HasColumnName("description");
        builder.Property(e => e.IsSuccessful).HasColumnName("is_successful");
        builder.Property(e => e.Count).HasColumnName("count");
        builder.HasIndex(e => new { e.ProjectId, e.At });
        builder.HasIndex(e => e.At);
        builder.HasIndex(e => new { e.Actor, e.At });
    }
}
