using Berth.Server.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Immutability;

/// <summary>Tags of a project that cannot be moved or deleted once they are there: Harbor's tag immutability rule.</summary>
public sealed class ImmutableRule
{
    public long Id { get; set; }

    public long ProjectId { get; set; }

    public bool IsDisabled { get; set; }

    /// <summary>True: repositories whose names match; false: all others.</summary>
    public bool RepositoryMatches { get; set; } = true;

    /// <summary>Doublestar glob over the repository's name without the project.</summary>
    public required string RepositoryPattern { get; set; }

    /// <summary>True: tags that match; false: all others.</summary>
    public bool TagMatches { get; set; } = true;

    /// <summary>Doublestar glob over tags.</summary>
    public required string TagPattern { get; set; }

    /// <summary>Harbor's priority; it is shown and decides nothing.</summary>
    public int Priority { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }
}

internal sealed class ImmutableRuleMap : IEntityTypeConfiguration<ImmutableRule>
{
    public void Configure(EntityTypeBuilder<ImmutableRule> builder)
    {
        builder.ToTable("immutable_rules");
        builder.Property(r => r.Id).HasColumnName("id");
        builder.Property(r => r.ProjectId).HasColumnName("project_id");
        builder.Property(r => r.IsDisabled).HasColumnName("is_disabled");
        builder.Property(r => r.RepositoryMatches).HasColumnName("repository_matches");
        builder.Property(r => r.RepositoryPattern).HasColumnName("repository_pattern").HasMaxLength(255);
        builder.Property(r => r.TagMatches).HasColumnName("tag_matches");
        builder.Property(r => r.TagPattern).HasColumnName("tag_pattern").HasMaxLength(255);
        builder.Property(r => r.Priority).HasColumnName("priority");
        builder.Property(r => r.CreatedAt).HasColumnName("created_at");
        builder.HasOne<Project>().WithMany().HasForeignKey(r => r.ProjectId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(r => r.ProjectId);
    }
}
