using Microsoft.AspNetCore.Http;

namespace Berth.Server.Platform.Http;

/// <summary>Where and how the server listens (section <c>http</c>).</summary>
public sealed record HttpOptions
{
    /// <summary>Addresses to listen on: <c>http://host:port</c>, <c>https://host:port</c> (host <c>*</c> for all interfaces) or <c>unix:/path</c>.</summary>
    public IReadOnlyList<string> Urls { get; init; } = ["http://localhost:5000"];

    /// <summary>The address that clients use, when a proxy stands before Berth; used in Location headers and token realms.</summary>
    public string? PublicUrl { get; init; }

    /// <summary>Where the sender of a request finds this server: scheme and host, without a slash at the end.</summary>
    internal string OriginOf(HttpRequest request) => PublicUrl is { Length: > 0 } url ? url.TrimEnd('/') : $"{request.Scheme}://{request.Host}";

    /// <summary>Path under which everything is served, such as <c>/registry</c>; empty for the root.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Send relative URLs in Location headers.</summary>
    public bool RelativeUrls { get; init; }

    /// <summary>Headers added to every answer.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Headers { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Addresses or networks (CIDR) of proxies whose X-Forwarded-For, -Proto and -Host headers are believed.</summary>
    public IReadOnlyList<string> TrustedProxies { get; init; } = [];

    /// <summary>Offer HTTP/2 on TLS addresses.</summary>
    public bool Http2 { get; init; } = true;

    /// <summary>Offer HTTP/2 without TLS (prior knowledge) beside HTTP/1.1.</summary>
    public bool H2c { get; init; }

    /// <summary>How long running requests may go on after a stop signal.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Slowest body that is still accepted, in bytes per second; 0 turns the check off.</summary>
    public int MinBodyBytesPerSecond { get; init; } = 240;

    /// <summary>Most connections at a time.</summary>
    public int MaxConnections { get; init; } = 20_000;

    /// <summary>Certificate and client authentication for <c>https</c> addresses.</summary>
    public TlsOptions Tls { get; init; } = new();

    /// <summary>Second listener for metrics and health, such as <c>localhost:5001</c>; empty means: on the main listener.</summary>
    public string? DebugAddress { get; init; }
}

/// <summary>TLS settings (section <c>http.tls</c>). Files are read again when they change.</summary>
public sealed record TlsOptions
{
    /// <summary>PEM file with the server certificate and its chain.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM file with the private key of the certificate.</summary>
    public string? Key { get; init; }

    /// <summary>PEM files with the authorities that client certificates must come from.</summary>
    public IReadOnlyList<string> ClientCas { get; init; } = [];

    /// <summary>How client certificates are asked for when <see cref="ClientCas"/> is set.</summary>
    public ClientCertificateMode ClientAuth { get; init; } = ClientCertificateMode.RequireAndVerify;

    /// <summary>Lowest protocol version: <c>tls1.2</c> or <c>tls1.3</c>.</summary>
    public string MinimumVersion { get; init; } = "tls1.2";

    /// <summary>Allowed cipher suites by IANA name; empty for the platform's default.</summary>
    public IReadOnlyList<string> CipherSuites { get; init; } = [];
}

/// <summary>What is asked of a client's certificate; the names follow Docker Registry's <c>clientauth</c>.</summary>
public enum ClientCertificateMode
{
    /// <summary>Asked for, not checked.</summary>
    Request,

    /// <summary>Must be there, not checked.</summary>
    RequireAny,

    /// <summary>Checked when there.</summary>
    VerifyIfGiven,

    /// <summary>Must be there and come from one of the authorities.</summary>
    RequireAndVerify,
}
