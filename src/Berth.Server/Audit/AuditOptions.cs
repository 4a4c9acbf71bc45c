using Berth.Server.Platform.Options;

namespace Berth.Server.Audit;

/// <summary>
/// The audit log (section <c>audit</c>). Which events are written and where they are sent are also settings that administrators may change while the server
/// runs (<c>audit_log_forward_endpoint</c>, <c>pull_audit_log_disable</c> …).
/// </summary>
public sealed record AuditOptions
{
    /// <summary>How long pulls are gathered before they are written; equal ones in that time are one entry.</summary>
    public TimeSpan PullFlushInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Where entries are sent: <c>syslog://host:601</c> or <c>host:port</c> (RFC 5424 over TCP), <c>syslog+tls://host:6514</c>, or an <c>http(s)://</c>
    /// address that takes JSON. Empty leaves it to the setting <c>audit_log_forward_endpoint</c>.
    /// </summary>
    public string? ForwardTo { get; init; }

    /// <summary>Value of the Authorization header for an HTTP receiver. Secret.</summary>
    [Secret]
    public string? ForwardAuthorization { get; init; }

    /// <summary>PEM file of the authorities that a TLS receiver's certificate may come from; empty for those of the system.</summary>
    public string? ForwardCa { get; init; }

    /// <summary>Entries in one request to an HTTP receiver, and in one transaction after a send.</summary>
    public int ForwardBatch { get; init; } = 200;

    /// <summary>How long a receiver may take.</summary>
    public TimeSpan ForwardTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
