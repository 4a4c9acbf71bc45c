using Berth.Server.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning.Scanners;

/// <summary>A scanner outside of Berth that administrators have entered.</summary>
public sealed class ScannerRegistration
{
    /// <summary>A UUID, as Harbor's clients expect it.</summary>
    public required string Id { get; set; }

    /// <summary>Unique.</summary>
    public required string Name { get; set; }

    public string Description { get; set; } = "";

    /// <summary>Where it is, without a slash at the end.</summary>
    public required string Url { get; set; }

    /// <summary>How it is asked: <c>harbor</c> (the pluggable scanner API) or <c>clair</c> (Clair v4's own).</summary>
    public required string Kind { get; set; }

    /// <summary>One of <see cref="ScannerAuth"/>.</summary>
    public required string Auth { get; set; }

    /// <summary>What <see cref="Auth"/> needs, sealed with the key of the installation; null for none.</summary>
    public byte[]? Credential { get; set; }

    public bool SkipCertVerify { get; set; }

    public bool IsDisabled { get; set; }

    /// <summary>It is told the internal address of this registry.</summary>
    public bool UseInternalAddress { get; set; }

    /// <summary>It scans the projects that have not chosen. At most one has it; without any, the built-in scanner does.</summary>
    public bool IsDefault { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long UpdatedAt { get; set; }
}

/// <summary>Which scanner a project has chosen.</summary>
public sealed class ProjectScanner
{
    public long ProjectId { get; set; }

    /// <summary>A <see cref="ScannerRegistration.Id"/>, or the id of the built-in one.</summary>
    public required string ScannerId { get; set; }
}

internal sealed class ScannerRegistrationMap : IEntityTypeConfiguration<ScannerRegistration>
{
    public void Configure(EntityTypeBuilder<ScannerRegistration> builder)
    {
        builder.ToTable("scanner_registrations");
        builder.HasKey(s => s.Id);
        builder.Property(s => s.Id).HasColumnName("id").HasMaxLength(64);
        builder.Property(s => s.Name).HasColumnName("name").HasMaxLength(ScannerRules.MaxNameLength);
        builder.Property(s => s.Description).HasColumnName("description").HasMaxLength(ScannerRules.MaxDescriptionLength);
        builder.Property(s => s.Url).HasColumnName("url").HasMaxLength(ScannerRules.MaxUrlLength);
        builder.Property(s => s.Kind).HasColumnName("kind").HasMaxLength(32);
        builder.Property(s => s.Auth).HasColumnName("auth").HasMaxLength(64);
        builder.Property(s => s.Credential).HasColumnName("credential");
        builder.Property(s => s.SkipCertVerify).HasColumnName("skip_cert_verify");
        builder.Property(s => s.IsDisabled).HasColumnName("is_disabled");
        builder.Property(s => s.UseInternalAddress).HasColumnName("use_internal_address");
        builder.Property(s => s.IsDefault).HasColumnName("is_default");
        builder.Property(s => s.CreatedAt).HasColumnName("created_at");
        builder.Property(s => s.UpdatedAt).HasColumnName("updated_at");
        builder.HasIndex(s => s.Name).IsUnique();
    }
}

internal sealed class ProjectScannerMap : IEntityTypeConfiguration<ProjectScanner>
{
    public void Configure(EntityTypeBuilder<ProjectScanner> builder)
    {
        builder.ToTable("project_scanners");
        builder.HasKey(s => s.ProjectId);
        builder.Property(s => s.ProjectId).HasColumnName("project_id").ValueGeneratedNever();
        builder.Property(s => s.ScannerId).HasColumnName("scanner_id").HasMaxLength(64);
        builder.HasOne<Project>().WithMany().HasForeignKey(s => s.ProjectId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(s => s.ScannerId);
    }
}
