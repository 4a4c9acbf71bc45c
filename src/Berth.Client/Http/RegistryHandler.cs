using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Berth.Client.Http;

/// <summary>The connections of a client: proxies, trust, limits.</summary>
internal static class RegistryHandler
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);

    /// <summary>A handler as the options ask for. It follows no redirects: what they carry along is decided by <see cref="RegistryHttp"/>.</summary>
    public static HttpMessageHandler New(RegistryClientOptions options)
    {
        if (options.NewHandler is { } other) return other();
        var proxy = new EnvironmentProxy(options.Variables);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = proxy.IsSet,
            Proxy = proxy.IsSet ? proxy : null,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxResponseHeadersLength = 64,
        };
        if (options.IsInsecure)
        {
#pragma warning disable CA5359 // Whoever calls has asked for it.
            handler.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true };
#pragma warning restore CA5359
        }
        else if (options.Authorities is { Count: > 0 } authorities)
        {
            handler.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, chain, errors) => IsTrusted(authorities, certificate, chain, errors) };
        }
        return handler;
    }

    // What the system does not trust may be trusted by the authorities that were given; the name must fit in any case.
    private static bool IsTrusted(X509Certificate2Collection authorities, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None) return true;
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 leaf) return false;
        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        own.ChainPolicy.CustomTrustStore.AddRange(authorities);
        // Server authentication (RFC 5280, section 4.2.1.12).
        own.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.1"));
        foreach (var element in chain?.ChainElements.Skip(1) ?? []) own.ChainPolicy.ExtraStore.Add(element.Certificate);
        return own.Build(leaf);
    }
}
