using Berth.Server.Identity.Certificates;
using Berth.Server.Identity.Ldap;
using Berth.Server.Identity.Oidc;
using Berth.Server.Identity.Proxy;
using Berth.Server.Identity.Sessions;

namespace Berth.Server.Identity;

/// <summary>Who vouches for people besides the passwords in the database (section <c>identity</c>; mode <c>local</c>).</summary>
public sealed record IdentityOptions
{
    /// <summary>Whether people may make an account for themselves on the sign-in page.</summary>
    public bool SelfRegistration { get; init; }

    /// <summary>Shortest password or secret that people may choose.</summary>
    public int PasswordMinLength { get; init; } = 8;

    /// <summary>Longest password or secret that people may choose.</summary>
    public int PasswordMaxLength { get; init; } = 128;

    /// <summary>Whether a password needs an upper case letter, a lower case letter and a digit.</summary>
    public bool PasswordNeedsMixture { get; init; } = true;

    /// <summary>
    /// Failed sign-ins with one name, on all replicas together, after which the name is locked; 0 never locks. Whoever signed in with the name from
    /// the same network before still gets in, and so do personal access tokens.
    /// </summary>
    public int LockAfterFailures { get; init; } = 20;

    /// <summary>How long a name stays locked. An administrator may release it earlier.</summary>
    public TimeSpan LockTime { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>A directory: LDAP, Active Directory.</summary>
    public LdapOptions Ldap { get; init; } = new();

    /// <summary>OpenID providers; the first one is the one that Harbor's addresses mean.</summary>
    public IReadOnlyList<OidcOptions> Oidc { get; init; } = [];

    /// <summary>A proxy that says in a header who is calling.</summary>
    public ProxyHeaderOptions ProxyHeader { get; init; } = new();

    /// <summary>Certificates of clients.</summary>
    public CertificateOptions ClientCertificate { get; init; } = new();

    /// <summary>How long browsers stay signed in.</summary>
    public SessionOptions Sessions { get; init; } = new();

    /// <summary>Everything that is wrong: the whole key and what to do about it.</summary>
    /// <param name="clientCas">Authorities of the listener (<c>http.tls.clientCas</c>).</param>
    internal IEnumerable<(string Key, string Message)> Check(IReadOnlyList<string> clientCas) =>
        LdapRules.Check(Ldap).OfType<(string Key, string Message)>().Select(p => ("identity.ldap." + p.Key, p.Message))
            .Concat(OidcRules.Check(Oidc).Select(p => ("identity.oidc" + p.Key, p.Message)))
            .Concat(ProxyHeaderProblems())
            .Concat(CertificateSignIn.Check(ClientCertificate, clientCas).Select(p => ("identity.clientCertificate." + p.Key, p.Message)))
            .Concat(SessionProblems())
            .Concat(PasswordProblems());

    private IEnumerable<(string Key, string Message)> ProxyHeaderProblems() =>
        Proxy.ProxyHeader.Check(ProxyHeader).Select(p => ("identity.proxyHeader." + p.Key, p.Message));

    private IEnumerable<(string Key, string Message)> SessionProblems()
    {
        if (Sessions.IdleTimeout < TimeSpan.FromMinutes(1)) yield return ("identity.sessions.idleTimeout", "must be at least 1m");
        if (Sessions.AbsoluteTimeout < Sessions.IdleTimeout) yield return ("identity.sessions.absoluteTimeout", "must not be shorter than identity.sessions.idleTimeout");
    }

    private IEnumerable<(string Key, string Message)> PasswordProblems()
    {
        if (PasswordMinLength < 1) yield return ("identity.passwordMinLength", "must be at least 1");
        // A Basic header carries no more.
        if (PasswordMaxLength < PasswordMinLength || PasswordMaxLength > 4096) yield return ("identity.passwordMaxLength", "must be from identity.passwordMinLength to 4096");
        if (LockAfterFailures < 0) yield return ("identity.lockAfterFailures", "must be 0, which never locks, or more");
        if (LockTime <= TimeSpan.Zero || LockTime > TimeSpan.FromDays(365)) yield return ("identity.lockTime", "must be more than 0 and at most 365d");
    }
}
