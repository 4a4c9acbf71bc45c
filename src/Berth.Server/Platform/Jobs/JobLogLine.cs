using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Platform.Jobs;

/// <summary>A line that a handler wrote while it ran a job.</summary>
public sealed class JobLogLine
{
    public long JobId { get; set; }

    /// <summary>Grows within a job, over all its tries.</summary>
    public long Seq { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long At { get; set; }

    public required string Text { get; set; }
}

internal sealed class JobLogLineMap : IEntityTypeConfiguration<JobLogLine>
{
    public void Configure(EntityTypeBuilder<JobLogLine> builder)
    {
        builder.ToTable("job_logs");
        builder.HasKey(l => new { l.JobId, l.Seq });
        builder.Property(l => l.JobId).HasColumnName("job_id");
        builder.Property(l => l.Seq).HasColumnName("seq");
        builder.Property(l => l.At).HasColumnName("at");
        builder.Property(l => l.Text).HasColumnName("text");
        builder.HasOne<Job>().WithMany().HasForeignKey(l => l.JobId).OnDelete(DeleteBehavior.Cascade);
    }
}
