using System.Text.Json;
using Berth.Server.Platform.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Registry;

/// <summary>
/// A repository's blob that may not be needed any more: it was pushed and no manifest may ever name it, or a manifest that named it is gone. Written in the
/// transaction of the change; garbage collection looks at it after a delay.
/// </summary>
public sealed class BlobReview
{
    public long BlobId { get; set; }

    /// <summary>0 when the repository is gone: nothing says so but the review.</summary>
    public long RepositoryId { get; set; }

    /// <summary>Unix milliseconds of the change, or later when it was looked at and put off.</summary>
    public long Since { get; set; }

    /// <summary>Unix milliseconds until which a process is looking at it; 0 for none.</summary>
    public long ClaimedUntil { get; set; }
}

/// <summary>A manifest that may not be needed any more: it came without a tag, lost one, or what listed it is gone.</summary>
public sealed class ManifestReview
{
    public long ManifestId { get; set; }

    /// <summary>Unix milliseconds of the change: since then it may be untagged.</summary>
    public long Since { get; set; }

    /// <summary>Unix milliseconds from which the delay counts until it is looked at again; at first the same.</summary>
    public long LookFrom { get; set; }

    /// <summary>Unix milliseconds until which a process is looking at it; 0 for none.</summary>
    public long ClaimedUntil { get; set; }
}

/// <summary>Writes reviews. They are written last in a transaction: who reviews locks in the order of pushes, the review's row at the end.</summary>
internal static class Reviews
{
    /// <summary>A manifest came without a tag, or lost one.</summary>
    public static async ValueTask AddManifestAsync(DbSession session, long manifestId, long now, CancellationToken ct) =>
        await session.ExecuteAsync(InsertManifest, [manifestId, now], ct).ConfigureAwait(false);

    /// <summary>What listed these manifests, or was their subject, is gone.</summary>
    public static async ValueTask AddManifestsAsync(DbSession session, IReadOnlyCollection<long> manifestIds, long now, CancellationToken ct)
    {
        if (manifestIds.Count > 0) await session.ExecuteAsync(InsertManifests, [JsonSerializer.Serialize(manifestIds), now], ct).ConfigureAwait(false);
    }

    /// <summary>A blob was pushed to, mounted into or let go by a repository.</summary>
    public static async ValueTask AddBlobAsync(DbSession session, long repositoryId, long blobId, long now, CancellationToken ct) =>
        await session.ExecuteAsync(InsertBlob, [blobId, repositoryId, now], ct).ConfigureAwait(false);

    /// <summary>Manifests of a repository are about to go: the blobs that they name.</summary>
    public static async ValueTask AddBlobsOfManifestsAsync(DbSession session, long repositoryId, string manifestIdsJson, long now, CancellationToken ct) =>
        await session.ExecuteAsync(InsertBlobsOfManifests, [repositoryId, manifestIdsJson, now], ct).ConfigureAwait(false);

    /// <summary>A repository is about to go, or to change its project: all blobs that it holds.</summary>
    public static async ValueTask AddBlobsOfRepositoryAsync(DbSession session, long repositoryId, long now, CancellationToken ct) =>
        await session.ExecuteAsync(InsertBlobsOfRepository, [repositoryId, now], ct).ConfigureAwait(false);

    /// <summary>The repositories of a project are about to go: all blobs that they hold or name.</summary>
    public static async ValueTask AddBlobsOfProjectAsync(DbSession session, long projectId, long now, CancellationToken ct) =>
        await session.ExecuteAsync(InsertBlobsOfProject, [projectId, now], ct).ConfigureAwait(false);

    private const string OnBlobConflict = " ON CONFLICT (blob_id, repository_id) DO UPDATE SET since = excluded.since";
    private const string OnManifestConflict = " ON CONFLICT (manifest_id) DO UPDATE SET since = excluded.since, look_from = excluded.look_from";

    private static readonly Statement InsertManifest = new("INSERT INTO manifest_reviews (manifest_id, since, look_from) VALUES (@0, @1, @1)" + OnManifestConflict);

