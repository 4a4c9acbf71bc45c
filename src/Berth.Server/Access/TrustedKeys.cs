using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Berth.Server.Platform.Jose;

namespace Berth.Server.Access;

/// <summary>
/// The certificates of <c>rootcertbundle</c>: anchors for certificate chains in tokens, and keys that tokens may name by id.
/// </summary>
internal sealed class CertificateBundle
{
    private const int MaxChain = 10;

    private readonly X509Certificate2Collection _anchors;

    private CertificateBundle(X509Certificate2Collection anchors)
    {
        _anchors = anchors;
        foreach (var certificate in anchors)
        {
            if (!VerificationKey.TryFrom(certificate, out var key)) continue;
            foreach (var id in (IEnumerable<string>)[key.Fingerprint, .. key.Thumbprints]) Keys[id] = key;
        }
    }

    /// <summary>Keys of the certificates by libtrust fingerprint (Docker Registry 2) and by JWK thumbprint (distribution 3).</summary>
    public Dictionary<string, VerificationKey> Keys { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads a PEM file.</summary>
    /// <exception cref="InvalidDataException">It holds no certificate, or a malformed one.</exception>
    public static CertificateBundle Parse(byte[] pem)
    {
        var anchors = new X509Certificate2Collection();
        try
        {
            anchors.ImportFromPem(Encoding.UTF8.GetString(pem));
        }
        catch (CryptographicException e)
        {
            throw new InvalidDataException("the certificate bundle holds a malformed certificate", e);
        }
        return anchors.Count > 0 ? new CertificateBundle(anchors) : throw new InvalidDataException("the certificate bundle holds no certificate");
    }

    /// <summary>
    /// The key of the first certificate of an <c>x5c</c> list (RFC 7515 section 4.1.6), when the chain leads to an anchor; else null.
    /// As in Docker Registry any certificate of the bundle is an anchor, not only self-signed ones.
    /// </summary>
    public VerificationKey? KeyOf(JsonElement x5c, DateTimeOffset at)
    {
        var sent = new X509Certificate2Collection();
        try
        {
            if (x5c.ValueKind != JsonValueKind.Array || x5c.GetArrayLength() is 0 or > MaxChain) return null;
            foreach (var entry in x5c.EnumerateArray())
            {
                if (entry.ValueKind != JsonValueKind.String || !entry.TryGetBytesFromBase64(out var der)) return null;
                sent.Add(X509CertificateLoader.LoadCertificate(der));
            }
            return LeadsToAnchor(sent[0], sent, at) && VerificationKey.TryFrom(sent[0], out var key) ? key : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
        finally
        {
            foreach (var certificate in sent) certificate.Dispose();
        }
    }

    private bool LeadsToAnchor(X509Certificate2 leaf, X509Certificate2Collection sent, DateTimeOffset at)
    {
        using var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(_anchors);
        policy.ExtraStore.AddRange(sent);
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.VerificationTime = at.UtcDateTime;
        policy.VerificationTimeIgnored = false;
        var isBuilt = chain.Build(leaf);
        // The framework asks for a self-signed end. Where only that is missing, an anchor in the verified chain is as good.
        const X509ChainStatusFlags Unanchored = X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot;
        if (!isBuilt && chain.ChainStatus.Any(s => (s.Status & ~Unanchored) != 0)) return false;
        return chain.ChainElements.Any(e => _anchors.Any(a => a.RawDataMemory.Span.SequenceEqual(e.Certificate.RawDataMemory.Span)));
    }
}
