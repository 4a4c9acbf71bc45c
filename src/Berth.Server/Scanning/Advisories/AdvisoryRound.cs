using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning.Advisories;

/// <summary>Bringing all reports up to one advisory database, by whichever replica has it. The newest row says which database reports are to be judged by.</summary>
public sealed class AdvisoryRound
{
    public long Id { get; set; }

    /// <summary>When the database was built, Unix milliseconds; which database it is.</summary>
    public long BuiltAt { get; set; }

    /// <summary>When the process that began the round took the database into use, Unix milliseconds.</summary>
    public long UsedAt { get; set; }

    /// <summary>Whether somebody went back to an older database on purpose.</summary>
    public bool IsRollback { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long StartedAt { get; set; }

    /// <summary>Unix milliseconds; null while it runs, or was cut off.</summary>
    public long? FinishedAt { get; set; }

    /// <summary>Images that the changed advisories touch.</summary>
    public long Affected { get; set; }

    /// <summary>Images that were judged again.</summary>
    public long Judged { get; set; }

    /// <summary>Images whose findings changed.</summary>
    public long Changed { get; set; }

    /// <summary>Findings that images did not have before.</summary>
    public long NewFindings { get; set; }
}

internal sealed class AdvisoryRoundMap : IEntityTypeConfiguration<AdvisoryRound>
{
    public void Configure(EntityTypeBuilder<AdvisoryRound> builder)
    {
        builder.ToTable("advisory_rounds");
        builder.Property(r => r.Id).HasColumnName("id");
        builder.Property(r => r.BuiltAt).HasColumnName("built_at");
        builder.Property(r => r.UsedAt).HasColumnName("used_at");
        builder.Property(r => r.IsRollback).HasColumnName("is_rollback");
        builder.Property(r => r.StartedAt).HasColumnName("started_at");
        builder.Property(r => r.FinishedAt).HasColumnName("finished_at");
        builder.Property(r => r.Affected).HasColumnName("affected");
        builder.Property(r => r.Judged).HasColumnName("judged");
        builder.Property(r => r.Changed).HasColumnName("changed");
        builder.Property(r => r.NewFindings).HasColumnName("new_findings");
    }
}
