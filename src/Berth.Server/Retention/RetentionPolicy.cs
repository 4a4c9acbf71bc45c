using Berth.Server.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Retention;

/// <summary>Rules of the registry, of a project or of one repository. The nearest policy that is switched on decides about a repository, alone.</summary>
public sealed class RetentionPolicy
{
    public long Id { get; set; }

    /// <summary>Null for the policy of the registry.</summary>
    public long? ProjectId { get; set; }

    /// <summary>Name without the project; empty for a policy of the project or of the registry.</summary>
    public string Repository { get; set; } = "";

    /// <summary>The rules in our own form, JSON.</summary>
    public required string Rules { get; set; }

    /// <summary>The form in which they were given.</summary>
    public required string Dialect { get; set; }

    /// <summary>When it runs; empty: only on demand.</summary>
    public string Cron { get; set; } = "";

    /// <summary>It also runs on a repository that was pushed to.</summary>
    public bool RunsOnPush { get; set; }

    public bool IsDisabled { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long UpdatedAt { get; set; }
}

/// <summary>One run of a policy.</summary>
public sealed class RetentionRun
{
    public long Id { get; set; }

    public long PolicyId { get; set; }

    /// <summary>The job that does it; its state is the run's.</summary>
    public long JobId { get; set; }

    /// <summary>Only to be told.</summary>
    public bool IsDryRun { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long StartedAt { get; set; }

    /// <summary>Unix milliseconds; null while it runs, and when it was cut off for good.</summary>
    public long? FinishedAt { get; set; }

    /// <summary>Bytes in the blob stores that nothing names any more, or would.</summary>
    public long FreedBytes { get; set; }
}

/// <summary>What a run came to in one repository.</summary>
public sealed class RetentionResult
{
    public long Id { get; set; }

    public long RunId { get; set; }

    /// <summary>Full name at the time.</summary>
    public required string Repository { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long StartedAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long FinishedAt { get; set; }

    /// <summary>Tags, and images without one, that were decided about.</summary>
    public int Total { get; set; }

    /// <summary>Those that stayed.</summary>
    public int Kept { get; set; }

    /// <summary>One line for each of them, compressed (gzip).</summary>
    public required byte[] Report { get; set; }
}

internal sealed class RetentionPolicyMap : IEntityTypeConfiguration<RetentionPolicy>
{
    public void Configure(EntityTypeBuilder<RetentionPolicy> builder)
    {
        builder.ToTable("retention_policies");
        builder.Property(p => p.Id).HasColumnName("id");
        builder.Property(p => p.ProjectId).HasColumnName("project_id");
        builder.Property(p => p.Repository).HasColumnName("repository").HasMaxLength(255);
        builder.Property(p => p.Rules).HasColumnName("rules");
        builder.Property(p => p.Dialect).HasColumnName("dialect").HasMaxLength(32);
        builder.Property(p => p.Cron).HasColumnName("cron").HasMaxLength(128);
        builder.Property(p => p.RunsOnPush).HasColumnName("runs_on_push");
        builder.Property(p => p.IsDisabled).HasColumnName("is_disabled");
        builder.Property(p => p.CreatedAt).HasColumnName("created_at");
        builder.Property(p => p.UpdatedAt).HasColumnName("updated_at");
        builder.HasOne<Project>().WithMany().HasForeignKey(p => p.ProjectId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(p => new { p.ProjectId, p.Repository }).IsUnique();
        builder.HasIndex(p => p.Repository).IsUnique().HasFilter("project_id IS NULL");
    }
}

internal sealed class RetentionRunMap : IEntityTypeConfiguration<RetentionRun>
{
    public void Configure(EntityTypeBuilder<RetentionRun> builder)
    {
        builder.ToTable("retention_runs");
        builder.Property(r => r.Id).HasColumnName("id");
        builder.Property(r => r.PolicyId).HasColumnName("policy_id");
        builder.Property(r => r.JobId).HasColumnName("job_id");
        builder.Property(r => r.IsDryRun).HasColumnName("is_dry_run");
        builder.Property(r => r.StartedAt).HasColumnName("started_at");
        builder.Property(r => r.FinishedAt).HasColumnName("finished_at");
        builder.Property(r => r.FreedBytes).HasColumnName("freed_bytes");
        builder.HasOne<RetentionPolicy>().WithMany().HasForeignKey(r => r.PolicyId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(r => new { r.PolicyId, r.Id });
        builder.HasIndex(r => r.JobId).IsUnique();
    }
}

internal sealed class RetentionResultMap : IEntityTypeConfiguration<RetentionResult>
{
    public void Configure(EntityTypeBuilder<RetentionResult> builder)
    {
        builder.ToTable("retention_results");
        builder.Property(r => r.Id).HasColumnName("id");
        builder.Property(r => r.RunId).HasColumnName("run_id");
        builder.Property(r => r.Repository).HasColumnName("repository").HasMaxLength(255);
        builder.Property(r => r.StartedAt).HasColumnName("started_at");
        builder.Property(r => r.FinishedAt).HasColumnName("finished_at");
        builder.Property(r => r.Total).HasColumnName("total");
        builder.Property(r => r.Kept).HasColumnName("kept");
        builder.Property(r => r.Report).HasColumnName("report");
        builder.HasOne<RetentionRun>().WithMany().HasForeignKey(r => r.RunId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(r => new { r.RunId, r.Repository }).IsUnique();
    }
}
