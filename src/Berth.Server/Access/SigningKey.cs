using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Access;

/// <summary>A key that Berth's own bearer tokens are signed with, shared by all replicas.</summary>
public sealed class SigningKey
{
    /// <summary>Key id in token headers.</summary>
    public required string Id { get; set; }

    /// <summary>ECDSA P-256 private key (PKCS#8), encrypted with AES-256-GCM under the secret key of the installation.</summary>
    public required byte[] EncryptedPrivateKey { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }
}

internal sealed class SigningKeyMap : IEntityTypeConfiguration<SigningKey>
{
    public void Configure(EntityTypeBuilder<SigningKey> builder)
    {
        builder.ToTable("signing_keys");
        builder.Property(k => k.Id).HasColumnName("id").HasMaxLength(64);
        builder.Property(k => k.EncryptedPrivateKey).HasColumnName("encrypted_private_key");
        builder.Property(k => k.CreatedAt).HasColumnName("created_at");
    }
}
