using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Berth.Server.Platform.Jose;

/// <summary>
/// A public key that token signatures are checked with (RFC 7518 section 3, RFC 8037). Each kind of key works with its own algorithms
/// only, so a token cannot choose how its signature is read; shared-secret algorithms and <c>none</c> do not exist here.
/// </summary>
internal sealed class VerificationKey
{
    /// <summary>All algorithms that are understood.</summary>
    public static readonly IReadOnlyList<string> Algorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

    private const string Ed25519Oid = "1.3.101.112";
    private const int MinRsaBits = 2048;

    // The framework's key objects do not promise that they can be used by several threads at once.
    private readonly Lock _lock = new();
    private readonly RSA? _rsa;
    private readonly ECDsa? _ec;
    private readonly byte[]? _ed25519;
    private readonly string _curve;

    private VerificationKey(RSA rsa)
    {
        _rsa = rsa;
        _curve = "";
        var p = rsa.ExportParameters(false);
        Thumbprints = [ThumbprintOf($$"""{"e":"{{Encode(p.Exponent)}}","kty":"RSA","n":"{{Encode(p.Modulus)}}"}""")];
        Info = rsa.ExportSubjectPublicKeyInfo();
    }

    private VerificationKey(ECDsa ec, string curve)
    {
        _ec = ec;
        _curve = curve;
        var q = ec.ExportParameters(false).Q;
        // distribution 3 leaves out leading zeros of the coordinates; token servers made for it send that id.
        Thumbprints = new[] { EcThumbprint(curve, q.X, q.Y), EcThumbprint(curve, q.X.AsSpan().TrimStart((byte)0), q.Y.AsSpan().TrimStart((byte)0)) }.Distinct().ToArray();
        Info = ec.ExportSubjectPublicKeyInfo();
    }

