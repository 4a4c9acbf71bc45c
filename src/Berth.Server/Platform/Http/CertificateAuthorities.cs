using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Berth.Server.Platform.Http;

/// <summary>Certificates of authorities in PEM files.</summary>
internal static class CertificateAuthorities
{
    private const int MaxFiles = 1000;
    private static readonly string[] Endings = [".pem", ".crt", ".cer"];

    /// <summary>A policy that trusts these authorities instead of the system's, and asks nobody for revocations.</summary>
    /// <exception cref="IOException">They cannot be read.</exception>
    /// <exception cref="InvalidDataException">There is no certificate in it.</exception>
    public static X509ChainPolicy PolicyOf(string path)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(Read(path));
        return policy;
    }

    /// <summary>Reads a PEM file, or all files of a folder that end in .pem, .crt or .cer.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="InvalidDataException">There is no certificate in it.</exception>
    public static X509Certificate2Collection Read(string path)
    {
        var files = Directory.Exists(path)
            ? Directory.EnumerateFiles(path).Where(f => Endings.Contains(Path.GetExtension(f), StringComparer.OrdinalIgnoreCase)).Take(MaxFiles).ToArray()
            : [path];
        var authorities = new X509Certificate2Collection();
        foreach (var file in files)
        {
            try
            {
                authorities.ImportFromPemFile(file);
            }
            catch (CryptographicException e)
            {
                throw new InvalidDataException($"{file} holds a malformed certificate", e);
            }
        }
        return authorities.Count > 0 ? authorities : throw new InvalidDataException($"{path} holds no certificate (PEM)");
    }
}
