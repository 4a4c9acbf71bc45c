using System.Security.Cryptography;

namespace Berth.Scanner.Advisories.Bundle;

/// <summary>A key that a bundle is checked with: ECDSA on P-256.</summary>
public sealed class BundleKey : IDisposable
{
    private readonly ECDsa _key;

    private BundleKey(ECDsa key) => _key = key;

    /// <summary>SHA-256 of the public key (SubjectPublicKeyInfo), in hex.</summary>
    public string Id => Convert.ToHexStringLower(SHA256.HashData(_key.ExportSubjectPublicKeyInfo()));

    /// <summary>Reads a public key (PEM, SubjectPublicKeyInfo) or a private one (PEM, PKCS 8 or SEC 1, without password). Throws <see cref="CryptographicException"/> when it is no key on P-256.</summary>
    public static BundleKey Parse(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            if (key.KeySize != 256)
                throw new CryptographicException("the key is not on the curve P-256");
            return new BundleKey(key);
        }
        catch (ArgumentException e)
        {
            key.Dispose();
            throw new CryptographicException("the text holds no key", e);
        }
        catch (CryptographicException)
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Signs with a private key; the signature is in the form of ASN.1 DER, as <c>openssl dgst -sha256 -verify</c> reads it.</summary>
    public byte[] Sign(ReadOnlySpan<byte> data) => _key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        _key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    public void Dispose() => _key.Dispose();
}