    private static readonly Statement InsertManifests = new(
        "INSERT INTO manifest_reviews (manifest_id, since, look_from) SELECT value, @1, @1 FROM json_each(@0) WHERE true" + OnManifestConflict,
        "INSERT INTO manifest_reviews (manifest_id, since, look_from) SELECT DISTINCT j::bigint, @1, @1 FROM jsonb_array_elements_text(@0::jsonb) AS j ORDER BY 1" + OnManifestConflict);

    private static readonly Statement InsertBlob = new("INSERT INTO blob_reviews (blob_id, repository_id, since) VALUES (@0, @1, @2)" + OnBlobConflict);

    // In the order of the key, so that two that write the same rows wait for each other and do not lock each other out.
    private static readonly Statement InsertBlobsOfManifests = new("""
        INSERT INTO blob_reviews (blob_id, repository_id, since)
        SELECT DISTINCT blob_id, @0, @2 FROM manifest_blobs WHERE manifest_id IN (SELECT value FROM json_each(@1))
        """ + OnBlobConflict, """
        INSERT INTO blob_reviews (blob_id, repository_id, since)
        SELECT DISTINCT blob_id, @0, @2 FROM manifest_blobs WHERE manifest_id IN (SELECT jsonb_array_elements_text(@1::jsonb)::bigint) ORDER BY 1
        """ + OnBlobConflict);

    private static readonly Statement InsertBlobsOfRepository = new(
        "INSERT INTO blob_reviews (blob_id, repository_id, since) SELECT blob_id, @0, @1 FROM repository_blobs WHERE repository_id = @0 ORDER BY blob_id" + OnBlobConflict,
        "INSERT INTO blob_reviews (blob_id, repository_id, since) SELECT blob_id, @0, @1 FROM repository_blobs WHERE repository_id = @0 ORDER BY blob_id" + OnBlobConflict);

    private static readonly Statement InsertBlobsOfProject = new("""
        INSERT INTO blob_reviews (blob_id, repository_id, since)
        SELECT l.blob_id, l.repository_id, @1 FROM repositories r JOIN repository_blobs l ON l.repository_id = r.id WHERE r.project_id = @0
        UNION SELECT blob_id, 0, @1 FROM project_blobs WHERE project_id = @0 ORDER BY 1, 2
        """ + OnBlobConflict);
}

internal sealed class BlobReviewMap : IEntityTypeConfiguration<BlobReview>
{
    public void Configure(EntityTypeBuilder<BlobReview> builder)
    {
        builder.ToTable("blob_reviews");
        builder.HasKey(r => new { r.BlobId, r.RepositoryId });
        builder.Property(r => r.BlobId).HasColumnName("blob_id");
        builder.Property(r => r.RepositoryId).HasColumnName("repository_id");
        builder.Property(r => r.Since).HasColumnName("since");
        builder.Property(r => r.ClaimedUntil).HasColumnName("claimed_until").HasDefaultValue(0L);
        // No foreign keys: the repository may be gone, and the lock that the check of a blob takes would make deletions and garbage collection wait in a circle.
        builder.HasIndex(r => r.Since);
    }
}

internal sealed class ManifestReviewMap : IEntityTypeConfiguration<ManifestReview>
{
    public void Configure(EntityTypeBuilder<ManifestReview> builder)
    {
        builder.ToTable("manifest_reviews");
        builder.HasKey(r => r.ManifestId);
        builder.Property(r => r.ManifestId).HasColumnName("manifest_id").ValueGeneratedNever();
        builder.Property(r => r.Since).HasColumnName("since");
        builder.Property(r => r.LookFrom).HasColumnName("look_from");
        builder.Property(r => r.ClaimedUntil).HasColumnName("claimed_until").HasDefaultValue(0L);
        builder.HasOne<Manifest>().WithMany().HasForeignKey(r => r.ManifestId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(r => r.LookFrom);
    }
}
