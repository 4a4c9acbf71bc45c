using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Registry;

/// <summary>
/// Bytes that nothing names any more and that may still be in a store: those of a blob whose row is gone, of an upload that was given up, of a copy that was
/// not needed. Written in the transaction that lets go of them; garbage collection removes the bytes, then the row.
/// </summary>
public sealed class BlobRemoval
{
    public long Id { get; set; }

    public required string Store { get; set; }

    /// <summary>Key within the store; null where the digest says the path.</summary>
    public string? Key { get; set; }

    /// <summary>Digest of the content; empty for an upload that was given up.</summary>
    public required string Digest { get; set; }

    /// <summary>Bytes that are freed, as recorded; 0 when nobody knows.</summary>
    public long Size { get; set; }

    /// <summary>Key of the upload that left parts behind; null when there are none.</summary>
    public string? UploadId { get; set; }

    /// <summary>What its session had saved last.</summary>
    public string? UploadState { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>Unix milliseconds from which on it may be removed; after a failure, when it is tried again.</summary>
    public long DueAt { get; set; }
}

/// <summary>Writes removals.</summary>
internal static class BlobRemovals
{
    /// <summary>Lets go of bytes, from a time on that may be later than now.</summary>
    public static async ValueTask AddAsync(DbSession session, BlobLocation location, string digest, long size, long now, CancellationToken ct) =>
        await session.ExecuteAsync(Insert, [location.Store, location.Key, digest, size, null, null, now, now], ct).ConfigureAwait(false);

    /// <summary>Lets go of everything that an upload may have left, from a time on.</summary>
    public static async ValueTask AddUploadAsync(DbSession session, BlobLocation location, UploadSession upload, long now, long dueAt, CancellationToken ct) =>
        await session.ExecuteAsync(Insert, [location.Store, location.Key, upload.CommittingDigest ?? "", 0L, upload.Id, upload.State, now, dueAt], ct).ConfigureAwait(false);

    /// <summary>Lets go of the bytes of an upload whose session is gone, unless the blob has them.</summary>
    public static async ValueTask AddUnlessUsedAsync(DbSession session, BlobLocation location, string digest, long size, long now, CancellationToken ct)
    {
        if (await session.ScalarAsync(SelectUser, [digest, location.Store, location.Key], ct).ConfigureAwait(false) is null)
            await AddAsync(session, location, digest, size, now, ct).ConfigureAwait(false);
    }

    private static readonly Statement SelectUser = new("SELECT id FROM blobs WHERE digest = @0 AND store = @1 AND key = @2");

    private static readonly Statement Insert = new("""
        INSERT INTO blob_removals (store, key, digest, size, upload_id, upload_state, created_at, due_at) VALUES (@0, @1, @2, @3, @4, @5, @6, @7)
        """);
}

internal sealed class BlobRemovalMap : IEntityTypeConfiguration<BlobRemoval>
{
    public void Configure(EntityTypeBuilder<BlobRemoval> builder)
    {
        builder.ToTable("blob_removals");
        builder.Property(r => r.Id).HasColumnName("id");
        builder.Property(r => r.Store).HasColumnName("store").HasMaxLength(64);
        builder.Property(r => r.Key).HasColumnName("key").HasMaxLength(160);
        builder.Property(r => r.Digest).HasColumnName("digest").HasMaxLength(135);
        builder.Property(r => r.Size).HasColumnName("size");
        builder.Property(r => r.UploadId).HasColumnName("upload_id").HasMaxLength(64);
        builder.Property(r => r.UploadState).HasColumnName("upload_state");
        builder.Property(r => r.CreatedAt).HasColumnName("created_at");
        builder.Property(r => r.DueAt).HasColumnName("due_at");
        builder.HasIndex(r => r.DueAt);
        builder.HasIndex(r => r.Digest);
    }
}
