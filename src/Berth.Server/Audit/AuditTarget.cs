using System.Globalization;

namespace Berth.Server.Audit;

/// <summary>How audit entries travel.</summary>
internal enum AuditTransport
{
    /// <summary>RFC 5424 over TCP with octet counting (RFC 6587 section 3.4.1).</summary>
    Syslog,

    /// <summary>The same over TLS (RFC 5425).</summary>
    SyslogTls,

    /// <summary>A JSON array in a POST.</summary>
    Http,
}

/// <summary>Where audit entries are sent.</summary>
/// <param name="Transport">How.</param>
/// <param name="Host">Host of a syslog receiver.</param>
/// <param name="Port">Port of a syslog receiver.</param>
/// <param name="Url">Address of an HTTP receiver.</param>
internal sealed record AuditTarget(AuditTransport Transport, string Host, int Port, Uri? Url)
{
    /// <summary>Reads <c>host:port</c>, as Harbor has it, <c>syslog://</c>, <c>syslog+tls://</c>, <c>http://</c> or <c>https://</c>; null when it is none of them.</summary>
    public static AuditTarget? TryParse(string text)
    {
        if (!text.Contains("://", StringComparison.Ordinal)) text = "syslog://" + text;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.UserInfo.Length > 0) return null;
        switch (uri.Scheme)
        {
            case "syslog":
            case "syslog+tcp":
                return new AuditTarget(AuditTransport.Syslog, uri.IdnHost, uri.Port > 0 ? uri.Port : 601, null);
            case "syslog+tls":
            case "syslogs":
                return new AuditTarget(AuditTransport.SyslogTls, uri.IdnHost, uri.Port > 0 ? uri.Port : 6514, null);
            case "http":
            case "https":
                return new AuditTarget(AuditTransport.Http, uri.IdnHost, uri.Port, uri);
            default:
                return null;
        }
    }

    public override string ToString() => Url?.GetLeftPart(UriPartial.Path) ?? string.Create(CultureInfo.InvariantCulture, $"{(Transport == AuditTransport.SyslogTls ? "syslog+tls" : "syslog")}://{Host}:{Port}");
}
