using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Berth.Server.Tests.Platform.Http;

/// <summary>Certificates made for a test, and the folder their PEM files are in.</summary>
internal sealed class TestCertificates : IDisposable
{
    private static readonly DateTimeOffset s_from = TimeProvider.System.GetUtcNow().AddDays(-1);
    private static readonly DateTimeOffset s_until = TimeProvider.System.GetUtcNow().AddDays(30);

    public string Folder { get; } = Directory.CreateTempSubdirectory("berth-tls-").FullName;

    public string Path(string name) => System.IO.Path.Combine(Folder, name);

    public static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(s_from, s_until);
    }

    /// <summary>A certificate for 127.0.0.1 and localhost, or for a client.</summary>
    public static X509Certificate2 Issue(X509Certificate2 authority, string name, bool forClient = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(forClient ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1")], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(authority, s_from, s_until.AddDays(-1), RandomNumberGenerator.GetBytes(16));
        return signed.CopyWithPrivateKey(key);
    }

    /// <summary>Writes a certificate and its key as PEM.</summary>
    public void Save(X509Certificate2 certificate, string certificateFile, string keyFile)
    {
        File.WriteAllText(Path(keyFile), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path(certificateFile), certificate.ExportCertificatePem());
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
