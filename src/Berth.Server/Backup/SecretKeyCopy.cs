using System.Security.Cryptography;
using System.Text;
using Berth.Server.Platform.Secrets;

namespace Berth.Server.Backup;

/// <summary>
/// The secret key of an installation in a backup: always a fingerprint, by which a restore recognises the key; the key itself only sealed with a
/// passphrase (PBKDF2 with SHA-256, AES-256-GCM), because the backup holds what it opens.
/// </summary>
/// <param name="Fingerprint">Says nothing about the key, and is the same for the same key.</param>
/// <param name="Sealed">The sealed key in base64: nonce, tag, ciphertext; null when no passphrase was given.</param>
/// <param name="Salt">Salt of the passphrase in base64.</param>
public sealed record SecretKeyCopy(string Fingerprint, string? Sealed, string? Salt)
{
    /// <summary>Fewest characters of a passphrase.</summary>
    public const int MinPassphraseLength = 12;

    private const int Iterations = 600_000;
    private const int SaltBytes = 16;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private static readonly byte[] s_purpose = "berth backup secret key"u8.ToArray();

    /// <summary>Describes a key, and seals it where there is a passphrase.</summary>
    public static SecretKeyCopy Of(ReadOnlySpan<byte> key, string? passphrase)
    {
        if (passphrase is null) return new SecretKeyCopy(FingerprintOf(key), null, null);
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var sealedKey = new byte[NonceBytes + TagBytes + key.Length];
        RandomNumberGenerator.Fill(sealedKey.AsSpan(0, NonceBytes));
        using var aes = new AesGcm(KeyOf(passphrase, salt), TagBytes);
        aes.Encrypt(sealedKey.AsSpan(0, NonceBytes), key, sealedKey.AsSpan(NonceBytes + TagBytes), sealedKey.AsSpan(NonceBytes, TagBytes), s_purpose);
        return new SecretKeyCopy(FingerprintOf(key), Convert.ToBase64String(sealedKey), Convert.ToBase64String(salt));
    }

    /// <summary>The key; null when the passphrase is wrong.</summary>
    /// <exception cref="InvalidOperationException">The backup does not hold it.</exception>
    public byte[]? Open(string passphrase)
    {
        if (Sealed is null || Salt is null) throw new InvalidOperationException("the backup was made without a passphrase and does not hold the secret key");
        var sealedKey = Convert.FromBase64String(Sealed);
        if (sealedKey.Length <= NonceBytes + TagBytes) return null;
        var key = new byte[sealedKey.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(KeyOf(passphrase, Convert.FromBase64String(Salt)), TagBytes);
        try
        {
            aes.Decrypt(sealedKey.AsSpan(0, NonceBytes), sealedKey.AsSpan(NonceBytes + TagBytes), sealedKey.AsSpan(NonceBytes, TagBytes), key, s_purpose);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        return FingerprintOf(key) == Fingerprint ? key : null;
    }

    /// <summary>The fingerprint of a key.</summary>
    public static string FingerprintOf(ReadOnlySpan<byte> key) => InstallationSecret.FingerprintOf(key);

    private static byte[] KeyOf(string passphrase, byte[] salt) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(passphrase), salt, Iterations, HashAlgorithmName.SHA256, 32);
}
