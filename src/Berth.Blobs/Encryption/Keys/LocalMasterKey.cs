using System.Security.Cryptography;

namespace Berth.Blobs.Encryption.Keys;

/// <summary>A master key of 32 bytes that this process holds: from a file, the environment or the settings. Wraps with AES-256-GCM.</summary>
public sealed class LocalMasterKey : IMasterKey
{
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly AesGcm _aes;

    // One cipher serves one caller at a time.
    private readonly Lock _lock = new();

    /// <summary>Takes the key.</summary>
    /// <param name="base64">32 bytes in base64, as of <c>openssl rand -base64 32</c>; white space around does not count.</param>
    /// <exception cref="FormatException">It is something else.</exception>
    public LocalMasterKey(string base64)
    {
        var key = new byte[KeyBytes];
        if (!Convert.TryFromBase64String(base64.Trim(), key, out var bytes) || bytes != KeyBytes)
            throw new FormatException("a master key is 32 bytes in base64: make one with openssl rand -base64 32");
        Span<byte> id = stackalloc byte[8];
        // A fingerprint that says nothing of the key, so that the file may move and the key still has its name.
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, id, [], "berth master key id"u8);
        Id = "local-" + Convert.ToHexStringLower(id);
        _aes = new AesGcm(key, TagBytes);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Reads the key from a file.</summary>
    /// <exception cref="FormatException">The file holds something else.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static LocalMasterKey FromFile(string path) => new(File.ReadAllText(path));

    public string Id { get; }

    public ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> secret, CancellationToken ct)
    {
        var wrapped = new byte[NonceBytes + secret.Length + TagBytes];
        RandomNumberGenerator.Fill(wrapped.AsSpan(0, NonceBytes));
        lock (_lock) _aes.Encrypt(wrapped.AsSpan(0, NonceBytes), secret.Span, wrapped.AsSpan(NonceBytes, secret.Length), wrapped.AsSpan(NonceBytes + secret.Length));
        return ValueTask.FromResult(wrapped);
    }

    public ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken ct)
    {
        if (wrapped.Length < NonceBytes + TagBytes) throw new IOException($"this was not wrapped by master key {Id}");
        var secret = new byte[wrapped.Length - NonceBytes - TagBytes];
        try
        {
            lock (_lock) _aes.Decrypt(wrapped.Span[..NonceBytes], wrapped.Span[NonceBytes..^TagBytes], wrapped.Span[^TagBytes..], secret);
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new IOException($"a data key was not wrapped by master key {Id}, or was changed since: restore the table of data keys from a backup", e);
        }
        return ValueTask.FromResult(secret);
    }

    // It has one version only.
    public ValueTask<byte[]> RewrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken ct) => ValueTask.FromResult(wrapped.ToArray());

    public void Dispose() => _aes.Dispose();
}
