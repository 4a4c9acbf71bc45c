using System.Security.Cryptography.X509Certificates;

namespace Berth.Client;

/// <summary>How a client talks to registries, and how much it takes from them.</summary>
public sealed record RegistryClientOptions
{
    public string UserAgent { get; init; } = "berth";

    /// <summary>Takes any certificate, and plain HTTP where there is no TLS.</summary>
    public bool IsInsecure { get; init; }

    /// <summary>Never tries TLS.</summary>
    public bool UsesPlainHttp { get; init; }

    /// <summary>Authorities that are trusted beside those of the system.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>Variables of the process, for proxies (<c>HTTPS_PROXY</c>, <c>HTTP_PROXY</c>, <c>NO_PROXY</c>).</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>Makes the connections in place of the client's own way: no proxies, trust and redirects are then the handler's. Redirects must not be followed by it.</summary>
    public Func<HttpMessageHandler>? NewHandler { get; init; }

    /// <summary>Longest wait for the head of an answer.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest wait for more bytes of a blob, before the connection counts as broken.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a request is tried, the first time included.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>First pause before another try; it doubles.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest pause; a registry that asks for more (<c>Retry-After</c>) is not asked again.</summary>
    public TimeSpan MaxPause { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Largest manifest that is read.</summary>
    public int MaxManifestBytes { get; init; } = 4 * 1024 * 1024;
}
