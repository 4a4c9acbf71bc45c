using Berth.Server.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning;

/// <summary>
/// What is known about the contents of an image: its newest scan and the report of the last one that came to an end, which stays valid while another runs or when it fails.
/// An index has no row: its children have.
/// </summary>
public sealed class ArtifactScan
{
    public long ManifestId { get; set; }

    /// <summary>How the newest scan ended; while it waits or runs, its job says how far it is.</summary>
    public ScanState State { get; set; }

    /// <summary>Job of the newest scan.</summary>
    public long JobId { get; set; }

    /// <summary>The job of the run over all images that asked for it; null when it was asked for alone.</summary>
    public long? RunId { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long RequestedAt { get; set; }

    /// <summary>Unix milliseconds; null before the first scan has begun.</summary>
    public long? StartedAt { get; set; }

    /// <summary>Unix milliseconds; null while it waits or runs.</summary>
    public long? FinishedAt { get; set; }

    /// <summary>Why the newest scan failed; null when it did not.</summary>
    public string? Problem { get; set; }

    /// <summary>When the report was made, Unix milliseconds; null when there is none yet.</summary>
    public long? ReportedAt { get; set; }

    /// <summary>When the advisory database of the report was built, Unix milliseconds.</summary>
    public long? DatabaseBuiltAt { get; set; }

    /// <summary>Diff ids of the layers that the packages come from, the lowest first, with spaces between: what is needed to judge again without reading the image. Null before the first report.</summary>
    public string? DiffIds { get; set; }

    /// <summary>The report in Harbor's form, JSON in Brotli; null when there is none yet.</summary>
    public byte[]? Report { get; set; }

    /// <summary>Which scanner outside has made the report, as JSON (<see cref="ScannerNameJson"/>); null for the built-in one.</summary>
    public string? Scanner { get; set; }

    public int Critical { get; set; }

    public int High { get; set; }

    public int Medium { get; set; }

    public int Low { get; set; }

    public int Unknown { get; set; }

    /// <summary>Findings for which there is a repair.</summary>
    public int Fixable { get; set; }
}

/// <summary>How a scan ended; stored.</summary>
public enum ScanState
{
    /// <summary>It has not: the job says whether it waits, runs or was stopped.</summary>
    Requested = 0,

    /// <summary>With a report.</summary>
    Done = 1,

    /// <summary>Without one.</summary>
    Failed = 2,
}

internal sealed class ArtifactScanMap : IEntityTypeConfiguration<ArtifactScan>
{
    public void Configure(EntityTypeBuilder<ArtifactScan> builder)
    {
        builder.ToTable("artifact_scans");
        builder.HasKey(s => s.ManifestId);
        builder.Property(s => s.ManifestId).HasColumnName("manifest_id").ValueGeneratedNever();
        builder.Property(s => s.State).HasColumnName("state");
        builder.Property(s => s.JobId).HasColumnName("job_id");
        builder.Property(s => s.RunId).HasColumnName("run_id");
        builder.Property(s => s.RequestedAt).HasColumnName("requested_at");
        builder.Property(s => s.StartedAt).HasColumnName("started_at");
        builder.Property(s => s.FinishedAt).HasColumnName("finished_at");
        builder.Property(s => s.Problem).HasColumnName("problem").HasMaxLength(2000);
        builder.Property(s => s.ReportedAt).HasColumnName("reported_at");
        builder.Property(s => s.DatabaseBuiltAt).HasColumnName("database_built_at");
        builder.Property(s => s.DiffIds).HasColumnName("diff_ids");
        builder.Property(s => s.Report).HasColumnName("report");
        builder.Property(s => s.Scanner).HasColumnName("scanner").HasMaxLength(1000);
        builder.Property(s => s.Critical).HasColumnName("critical");
        builder.Property(s => s.High).HasColumnName("high");
        builder.Property(s => s.Medium).HasColumnName("medium");
        builder.Property(s => s.Low).HasColumnName("low");
        builder.Property(s => s.Unknown).HasColumnName("unknown");
        builder.Property(s => s.Fixable).HasColumnName("fixable");
        builder.HasOne<Manifest>().WithMany().HasForeignKey(s => s.ManifestId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(s => s.RunId);
        builder.HasIndex(s => new { s.DatabaseBuiltAt, s.ManifestId });
    }
}
