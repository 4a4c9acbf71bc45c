using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Platform.Jobs;

/// <summary>Makes a job each time its cron expression says so (<see cref="CronExpression"/>).</summary>
public sealed class JobSchedule
{
    public long Id { get; set; }

    /// <summary>Kind of the jobs.</summary>
    public required string Kind { get; set; }

    /// <summary>What it belongs to in the words of its feature, such as <c>policy:7</c>; unique within the kind.</summary>
    public required string VendorKey { get; set; }

    /// <summary>Six fields, seconds first, in UTC.</summary>
    public required string Cron { get; set; }

    /// <summary>Payload of the jobs, JSON.</summary>
    public required string Payload { get; set; }

    /// <summary>Project of the jobs.</summary>
    public long? ProjectId { get; set; }

    /// <summary>Unix milliseconds of the next firing; whoever moves it makes the job.</summary>
    public long NextRunAt { get; set; }

    public bool Enabled { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds of the last change by somebody; firing changes nothing here.</summary>
    public long UpdatedAt { get; set; }
}

internal sealed class JobScheduleMap : IEntityTypeConfiguration<JobSchedule>
{
    public void Configure(EntityTypeBuilder<JobSchedule> builder)
    {
        builder.ToTable("job_schedules");
        builder.Property(s => s.Id).HasColumnName("id");
        builder.Property(s => s.Kind).HasColumnName("kind").HasMaxLength(NewJob.MaxKindLength);
        builder.Property(s => s.VendorKey).HasColumnName("vendor_key").HasMaxLength(NewJob.MaxKeyLength);
        builder.Property(s => s.Cron).HasColumnName("cron").HasMaxLength(CronExpression.MaxLength);
        builder.Property(s => s.Payload).HasColumnName("payload");
        builder.Property(s => s.ProjectId).HasColumnName("project_id");
        builder.Property(s => s.NextRunAt).HasColumnName("next_run_at");
        builder.Property(s => s.Enabled).HasColumnName("enabled");
        builder.Property(s => s.CreatedAt).HasColumnName("created_at");
        builder.Property(s => s.UpdatedAt).HasColumnName("updated_at");
        builder.HasIndex(s => new { s.Kind, s.VendorKey }).IsUnique();
        builder.HasIndex(s => s.NextRunAt).HasFilter("enabled");
    }
}
