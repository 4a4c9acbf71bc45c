using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Berth.Server.Platform.Http;

/// <summary>Asks for and checks certificates of clients, by the four modes of Docker Registry's <c>clientauth</c>.</summary>
internal static class ClientCertificates
{
    /// <summary>Extended key usage "client authentication" (RFC 5280 section 4.2.1.12).</summary>
    private const string ClientAuthenticationUsage = "1.3.6.1.5.5.7.3.2";

    /// <summary>Sets a handshake up for a mode.</summary>
    public static void Demand(SslServerAuthenticationOptions options, ClientCertificateMode mode, X509Certificate2Collection authorities, TimeProvider time)
    {
        options.ClientCertificateRequired = true;
        options.RemoteCertificateValidationCallback = (_, certificate, sent, _) => mode switch
        {
            ClientCertificateMode.Request => true,
            ClientCertificateMode.RequireAny => certificate is not null,
            ClientCertificateMode.VerifyIfGiven => certificate is null || ComesFrom(authorities, certificate, sent, time),
            _ => certificate is not null && ComesFrom(authorities, certificate, sent, time),
        };
    }

    /// <summary>Whether a certificate is a client's, in force, and leads to one of the authorities.</summary>
    /// <param name="authorities">Whom to trust.</param>
    /// <param name="certificate">The client's.</param>
    /// <param name="sent">What the client sent along; null when that is not known any more.</param>
    /// <param name="time">The clock.</param>
    public static bool ComesFrom(X509Certificate2Collection authorities, X509Certificate certificate, X509Chain? sent, TimeProvider time)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = time.GetLocalNow().DateTime;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthenticationUsage));
        if (sent is not null)
        {
            // Certificates between the client's and the authority are what the client sent along.
            foreach (var element in sent.ChainElements) chain.ChainPolicy.ExtraStore.Add(element.Certificate);
            chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        }
        return chain.Build((X509Certificate2)certificate);
    }
}
