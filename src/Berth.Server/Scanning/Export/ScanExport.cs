using Berth.Server.Platform.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning.Export;

/// <summary>An export of findings that somebody asked for, and the file that its job made.</summary>
public sealed class ScanExport
{
    /// <summary>The job; its number is that of the execution.</summary>
    public long JobId { get; set; }

    public long ProjectId { get; set; }

    /// <summary>Row of the user or robot that asked for it.</summary>
    public long UserId { get; set; }

    /// <summary>Name of the user or robot: nobody else may see it.</summary>
    public required string UserName { get; set; }

    /// <summary>What the user called it.</summary>
    public required string Name { get; set; }

    /// <summary>When the file goes, Unix milliseconds; null while there is none.</summary>
    public long? ExpiresAt { get; set; }

    /// <summary>Length of the file; null while there is none.</summary>
    public long? SizeBytes { get; set; }
}

/// <summary>A part of the file of an export.</summary>
public sealed class ScanExportPart
{
    public long JobId { get; set; }

    /// <summary>From 0.</summary>
    public int Part { get; set; }

    /// <summary>Its bytes in Brotli.</summary>
    public required byte[] Content { get; set; }
}

internal sealed class ScanExportMap : IEntityTypeConfiguration<ScanExport>
{
    public void Configure(EntityTypeBuilder<ScanExport> builder)
    {
        builder.ToTable("scan_exports");
        builder.HasKey(e => e.JobId);
        builder.Property(e => e.JobId).HasColumnName("job_id").ValueGeneratedNever();
        builder.Property(e => e.ProjectId).HasColumnName("project_id");
        builder.Property(e => e.UserId).HasColumnName("user_id");
        builder.Property(e => e.UserName).HasColumnName("user_name").HasMaxLength(255);
        builder.Property(e => e.Name).HasColumnName("name").HasMaxLength(ScanExportApi.MaxNameChars);
        builder.Property(e => e.ExpiresAt).HasColumnName("expires_at");
        builder.Property(e => e.SizeBytes).HasColumnName("size_bytes");
        builder.HasOne<Job>().WithMany().HasForeignKey(e => e.JobId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(e => e.ExpiresAt);
        builder.HasIndex(e => e.UserName);
    }
}

internal sealed class ScanExportPartMap : IEntityTypeConfiguration<ScanExportPart>
{
    public void Configure(EntityTypeBuilder<ScanExportPart> builder)
    {
        builder.ToTable("scan_export_parts");
        builder.HasKey(p => new { p.JobId, p.Part });
        builder.Property(p => p.JobId).HasColumnName("job_id");
        builder.Property(p => p.Part).HasColumnName("part");
        builder.Property(p => p.Content).HasColumnName("content");
        builder.HasOne<ScanExport>().WithMany().HasForeignKey(p => p.JobId).OnDelete(DeleteBehavior.Cascade);
    }
}
