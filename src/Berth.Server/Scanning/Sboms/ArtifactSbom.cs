using Berth.Server.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning.Sboms;

/// <summary>The bill of materials that this server made of an image, and how far the newest request for one is. An index has no row: its children have.</summary>
public sealed class ArtifactSbom
{
    public long ManifestId { get; set; }

    /// <summary>How the newest request ended; while it waits or runs, its job says how far it is.</summary>
    public ScanState State { get; set; }

    /// <summary>Job of the newest request.</summary>
    public long JobId { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long RequestedAt { get; set; }

    /// <summary>Unix milliseconds; null before it has begun.</summary>
    public long? StartedAt { get; set; }

    /// <summary>Unix milliseconds; null while it waits or runs.</summary>
    public long? FinishedAt { get; set; }

    /// <summary>Why the newest request failed; null when it did not.</summary>
    public string? Problem { get; set; }

    /// <summary>The manifest with the document, a referrer of the image in its repository; null when there is none yet. It stays when a later request fails.</summary>
    public string? SbomDigest { get; set; }
}

internal sealed class ArtifactSbomMap : IEntityTypeConfiguration<ArtifactSbom>
{
    public void Configure(EntityTypeBuilder<ArtifactSbom> builder)
    {
        builder.ToTable("artifact_sboms");
        builder.HasKey(s => s.ManifestId);
        builder.Property(s => s.ManifestId).HasColumnName("manifest_id").ValueGeneratedNever();
        builder.Property(s => s.State).HasColumnName("state");
        builder.Property(s => s.JobId).HasColumnName("job_id");
        builder.Property(s => s.RequestedAt).HasColumnName("requested_at");
        builder.Property(s => s.StartedAt).HasColumnName("started_at");
        builder.Property(s => s.FinishedAt).HasColumnName("finished_at");
        builder.Property(s => s.Problem).HasColumnName("problem").HasMaxLength(2000);
        builder.Property(s => s.SbomDigest).HasColumnName("sbom_digest").HasMaxLength(135);
        builder.HasOne<Manifest>().WithMany().HasForeignKey(s => s.ManifestId).OnDelete(DeleteBehavior.Cascade);
    }
}
