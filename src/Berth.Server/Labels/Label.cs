using Berth.Server.Projects;
using Berth.Server.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Labels;

/// <summary>A coloured word that people put on artifacts: of one project, or of all.</summary>
public sealed class Label
{
    public long Id { get; set; }

    /// <summary>Unique in its project, or among those of all projects.</summary>
    public required string Name { get; set; }

    public string Description { get; set; } = "";

    /// <summary>As <c>#0079B8</c>; may be empty.</summary>
    public string Color { get; set; } = "";

    /// <summary>Null for a label of all projects.</summary>
    public long? ProjectId { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long UpdatedAt { get; set; }
}

/// <summary>A label is on an artifact.</summary>
public sealed class ManifestLabel
{
    public long ManifestId { get; set; }

    public long LabelId { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }
}

internal sealed class LabelMap : IEntityTypeConfiguration<Label>
{
    public void Configure(EntityTypeBuilder<Label> builder)
    {
        builder.ToTable("labels");
        builder.Property(l => l.Id).HasColumnName("id");
        builder.Property(l => l.Name).HasColumnName("name").HasMaxLength(128);
        builder.Property(l => l.Description).HasColumnName("description");
        builder.Property(l => l.Color).HasColumnName("color").HasMaxLength(16);
        builder.Property(l => l.ProjectId).HasColumnName("project_id");
        builder.Property(l => l.CreatedAt).HasColumnName("created_at");
        builder.Property(l => l.UpdatedAt).HasColumnName("updated_at");
        builder.HasOne<Project>().WithMany().HasForeignKey(l => l.ProjectId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(l => new { l.ProjectId, l.Name }).IsUnique();
        builder.HasIndex(l => l.Name).IsUnique().HasFilter("project_id IS NULL");
    }
}

internal sealed class ManifestLabelMap : IEntityTypeConfiguration<ManifestLabel>
{
    public void Configure(EntityTypeBuilder<ManifestLabel> builder)
    {
        builder.ToTable("manifest_labels");
        builder.HasKey(l => new { l.ManifestId, l.LabelId });
        builder.Property(l => l.ManifestId).HasColumnName("manifest_id");
        builder.Property(l => l.LabelId).HasColumnName("label_id");
        builder.Property(l => l.CreatedAt).HasColumnName("created_at");
        builder.HasOne<Manifest>().WithMany().HasForeignKey(l => l.ManifestId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Label>().WithMany().HasForeignKey(l => l.LabelId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(l => new { l.LabelId, l.ManifestId });
    }
}
