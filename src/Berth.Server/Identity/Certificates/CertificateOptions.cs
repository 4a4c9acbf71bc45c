namespace Berth.Server.Identity.Certificates;

/// <summary>
/// Sign-in by the certificate of the TLS connection (section <c>identity.clientCertificate</c>). The listener must ask for certificates:
/// <c>http.tls.clientCas</c>, with <c>clientAuth: verifyIfGiven</c> where others sign in with passwords.
/// </summary>
public sealed record CertificateOptions
{
    /// <summary>Whether certificates sign in.</summary>
    public bool Enabled { get; init; }

    /// <summary>PEM files of the authorities whose certificates sign in, where not all of <c>http.tls.clientCas</c> do; empty for all of those.</summary>
    public IReadOnlyList<string> Cas { get; init; } = [];

    /// <summary>Where the user name stands; the first place that holds one counts.</summary>
    public IReadOnlyList<CertificateNamePlace> NameFrom { get; init; } = [CertificateNamePlace.CommonName];

    /// <summary>
    /// Regular expression that the name must match as a whole; its first group, if it has one, becomes the user name:
    /// <c>(.+)@example\.com</c>. Empty: the name as it is.
    /// </summary>
    public string NamePattern { get; init; } = "";
}

/// <summary>Where a certificate holds a name.</summary>
public enum CertificateNamePlace
{
    /// <summary>Common name of the subject.</summary>
    CommonName,

    /// <summary>E-mail address among the subject's alternative names.</summary>
    Email,

    /// <summary>DNS name among the subject's alternative names.</summary>
    Dns,

    /// <summary>URI among the subject's alternative names, such as a SPIFFE id.</summary>
    Uri,
}
