using System.Globalization;
using System.Net;

namespace Berth.Server.Platform.Http;

/// <summary>
/// One address to listen on: <c>http://host:port</c>, <c>https://host:port</c>, <c>host:port</c>, <c>:port</c> or <c>unix:/path</c>. A missing host,
/// <c>*</c> and <c>+</c> mean all interfaces, IPv4 and IPv6. Without a port it is 80 or 443. Port 0 takes a free one.
/// </summary>
public sealed record ListenAddress
{
    /// <summary>TLS is spoken.</summary>
    public bool IsHttps { get; private init; }

    /// <summary>Path of a Unix socket; null for TCP.</summary>
    public string? UnixPath { get; private init; }

    /// <summary>Host name or IP address; empty for all interfaces.</summary>
    public string Host { get; private init; } = "";

    /// <summary>TCP port.</summary>
    public int Port { get; private init; }

    /// <summary>Reads an address.</summary>
    /// <exception cref="FormatException">It is none of the forms.</exception>
    public static ListenAddress Parse(string text) =>
        TryParse(text) ?? throw new FormatException($"\"{text}\" is not an address to listen on: write http://host:port, https://host:port, :port or unix:/path");

    /// <summary>Reads an address; null when it is none of the forms.</summary>
    public static ListenAddress? TryParse(string text)
    {
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            var path = text["unix:".Length..];
            if (path.StartsWith("//", StringComparison.Ordinal)) path = "/" + path.TrimStart('/');
            return path.StartsWith('/') && path.Length > 1 ? new ListenAddress { UnixPath = path } : null;
        }
        var https = text.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
        var rest = https ? text["https://".Length..] : text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? text["http://".Length..] : text;
        rest = rest.TrimEnd('/');
        if (rest.Length == 0 || rest.AsSpan().ContainsAny("/?#@ ")) return null;

        var colon = rest.LastIndexOf(':');
        if (rest.EndsWith(']') || rest.IndexOf(':') != colon && !rest.StartsWith('[')) colon = -1;
        var host = colon < 0 ? rest : rest[..colon];
        var port = https ? 443 : 80;
        if (colon >= 0 && !(int.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= 65535)) return null;
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        if (host is "*" or "+") host = "";
        if (host.Contains(':') && !IPAddress.TryParse(host, out _)) return null;
        return new ListenAddress { IsHttps = https, Host = host, Port = port };
    }
}
