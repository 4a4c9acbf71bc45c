using Berth.Server.Projects;
using Berth.Server.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning.Exceptions;

/// <summary>A document that says which findings do not count, for all images, those of a project or those of a repository. It is never changed: a new one is put in its place.</summary>
public sealed class ScanException
{
    public long Id { get; set; }

    /// <summary>The project that it is for; null for one of a repository or of all.</summary>
    public long? ProjectId { get; set; }

    /// <summary>The repository that it is for; null for one of a project or of all.</summary>
    public long? RepositoryId { get; set; }

    public ExceptionKind Kind { get; set; }

    /// <summary>Name for people, such as that of the file.</summary>
    public required string Name { get; set; }

    /// <summary>Why it is here; may be empty.</summary>
    public required string Note { get; set; }

    /// <summary>The bytes as they were given.</summary>
    public required byte[] Content { get; set; }

    /// <summary>Statements or rules in it.</summary>
    public int Entries { get; set; }

    /// <summary>When all of it ends, Unix milliseconds; null for never.</summary>
    public long? ExpiresAt { get; set; }

    /// <summary>Who brought it.</summary>
    public required string CreatedBy { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }
}

/// <summary>Forms of exceptions. Numbers are stored: they only grow.</summary>
public enum ExceptionKind
{
    /// <summary>An OpenVEX document.</summary>
    OpenVex = 0,

    /// <summary>A CycloneDX document with analyses of vulnerabilities.</summary>
    CycloneDxVex = 1,

    /// <summary>Trivy's ignore file, an id a line.</summary>
    TrivyIgnore = 2,

    /// <summary>Trivy's ignore file in YAML.</summary>
    TrivyIgnoreYaml = 3,

    /// <summary>Harbor's list of the installation; one row at most, not among the documents.</summary>
    SystemAllowList = 4,
}

internal sealed class ScanExceptionMap : IEntityTypeConfiguration<ScanException>
{
    public void Configure(EntityTypeBuilder<ScanException> builder)
    {
        builder.ToTable("scan_exceptions");
        builder.Property(e => e.Id).HasColumnName("id");
        builder.Property(e => e.ProjectId).HasColumnName("project_id");
        builder.Property(e => e.RepositoryId).HasColumnName("repository_id");
        builder.Property(e => e.Kind).HasColumnName("kind");
        builder.Property(e => e.Name).HasColumnName("name").HasMaxLength(255);
        builder.Property(e => e.Note).HasColumnName("note").HasMaxLength(2000);
        builder.Property(e => e.Content).HasColumnName("content");
        builder.Property(e => e.Entries).HasColumnName("entries");
        builder.Property(e => e.ExpiresAt).HasColumnName("expires_at");
        builder.Property(e => e.CreatedBy).HasColumnName("created_by").HasMaxLength(255);
        builder.Property(e => e.CreatedAt).HasColumnName("created_at");
        builder.HasOne<Project>().WithMany().HasForeignKey(e => e.ProjectId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Repository>().WithMany().HasForeignKey(e => e.RepositoryId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(e => e.ProjectId);
        builder.HasIndex(e => e.RepositoryId);
    }
}
