using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Platform.Data;

/// <summary>Something that holds for the installation, its database with all replicas: a name and a value.</summary>
public sealed class InstallationFact
{
    /// <summary>Name of the fact.</summary>
    public required string Name { get; set; }

    /// <summary>Its value.</summary>
    public required string Value { get; set; }
}

internal sealed class InstallationFactMap : IEntityTypeConfiguration<InstallationFact>
{
    public void Configure(EntityTypeBuilder<InstallationFact> builder)
    {
        builder.ToTable("installation_facts");
        builder.HasKey(f => f.Name);
        builder.Property(f => f.Name).HasColumnName("name").HasMaxLength(64);
        builder.Property(f => f.Value).HasColumnName("value").HasMaxLength(1000);
    }
}
