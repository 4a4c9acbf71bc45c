using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Berth.Server.Tests.Access;

/// <summary>Signs tokens and issues certificates the way an outside token server does.</summary>
internal static class TestTokens
{
    public static readonly DateTimeOffset Now = new ManualTime().GetUtcNow();

    /// <summary>Claims that are in order: issuer <c>issuer</c>, audience <c>registry</c>, five minutes, pull of <c>library/debian</c>.</summary>
    public static JsonObject Claims() => new()
    {
        ["iss"] = "issuer",
        ["sub"] = "alice",
        ["aud"] = "registry",
        ["exp"] = Now.AddMinutes(5).ToUnixTimeSeconds(),
        ["nbf"] = Now.ToUnixTimeSeconds(),
        ["access"] = new JsonArray(new JsonObject { ["type"] = "repository", ["name"] = "library/debian", ["actions"] = new JsonArray("pull") }),
    };

    public static string Sign(JsonObject header, JsonObject claims, Func<byte[], byte[]> sign)
    {
        var text = $"{Encode(Encoding.UTF8.GetBytes(header.ToJsonString()))}.{Encode(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        return $"{text}.{Encode(sign(Encoding.ASCII.GetBytes(text)))}";
    }

    public static Func<byte[], byte[]> With(RSA key, string algorithm) => data =>
        key.SignData(data, HashOf(algorithm), algorithm[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);

    public static Func<byte[], byte[]> With(ECDsa key, string algorithm) => data => key.SignData(data, HashOf(algorithm));

    public static JsonObject Jwk(RSA key, string? id = null)
    {
        var p = key.ExportParameters(false);
        var jwk = new JsonObject { ["kty"] = "RSA", ["n"] = Encode(p.Modulus), ["e"] = Encode(p.Exponent) };
        if (id is not null) jwk["kid"] = id;
        return jwk;
    }

    public static JsonObject Jwk(ECDsa key, string curve, string? id = null)
    {
        var q = key.ExportParameters(false).Q;
        var jwk = new JsonObject { ["kty"] = "EC", ["crv"] = curve, ["x"] = Encode(q.X), ["y"] = Encode(q.Y) };
        if (id is not null) jwk["kid"] = id;
        return jwk;
    }

    public static X509Certificate2 SelfSigned(string name, ECDsa key, bool isAuthority = true) =>
        Request(name, key, isAuthority).CreateSelfSigned(Now.AddDays(-1), Now.AddDays(30));

    public static X509Certificate2 SelfSigned(string name, RSA key) =>
        new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(Now.AddDays(-1), Now.AddDays(30));

    public static X509Certificate2 Issue(string name, ECDsa key, bool isAuthority, X509Certificate2 issuer, ECDsa issuerKey, DateTimeOffset? until = null)
    {
        var request = Request(name, key, isAuthority);
        var generator = X509SignatureGenerator.CreateForECDsa(issuerKey);
        return request.Create(issuer.SubjectName, generator, Now.AddHours(-1), until ?? Now.AddDays(10), RandomNumberGenerator.GetBytes(8));
    }

    public static JsonArray Chain(params X509Certificate2[] certificates) =>
        new([.. certificates.Select(c => (JsonNode)Convert.ToBase64String(c.RawData))]);

    public static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    private static CertificateRequest Request(string name, ECDsa key, bool isAuthority)
    {
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        return request;
    }

    private static HashAlgorithmName HashOf(string algorithm) => algorithm[2..] switch
    {
        "384" => HashAlgorithmName.SHA384,
        "512" => HashAlgorithmName.SHA512,
        _ => HashAlgorithmName.SHA256,
    };
}
