using Berth.Server.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning.Findings;

/// <summary>
/// One flaw in one package of an image, as the last good report of the image has it (<see cref="ArtifactScan"/>). Exceptions are not applied here: they hold when findings are shown, counted or
/// judged by a gate.
/// </summary>
public sealed class ArtifactFinding
{
    public long Id { get; set; }

    public long ManifestId { get; set; }

    /// <summary>Id of the flaw as its source writes it: a CVE, GHSA, RUSTSEC …</summary>
    public required string Vulnerability { get; set; }

    /// <summary>Other ids of the same flaw with spaces between; null when there are none.</summary>
    public string? Aliases { get; set; }

    /// <summary>Name of the package.</summary>
    public required string Package { get; set; }

    /// <summary>Installed version in full.</summary>
    public required string Version { get; set; }

    /// <summary>Versions that repair it, with commas between; null when there is none.</summary>
    public string? FixedVersion { get; set; }

    /// <summary>5 critical, 4 high, 3 medium, 2 low, 1 unknown (<see cref="StoredReport.Rank"/>).</summary>
    public short Severity { get; set; }

    /// <summary>What the vendor says (<see cref="Berth.Scanner.Advisories.FixStatus"/>).</summary>
    public short Status { get; set; }

    /// <summary>CVSS score of version 3, 0 to 10; null when there is none.</summary>
    public double? Score { get; set; }

    /// <summary>File in the image that names the package; null when unknown.</summary>
    public string? Path { get; set; }

    /// <summary>Diff id of the layer that brought the package; null when unknown.</summary>
    public string? Layer { get; set; }

    /// <summary>Whether the package comes from the base image; null while nobody knows.</summary>
    public bool? FromBase { get; set; }

    /// <summary>When a report of the image had it first, Unix milliseconds; survives new scans.</summary>
    public long FirstSeen { get; set; }
}

internal sealed class ArtifactFindingMap : IEntityTypeConfiguration<ArtifactFinding>
{
    public void Configure(EntityTypeBuilder<ArtifactFinding> builder)
    {
        builder.ToTable("artifact_findings");
        builder.Property(f => f.Id).HasColumnName("id");
        builder.Property(f => f.ManifestId).HasColumnName("manifest_id");
        builder.Property(f => f.Vulnerability).HasColumnName("vulnerability").HasMaxLength(FindingRow.MaxIdChars);
        builder.Property(f => f.Aliases).HasColumnName("aliases");
        builder.Property(f => f.Package).HasColumnName("package").HasMaxLength(FindingRow.MaxNameChars);
        builder.Property(f => f.Version).HasColumnName("version").HasMaxLength(FindingRow.MaxNameChars);
        builder.Property(f => f.FixedVersion).HasColumnName("fixed_version");
        builder.Property(f => f.Severity).HasColumnName("severity");
        builder.Property(f => f.Status).HasColumnName("status");
        builder.Property(f => f.Score).HasColumnName("score");
        builder.Property(f => f.Path).HasColumnName("path");
        builder.Property(f => f.Layer).HasColumnName("layer");
        builder.Property(f => f.FromBase).HasColumnName("from_base");
        builder.Property(f => f.FirstSeen).HasColumnName("first_seen");
        builder.HasOne<Manifest>().WithMany().HasForeignKey(f => f.ManifestId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(f => f.ManifestId);
        builder.HasIndex(f => new { f.Vulnerability, f.ManifestId });
        builder.HasIndex(f => f.Package);
        builder.HasIndex(f => new { f.Severity, f.Id });
        builder.HasIndex(f => new { f.Score, f.Vulnerability });
    }
}
