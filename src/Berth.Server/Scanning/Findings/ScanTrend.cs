using Berth.Server.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning.Findings;

/// <summary>What the images of a project had on a day: the last count of that day.</summary>
public sealed class ScanTrend
{
    public long ProjectId { get; set; }

    /// <summary>Days since 1970-01-01 (UTC).</summary>
    public int Day { get; set; }

    /// <summary>Images with a report.</summary>
    public long Images { get; set; }

    public long Critical { get; set; }

    public long High { get; set; }

    public long Medium { get; set; }

    public long Low { get; set; }

    public long Unknown { get; set; }

    /// <summary>Findings for which there is a repair.</summary>
    public long Fixable { get; set; }
}

internal sealed class ScanTrendMap : IEntityTypeConfiguration<ScanTrend>
{
    public void Configure(EntityTypeBuilder<ScanTrend> builder)
    {
        builder.ToTable("scan_trend");
        builder.HasKey(t => new { t.ProjectId, t.Day });
        builder.Property(t => t.ProjectId).HasColumnName("project_id");
        builder.Property(t => t.Day).HasColumnName("day");
        builder.Property(t => t.Images).HasColumnName("images");
        builder.Property(t => t.Critical).HasColumnName("critical");
        builder.Property(t => t.High).HasColumnName("high");
        builder.Property(t => t.Medium).HasColumnName("medium");
        builder.Property(t => t.Low).HasColumnName("low");
        builder.Property(t => t.Unknown).HasColumnName("unknown");
        builder.Property(t => t.Fixable).HasColumnName("fixable");
        builder.HasOne<Project>().WithMany().HasForeignKey(t => t.ProjectId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(t => t.Day);
    }
}
