using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Platform.Jobs;

/// <summary>Jobs of this kind are not started; what runs goes on. The row is the pause.</summary>
public sealed class JobPause
{
    /// <summary>Stands for the firing of all schedules; no handler has this kind.</summary>
    public const string Schedules = "schedules";

    public required string Kind { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long Since { get; set; }
}

internal sealed class JobPauseMap : IEntityTypeConfiguration<JobPause>
{
    public void Configure(EntityTypeBuilder<JobPause> builder)
    {
        builder.ToTable("job_pauses");
        builder.HasKey(p => p.Kind);
        builder.Property(p => p.Kind).HasColumnName("kind").HasMaxLength(NewJob.MaxKindLength);
        builder.Property(p => p.Since).HasColumnName("since");
    }
}