    private VerificationKey(byte[] ed25519)
    {
        _ed25519 = ed25519;
        _curve = "Ed25519";
        Thumbprints = [ThumbprintOf($$"""{"crv":"Ed25519","kty":"OKP","x":"{{Encode(ed25519)}}"}""")];
        // RFC 8410 section 4: the fixed SubjectPublicKeyInfo prefix of Ed25519.
        Info = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, .. ed25519];
    }

    /// <summary>SubjectPublicKeyInfo in DER: two keys are the same when these bytes are.</summary>
    public byte[] Info { get; }

    /// <summary>JWK thumbprints (RFC 7638, SHA-256): the key id that distribution 3 expects.</summary>
    public IReadOnlyList<string> Thumbprints { get; }

    /// <summary>libtrust's fingerprint, <c>ABCD:EFGH:…</c>: the key id that Docker Registry 2 expects.</summary>
    public string Fingerprint
    {
        get
        {
            // 240 bits of the SHA-256 in base 32, in twelve groups of four.
            var text = ToBase32(SHA256.HashData(Info).AsSpan(0, 30));
            return string.Join(':', text.Chunk(4).Select(c => new string(c)));
        }
    }

    /// <summary>Checks a signature; false as well when the algorithm does not belong to this kind of key.</summary>
    public bool Verify(string algorithm, byte[] data, byte[] signature)
    {
        lock (_lock)
        {
            return algorithm switch
            {
                "RS256" => VerifyRsa(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
                "RS384" => VerifyRsa(data, signature, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1),
                "RS512" => VerifyRsa(data, signature, HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1),
                "PS256" => VerifyRsa(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
                "PS384" => VerifyRsa(data, signature, HashAlgorithmName.SHA384, RSASignaturePadding.Pss),
                "PS512" => VerifyRsa(data, signature, HashAlgorithmName.SHA512, RSASignaturePadding.Pss),
                "ES256" => VerifyEc(data, signature, "P-256", HashAlgorithmName.SHA256),
                "ES384" => VerifyEc(data, signature, "P-384", HashAlgorithmName.SHA384),
                "ES512" => VerifyEc(data, signature, "P-521", HashAlgorithmName.SHA512),
                "EdDSA" => _ed25519 is not null && signature.Length == Ed25519.SignatureSize
                    && Ed25519.Verify(signature, 0, _ed25519, 0, data, 0, data.Length),
                _ => false,
            };
        }
    }

    /// <summary>The key of a certificate; false when it is of a kind or size that is not accepted.</summary>
    public static bool TryFrom(X509Certificate2 certificate, [NotNullWhen(true)] out VerificationKey? key)
    {
        key = null;
        try
        {
            if (certificate.GetRSAPublicKey() is { } rsa) return TryFrom(rsa, out key);
            if (certificate.GetECDsaPublicKey() is { } ec) return TryFrom(ec, out key);
            if (certificate.GetKeyAlgorithm() != Ed25519Oid) return false;
            key = new VerificationKey(certificate.PublicKey.EncodedKeyValue.RawData);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>A public key as a JSON Web Key (RFC 7517); false when it is malformed or of a kind or size that is not accepted.</summary>
    public static bool TryFrom(JsonElement jwk, [NotNullWhen(true)] out VerificationKey? key)
    {
        key = null;
        if (jwk.ValueKind != JsonValueKind.Object || Jwt.TextOf(jwk, "use") is not (null or "sig")) return false;
        try
        {
            switch (Jwt.TextOf(jwk, "kty"))
            {
                case "RSA" when TryBytes(jwk, "n", out var n) && TryBytes(jwk, "e", out var e):
                    return TryFrom(RSA.Create(new RSAParameters { Modulus = n, Exponent = e }), out key);
                case "EC" when CurveOf(Jwt.TextOf(jwk, "crv")) is { } curve && TryBytes(jwk, "x", out var x) && TryBytes(jwk, "y", out var y):
                    return TryFrom(ECDsa.Create(new ECParameters { Curve = curve.Curve, Q = Point(x, y, curve.Bytes) }), out key);
                case "OKP" when Jwt.TextOf(jwk, "crv") == "Ed25519" && TryBytes(jwk, "x", out var point) && point.Length == 32:
                    key = new VerificationKey(point);
                    return true;
                default:
                    return false;
            }
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>An RSA key; false when it is too small to be trusted.</summary>
    public static bool TryFrom(RSA rsa, [NotNullWhen(true)] out VerificationKey? key)
    {
        key = rsa.KeySize >= MinRsaBits ? new VerificationKey(rsa) : null;
        return key is not null;
    }

    /// <summary>An elliptic-curve key; false when its curve is not one of the three of RFC 7518.</summary>
    public static bool TryFrom(ECDsa ec, [NotNullWhen(true)] out VerificationKey? key)
    {
        var name = ec.ExportParameters(false).Curve.Oid switch
        {
            { Value: "1.2.840.10045.3.1.7" } or { FriendlyName: "nistP256" or "ECDSA_P256" } => "P-256",
            { Value: "1.3.132.0.34" } or { FriendlyName: "nistP384" or "ECDSA_P384" } => "P-384",
            { Value: "1.3.132.0.35" } or { FriendlyName: "nistP521" or "ECDSA_P521" } => "P-521",
            _ => null,
        };
        key = name is null ? null : new VerificationKey(ec, name);
        return key is not null;
    }

    private bool VerifyRsa(byte[] data, byte[] signature, HashAlgorithmName hash, RSASignaturePadding padding) =>
        _rsa is not null && _rsa.VerifyData(data, signature, hash, padding);

    private bool VerifyEc(byte[] data, byte[] signature, string curve, HashAlgorithmName hash) =>
        _ec is not null && _curve == curve && _ec.VerifyData(data, signature, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    private static (ECCurve Curve, int Bytes)? CurveOf(string? name) => name switch
    {
        "P-256" => (ECCurve.NamedCurves.nistP256, 32),
        "P-384" => (ECCurve.NamedCurves.nistP384, 48),
        "P-521" => (ECCurve.NamedCurves.nistP521, 66),
        _ => null,
    };

    // Writers that drop leading zeros are common; the framework wants the full length.
    private static ECPoint Point(byte[] x, byte[] y, int bytes) => new() { X = Pad(x, bytes), Y = Pad(y, bytes) };

    private static byte[] Pad(byte[] number, int bytes) =>
        number.Length >= bytes ? number : [.. new byte[bytes - number.Length], .. number];

    private static bool TryBytes(JsonElement jwk, string name, out byte[] bytes)
    {
        bytes = [];
        if (Jwt.TextOf(jwk, name) is not { Length: > 0 } text || !Base64Url.IsValid(text)) return false;
        bytes = Base64Url.DecodeFromChars(text);
        return true;
    }

    private static string EcThumbprint(string curve, ReadOnlySpan<byte> x, ReadOnlySpan<byte> y) =>
        ThumbprintOf($$"""{"crv":"{{curve}}","kty":"EC","x":"{{Encode(x)}}","y":"{{Encode(y)}}"}""");

    private static string ThumbprintOf(string members) => Encode(SHA256.HashData(Encoding.UTF8.GetBytes(members)));

    private static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    private static string ToBase32(ReadOnlySpan<byte> bytes)
    {
        const string Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        var text = new StringBuilder(bytes.Length * 8 / 5);
        var buffer = 0;
        var bits = 0;
        foreach (var b in bytes)
        {
            buffer = ((buffer << 8) | b) & 0xfff;
            for (bits += 8; bits >= 5; bits -= 5) text.Append(Digits[(buffer >> (bits - 5)) & 31]);
        }
        return text.ToString();
    }
}
