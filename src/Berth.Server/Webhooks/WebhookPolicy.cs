using Berth.Server.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Webhooks;

/// <summary>Who is told of which events: of one project, or of all.</summary>
public sealed class WebhookPolicy
{
    public long Id { get; set; }

    /// <summary>Null: of the whole installation.</summary>
    public long? ProjectId { get; set; }

    /// <summary>Unique within the project.</summary>
    public required string Name { get; set; }

    public string Description { get; set; } = "";

    public bool Enabled { get; set; }

    /// <summary>Words of <see cref="WebhookEventTypes"/>, a JSON array.</summary>
    public required string EventTypes { get; set; }

    /// <summary>Glob over names of repositories; null for all. Without the project's name in a policy of a project.</summary>
    public string? Repositories { get; set; }

    /// <summary>Glob over tags; null for all, and for what has no tag.</summary>
    public string? Tags { get; set; }

    /// <summary>The receivers as JSON (<see cref="StoredTarget"/>). Their secrets are sealed with the key of the installation.</summary>
    public required string Targets { get; set; }

    /// <summary>Name of who made it.</summary>
    public required string Creator { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long UpdatedAt { get; set; }
}

internal sealed class WebhookPolicyMap : IEntityTypeConfiguration<WebhookPolicy>
{
    public void Configure(EntityTypeBuilder<WebhookPolicy> builder)
    {
        builder.ToTable("webhook_policies");
        builder.Property(p => p.Id).HasColumnName("id");
        builder.Property(p => p.ProjectId).HasColumnName("project_id");
        builder.Property(p => p.Name).HasColumnName("name").HasMaxLength(WebhookRules.MaxNameLength);
        builder.Property(p => p.Description).HasColumnName("description");
        builder.Property(p => p.Enabled).HasColumnName("enabled");
        builder.Property(p => p.EventTypes).HasColumnName("event_types");
        builder.Property(p => p.Repositories).HasColumnName("repositories").HasMaxLength(255);
        builder.Property(p => p.Tags).HasColumnName("tags").HasMaxLength(255);
        builder.Property(p => p.Targets).HasColumnName("targets");
        builder.Property(p => p.Creator).HasColumnName("creator").HasMaxLength(255);
        builder.Property(p => p.CreatedAt).HasColumnName("created_at");
        builder.Property(p => p.UpdatedAt).HasColumnName("updated_at");
        builder.HasOne<Project>().WithMany().HasForeignKey(p => p.ProjectId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(p => new { p.ProjectId, p.Name }).IsUnique();
        // NULLs differ from each other: names of policies of the installation need an index of their own.
        builder.HasIndex(p => p.Name).IsUnique().HasFilter("project_id IS NULL");
    }
}
