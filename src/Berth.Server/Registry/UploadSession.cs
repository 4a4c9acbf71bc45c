using Berth.Blobs;
using Berth.Oci;
using Berth.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Registry;

/// <summary>A blob on its way in. Any replica can continue it; its bytes lie in the blob store under its id.</summary>
public sealed class UploadSession
{
    /// <summary>Random, 128 bits: knowing it is not enough, the caller must also be its owner.</summary>
    public required string Id { get; set; }

    /// <summary>Name of the repository, which need not exist yet.</summary>
    public required string Repository { get; set; }

    /// <summary>Who started it (<see cref="Access.Caller.Id"/>).</summary>
    public required string Owner { get; set; }

    /// <summary>Bytes that are known to be received and hashed.</summary>
    public long Offset { get; set; }

    /// <summary><c>sha256</c> or <c>sha512</c>.</summary>
    public required string Algorithm { get; set; }

    /// <summary>State of the hash at <see cref="Offset"/>; null when the bytes must be hashed again.</summary>
    public byte[]? HashState { get; set; }

    /// <summary>Set before the bytes get their content name: after a crash it says where to look.</summary>
    public string? CommittingDigest { get; set; }

    /// <summary>
    /// Where the bytes get their content name, recorded with <see cref="CommittingDigest"/>: a key, or empty for the path of the digest. So a commit that was cut off is
    /// found where it was begun, though encryption was switched meanwhile. Null before a commit, and where an older version began it.
    /// </summary>
    public string? CommittingKey { get; set; }

    /// <summary>Name of the store that has the bytes.</summary>
    public string Store { get; set; } = BlobStores.DefaultName;

    /// <summary>What the store needs to go on at <see cref="Offset"/>, in words of its own.</summary>
    public string? State { get; set; }

    /// <summary>Where its content lies, or may: as the intent to commit says; without one, as the settings are now.</summary>
    internal BlobLocation LocationIn(BlobStores stores, Digest digest) =>
        new(Store, CommittingKey is { } key ? (key.Length == 0 ? null : key) : stores[Store].PlaceOf(Id, digest).Key);

    /// <summary>
    /// Notes where a commit that is about to begin puts the content. False where an earlier one may have put it elsewhere, before encryption was switched: the row
    /// stays as it is, the janitor looks there, and the client starts again.
    /// </summary>
    internal bool TryIntend(BlobStores stores, Digest digest)
    {
        var key = stores[Store].PlaceOf(Id, digest).Key ?? "";
        if (CommittingKey is { } before && before != key) return false;
        CommittingKey = key;
        return true;
    }

    /// <summary>Where the store stands.</summary>
    internal UploadMark Mark => new(Id, Offset, State);

    /// <summary>Unix milliseconds.</summary>
    public long StartedAt { get; set; }

    /// <summary>Unix milliseconds of the last change.</summary>
    public long UpdatedAt { get; set; }
}

internal sealed class UploadSessionMap : IEntityTypeConfiguration<UploadSession>
{
    public void Configure(EntityTypeBuilder<UploadSession> builder)
    {
        builder.ToTable("uploads");
        builder.Property(u => u.Id).HasColumnName("id").HasMaxLength(64);
        builder.Property(u => u.Repository).HasColumnName("repository").HasMaxLength(255);
        builder.Property(u => u.Owner).HasColumnName("owner").HasMaxLength(255);
        builder.Property(u => u.Offset).HasColumnName("byte_offset");
        builder.Property(u => u.Algorithm).HasColumnName("algorithm").HasMaxLength(16);
        builder.Property(u => u.HashState).HasColumnName("hash_state");
        builder.Property(u => u.CommittingDigest).HasColumnName("committing_digest").HasMaxLength(135);
        builder.Property(u => u.CommittingKey).HasColumnName("committing_key").HasMaxLength(160);
        builder.Property(u => u.Store).HasColumnName("store").HasMaxLength(64).HasDefaultValue(BlobStores.DefaultName);
        builder.Property(u => u.State).HasColumnName("state");
        builder.Property(u => u.StartedAt).HasColumnName("started_at");
        builder.Property(u => u.UpdatedAt).HasColumnName("updated_at");
        // None on updated_at: the table holds what is under way and no more, and each step of a push would have to write the index.
        builder.HasIndex(u => u.CommittingDigest).HasFilter("committing_digest IS NOT NULL");
    }
}
