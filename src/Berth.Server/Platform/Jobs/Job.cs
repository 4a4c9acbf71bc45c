using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Platform.Jobs;

/// <summary>Where a job stands. Stored as a number; numbers only grow. Below <see cref="Succeeded"/> a job is unfinished.</summary>
public enum JobState
{
    /// <summary>To be run when <see cref="Job.DueAt"/> has come.</summary>
    Pending = 0,

    /// <summary>Behind an unfinished job of its group, which makes it pending when it ends.</summary>
    Waiting = 1,

    /// <summary>A worker has it, until <see cref="Job.DueAt"/> unless it renews its lease.</summary>
    Running = 2,

    /// <summary>Ended well.</summary>
    Succeeded = 3,

    /// <summary>Gave up: its last try failed, or it cannot be retried.</summary>
    Failed = 4,

    /// <summary>Stopped by request.</summary>
    Cancelled = 5,
}

/// <summary>What made a job. Stored as a number; numbers only grow.</summary>
public enum JobTrigger
{
    /// <summary>A person or a program asked for it.</summary>
    Manual = 0,

    /// <summary>A <see cref="JobSchedule"/> fired.</summary>
    Schedule = 1,

    /// <summary>Something happened: a push, a delete, the start of the server.</summary>
    Event = 2,
}

/// <summary>Work that outlives a request: written in the transaction of what asked for it, run at least once.</summary>
public sealed class Job
{
    public long Id { get; set; }

    /// <summary>Names the handler (<see cref="IJobHandler.Kind"/>).</summary>
    public required string Kind { get; set; }

    public JobState State { get; set; }

    public JobTrigger Trigger { get; set; }

    /// <summary>What the handler needs to know, as JSON.</summary>
    public required string Payload { get; set; }

    /// <summary>Unix milliseconds. Pending: not to be run before. Running: when the lease ends. So one index finds all that a worker may take.</summary>
    public long DueAt { get; set; }

    /// <summary>How often it was started; with <see cref="LeaseOwner"/> also the proof that a lease is still the same.</summary>
    public int Attempts { get; set; }

    /// <summary>How many starts ended in failure. The others were cut off: their process was killed.</summary>
    public int Failures { get; set; }

    /// <summary>Failures after which it is given up.</summary>
    public int MaxAttempts { get; set; }

    /// <summary>The process that runs it, or ran it last.</summary>
    public string? LeaseOwner { get; set; }

    /// <summary>Somebody wants it to stop.</summary>
    public bool CancelRequested { get; set; }

    /// <summary>0 to 100, as far as the handler says.</summary>
    public int? ProgressPercent { get; set; }

    /// <summary>What the handler says it is doing.</summary>
    public string? ProgressText { get; set; }

    /// <summary>Why the last try failed.</summary>
    public string? Error { get; set; }

    /// <summary>What came out, as JSON.</summary>
    public string? Result { get; set; }

    /// <summary>The project that it works for.</summary>
    public long? ProjectId { get; set; }

    /// <summary>What it belongs to in the words of its feature, such as <c>policy:7</c>; lists of jobs are asked by it.</summary>
    public string? VendorKey { get; set; }

    /// <summary>The schedule that made it; the schedule may be gone.</summary>
    public long? ScheduleId { get; set; }

    /// <summary>At most one unfinished job has this key.</summary>
    public string? DedupeKey { get; set; }

    /// <summary>Jobs of one group run one after the other, in the order of their ids.</summary>
    public string? GroupKey { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds of the last start.</summary>
    public long? StartedAt { get; set; }

    /// <summary>Unix milliseconds; null while unfinished.</summary>
    public long? FinishedAt { get; set; }
}

internal sealed class JobMap : IEntityTypeConfiguration<Job>
{
    public void Configure(EntityTypeBuilder<Job> builder)
    {
        builder.ToTable("jobs");
        builder.Property(j => j.Id).HasColumnName("id");
        builder.Property(j => j.Kind).HasColumnName("kind").HasMaxLength(NewJob.MaxKindLength);
        builder.Property(j => j.State).HasColumnName("state");
        builder.Property(j => j.Trigger).HasColumnName("trigger_kind");
        builder.Property(j => j.Payload).HasColumnName("payload");
        builder.Property(j => j.DueAt).HasColumnName("due_at");
        builder.Property(j => j.Attempts).HasColumnName("attempts");
        builder.Property(j => j.Failures).HasColumnName("failures");
        builder.Property(j => j.MaxAttempts).HasColumnName("max_attempts");
        builder.Property(j => j.LeaseOwner).HasColumnName("lease_owner").HasMaxLength(64);
        builder.Property(j => j.CancelRequested).HasColumnName("cancel_requested");
        builder.Property(j => j.ProgressPercent).HasColumnName("progress_percent");
        builder.Property(j => j.ProgressText).HasColumnName("progress_text");
        builder.Property(j => j.Error).HasColumnName("error");
        builder.Property(j => j.Result).HasColumnName("result");
        builder.Property(j => j.ProjectId).HasColumnName("project_id");
        builder.Property(j => j.VendorKey).HasColumnName("vendor_key").HasMaxLength(NewJob.MaxKeyLength);
        builder.Property(j => j.ScheduleId).HasColumnName("schedule_id");
        builder.Property(j => j.DedupeKey).HasColumnName("dedupe_key").HasMaxLength(NewJob.MaxKeyLength);
        builder.Property(j => j.GroupKey).HasColumnName("group_key").HasMaxLength(NewJob.MaxKeyLength);
        builder.Property(j => j.CreatedAt).HasColumnName("created_at");
        builder.Property(j => j.StartedAt).HasColumnName("started_at");
        builder.Property(j => j.FinishedAt).HasColumnName("finished_at");
        // The filters are written as the statements write them: SQLite compares the terms literally.
        builder.HasIndex(j => new { j.Kind, j.DueAt }).HasFilter("state IN (0, 2)");
        builder.HasIndex(j => j.DedupeKey).IsUnique().HasFilter("dedupe_key IS NOT NULL AND state < 3");
        builder.HasIndex(j => new { j.GroupKey, j.Id }).HasFilter("group_key IS NOT NULL AND state < 3");
        builder.HasIndex(j => new { j.Kind, j.State, j.Id });
        builder.HasIndex(j => new { j.VendorKey, j.Id }).HasFilter("vendor_key IS NOT NULL");
        builder.HasIndex(j => new { j.ProjectId, j.Id }).HasFilter("project_id IS NOT NULL");
        builder.HasIndex(j => j.FinishedAt).HasFilter("finished_at IS NOT NULL");
    }
}
