using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Scanning;

/// <summary>A name that advisories are written for: a package of an ecosystem or of a release of a distribution (<see cref="MatchKey"/>).</summary>
public sealed class IndexedPackage
{
    public long Id { get; set; }

    public required string Scope { get; set; }

    public required string Name { get; set; }
}

/// <summary>An image has a version of a package.</summary>
public sealed class ArtifactPackage
{
    public long PackageId { get; set; }

    public long ManifestId { get; set; }

    /// <summary>Version in full.</summary>
    public required string Version { get; set; }
}

internal sealed class IndexedPackageMap : IEntityTypeConfiguration<IndexedPackage>
{
    public void Configure(EntityTypeBuilder<IndexedPackage> builder)
    {
        builder.ToTable("packages");
        builder.Property(p => p.Id).HasColumnName("id");
        builder.Property(p => p.Scope).HasColumnName("scope").HasMaxLength(128);
        builder.Property(p => p.Name).HasColumnName("name").HasMaxLength(1024);
        builder.HasIndex(p => new { p.Name, p.Scope }).IsUnique();
    }
}

internal sealed class ArtifactPackageMap : IEntityTypeConfiguration<ArtifactPackage>
{
    public void Configure(EntityTypeBuilder<ArtifactPackage> builder)
    {
        builder.ToTable("artifact_packages");
        builder.HasKey(p => new { p.PackageId, p.ManifestId, p.Version });
        builder.Property(p => p.PackageId).HasColumnName("package_id");
        builder.Property(p => p.ManifestId).HasColumnName("manifest_id");
        builder.Property(p => p.Version).HasColumnName("version").HasMaxLength(512);
        builder.HasOne<IndexedPackage>().WithMany().HasForeignKey(p => p.PackageId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Manifest>().WithMany().HasForeignKey(p => p.ManifestId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(p => p.ManifestId);
    }
}

/// <summary>Which image has which package: asked when advisories change, and by people who look for a package.</summary>
internal static class PackageIndex
{
    private const int MaxNameBytes = 1024;
    private const int MaxVersionBytes = 512;

    /// <summary>Puts the packages of an image in the place of what was known of it.</summary>
    public static async ValueTask ReplaceAsync(DbSession session, long manifestId, ImageInventory image, CancellationToken ct)
    {
        var rows = new HashSet<PackageRow>();
        foreach (var subject in MatchSubject.Of(image))
        {
            foreach (var package in subject.Packages.Where(static p => p.Version.Length > 0))
                foreach (var key in MatchKey.Of(subject, package))
                    if (Fits(key.Name, MaxNameBytes) && Fits(PackageVersions.Full(package), MaxVersionBytes)) rows.Add(new PackageRow(key.Scope, key.Name, PackageVersions.Full(package)));
        }
        // In one order for everybody: two scans that add the same names do not wait for each other in a circle.
        var json = JsonSerializer.Serialize(
            [.. rows.OrderBy(static r => r.Name, StringComparer.Ordinal).ThenBy(static r => r.Scope, StringComparer.Ordinal).ThenBy(static r => r.Version, StringComparer.Ordinal)],
            PackageIndexJson.Default.ListPackageRow);
        await session.ExecuteAsync(InsertPackages, [json], ct).ConfigureAwait(false);
        await session.ExecuteAsync(DeleteOfManifest, [manifestId], ct).ConfigureAwait(false);
        await session.ExecuteAsync(InsertOfManifest, [manifestId, json], ct).ConfigureAwait(false);
    }

    // An index of PostgreSQL takes keys up to 2,700 bytes, and its texts no zeros; no advisory is written for such names.
    private static bool Fits(string text, int bytes) => text.Length <= bytes && Encoding.UTF8.GetByteCount(text) <= bytes && !text.Contains('\0');

    /// <summary>Images that have a package of any of the keys, by their rows; each once, in order, behind <paramref name="after"/>.</summary>
    public static async ValueTask<List<long>> ManifestsWithAsync(DbSession session, IEnumerable<MatchKey> keys, long after, int limit, CancellationToken ct)
    {
        var json = JsonSerializer.Serialize([.. keys.Select(static k => new PackageRow(k.Scope, k.Name, ""))], PackageIndexJson.Default.ListPackageRow);
        var found = new List<long>();
        await using var rows = await session.Command(SelectManifests, json, after, limit).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(rows.GetInt64(0));
        return found;
    }

    private static readonly Statement InsertPackages = new("""
        INSERT INTO packages (scope, name) SELECT DISTINCT json_extract(value, '$.s'), json_extract(value, '$.n') FROM json_each(@0) WHERE true ORDER BY 2, 1
        ON CONFLICT (name, scope) DO NOTHING
        """, """
        INSERT INTO packages (scope, name) SELECT DISTINCT x.s, x.n FROM jsonb_to_recordset(@0::jsonb) AS x(s text, n text) ORDER BY 2, 1
        ON CONFLICT (name, scope) DO NOTHING
        """);

    private static readonly Statement DeleteOfManifest = new("DELETE FROM artifact_packages WHERE manifest_id = @0");

    private static readonly Statement InsertOfManifest = new("""
        INSERT INTO artifact_packages (package_id, manifest_id, version)
        SELECT DISTINCT p.id, @0, json_extract(x.value, '$.v') FROM json_each(@1) x
        JOIN packages p ON p.name = json_extract(x.value, '$.n') AND p.scope = json_extract(x.value, '$.s')
        """, """
        INSERT INTO artifact_packages (package_id, manifest_id, version)
        SELECT DISTINCT p.id, @0::bigint, x.v FROM jsonb_to_recordset(@1::jsonb) AS x(s text, n text, v text) JOIN packages p ON p.name = x.n AND p.scope = x.s
        """);

    private static readonly Statement SelectManifests = new("""
        SELECT DISTINCT a.manifest_id FROM json_each(@0) x JOIN packages p ON p.name = json_extract(x.value, '$.n') AND p.scope = json_extract(x.value, '$.s')
        JOIN artifact_packages a ON a.package_id = p.id WHERE a.manifest_id > @1 ORDER BY 1 LIMIT @2
        """, """
        SELECT DISTINCT a.manifest_id FROM jsonb_to_recordset(@0::jsonb) AS x(s text, n text) JOIN packages p ON p.name = x.n AND p.scope = x.s
        JOIN artifact_packages a ON a.package_id = p.id WHERE a.manifest_id > @1 ORDER BY 1 LIMIT @2
        """);
}

/// <summary>A row on its way into the database.</summary>
internal sealed record PackageRow([property: JsonPropertyName("s")] string Scope, [property: JsonPropertyName("n")] string Name, [property: JsonPropertyName("v")] string Version);

[JsonSerializable(typeof(List<PackageRow>))]
internal sealed partial class PackageIndexJson : JsonSerializerContext;
