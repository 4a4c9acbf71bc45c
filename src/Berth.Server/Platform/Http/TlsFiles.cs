using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Http;

/// <summary>
/// The certificate, key and client authorities of <see cref="TlsOptions"/>, read from PEM files. When a file has changed, the next handshake
/// (but not within a second of the last look) uses the new ones; connections that are open keep theirs. New files that cannot be read are
/// reported, and the old ones stay in use, so a half-written file does no harm.
/// </summary>
public sealed class TlsFiles
{
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(1);

    private readonly TlsOptions _options;
    private readonly SslProtocols _protocols;
    private readonly CipherSuitesPolicy? _cipherSuites;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private volatile SslServerAuthenticationOptions _current;
    private string _stamp;
    private long _lookedAt;

    /// <summary>Reads the files for the first time.</summary>
    /// <exception cref="InvalidOperationException">A setting or file cannot be used; the message says which and why.</exception>
    public TlsFiles(TlsOptions options, TimeProvider time, ILogger<TlsFiles> logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _protocols = Protocols(options.MinimumVersion);
        _cipherSuites = options.CipherSuites.Count == 0 ? null : CipherSuites(options.CipherSuites);
        _stamp = Stamp();
        _lookedAt = time.GetTimestamp();
        _current = Read();
    }

    /// <summary>Options for a handshake that begins now.</summary>
    public SslServerAuthenticationOptions Current
    {
        get
        {
            if (_time.GetElapsedTime(Volatile.Read(ref _lookedAt)) >= s_lookEvery) LookAgain();
            return _current;
        }
    }

    /// <summary>Protocols from the lowest allowed one up.</summary>
    internal static SslProtocols Protocols(string minimumVersion) => minimumVersion.ToLowerInvariant() switch
    {
        "tls1.2" or "" => SslProtocols.Tls12 | SslProtocols.Tls13,
        "tls1.3" => SslProtocols.Tls13,
        _ => throw new InvalidOperationException($"http.tls.minimum_version is \"{minimumVersion}\": use tls1.2 or tls1.3"),
    };

    private static CipherSuitesPolicy CipherSuites(IReadOnlyList<string> names)
    {
        var unknown = names.Where(name => !Enum.TryParse<TlsCipherSuite>(name, out _)).ToArray();
        if (unknown.Length > 0)
            throw new InvalidOperationException($"http.tls.cipher_suites: unknown {string.Join(", ", unknown)}; use IANA names such as TLS_AES_128_GCM_SHA256");
        if (OperatingSystem.IsWindows() || OperatingSystem.IsAndroid())
            throw new InvalidOperationException("http.tls.cipher_suites cannot be set on this platform: its own settings decide");
#pragma warning disable CA1416 // Guarded above; the analyzer does not follow a throw.
        return new CipherSuitesPolicy(names.Select(Enum.Parse<TlsCipherSuite>));
#pragma warning restore CA1416
    }

    private void LookAgain()
    {
        lock (_gate)
        {
            if (_time.GetElapsedTime(_lookedAt) < s_lookEvery) return;
            Volatile.Write(ref _lookedAt, _time.GetTimestamp());
            var stamp = Stamp();
            if (stamp == _stamp) return;
            try
            {
                _current = Read();
                _stamp = stamp;
                _logger.CertificateReloaded(_options.Certificate ?? "", _current.ServerCertificateContext!.TargetCertificate.NotAfter);
            }
            catch (InvalidOperationException e)
            {
                _logger.CertificateNotReloaded(_options.Certificate ?? "", e);
            }
        }
    }

    /// <summary>Changes when any of the files does.</summary>
    private string Stamp() => string.Join('|', new[] { _options.Certificate, _options.Key }.Concat(_options.ClientCas)
        .Where(file => !string.IsNullOrEmpty(file))
        .Select(file => new FileInfo(file!) is { Exists: true } info
            ? FormattableString.Invariant($"{info.LastWriteTimeUtc.Ticks}:{info.Length}:{info.ResolveLinkTarget(true)?.FullName}")
            : "missing"));

    private SslServerAuthenticationOptions Read()
    {
        if (string.IsNullOrEmpty(_options.Certificate) || string.IsNullOrEmpty(_options.Key))
            throw new InvalidOperationException("an https address needs http.tls.certificate and http.tls.key (PEM files)");
        var authorities = new X509Certificate2Collection();
        foreach (var file in _options.ClientCas) ReadAuthorities(authorities, file);
        try
        {
            var certificate = X509Certificate2.CreateFromPemFile(_options.Certificate, _options.Key);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(_options.Certificate);
            if (chain.Count > 0) chain.RemoveAt(0);
            // The names of the authorities are sent so that a client with several certificates knows which to show (RFC 8446 section 4.2.4).
            var trust = authorities.Count > 0 ? SslCertificateTrust.CreateForX509Collection(authorities, sendTrustInHandshake: true) : null;
            var options = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, chain, offline: true, trust),
                EnabledSslProtocols = _protocols,
                CipherSuitesPolicy = _cipherSuites,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            };
            if (authorities.Count > 0) ClientCertificates.Demand(options, _options.ClientAuth, authorities, _time);
            return options;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InvalidOperationException($"cannot use certificate {_options.Certificate} with key {_options.Key}: {e.Message}", e);
        }
    }

    private static void ReadAuthorities(X509Certificate2Collection authorities, string file)
    {
        try
        {
            var before = authorities.Count;
            authorities.ImportFromPemFile(file);
            if (authorities.Count == before) throw new CryptographicException("no certificate in it");
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"cannot read client authorities from {file}: {e.Message}", e);
        }
    }
}

internal static partial class TlsFilesLog
{
    [LoggerMessage(EventId = 120, Level = LogLevel.Information, Message = "certificate reloaded from {File}, valid until {NotAfter}")]
    public static partial void CertificateReloaded(this ILogger logger, string file, DateTime notAfter);

    [LoggerMessage(EventId = 121, Level = LogLevel.Warning, Message = "certificate not reloaded from {File}, the old one stays in use")]
    public static partial void CertificateNotReloaded(this ILogger logger, string file, Exception exception);
}
