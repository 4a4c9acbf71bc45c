using Berth.Server.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning.Contents;

/// <summary>What the last good scan of an image found beside vulnerable packages, and where it had its packages from.</summary>
public sealed class ArtifactContent
{
    public long ManifestId { get; set; }

    /// <summary>Unix milliseconds of the scan.</summary>
    public long ScannedAt { get; set; }

    /// <summary><c>os/architecture[/variant]</c> of the configuration; null when it names none.</summary>
    public string? Platform { get; set; }

    /// <summary>Digest of the manifest of the attached bill of materials whose packages were judged; null for the packages of the layers.</summary>
    public string? SourceManifest { get; set; }

    /// <summary>Digest of the document in it.</summary>
    public string? SourceDocument { get; set; }

    /// <summary>Secrets that were found; null when nobody looked.</summary>
    public int? Secrets { get; set; }

    /// <summary>Problems of the configuration; null when nobody looked.</summary>
    public int? Misconfigurations { get; set; }

    /// <summary>Both lists, JSON in Brotli, secrets masked; null when there is nothing in them.</summary>
    public byte[]? Problems { get; set; }

    /// <summary>How many of the lowest layers were those of a base image; 0 when none was found.</summary>
    public int BaseLayers { get; set; }

    /// <summary><c>org.opencontainers.image.base.name</c> of the image; null when it says nothing.</summary>
    public string? BaseName { get; set; }

    /// <summary><c>org.opencontainers.image.base.digest</c> of the image; null when it says nothing.</summary>
    public string? BaseDigest { get; set; }
}

internal sealed class ArtifactContentMap : IEntityTypeConfiguration<ArtifactContent>
{
    public void Configure(EntityTypeBuilder<ArtifactContent> builder)
    {
        builder.ToTable("artifact_contents");
        builder.HasKey(c => c.ManifestId);
        builder.Property(c => c.ManifestId).HasColumnName("manifest_id").ValueGeneratedNever();
        builder.Property(c => c.ScannedAt).HasColumnName("scanned_at");
        builder.Property(c => c.Platform).HasColumnName("platform").HasMaxLength(128);
        builder.Property(c => c.SourceManifest).HasColumnName("source_manifest").HasMaxLength(135);
        builder.Property(c => c.SourceDocument).HasColumnName("source_document").HasMaxLength(135);
        builder.Property(c => c.Secrets).HasColumnName("secrets");
        builder.Property(c => c.Misconfigurations).HasColumnName("misconfigurations");
        builder.Property(c => c.Problems).HasColumnName("problems");
        builder.Property(c => c.BaseLayers).HasColumnName("base_layers");
        builder.Property(c => c.BaseName).HasColumnName("base_name").HasMaxLength(512);
        builder.Property(c => c.BaseDigest).HasColumnName("base_digest").HasMaxLength(135);
        builder.HasOne<Manifest>().WithMany().HasForeignKey(c => c.ManifestId).OnDelete(DeleteBehavior.Cascade);
    }
}
