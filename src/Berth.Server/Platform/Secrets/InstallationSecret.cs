using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Secrets;

/// <summary>
/// The secret key of the installation, 32 bytes; encrypts what is secret in the database with AES-256-GCM. It comes from
/// the setting <c>access.secretKey</c>, from the file of <c>access.secretKeyFile</c>, or from <c>secret.key</c> in the data folder,
/// which is generated on first use.
/// </summary>
internal sealed class InstallationSecret(string? secretKey, string? secretKeyFile, string dataFolder, ILogger<InstallationSecret> log)
{
    /// <summary>Name of the generated file.</summary>
    public const string FileName = "secret.key";

    private const int KeyBytes = 32;
    private const int MaxFileBytes = 4096;
    private const byte FormatVersion = 1;
    private const int TagBytes = 16;
    private const int NonceBytes = 12;
    private const int HeaderBytes = 1 + NonceBytes + TagBytes;

    private readonly Lazy<byte[]> _key = new(() => ReadKey(secretKey, secretKeyFile, dataFolder, log));

    /// <summary>The key itself, for a backup.</summary>
    internal ReadOnlySpan<byte> Key => _key.Value;

    /// <summary>Says nothing about the key, and is the same for the same key.</summary>
    public string Fingerprint => FingerprintOf(_key.Value);

    /// <summary>The fingerprint of a key.</summary>
    public static string FingerprintOf(ReadOnlySpan<byte> key) => Convert.ToHexStringLower(HMACSHA256.HashData(key, "berth backup fingerprint"u8).AsSpan(0, 16));

    /// <summary>Encrypts; the result is version, nonce, tag and ciphertext.</summary>
    /// <param name="plain">What to encrypt.</param>
    /// <param name="purpose">Bound to the result: it can be decrypted for the same purpose only.</param>
    public byte[] Encrypt(byte[] plain, string purpose)
    {
        var sealedBytes = new byte[HeaderBytes + plain.Length];
        sealedBytes[0] = FormatVersion;
        var nonce = sealedBytes.AsSpan(1, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key.Value, TagBytes);
        aes.Encrypt(nonce, plain, sealedBytes.AsSpan(HeaderBytes), sealedBytes.AsSpan(1 + NonceBytes, TagBytes), Encoding.UTF8.GetBytes(purpose));
        return sealedBytes;
    }

    /// <summary>Decrypts what <see cref="Encrypt"/> made and the database has kept.</summary>
    /// <exception cref="InvalidOperationException">It was encrypted under another secret key.</exception>
    public byte[] Decrypt(byte[] sealedBytes, string purpose)
    {
        if (sealedBytes.Length < HeaderBytes || sealedBytes[0] != FormatVersion)
            throw new InvalidOperationException("a secret in the database has an unknown format: was it written by a newer version of Berth?");
        return TryDecrypt(sealedBytes, purpose, out var plain) ? plain : throw new InvalidOperationException(
            $"a secret in the database was encrypted under another secret key: give every replica the same access.secretKey, or restore {FileName} of the data folder");
    }

    /// <summary>Decrypts what somebody outside has kept, a cookie for example; false when it is not what <see cref="Encrypt"/> made.</summary>
    public bool TryDecrypt(byte[] sealedBytes, string purpose, [NotNullWhen(true)] out byte[]? plain)
    {
        plain = null;
        if (sealedBytes.Length < HeaderBytes || sealedBytes[0] != FormatVersion) return false;
        var opened = new byte[sealedBytes.Length - HeaderBytes];
        try
        {
            using var aes = new AesGcm(_key.Value, TagBytes);
            aes.Decrypt(
                sealedBytes.AsSpan(1, NonceBytes), sealedBytes.AsSpan(HeaderBytes), sealedBytes.AsSpan(1 + NonceBytes, TagBytes), opened, Encoding.UTF8.GetBytes(purpose));
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        plain = opened;
        return true;
    }

    private static byte[] ReadKey(string? secretKey, string? secretKeyFile, string dataFolder, ILogger log)
    {
        if (secretKey is { Length: > 0 } given) return Decode(given, "access.secretKey");
        var path = secretKeyFile is { Length: > 0 } file ? file : Path.Combine(dataFolder, FileName);
        if (secretKeyFile is not { Length: > 0 } && !File.Exists(path))
        {
            Directory.CreateDirectory(dataFolder);
            var line = Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes)) + "\n";
            if (PrivateFile.TryCreate(path, Encoding.ASCII.GetBytes(line))) log.KeyCreated(path);
        }
        if (PrivateFile.IsOpenToOthers(path)) log.KeyOpenToOthers(path);
        if (new FileInfo(path).Length > MaxFileBytes) throw new InvalidOperationException($"{path} is too large for a secret key");
        return Decode(File.ReadAllText(path), path);
    }

    private static byte[] Decode(string text, string origin)
    {
        var key = new byte[KeyBytes + 2];
        if (!Convert.TryFromBase64String(text.Trim(), key, out var length) || length != KeyBytes)
            throw new InvalidOperationException($"{origin} is no secret key: it must be 32 bytes in base64, as openssl rand -base64 32 prints");
        return key[..KeyBytes];
    }
}

internal static partial class InstallationSecretLog
{
    [LoggerMessage(2030, LogLevel.Information, "secret key generated in {Path}: back it up with the database")]
    public static partial void KeyCreated(this ILogger logger, string path);

    [LoggerMessage(2031, LogLevel.Warning, "secret key {Path} can be read by others than its owner: run chmod 600 on it")]
    public static partial void KeyOpenToOthers(this ILogger logger, string path);
}
